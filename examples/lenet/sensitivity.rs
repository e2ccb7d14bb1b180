//! Pruning by how much the loss of a weight would be felt.

use maas::compress::{Criterion, Error};
use maas::nn::{Network, Segment};

/// |w|·E\[g²\]^¼, gathered from the weights w and gradients g of the steps of training, as its fourth power w⁴·E\[g²\].
///
/// With E\[g²\] for the curvature it lies between the magnitude |w| and the root of the loss that a quadratic form expects
/// of setting w to zero, |w|·E\[g²\]^½ (LeCun, Denker & Solla, *Optimal brain damage*, 1990): what no pixel feeds goes
/// first, however large it is.
#[derive(Debug)]
pub(crate) struct Sensitivity;

impl Criterion for Sensitivity {
    fn scores(&self, _: &Network, _: &[Segment]) -> Result<Vec<f32>, Error> {
        Err(Error::NotInTraining {
            method: self.name().to_owned(),
        })
    }

    fn accumulates(&self) -> bool {
        true
    }

    fn accumulate(&self, weights: &[f32], gradients: &[f32], scores: &mut [f32]) {
        for (score, (weight, gradient)) in scores.iter_mut().zip(weights.iter().zip(gradients)) {
            let felt = weight * weight * gradient;
            *score += RENEWAL * (felt * felt - *score);
        }
    }
}

/// The share of the mean that a step has.
const RENEWAL: f32 = 0.005;
