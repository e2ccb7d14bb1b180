use maas_kernels::{Around, Direction};
use maas_nn::{Acts, Block, Error, Fused, Step, Transform};
use serde_json::Value;

use super::ScaleByAdam;
use super::joined::Directed;
use super::settings::{directed, link_settings};
use crate::{Chain, LearningRate};

/// AMSGrad (Reddi, Kale & Kumar, *On the convergence of Adam and beyond*, 2018): [`Adam`](crate::Adam) with the largest v
/// that there has been under the root. Keras' `Adam(amsgrad=True)` and its defaults: β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁷.
///
/// m and v as Adam's, v̂ ← max(v̂, v), θ ← θ − α · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v̂ + ε).
///
/// ```
/// use maas_train::{AmsGrad, Chain};
/// assert_eq!(Chain::from(AmsGrad::new(1e-3)).name(), "amsgrad");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct AmsGrad {
    learning_rate: LearningRate,
    scale: ScaleByAmsGrad,
}

impl AmsGrad {
    /// AMSGrad at this rate.
    ///
    /// ```
    /// let optimizer = maas_train::AmsGrad::new(1e-3);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            scale: ScaleByAmsGrad::default(),
        }
    }
}

link_settings! {
    AmsGrad, scale:
    /// The decay β₁ of the mean of gradients, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of squared gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.99";
    /// The number ε > 0 beside the root.
    epsilon = "1e-8";
}

impl From<AmsGrad> for Chain {
    fn from(optimizer: AmsGrad) -> Self {
        Self::new(optimizer.learning_rate)
            .then(optimizer.scale)
            .named("amsgrad")
    }
}

/// A link: the direction becomes AMSGrad's, √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v̂ + ε).
///
/// ```
/// use maas_train::{Chain, ScaleByAmsGrad};
/// assert_eq!(Chain::new(1e-3).then(ScaleByAmsGrad::default()).links()[0].buffers(), 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use]
pub struct ScaleByAmsGrad {
    adam: ScaleByAdam,
}

impl ScaleByAmsGrad {
    /// The decay β₁ of the mean of gradients, 0 ≤ β₁ < 1.
    ///
    /// ```
    /// let link = maas_train::ScaleByAmsGrad::default().beta_1(0.95);
    /// ```
    pub fn beta_1(self, beta_1: f32) -> Self {
        Self {
            adam: self.adam.beta_1(beta_1),
        }
    }

    /// The decay β₂ of the mean of squared gradients, 0 ≤ β₂ < 1.
    ///
    /// ```
    /// let link = maas_train::ScaleByAmsGrad::default().beta_2(0.99);
    /// ```
    pub fn beta_2(self, beta_2: f32) -> Self {
        Self {
            adam: self.adam.beta_2(beta_2),
        }
    }

    /// The number ε > 0 beside the root.
    ///
    /// ```
    /// let link = maas_train::ScaleByAmsGrad::default().epsilon(1e-8);
    /// ```
    pub fn epsilon(self, epsilon: f32) -> Self {
        Self {
            adam: self.adam.epsilon(epsilon),
        }
    }
}

impl Directed for ScaleByAmsGrad {
    fn direction(&self, step: &Step, _: &[f64]) -> Direction {
        Direction::AmsGrad(self.adam.at(step))
    }
}

impl Transform for ScaleByAmsGrad {
    fn name(&self) -> &str {
        "scale_by_amsgrad"
    }

    fn config(&self) -> Value {
        self.adam.config()
    }

    fn check(&self) -> Result<(), Error> {
        self.adam.check()
    }

    fn buffers(&self) -> usize {
        3
    }

    directed!();
}
