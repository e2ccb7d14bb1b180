use super::block::Block;
use super::terms::{
    Absolute, Hinge, Huber, KullbackLeibler, LogCosh, Poisson, SigmoidCrossEntropy, Squared,
    SquaredHinge, Term,
};
use super::weights::RowWeights;
use crate::Kernels;
use crate::kernels::Work;
use crate::reduce::BLOCK;
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
        let weights = weights.map(|weights| RowWeights::new(weights, predictions.len()));
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
        let mut room = None;
        for start in (0..len).step_by(BLOCK) {
            let range = start..len.min(start + BLOCK);
            #[expect(
                clippy::manual_map,
                reason = "a closure would not be compiled with the set's instructions"
            )]
            let weights = match weights {
                None => None,
                Some(weights) => Some(weights.of(s, range.clone(), &mut room)),
            };
            let gradient = gradient.as_mut().map(|gradient| LossGradient {
                out: &mut gradient.out[range.clone()],
                scale: gradient.scale,
            });
            let block = Block {
                predictions: &predictions[range.clone()],
                targets: &targets[range],
                weights,
                gradient,
            };
            total += block.sum(s, &term);
        }
        total
    }
}
