use super::terms::{
    Absolute, Hinge, Huber, KullbackLeibler, LogCosh, Poisson, SigmoidCrossEntropy, Squared,
    SquaredHinge, Term,
};
use crate::Kernels;
use crate::kernels::Work;
use crate::reduce::{BLOCK, LANES, Sum, join_lanes};
use crate::simd::Simd;

/// A loss that is a sum over elements of a function of a prediction p and a target t, with d = p − t.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ElementLoss {
    /// d².
    Squared,
    /// |d|; its slope at 0 is 0.
    Absolute,
    /// d²/2 where |d| <= `delta`, else `delta`·(|d| − `delta`/2).
    Huber {
        /// The width of the quadratic part.
        delta: f32,
    },
    /// ln cosh d.
    LogCosh,
    /// −t·ln σ(p) − (1 − t)·ln(1 − σ(p)), with `smoothing` s and (1 − s)·t + s/2 for t.
    SigmoidCrossEntropy {
        /// How far targets are drawn towards ½.
        smoothing: f32,
    },
    /// p − t·ln(p + `epsilon`).
    Poisson {
        /// What keeps the logarithm finite at p = 0.
        epsilon: f32,
    },
    /// t·ln(t/p), both brought into \[`epsilon`, 1\]; outside of it the slope is 0.
    KullbackLeibler {
        /// The least probability.
        epsilon: f32,
    },
    /// max(0, 1 − t·p), where a target of 0 counts as −1; its slope at the corner is 0.
    Hinge,
    /// max(0, 1 − t·p)², where a target of 0 counts as −1.
    SquaredHinge,
}

/// Where a loss's gradient goes.
#[derive(Debug)]
pub struct LossGradient<'a> {
    /// One element a prediction; what was there is replaced.
    pub out: &'a mut [f32],
    /// What every element is multiplied by: one over the elements for the gradient of a mean.
    pub scale: f32,
}

impl Kernels {
    /// Σᵢ wᵢ·f(pᵢ, tᵢ), summed as [`Kernels::sum`] sums, and where asked for its gradient f′(pᵢ, tᵢ)·(scale·wᵢ).
    ///
    /// Weights belong to rows: rows are as long as there are predictions for each weight. Without weights all are 1.
    ///
    /// # Panics
    /// When lengths differ, or predictions are not made of as many rows as there are weights.
    ///
    /// ```
    /// use maas_kernels::{ElementLoss, Kernels, LossGradient};
    ///
    /// let mut gradient = [0.0; 4];
    /// let sum = Kernels::best().element_loss(
    ///     ElementLoss::Squared,
    ///     &[1.0, 2.0, 3.0, 4.0],
    ///     &[0.0, 2.0, 1.0, 4.0],
    ///     Some(&[1.0, 0.5]),
    ///     Some(LossGradient { out: &mut gradient, scale: 0.25 }),
    /// );
    /// assert_eq!(sum, 1.0 + 0.5 * 4.0);
    /// assert_eq!(gradient, [0.5, 0.0, 0.5, 0.0]);
    /// ```
    #[track_caller]
    pub fn element_loss(
        self,
        loss: ElementLoss,
        predictions: &[f32],
        targets: &[f32],
        weights: Option<&[f32]>,
        gradient: Option<LossGradient<'_>>,
    ) -> f32 {
        assert_eq!(
            predictions.len(),
            targets.len(),
            "slices of different lengths"
        );
        if let Some(gradient) = &gradient {
            assert_eq!(
                predictions.len(),
                gradient.out.len(),
                "slices of different lengths"
            );
        }
        let weights = weights.map(|weights| {
            let width = predictions.len().checked_div(weights.len()).unwrap_or(0);
            assert_eq!(
                weights.len() * width,
                predictions.len(),
                "rows of equal length"
            );
            RowWeights { weights, width }
        });
        let slices = Slices {
            predictions,
            targets,
            weights,
            gradient,
        };
        match loss {
            ElementLoss::Squared => self.run(slices.of(Squared)),
            ElementLoss::Absolute => self.run(slices.of(Absolute)),
            ElementLoss::Huber { delta } => self.run(slices.of(Huber { delta })),
            ElementLoss::LogCosh => self.run(slices.of(LogCosh)),
            ElementLoss::SigmoidCrossEntropy { smoothing } => {
                self.run(slices.of(SigmoidCrossEntropy { smoothing }))
            }
            ElementLoss::Poisson { epsilon } => self.run(slices.of(Poisson { epsilon })),
            ElementLoss::KullbackLeibler { epsilon } => {
                self.run(slices.of(KullbackLeibler { epsilon }))
            }
            ElementLoss::Hinge => self.run(slices.of(Hinge)),
            ElementLoss::SquaredHinge => self.run(slices.of(SquaredHinge)),
        }
    }
}

/// Slices of equal length.
struct Slices<'a> {
    predictions: &'a [f32],
    targets: &'a [f32],
    weights: Option<RowWeights<'a>>,
    gradient: Option<LossGradient<'a>>,
}

impl<'a> Slices<'a> {
    fn of<T: Term>(self, term: T) -> TermSum<'a, T> {
        TermSum { slices: self, term }
    }
}

