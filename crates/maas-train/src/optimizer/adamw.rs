use super::settings::link_settings;
use super::{DecayWeights, ScaleByAdam};
use crate::{Chain, LearningRate};

/// Adam with decoupled weight decay (Loshchilov & Hutter, 2019): Keras' `AdamW` with its defaults, β₁ = 0.9, β₂ = 0.999,
/// ε = 10⁻⁷ and a decay λ of 0.004.
///
/// θ ← θ − α (u + λ θ) with [`Adam`](crate::Adam)'s direction u. The decay is of weights only, which is what the method's
/// users mean; [`decay_everything`](AdamW::decay_everything) decays biases, normalisations and embeddings too, as Keras
/// does where nothing is excluded.
///
/// ```
/// use maas_train::{AdamW, Chain};
///
/// let chain = Chain::from(AdamW::new(1e-3).weight_decay(0.01));
/// assert_eq!((chain.name(), chain.links().len()), ("adamw", 2));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct AdamW {
    learning_rate: LearningRate,
    scale: ScaleByAdam,
    decay: DecayWeights,
}

impl AdamW {
    /// AdamW at this rate.
    ///
    /// ```
    /// let optimizer = maas_train::AdamW::new(1e-3);
    /// ```
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Self {
            learning_rate: learning_rate.into(),
            scale: ScaleByAdam::default(),
            decay: DecayWeights::new(0.004),
        }
    }

    /// The decay λ ≥ 0.
    ///
    /// ```
    /// let optimizer = maas_train::AdamW::new(1e-3).weight_decay(0.01);
    /// ```
    pub fn weight_decay(self, weight_decay: f32) -> Self {
        Self {
            decay: self.decay.rate(weight_decay),
            ..self
        }
    }

    /// Decay biases, normalisations and embeddings too.
    ///
    /// ```
    /// let optimizer = maas_train::AdamW::new(1e-3).decay_everything();
    /// ```
    pub fn decay_everything(self) -> Self {
        Self {
            decay: self.decay.everything(),
            ..self
        }
    }
}

link_settings! {
    AdamW, scale:
    /// The decay β₁ of the mean of gradients, 0 ≤ β₁ < 1.
    beta_1 = "0.95";
    /// The decay β₂ of the mean of squared gradients, 0 ≤ β₂ < 1.
    beta_2 = "0.99";
    /// The number ε > 0 beside the root.
    epsilon = "1e-8";
}

impl From<AdamW> for Chain {
    fn from(optimizer: AdamW) -> Self {
        Self::new(optimizer.learning_rate)
            .then(optimizer.scale)
            .then(optimizer.decay)
            .named("adamw")
    }
}
