#![allow(
    clippy::needless_range_loop,
    reason = "r and v index several arrays of registers at once"
)]

use super::pack::View;
use super::strip::{Bias, End, Strip};
use crate::Activation;
use crate::activation::{LeakyRelu, Operation, Relu};
use crate::simd::Simd;

/// Computes `R` rows by `V` vectors of C for one block of k, the sums held in registers.
///
/// `RAGGED`: the last vector is not full. `a` starts with the tile's first row.
///
/// # Safety
/// `strip` must keep its promises, `a` describe `R` rows of `strip.k` readable floats, and rows `row..row + R` lie
/// within the strip, whose width fills `V` vectors, the last one partly where `RAGGED`.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, const R: usize, const V: usize, const RAGGED: bool>(
    s: S,
    strip: &Strip,
    a: View,
    row: usize,
) {
    let last = strip.width - (V - 1) * S::LANES;
    let load = |p: *const f32, v: usize| {
        // SAFETY: every pointer handed in starts a row of the strip, `width` floats long.
        unsafe {
            if RAGGED && v == V - 1 {
                s.load_partial(p.add(v * S::LANES), last)
            } else {
                s.load(p.add(v * S::LANES))
            }
        }
    };
    let store = |p: *mut f32, v: usize, x: S::F| {
        // SAFETY: as for `load`.
        unsafe {
            if RAGGED && v == V - 1 {
                s.store_partial(p.add(v * S::LANES), last, x);
            } else {
                s.store(p.add(v * S::LANES), x);
            }
        }
    };

    let mut sums = [[s.zero(); V]; R];
    if let Some(start) = strip.start {
        for r in 0..R {
            for v in 0..V {
                // SAFETY: the chain has a row for every row of the strip.
                sums[r][v] = load(unsafe { start.p.add((row + r) * start.stride) }, v);
            }
        }
    }

    let mut rows = [a.p; R];
    for (r, p) in rows.iter_mut().enumerate() {
        *p = a.p.wrapping_add(r * a.row);
    }
    let (mut at, mut b) = (0, strip.b);
    for _ in 0..strip.k {
        let mut right = [s.zero(); V];
        for (v, right) in right.iter_mut().enumerate() {
            *right = load(b, v);
        }
        for r in 0..R {
            // SAFETY: `at` is the offset of one of the k columns of A.
            let left = s.splat(unsafe { *rows[r].add(at) });
            for v in 0..V {
                sums[r][v] = s.fma(left, right[v], sums[r][v]);
            }
        }
        at = at.wrapping_add(a.column);
        b = b.wrapping_add(strip.b_stride);
    }

    let (out, out_stride) = match strip.end {
        End::Chain(chain) => (chain.p.cast_mut(), chain.stride),
        End::Sum {
            add,
            bias,
            activation,
        } => {
            if add {
                for r in 0..R {
                    for v in 0..V {
                        // SAFETY: C has a row for every row of the strip.
                        let sum = load(unsafe { strip.c.add((row + r) * strip.c_stride) }, v);
                        sums[r][v] = s.add(sum, sums[r][v]);
                    }
                }
            }
            match bias {
                Bias::None => {}
                Bias::Columns(bias) => {
                    for v in 0..V {
                        let bias = load(bias, v);
                        for sums in &mut sums {
                            sums[v] = s.add(sums[v], bias);
                        }
                    }
                }
                Bias::All(bias) => {
                    for sums in &mut sums {
                        for sum in sums {
                            *sum = s.add(*sum, s.splat(bias));
                        }
                    }
                }
            }
            match activation {
                Activation::Relu => activate(s, &Relu, &mut sums),
                Activation::LeakyRelu { slope } => activate(s, &LeakyRelu(slope), &mut sums),
                _ => {}
            }
            (strip.c, strip.c_stride)
        }
    };
    for r in 0..R {
        for v in 0..V {
            // SAFETY: C and the chain have a row for every row of the strip.
            store(unsafe { out.add((row + r) * out_stride) }, v, sums[r][v]);
        }
    }
}

#[inline(always)]
fn activate<S: Simd, O: Operation, const R: usize, const V: usize>(
    s: S,
    op: &O,
    sums: &mut [[S::F; V]; R],
) {
    for row in sums {
        for sum in row {
            *sum = op.forward(s, *sum);
        }
    }
}
