use maas_nn::{Acts, Block, Error, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::decay;

/// A link: keeps an exponential average of the parameters, a ← m a + (1 − m) θ after each step (Polyak & Juditsky, 1992).
///
/// As Keras' `use_ema` with its default m = 0.99; the average starts at the parameters after the first step. The average
/// does not touch the training: [`Optimizer::average`](crate::Optimizer::average) gives it, and a trainer evaluates and ends
/// with it. It belongs at the end of a chain, behind links that change parameters.
///
/// ```
/// use maas_train::{Adam, AverageWeights, Chain};
/// let chain = Chain::from(Adam::new(1e-3)).then(AverageWeights::new(0.99));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct AverageWeights {
    momentum: f32,
}

impl AverageWeights {
    /// Keep this share m of the average in each step, 0 ≤ m < 1.
    ///
    /// ```
    /// let link = maas_train::AverageWeights::new(0.999);
    /// ```
    pub fn new(momentum: f32) -> Self {
        Self { momentum }
    }
}

impl Default for AverageWeights {
    fn default() -> Self {
        Self::new(0.99)
    }
}

impl Transform for AverageWeights {
    fn name(&self) -> &str {
        "average_weights"
    }

    fn config(&self) -> Value {
        json!({ "momentum": self.momentum })
    }

    fn check(&self) -> Result<(), Error> {
        decay("momentum", self.momentum)
    }

    fn buffers(&self) -> usize {
        1
    }

    fn acts(&self) -> Acts {
        Acts::AfterStep
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn after(&self, step: &Step, block: &mut Block<'_>) {
        let average = block.state.get(0);
        if step.number == 1 {
            average.copy_from_slice(block.parameters);
        } else {
            step.kernels
                .average(average, block.parameters, 1.0 - self.momentum);
        }
    }

    fn averages(&self) -> Option<usize> {
        Some(0)
    }
}
