use maas_kernels::{Around, Direction};
use maas_nn::{Acts, Block, Error, Fused, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::{decay, positive};
use super::joined::Directed;
use super::settings::{directed, link_settings, settings};
use crate::rate::whole_power;
use crate::{Chain, LearningRate};

/// Adam with Nesterov's momentum (Dozat, *Incorporating Nesterov momentum into Adam*, 2016), in Keras' form with its
/// defaults: β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁷.
///
/// m and v as [`Adam`](crate::Adam)'s; with μₜ = β₁ (1 − ½ · 0.96ᵗ) and Mₜ = μ₁ ⋯ μₜ,
/// θ ← θ − α · (μₜ₊₁ m / (1 − Mₜ₊₁) + (1 − μₜ) g / (1 − Mₜ)) / (√(v / (1 − β₂ᵗ)) + ε).
///
/// ```
/// use maas_train::{Chain, Nadam};
/// assert_eq!(Chain::from(Nadam::new(1e-3)).name(), "nadam");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Nadam {
    learning_rate: LearningRate,
    scale: ScaleByNadam,
}

impl Nadam {
    /// Nadam at this rate.
    ///
    /// ```
    /// let optimizer = maas_train::Nadam::new(1e-3);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            scale: ScaleByNadam::default(),
        }
    }
}

link_settings! {
    Nadam, scale:
    /// The decay β₁ of the mean of gradients, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of squared gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.99";
    /// The number ε > 0 beside the root.
    epsilon = "1e-8";
}

impl From<Nadam> for Chain {
    fn from(optimizer: Nadam) -> Self {
        Self::new(optimizer.learning_rate)
            .then(optimizer.scale)
            .named("nadam")
    }
}

/// A link: the direction becomes [`Nadam`]'s. It keeps the product of the μ as its scalar.
///
/// ```
/// use maas_train::{Chain, ScaleByNadam};
/// assert_eq!(Chain::new(1e-3).then(ScaleByNadam::default()).links()[0].scalars(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ScaleByNadam {
    beta_1: f32,
    beta_2: f32,
    epsilon: f32,
}

impl Default for ScaleByNadam {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

settings! {
    ScaleByNadam, "ScaleByNadam::default()":
    /// The decay β₁ of the mean of gradients, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of squared gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.99";
    /// The number ε > 0 beside the root.
    epsilon = "1e-8";
}

impl ScaleByNadam {
    /// μₜ.
    fn momentum(&self, number: u64) -> f64 {
        f64::from(self.beta_1) * (1.0 - 0.5 * whole_power(0.96, number))
    }
}

impl Directed for ScaleByNadam {
    fn direction(&self, step: &Step, scalars: &[f64]) -> Direction {
        let product = scalars[0];
        let (now, next) = (self.momentum(step.number), self.momentum(step.number + 1));
        Direction::Nadam {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            momentum_weight: (next / (1.0 - product * next)) as f32,
            gradient_weight: ((1.0 - now) / (1.0 - product)) as f32,
            bias_correction_2: (1.0 - whole_power(self.beta_2.into(), step.number)) as f32,
        }
    }
}

impl Transform for ScaleByNadam {
    fn name(&self) -> &str {
        "scale_by_nadam"
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

    fn scalars(&self) -> usize {
        1
    }

    fn begin(&self, step: &Step, scalars: &mut [f64]) {
        let former = if step.number == 1 { 1.0 } else { scalars[0] };
        scalars[0] = former * self.momentum(step.number);
    }

    directed!();
}
