use maas_kernels::{Around, Direction};
use maas_nn::{Acts, Block, Error, Fused, Step, Transform};
use serde_json::{Value, json};

use super::Momentum;
use super::coefficient::{decay, positive};
use super::joined::Directed;
use super::settings::{directed, link_settings, settings};
use crate::{Chain, LearningRate};

/// RMSprop (Tieleman & Hinton, lecture 6.5 of *Neural networks for machine learning*, 2012), in Keras' form with its defaults:
/// ρ = 0.9, no momentum, ε = 10⁻⁷, not centred.
///
/// v ← ρ v + (1 − ρ) g², θ ← θ − α · g / √(v + ε); centred (Graves, 2013), v − a² stands for v, with a the running mean of
/// g; with momentum the steps are summed as [`Momentum`] does.
///
/// ```
/// use maas_train::{Chain, RmsProp};
/// let chain = Chain::from(RmsProp::new(1e-3).momentum(0.9).centered());
/// assert_eq!((chain.name(), chain.links().len()), ("rmsprop", 2));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RmsProp {
    learning_rate: LearningRate,
    scale: ScaleByRms,
    momentum: f32,
}

impl RmsProp {
    /// RMSprop at this rate.
    ///
    /// ```
    /// let optimizer = maas_train::RmsProp::new(1e-3);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            scale: ScaleByRms::default(),
            momentum: 0.0,
        }
    }

    /// Keep this share μ of the velocity, 0 ≤ μ < 1.
    ///
    /// ```
    /// let optimizer = maas_train::RmsProp::new(1e-3).momentum(0.9);
    /// ```
    pub fn momentum(self, momentum: f32) -> Self {
        Self { momentum, ..self }
    }

    /// Divide by the gradients' deviation instead of their root mean square.
    ///
    /// ```
    /// let optimizer = maas_train::RmsProp::new(1e-3).centered();
    /// ```
    pub fn centered(self) -> Self {
        Self {
            scale: self.scale.centered(),
            ..self
        }
    }
}

link_settings! {
    RmsProp, scale:
    /// The decay ρ of the mean of squared gradients, 0 ≤ ρ < 1.
    rho = "0.99";
    /// The number ε > 0 under the root.
    epsilon = "1e-8";
}

impl From<RmsProp> for Chain {
    fn from(optimizer: RmsProp) -> Self {
        let chain = Self::new(optimizer.learning_rate)
            .then(optimizer.scale)
            .named("rmsprop");
        if optimizer.momentum == 0.0 {
            chain
        } else {
            chain.then(Momentum::new(optimizer.momentum))
        }
    }
}

/// A link: the direction becomes u / √(v + ε) with the running mean v of its squares, or their variance.
///
/// ```
/// use maas_train::{Chain, ScaleByRms};
/// let chain = Chain::new(1e-3).then(ScaleByRms::default().centered());
/// assert_eq!(chain.links()[0].buffers(), 2);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ScaleByRms {
    rho: f32,
    epsilon: f32,
    about: About,
}

/// About what squares are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    Zero,
    Mean,
}

impl Default for ScaleByRms {
    fn default() -> Self {
        Self {
            rho: 0.9,
            epsilon: 1e-7,
            about: About::Zero,
        }
    }
}

settings! {
    ScaleByRms, "ScaleByRms::default()":
    /// The decay ρ of the mean of squares, 0 ≤ ρ < 1.
    rho = "0.99";
    /// The number ε > 0 under the root.
    epsilon = "1e-8";
}

impl ScaleByRms {
    /// Divide by the deviation instead of the root mean square.
    ///
    /// ```
    /// let link = maas_train::ScaleByRms::default().centered();
    /// ```
    pub fn centered(self) -> Self {
        Self {
            about: About::Mean,
            ..self
        }
    }
}

impl Directed for ScaleByRms {
    fn direction(&self, _: &Step, _: &[f64]) -> Direction {
        let Self {
            rho,
            epsilon,
            about,
        } = *self;
        match about {
            About::Zero => Direction::Rms { rho, epsilon },
            About::Mean => Direction::CenteredRms { rho, epsilon },
        }
    }
}

impl Transform for ScaleByRms {
    fn name(&self) -> &str {
        "scale_by_rms"
    }

    fn config(&self) -> Value {
        let centered = self.about == About::Mean;
        json!({ "rho": self.rho, "epsilon": self.epsilon, "centered": centered })
    }

    fn check(&self) -> Result<(), Error> {
        decay("rho", self.rho)?;
        positive("epsilon", self.epsilon)
    }

    fn buffers(&self) -> usize {
        match self.about {
            About::Zero => 1,
            About::Mean => 2,
        }
    }

    directed!();
}
