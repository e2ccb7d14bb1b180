use super::LossGradient;
use super::terms::Term;
use crate::reduce::{LANES, Sum, join_lanes};
use crate::simd::{Four, MOST_LANES, Simd, Vectors, four};

/// At most [`BLOCK`](crate::reduce::BLOCK) elements, in slices of equal length.
pub(super) struct Block<'a> {
    pub(super) predictions: &'a [f32],
    pub(super) targets: &'a [f32],
    pub(super) weights: Option<&'a [f32]>,
    pub(super) gradient: Option<LossGradient<'a>>,
}

impl Block<'_> {
    /// The weighted terms, by the lanes and the tree of a sum.
    #[inline(always)]
    pub(super) fn sum<S: Simd, T: Term>(self, s: S, term: &T) -> f32 {
        let Self {
            predictions: p,
            targets: t,
            weights,
            gradient,
        } = self;
        let len = p.len();
        assert!(t.len() == len, "slices of equal length");
        assert!(weights.is_none_or(|weights| weights.len() == len));
        assert!(gradient.as_ref().is_none_or(|to| to.out.len() == len));

        // Only the first 16 / LANES vectors are used.
        let mut lanes = [s.zero(); LANES];
        let whole = len - len % row_length::<S>();
        let rows = Rows {
            len: whole,
            p: p.as_ptr(),
            t: t.as_ptr(),
        };
        let scaled = |to: &mut LossGradient<'_>| Scaled(to.out.as_mut_ptr(), to.scale);
        let mut gradient = gradient;
        // SAFETY: every slice has `len >= whole` elements.
        unsafe {
            match (weights, gradient.as_mut().map(scaled)) {
                (None, None) => rows.add(s, term, &mut lanes, Ones, Unused),
                (None, Some(slopes)) => rows.add(s, term, &mut lanes, Ones, slopes),
                (Some(w), None) => rows.add(s, term, &mut lanes, Each(w.as_ptr()), Unused),
                (Some(w), Some(slopes)) => rows.add(s, term, &mut lanes, Each(w.as_ptr()), slopes),
            }
        }
        if whole < len {
            // What is filled up weighs nothing, and has a term that is finite whatever the loss.
            let (p, t) = (padded(&p[whole..], 1.0), padded(&t[whole..], 1.0));
            let weights = match weights {
                Some(weights) => padded(&weights[whole..], 0.0),
                None => padded(&[1.0; MOST_ROW][..len - whole], 0.0),
            };
            let mut slopes = [0.0; MOST_ROW];
            let scale = gradient.as_ref().map_or(0.0, |to| to.scale);
            let row = Rows {
                len: row_length::<S>(),
                p: p.as_ptr(),
                t: t.as_ptr(),
            };
            let to = Scaled(slopes.as_mut_ptr(), scale);
            // SAFETY: every array has as many elements as the longest row.
            unsafe { row.add(s, term, &mut lanes, Each(weights.as_ptr()), to) };
            if let Some(to) = gradient {
                to.out[whole..].copy_from_slice(&slopes[..len - whole]);
            }
        }
        join_lanes(s, &Sum, &lanes)
    }
}

/// Elements that are worked on at a time: whole rows of lanes, and whole fours of vectors.
const fn row_length<S: Simd>() -> usize {
    if Four::<S>::LANES > LANES {
        Four::<S>::LANES
    } else {
        LANES
    }
}

const MOST_ROW: usize = 4 * MOST_LANES;

fn padded(x: &[f32], with: f32) -> [f32; MOST_ROW] {
    let mut row = [with; MOST_ROW];
    row[..x.len()].copy_from_slice(x);
    row
}

/// Predictions and targets in whole rows.
struct Rows {
    len: usize,
    p: *const f32,
    t: *const f32,
}

impl Rows {
    /// Adds the weighted terms of every row to its lanes, and hands out the slopes.
    ///
    /// # Safety
    /// `p`, `t`, `weights` and `slopes` must be valid for `len` floats, a multiple of the row's length.
    #[inline(always)]
    unsafe fn add<S: Simd, T: Term>(
        self,
        s: S,
        term: &T,
        lanes: &mut [S::F; LANES],
        weights: impl Weights,
        slopes: impl Slopes,
    ) {
        let Self { len, p, t } = self;
        let (four, vectors) = (four(s), LANES / S::LANES);
        let mut start = 0;
        while start < len {
            let mut j = 0;
            while j < row_length::<S>() / S::LANES {
                let at = start + j * S::LANES;
                // SAFETY: four vectors from `at` on lie within the row.
                let weight = unsafe { weights.load(four, at) };
                // SAFETY: as above.
                let (p, t) = unsafe { (four.load(p.add(at)), four.load(t.add(at))) };
                let (value, slope) = term.apply(four, p, t);
                // SAFETY: as above.
                unsafe { slopes.store(four, at, slope, weight) };
                let [[a, b], [c, d]] = four.mul(value, weight);
                lanes[j % vectors] = s.add(lanes[j % vectors], a);
                lanes[(j + 1) % vectors] = s.add(lanes[(j + 1) % vectors], b);
                lanes[(j + 2) % vectors] = s.add(lanes[(j + 2) % vectors], c);
                lanes[(j + 3) % vectors] = s.add(lanes[(j + 3) % vectors], d);
                j += 4;
            }
            start += row_length::<S>();
        }
    }
}

/// What every term is multiplied by.
trait Weights: Copy {
    /// # Safety
    /// A vector of weights must be valid for reading from element `at` on, where there are any.
    unsafe fn load<V: Vectors>(self, v: V, at: usize) -> V::F;
}

#[derive(Clone, Copy)]
struct Ones;

impl Weights for Ones {
    #[inline(always)]
    unsafe fn load<V: Vectors>(self, v: V, _: usize) -> V::F {
        v.splat(1.0)
    }
}

#[derive(Clone, Copy)]
struct Each(*const f32);

impl Weights for Each {
    #[inline(always)]
    unsafe fn load<V: Vectors>(self, v: V, at: usize) -> V::F {
        // SAFETY: the caller vouches for a vector.
        unsafe { v.load(self.0.add(at)) }
    }
}

/// Where slopes go.
trait Slopes: Copy {
    /// # Safety
    /// A vector must be valid for writing from element `at` on, where slopes go anywhere.
    unsafe fn store<V: Vectors>(self, v: V, at: usize, slope: V::F, weight: V::F);
}

#[derive(Clone, Copy)]
struct Unused;

impl Slopes for Unused {
    #[inline(always)]
    unsafe fn store<V: Vectors>(self, _: V, _: usize, _: V::F, _: V::F) {}
}

/// To a place, multiplied by a number and the weight.
#[derive(Clone, Copy)]
struct Scaled(*mut f32, f32);

impl Slopes for Scaled {
    #[inline(always)]
    unsafe fn store<V: Vectors>(self, v: V, at: usize, slope: V::F, weight: V::F) {
        let scaled = v.mul(slope, v.mul(v.splat(self.1), weight));
        // SAFETY: the caller vouches for a vector.
        unsafe { v.store(self.0.add(at), scaled) };
    }
}
