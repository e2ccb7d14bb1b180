use crate::Error;

/// A cross-entropy whose targets are drawn towards equal probabilities, so that a network does not grow its logits
/// without end (Szegedy et al., 2016).
///
/// Made by [`CategoricalCrossEntropy::label_smoothing`](crate::CategoricalCrossEntropy::label_smoothing) and
/// [`BinaryCrossEntropy::label_smoothing`](crate::BinaryCrossEntropy::label_smoothing). Its name is the name of the
/// loss; its configuration holds the smoothing.
///
/// ```
/// use maas_nn::{CategoricalCrossEntropy, Loss};
///
/// let loss = CategoricalCrossEntropy.label_smoothing(0.1);
/// assert_eq!(loss.name(), "categorical_cross_entropy");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelSmoothing<L> {
    pub(super) loss: L,
    smoothing: f32,
}

impl<L> LabelSmoothing<L> {
    pub(super) fn new(loss: L, smoothing: f32) -> Self {
        Self { loss, smoothing }
    }

    pub(super) fn checked(&self) -> Result<f32, Error> {
        if (0.0..=1.0).contains(&self.smoothing) {
            Ok(self.smoothing)
        } else {
            Err(Error::Setting {
                name: "label smoothing",
                expected: "between 0 and 1",
                found: self.smoothing,
            })
        }
    }

    pub(super) fn as_json(&self) -> serde_json::Value {
        serde_json::json!({ "label_smoothing": self.smoothing })
    }
}
