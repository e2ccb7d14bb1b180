use maas_kernels::{Around, Direction};
use maas_nn::{Acts, Block, Error, Fused, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::decay;
use super::joined::Directed;
use super::settings::{directed, link_settings, settings};
use crate::{Chain, LearningRate};

/// Lion (Chen et al., *Symbolic discovery of optimization algorithms*, 2023), with Keras' defaults: β₁ = 0.9, β₂ = 0.99.
///
/// θ ← θ − α · sign(β₁ m + (1 − β₁) g), then m ← β₂ m + (1 − β₂) g. Every weight moves by α, so rates are three to ten
/// times smaller than Adam's.
///
/// ```
/// use maas_train::{Chain, Lion};
/// assert_eq!(Chain::from(Lion::new(1e-4)).name(), "lion");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Lion {
    learning_rate: LearningRate,
    scale: ScaleByLion,
}

impl Lion {
    /// Lion at this rate.
    ///
    /// ```
    /// let optimizer = maas_train::Lion::new(1e-4);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            scale: ScaleByLion::default(),
        }
    }
}

link_settings! {
    Lion, scale:
    /// The share β₁ of the mean in the direction, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.98";
}

impl From<Lion> for Chain {
    fn from(optimizer: Lion) -> Self {
        Self::new(optimizer.learning_rate)
            .then(optimizer.scale)
            .named("lion")
    }
}

/// A link: the direction becomes the sign of β₁ m + (1 − β₁) u. The sign of 0 is 0, that of NaN is NaN.
///
/// ```
/// use maas_train::{Chain, ScaleByLion};
/// let chain = Chain::new(1e-4).then(ScaleByLion::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ScaleByLion {
    beta_1: f32,
    beta_2: f32,
}

impl Default for ScaleByLion {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.99,
        }
    }
}

settings! {
    ScaleByLion, "ScaleByLion::default()":
    /// The share β₁ of the mean in the direction, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.98";
}

impl Directed for ScaleByLion {
    fn direction(&self, _: &Step, _: &[f64]) -> Direction {
        Direction::Lion {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
        }
    }
}

impl Transform for ScaleByLion {
    fn name(&self) -> &str {
        "scale_by_lion"
    }

    fn config(&self) -> Value {
        json!({ "beta_1": self.beta_1, "beta_2": self.beta_2 })
    }

    fn check(&self) -> Result<(), Error> {
        decay("beta_1", self.beta_1)?;
        decay("beta_2", self.beta_2)
    }

    fn buffers(&self) -> usize {
        1
    }

    directed!();
}
