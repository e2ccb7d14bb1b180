use maas_nn::{Acts, Block, Error, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::non_negative;
use super::decay::Reach;

/// A link: after each step θ ← sign(θ) · max(|θ| − α λ, 0), the proximal map of α λ ‖θ‖₁, which drives weights to exact
/// zeros while a network trains.
///
/// Behind plain gradient descent this is ISTA (Beck & Teboulle, 2009), behind Adam the decoupled form. Weights are
/// shrunk; biases, the numbers of normalisations and embeddings only with [`everything`](Self::everything).
///
/// ```
/// use maas_train::{Adam, Chain, Shrink};
/// let chain = Chain::from(Adam::new(1e-3)).then(Shrink::new(1e-2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Shrink {
    lambda: f32,
    reach: Reach,
}

impl Shrink {
    /// Shrink weights by α λ, λ ≥ 0.
    ///
    /// ```
    /// let link = maas_train::Shrink::new(1e-2);
    /// ```
    pub fn new(lambda: f32) -> Self {
        Self {
            lambda,
            reach: Reach::Weights,
        }
    }

    /// Shrink all parameters.
    ///
    /// ```
    /// let link = maas_train::Shrink::new(1e-2).everything();
    /// ```
    pub fn everything(self) -> Self {
        Self {
            reach: Reach::Everything,
            ..self
        }
    }
}

impl Transform for Shrink {
    fn name(&self) -> &str {
        "shrink"
    }

    fn config(&self) -> Value {
        json!({ "lambda": self.lambda, "everything": self.reach == Reach::Everything })
    }

    fn check(&self) -> Result<(), Error> {
        non_negative("lambda", self.lambda)
    }

    fn acts(&self) -> Acts {
        Acts::AfterStep
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn after(&self, step: &Step, block: &mut Block<'_>) {
        if self.reach.covers(block.role) {
            step.kernels
                .soft_threshold(block.parameters, step.learning_rate * self.lambda);
        }
    }
}
