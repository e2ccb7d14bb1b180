use serde_json::{Value, json};

use crate::{Acts, Block, Error, Role, Step, Transform};

/// A link: after each step θ ← sign(θ) · max(|θ| − α λ, 0), the proximal map of α λ ‖θ‖₁, which drives weights to exact
/// zeros while a network trains.
///
/// Behind plain gradient descent this is proximal gradient descent (ISTA; Beck & Teboulle, *A fast iterative
/// shrinkage-thresholding algorithm*, 2009) on J(θ) + λ‖θ‖₁; behind Adam it is the decoupled form, as AdamW has it for
/// squares. The threshold is α λ and not λ, so that a falling learning rate does not change what is minimised. Weights
/// are shrunk; biases, the numbers of normalisations and embeddings only with [`everything`](Self::everything). It masks
/// nothing: a weight may leave zero again.
///
/// ```
/// use maas_nn::{ProximalL1, Transform};
///
/// let link = ProximalL1::new(1e-2);
/// assert!(link.check().is_ok());
/// assert!(ProximalL1::new(-1.0).check().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ProximalL1 {
    lambda: f32,
    reach: Reach,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Weights,
    Everything,
}

impl ProximalL1 {
    /// Shrink weights by α λ, 0 ≤ λ < ∞, which is checked when a chain is put to work.
    ///
    /// ```
    /// let link = maas_nn::ProximalL1::new(1e-2);
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
    /// let link = maas_nn::ProximalL1::new(1e-2).everything();
    /// ```
    pub fn everything(self) -> Self {
        Self {
            reach: Reach::Everything,
            ..self
        }
    }
}

impl Transform for ProximalL1 {
    fn name(&self) -> &str {
        "proximal_l1"
    }

    fn config(&self) -> Value {
        json!({ "lambda": self.lambda, "everything": self.reach == Reach::Everything })
    }

    fn check(&self) -> Result<(), Error> {
        if (0.0..f32::INFINITY).contains(&self.lambda) {
            Ok(())
        } else {
            Err(Error::Setting {
                name: "lambda",
                expected: "[0, ∞)",
                found: self.lambda,
            })
        }
    }

    fn acts(&self) -> Acts {
        Acts::AfterStep
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn after(&self, step: &Step, block: &mut Block<'_>) {
        if self.reach == Reach::Everything || block.role == Role::Weight {
            step.kernels
                .soft_threshold(block.parameters, step.learning_rate * self.lambda);
        }
    }
}
