use maas_kernels::{Around, Direction};
use maas_nn::{Acts, Block, Error, Fused, Role, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::non_negative;

/// A link: decoupled weight decay, u ← u + λ θ (Loshchilov & Hutter, *Decoupled weight decay regularization*, 2019).
///
/// It belongs behind the links that scale the gradient, so that θ shrinks by α λ θ whatever they do. Weights are decayed;
/// biases, the numbers of normalisations and embeddings only with [`everything`](Self::everything).
///
/// ```
/// use maas_train::{Chain, DecayWeights, Momentum};
/// let chain = Chain::new(0.01).then(Momentum::new(0.9)).then(DecayWeights::new(1e-4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct DecayWeights {
    rate: f32,
    reach: Reach,
}

/// Which parameters are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Weights,
    Everything,
}

impl Reach {
    pub(super) fn covers(self, role: Role) -> bool {
        self == Self::Everything || role == Role::Weight
    }
}

impl DecayWeights {
    /// Decay weights at this rate λ ≥ 0.
    ///
    /// ```
    /// let link = maas_train::DecayWeights::new(0.004);
    /// ```
    pub fn new(rate: f32) -> Self {
        Self {
            rate,
            reach: Reach::Weights,
        }
    }

    /// Decay all parameters.
    ///
    /// ```
    /// let link = maas_train::DecayWeights::new(0.004).everything();
    /// ```
    pub fn everything(self) -> Self {
        Self {
            reach: Reach::Everything,
            ..self
        }
    }

    pub(super) fn rate(self, rate: f32) -> Self {
        Self { rate, ..self }
    }

    /// λ, where parameters of this role are decayed.
    pub(super) fn of(&self, role: Role) -> Option<f32> {
        (self.rate != 0.0 && self.reach.covers(role)).then_some(self.rate)
    }
}

impl Transform for DecayWeights {
    fn name(&self) -> &str {
        "decay_weights"
    }

    fn config(&self) -> Value {
        json!({ "rate": self.rate, "everything": self.reach == Reach::Everything })
    }

    fn check(&self) -> Result<(), Error> {
        non_negative("weight_decay", self.rate)
    }

    fn acts(&self) -> Acts {
        Acts::BeforeStep
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        if let Some(rate) = self.of(block.role) {
            step.kernels.axpy(rate, block.parameters, block.update);
        }
    }

    fn step_fused(&self, step: &Step, block: &mut Block<'_>) -> Fused {
        let around = Around {
            decay: self.of(block.role),
            ..Around::step(step.learning_rate)
        };
        let direction = Direction::Gradient;
        step.kernels
            .step_along(block.parameters, block.update, &mut [], direction, around);
        Fused::Done
    }
}
