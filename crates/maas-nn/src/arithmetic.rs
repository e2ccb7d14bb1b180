use serde::{Deserialize, Serialize};

use crate::Error;

/// What a dense layer computes its product with. It is a part of the layer's specification, for it changes answers.
///
/// The parameters are of single precision whatever the arithmetic. Gradients are those of single precision too: they go
/// straight through the rounding.
///
/// ```
/// use maas_nn::{Arithmetic, LayerSpec};
///
/// let layer: LayerSpec = serde_json::from_str(r#"{"dense": {"units": 64, "arithmetic": {"int8": {}}}}"#)?;
/// assert_eq!(layer, LayerSpec::dense(64).with_arithmetic(Arithmetic::int8()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Arithmetic {
    /// Single precision.
    #[default]
    F32,
    /// Operands rounded to bf16, sums of single precision.
    Bf16,
    /// Operands rounded to integers from −127 to 127, exact sums: weights on a scale for each unit, inputs on a scale for each
    /// row, or on one for all of them.
    Int8 {
        /// What one step of the inputs' integers stands for; by default the largest magnitude of each row is 127 steps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input_scale: Option<f32>,
    },
}

impl Arithmetic {
    /// Eight bits, with a scale for each row of the inputs.
    ///
    /// ```
    /// use maas_nn::Arithmetic;
    /// assert_eq!(Arithmetic::int8(), Arithmetic::Int8 { input_scale: None });
    /// ```
    pub fn int8() -> Self {
        Self::Int8 { input_scale: None }
    }

    /// Whether this is the arithmetic of single precision.
    ///
    /// ```
    /// assert!(maas_nn::Arithmetic::default().is_f32());
    /// ```
    pub fn is_f32(&self) -> bool {
        *self == Self::F32
    }

    pub(crate) fn check(self) -> Result<(), Error> {
        match self {
            Self::Int8 {
                input_scale: Some(found),
            } if !found.is_normal() || found < 0.0 => Err(Error::Setting {
                name: "the inputs' scale",
                expected: "a normal number above 0",
                found,
            }),
            _ => Ok(()),
        }
    }
}