/// One weight for each `width` elements.
#[derive(Clone, Copy)]
struct RowWeights<'a> {
    weights: &'a [f32],
    width: usize,
}

impl RowWeights<'_> {
    /// The weights of the elements from `start` on.
    fn expand(self, start: usize, elements: &mut [f32]) {
        let mut row = start / self.width;
        let mut left = self.width - start % self.width;
        let mut rest = elements;
        while !rest.is_empty() {
            let (now, later) = rest.split_at_mut(left.min(rest.len()));
            now.fill(self.weights[row]);
            (row, left, rest) = (row + 1, self.width, later);
        }
    }
}

struct TermSum<'a, T> {
    slices: Slices<'a>,
    term: T,
}

impl<T: Term> Work for TermSum<'_, T> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let Self { slices, term } = self;
        let Slices {
            predictions,
            targets,
            weights,
            mut gradient,
        } = slices;
        let (len, mut total) = (predictions.len(), 0.0);
        // No closure may hold vectors: it would not be compiled with their instructions.
        let mut expanded = None;
        for start in (0..len).step_by(BLOCK) {
            let range = start..len.min(start + BLOCK);
            let weights = match weights {
                None => None,
                Some(rows) if rows.width == 1 => Some(&rows.weights[range.clone()]),
                Some(rows) => {
                    let elements = &mut expanded.get_or_insert([0.0; BLOCK])[..range.len()];
                    rows.expand(start, elements);
                    Some(&*elements)
                }
            };
            let gradient = gradient.as_mut().map(|gradient| LossGradient {
                out: &mut gradient.out[range.clone()],
                scale: gradient.scale,
            });
            let (p, t) = (&predictions[range.clone()], &targets[range]);
            total += sum_block(s, &term, p, t, weights, gradient);
        }
        total
    }
}

/// The weighted terms of at most [`BLOCK`] elements, by the lanes and the tree of a sum; slices of equal length.
#[inline(always)]
fn sum_block<S: Simd, T: Term>(
    s: S,
    term: &T,
    p: &[f32],
    t: &[f32],
    weights: Option<&[f32]>,
    mut gradient: Option<LossGradient<'_>>,
) -> f32 {
    let len = p.len();
    debug_assert!(t.len() == len, "slices of equal length");
    debug_assert!(
        weights.is_none_or(|weights| weights.len() == len),
        "slices of equal length"
    );
    // Only the first 16 / LANES vectors are used.
    let mut lanes = [s.zero(); LANES];
    let whole = len - len % LANES;
    let mut i = 0;
    while i < whole {
        let weights = weights.map(|weights| &weights[i..i + LANES]);
        let out = gradient.as_mut().map(|gradient| LossGradient {
            out: &mut gradient.out[i..i + LANES],
            scale: gradient.scale,
        });
        let (p, t) = (&p[i..i + LANES], &t[i..i + LANES]);
        step(s, term, &mut lanes, p, t, weights, out);
        i += LANES;
    }
    if whole < len {
        // What is filled up weighs nothing.
        let padded = |x: &[f32]| {
            let mut row = [0.0; LANES];
            row[..len - whole].copy_from_slice(&x[whole..]);
            row
        };
        let (p, t) = (padded(p), padded(t));
        let weights = match weights {
            Some(weights) => padded(weights),
            None => std::array::from_fn(|lane| f32::from(u8::from(lane < len - whole))),
        };
        match gradient {
            Some(LossGradient { out, scale }) => {
                let mut row = [0.0; LANES];
                let to = LossGradient {
                    out: &mut row,
                    scale,
                };
                step(s, term, &mut lanes, &p, &t, Some(&weights), Some(to));
                out[whole..].copy_from_slice(&row[..len - whole]);
            }
            None => step(s, term, &mut lanes, &p, &t, Some(&weights), None),
        }
    }
    join_lanes(s, &Sum, &lanes)
}

/// One row of 16 lanes; every slice has 16 elements.
#[inline(always)]
fn step<S: Simd, T: Term>(
    s: S,
    term: &T,
    lanes: &mut [S::F; LANES],
    p: &[f32],
    t: &[f32],
    weights: Option<&[f32]>,
    mut gradient: Option<LossGradient<'_>>,
) {
    let mut j = 0;
    while j < LANES / S::LANES {
        let at = j * S::LANES;
        let weight = match weights {
            None => s.splat(1.0),
            Some(weights) => load(s, weights, at),
        };
        let (value, slope) = term.apply(s, load(s, p, at), load(s, t, at));
        lanes[j] = s.add(lanes[j], s.mul(value, weight));
        if let Some(LossGradient { out, scale }) = &mut gradient {
            assert!(at + S::LANES <= out.len(), "a vector");
            let scaled = s.mul(slope, s.mul(s.splat(*scale), weight));
            // SAFETY: `at + S::LANES` elements are there.
            unsafe { s.store(out.as_mut_ptr().add(at), scaled) };
        }
        j += 1;
    }
}

/// The vector from element `at` on.
#[inline(always)]
fn load<S: Simd>(s: S, x: &[f32], at: usize) -> S::F {
    assert!(at + S::LANES <= x.len(), "a vector");
    // SAFETY: `at + S::LANES` elements are there.
    unsafe { s.load(x.as_ptr().add(at)) }
}
