use maas_kernels::{Around, Direction, Nesterov};
use maas_nn::{Acts, Block, Error, Fused, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::decay;
use super::joined::Directed;
use crate::{Chain, LearningRate};

/// Stochastic gradient descent, with momentum where asked for: Keras' `SGD`.
///
/// Without momentum θ ← θ − α g, with momentum v ← μ v + α g and θ ← θ − v, with Nesterov's
/// θ ← θ − (μ v + α g), as Sutskever et al. (2013) have it. PyTorch keeps v without α: the same while the rate stays
/// the same; where it falls, the velocity here goes on at the rates of the steps that made it.
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

/// A link: the direction becomes a velocity, v ← c v + u and u ← v, or with Nesterov u ← μ v + u.
///
/// c is μ, times the former learning rate over the present one, so that velocities are sums of the steps that were
/// asked for, α u, each at its own rate, as in Keras. While the rate is 0 the velocity loses its share but moves
/// nothing; in Keras it moves on.
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

impl Directed for Momentum {
    fn direction(&self, step: &Step, _: &[f64]) -> Direction {
        let (now, last) = (step.learning_rate, step.last_learning_rate);
        let carry = if now == last || now == 0.0 {
            self.momentum
        } else {
            self.momentum * (last / now)
        };
        Direction::Momentum {
            carry,
            momentum: self.momentum,
            nesterov: self.nesterov,
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

    fn buffers(&self) -> usize {
        1
    }

    fn acts(&self) -> Acts {
        Acts::BeforeStep
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        if step.learning_rate == 0.0 {
            step.kernels.scale(0.0, block.update);
        }
        let direction = self.direction(step, block.scalars);
        step.kernels
            .direct(block.update, block.state.all(), direction);
    }

    fn step_fused(&self, step: &Step, block: &mut Block<'_>) -> Fused {
        let mut around = Around::step(step.learning_rate);
        if step.learning_rate == 0.0 {
            around.scale = 0.0;
        }
        let (direction, state) = (self.direction(step, block.scalars), block.state.all());
        step.kernels
            .step_along(block.parameters, block.update, state, direction, around);
        Fused::Done
    }
}
