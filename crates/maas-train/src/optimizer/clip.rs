use maas_nn::{Acts, Block, Error, Reduces, Step, Transform};
use serde_json::{Value, json};

use super::coefficient::positive;

/// A link: every element of the direction is kept within ± a limit, Keras' `clipvalue`. NaN stays NaN.
///
/// ```
/// use maas_train::{Chain, ClipByValue, ScaleByAdam};
/// let chain = Chain::new(1e-3).then(ClipByValue::new(0.5)).then(ScaleByAdam::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ClipByValue {
    pub(super) limit: f32,
}

/// A link: the direction of each parameter tensor is scaled to a Euclidean norm of at most the limit, Keras' `clipnorm`.
///
/// A norm that is not finite makes the tensor's whole direction NaN, so that a trainer's check or the weights tell of it.
///
/// ```
/// use maas_train::{Chain, ClipByNorm, ScaleByAdam};
/// let chain = Chain::new(1e-3).then(ClipByNorm::new(1.0)).then(ScaleByAdam::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ClipByNorm {
    pub(super) limit: f32,
}

/// A link: the direction of the whole network is scaled to a Euclidean norm of at most the limit, Keras' `global_clipnorm`
/// (Pascanu, Mikolov & Bengio, 2013).
///
/// A norm that is not finite makes the whole direction NaN, so that a trainer's check or the weights tell of it.
///
/// ```
/// use maas_train::{Chain, ClipByGlobalNorm, ScaleByAdam};
/// let chain = Chain::new(1e-3).then(ClipByGlobalNorm::new(1.0)).then(ScaleByAdam::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct ClipByGlobalNorm {
    pub(super) limit: f32,
}

impl ClipByValue {
    /// Keep elements within ± `limit` > 0.
    ///
    /// ```
    /// let link = maas_train::ClipByValue::new(0.5);
    /// ```
    pub fn new(limit: f32) -> Self {
        Self { limit }
    }
}

impl ClipByNorm {
    /// Keep norms of tensors up to `limit` > 0.
    ///
    /// ```
    /// let link = maas_train::ClipByNorm::new(1.0);
    /// ```
    pub fn new(limit: f32) -> Self {
        Self { limit }
    }
}

impl ClipByGlobalNorm {
    /// Keep the norm up to `limit` > 0.
    ///
    /// ```
    /// let link = maas_train::ClipByGlobalNorm::new(1.0);
    /// ```
    pub fn new(limit: f32) -> Self {
        Self { limit }
    }
}

impl Transform for ClipByValue {
    fn name(&self) -> &str {
        "clip_by_value"
    }

    fn config(&self) -> Value {
        json!({ "limit": self.limit })
    }

    fn check(&self) -> Result<(), Error> {
        positive("limit", self.limit)
    }

    fn acts(&self) -> Acts {
        Acts::BeforeStep
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        step.kernels.clip(block.update, self.limit);
    }
}

impl Transform for ClipByNorm {
    fn name(&self) -> &str {
        "clip_by_norm"
    }

    fn config(&self) -> Value {
        json!({ "limit": self.limit })
    }

    fn check(&self) -> Result<(), Error> {
        positive("limit", self.limit)
    }

    fn acts(&self) -> Acts {
        Acts::BeforeStep
    }

    fn reduces(&self) -> Reduces {
        Reduces::Segments
    }

    fn reduce(&self, step: &Step, update: &[f32]) -> f32 {
        step.compute().sum_squares(update).sqrt()
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        scale(clip_factor(self.limit, block.reduction), step, block);
    }
}

impl Transform for ClipByGlobalNorm {
    fn name(&self) -> &str {
        "clip_by_global_norm"
    }

    fn config(&self) -> Value {
        json!({ "limit": self.limit })
    }

    fn check(&self) -> Result<(), Error> {
        positive("limit", self.limit)
    }

    fn acts(&self) -> Acts {
        Acts::BeforeStep
    }

    fn reduces(&self) -> Reduces {
        Reduces::Network
    }

    fn reduce(&self, step: &Step, update: &[f32]) -> f32 {
        step.compute().sum_squares(update).sqrt()
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        scale(clip_factor(self.limit, block.reduction), step, block);
    }
}

/// What a direction of this norm is scaled by.
pub(super) fn clip_factor(limit: f32, norm: f32) -> f32 {
    if !norm.is_finite() {
        f32::NAN
    } else if norm > limit {
        limit / norm
    } else {
        1.0
    }
}

fn scale(factor: f32, step: &Step, block: &mut Block<'_>) {
    if factor != 1.0 {
        step.kernels.scale(factor, block.update);
    }
}
