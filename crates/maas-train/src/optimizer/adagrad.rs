use maas_kernels::{Around, Direction};
use maas_nn::{Acts, Block, Error, Fused, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::{non_negative, positive};
use super::joined::Directed;
use super::settings::{directed, link_settings, settings};
use crate::{Chain, LearningRate};

/// Adagrad (Duchi, Hazan & Singer, 2011), in Keras' form with its defaults: sums start at 0.1, ε = 10⁻⁷.
///
/// s ← s + g², θ ← θ − α · g / √(s + ε).
///
/// ```
/// use maas_train::{Adagrad, Chain};
/// assert_eq!(Chain::from(Adagrad::new(0.1)).name(), "adagrad");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Adagrad {
    learning_rate: LearningRate,
    scale: ScaleByAdagrad,
}

impl Adagrad {
    /// Adagrad at this rate.
    ///
    /// ```
    /// let optimizer = maas_train::Adagrad::new(0.1);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            scale: ScaleByAdagrad::default(),
        }
    }
}

link_settings! {
    Adagrad, scale:
    /// Where the sums of squares start, at least 0.
    initial_sum = "0.0";
    /// The number ε > 0 under the root.
    epsilon = "1e-8";
}

impl From<Adagrad> for Chain {
    fn from(optimizer: Adagrad) -> Self {
        Self::new(optimizer.learning_rate)
            .then(optimizer.scale)
            .named("adagrad")
    }
}

/// A link: the direction becomes u / √(s + ε) with the sum s of its squares.
///
/// ```
/// use maas_train::{Chain, ScaleByAdagrad};
/// let chain = Chain::new(0.1).then(ScaleByAdagrad::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ScaleByAdagrad {
    initial_sum: f32,
    epsilon: f32,
}

impl Default for ScaleByAdagrad {
    fn default() -> Self {
        Self {
            initial_sum: 0.1,
            epsilon: 1e-7,
        }
    }
}

settings! {
    ScaleByAdagrad, "ScaleByAdagrad::default()":
    /// Where the sums of squares start, at least 0.
    initial_sum = "0.0";
    /// The number ε > 0 under the root.
    epsilon = "1e-8";
}

impl Directed for ScaleByAdagrad {
    fn direction(&self, _: &Step, _: &[f64]) -> Direction {
        Direction::Adagrad {
            epsilon: self.epsilon,
        }
    }
}

impl Transform for ScaleByAdagrad {
    fn name(&self) -> &str {
        "scale_by_adagrad"
    }

    fn config(&self) -> Value {
        json!({ "initial_sum": self.initial_sum, "epsilon": self.epsilon })
    }

    fn check(&self) -> Result<(), Error> {
        non_negative("initial_sum", self.initial_sum)?;
        positive("epsilon", self.epsilon)
    }

    fn buffers(&self) -> usize {
        1
    }

    fn start(&self, block: &mut Block<'_>) {
        block.state.get(0).fill(self.initial_sum);
    }

    directed!();
}
