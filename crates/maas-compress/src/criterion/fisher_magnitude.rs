use maas_nn::{Network, Segment};
use serde_json::{Value, json};

use super::Criterion;
use crate::Error;

/// |w|·E\[g²\]^¼, with the weights w and gradients g of the steps of training that
/// [`GradualPruning`](crate::GradualPruning) sees: what is small, or what the loss hardly depends on, goes first.
///
/// E\[g²\] is the diagonal of the empirical Fisher information. With it for the curvature, the loss grows by ½·w²·E\[g²\] when w
/// is set to zero (LeCun, Denker and Solla, *Optimal Brain Damage*, 1990). The score is the geometric mean of that loss's root
/// and of the magnitude |w|, and keeps something of both: weights behind inputs that are always zero go however large they
/// are, and a gradient that is small for the moment does not cost a large weight its place.
///
/// Scores are gathered as their fourth power, w⁴·g², of which each step has a share of 1/200 in a moving average.
///
/// ```
/// use maas_compress::{FisherMagnitude, GradualPruning, Pruner, Ramp};
/// let link = GradualPruning::new(Pruner::new(FisherMagnitude::default(), 0.98), Ramp::cubic(10)).every(50);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct FisherMagnitude {
    share: f32,
}

impl FisherMagnitude {
    /// Gives each step this share of the average, between 0 and 1, in place of 1/200: many small batches want a small one.
    ///
    /// ```
    /// let criterion = maas_compress::FisherMagnitude::default().share(0.02);
    /// ```
    pub fn share(self, share: f32) -> Self {
        Self {
            share: share.clamp(0.0, 1.0),
        }
    }
}

impl Default for FisherMagnitude {
    fn default() -> Self {
        Self { share: 0.005 }
    }
}

impl Criterion for FisherMagnitude {
    fn config(&self) -> Value {
        json!(self.share)
    }

    /// # Errors
    /// [`Error::NotInTraining`], always: gradients come with training.
    fn scores(&self, _: &Network, _: &[Segment]) -> Result<Vec<f32>, Error> {
        Err(Error::NotInTraining {
            method: self.name().to_owned(),
        })
    }

    fn accumulates(&self) -> bool {
        true
    }

    fn accumulate(&self, weights: &[f32], gradients: &[f32], scores: &mut [f32]) {
        let felt = weights.iter().zip(gradients).map(|(w, g)| w * w * g);
        for (score, felt) in scores.iter_mut().zip(felt) {
            *score += self.share * (felt * felt - *score);
        }
    }
}
