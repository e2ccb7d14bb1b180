use maas_kernels::{AdamStep, Around, Direction};
use maas_nn::{Acts, Block, Error, Fused, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::{decay, positive};
use super::joined::Directed;
use super::settings::{directed, link_settings, settings};
use crate::rate::whole_power;
use crate::{Chain, LearningRate};

/// Adam (Kingma & Ba, 2015) with Keras' defaults: β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁷.
///
/// m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v),
/// θ ← θ − α · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε), with t the number of the step.
///
/// ```
/// use maas_train::{Adam, Chain};
///
/// let chain = Chain::from(Adam::new(1e-3).beta_2(0.99));
/// assert_eq!(chain.links().len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Adam {
    learning_rate: LearningRate,
    scale: ScaleByAdam,
}

impl Adam {
    /// Adam at this rate.
    ///
    /// ```
    /// let adam = maas_train::Adam::new(1e-3);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            scale: ScaleByAdam::default(),
        }
    }
}

link_settings! {
    Adam, scale:
    /// The decay β₁ of the mean of gradients, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of squared gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.99";
    /// The number ε > 0 beside the root.
    epsilon = "1e-8";
}

impl From<Adam> for Chain {
    fn from(adam: Adam) -> Self {
        Self::new(adam.learning_rate).then(adam.scale).named("adam")
    }
}

/// A link: the direction becomes Adam's, √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε) with the moments of what came in.
///
/// ```
/// use maas_train::{Chain, ScaleByAdam};
///
/// let chain = Chain::new(1e-3).then(ScaleByAdam::default().beta_1(0.95));
/// assert_eq!(chain.links()[0].buffers(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ScaleByAdam {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

impl Default for ScaleByAdam {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

settings! {
    ScaleByAdam, "ScaleByAdam::default()":
    /// The decay β₁ of the mean of gradients, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of squared gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.99";
    /// The number ε > 0 beside the root.
    epsilon = "1e-8";
}

impl ScaleByAdam {
    pub(super) fn at(&self, step: &Step) -> AdamStep {
        AdamStep {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            bias_correction_1: (1.0 - whole_power(self.beta_1.into(), step.number)) as f32,
            bias_correction_2: (1.0 - whole_power(self.beta_2.into(), step.number)) as f32,
        }
    }
}

impl Directed for ScaleByAdam {
    fn direction(&self, step: &Step, _: &[f64]) -> Direction {
        Direction::Adam(self.at(step))
    }
}

impl Transform for ScaleByAdam {
    fn name(&self) -> &str {
        "scale_by_adam"
    }

    fn config(&self) -> Value {
        json!({ "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon })
    }

    fn check(&self) -> Result<(), Error> {
        decay("beta_1", self.beta_1)?;
        decay("beta_2", self.beta_2)?;
        positive("epsilon", self.epsilon)
    }

    fn buffers(&self) -> usize {
        2
    }

    directed!();
}
