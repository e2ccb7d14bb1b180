use maas_kernels::Nesterov;
use maas_nn::{Acts, Block, Error, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::decay;
use crate::{Chain, LearningRate};

/// Stochastic gradient descent, with momentum where asked for: Keras' `SGD`.
///
/// Without momentum θ ← θ − α g, with momentum v ← μ v + g and θ ← θ − α v, with Nesterov's
/// θ ← θ − α (μ v + g).
///
/// ```
/// use maas_train::{Chain, Sgd};
///
/// let chain = Chain::from(Sgd::new(0.01).momentum(0.9).nesterov());
/// assert_eq!(chain.links().len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Sgd {
    learning_rate: LearningRate,
    momentum: f32,
    nesterov: Nesterov,
}

impl Sgd {
    /// Plain steps at this rate.
    ///
    /// ```
    /// use maas_train::{Chain, Sgd};
    /// assert!(Chain::from(Sgd::new(0.1)).links().is_empty());
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            momentum: 0.0,
            nesterov: Nesterov::No,
        }
    }

    /// Keep this share μ of the velocity, 0 ≤ μ < 1.
    ///
    /// ```
    /// use maas_train::{Chain, Sgd};
    /// assert_eq!(Chain::from(Sgd::new(0.1).momentum(0.9)).links().len(), 1);
    /// ```
    pub fn momentum(self, momentum: f32) -> Self {
        Self { momentum, ..self }
    }

    /// Look ahead along the velocity. Without momentum this changes nothing.
    ///
    /// ```
    /// let sgd = maas_train::Sgd::new(0.1).momentum(0.9).nesterov();
    /// ```
    pub fn nesterov(self) -> Self {
        Self {
            nesterov: Nesterov::Yes,
            ..self
        }
    }
}

impl From<Sgd> for Chain {
    fn from(sgd: Sgd) -> Self {
        let Sgd {
            learning_rate,
            momentum,
            nesterov,
        } = sgd;
        let chain = Self::new(learning_rate).named("sgd");
        if momentum == 0.0 {
            chain
        } else {
            chain.then(Momentum { momentum, nesterov })
        }
    }
}

/// A link: the direction becomes a velocity, v ← μ v + u and u ← v, or with Nesterov u ← μ v + u.
///
/// ```
/// use maas_train::{Chain, Momentum};
///
/// let chain = Chain::new(0.01).then(Momentum::new(0.9).nesterov());
/// assert_eq!(chain.links()[0].buffers(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Momentum {
    momentum: f32,
    nesterov: Nesterov,
}

impl Momentum {
    /// Keep this share μ of the velocity.
    ///
    /// ```
    /// let link = maas_train::Momentum::new(0.9);
    /// ```
    pub fn new(momentum: f32) -> Self {
        Self {
            momentum,
            nesterov: Nesterov::No,
        }
    }

    /// Look ahead along the velocity.
    ///
    /// ```
    /// let link = maas_train::Momentum::new(0.9).nesterov();
    /// ```
    pub fn nesterov(self) -> Self {
        Self {
            nesterov: Nesterov::Yes,
            ..self
        }
    }
}

impl Transform for Momentum {
    fn name(&self) -> &str {
        "momentum"
    }

    fn config(&self) -> Value {
        json!({ "momentum": self.momentum, "nesterov": self.nesterov == Nesterov::Yes })
    }

    fn check(&self) -> Result<(), Error> {
        decay("momentum", self.momentum)
    }

    fn acts(&self) -> Acts {
        Acts::BeforeStep
    }

    fn buffers(&self) -> usize {
        1
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        step.kernels.momentum(
            block.update,
            block.state.get(0),
            self.momentum,
            self.nesterov,
        );
    }
}
