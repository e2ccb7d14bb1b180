use serde::{Deserialize, Serialize};

use crate::{Error, Outputs, TensorSpec, TensorView};

/// What a model takes and what it gives.
///
/// ```
/// use maas_core::{DType, Signature, Tensor, TensorSpec};
///
/// let signature = Signature::new(
///     vec![TensorSpec::rows("x", DType::Fp32, &[2])],
///     vec![TensorSpec::rows("y", DType::Fp32, &[1])],
/// )?;
/// let x = Tensor::from_slice([3, 2], &[0.0_f32; 6])?;
/// assert_eq!(signature.check(&[x.view()])?, 3);
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Signature {
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
}

impl TryFrom<Unchecked> for Signature {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self, Error> {
        Self::new(unchecked.inputs, unchecked.outputs)
    }
}

impl Signature {
    /// A signature of these inputs and outputs, in this order.
    ///
    /// # Errors
    /// [`Error::DuplicateName`] when two inputs, or two outputs, have one name.
    ///
    /// ```
    /// use maas_core::{DType, Error, Signature, TensorSpec};
    /// let x = TensorSpec::rows("x", DType::Fp32, &[2]);
    /// assert!(matches!(Signature::new(vec![x.clone(), x], vec![]), Err(Error::DuplicateName { .. })));
    /// ```
    pub fn new(
        inputs: impl Into<Vec<TensorSpec>>,
        outputs: impl Into<Vec<TensorSpec>>,
    ) -> Result<Self, Error> {
        let signature = Self {
            inputs: inputs.into(),
            outputs: outputs.into(),
        };
        for specs in [&signature.inputs, &signature.outputs] {
            for (index, spec) in specs.iter().enumerate() {
                if specs[..index]
                    .iter()
                    .any(|earlier| earlier.name() == spec.name())
                {
                    return Err(Error::DuplicateName {
                        name: spec.name().to_owned(),
                    });
                }
            }
        }
        Ok(signature)
    }

    /// The inputs, in the order in which a model takes them.
    ///
    /// ```
    /// use maas_core::{DType, Signature, TensorSpec};
    /// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), vec![])?;
    /// assert_eq!(signature.inputs()[0].name(), "x");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    /// The outputs, in the order in which a model writes them.
    ///
    /// ```
    /// use maas_core::{DType, Signature, TensorSpec};
    /// let signature = Signature::new(vec![], TensorSpec::rows("y", DType::Fp32, &[2]))?;
    /// assert_eq!(signature.outputs()[0].name(), "y");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    /// Whether these tensors, in the order of the inputs, are what the model takes; gives their number of rows.
    ///
    /// # Errors
    /// [`Error::TensorCount`], [`Error::TensorType`], [`Error::TensorShape`], and [`Error::TensorRows`] when they
    /// do not all have the same number of rows.
    ///
    /// ```
    /// use maas_core::{DType, Error, Signature, Tensor, TensorSpec};
    /// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), vec![])?;
    /// let x = Tensor::from_slice([1, 2], &[0.0_f64; 2])?;
    /// assert!(matches!(signature.check(&[x.view()]), Err(Error::TensorType { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn check(&self, inputs: &[TensorView<'_>]) -> Result<usize, Error> {
        if inputs.len() != self.inputs.len() {
            return Err(Error::TensorCount {
                expected: self.inputs.len(),
                found: inputs.len(),
            });
        }
        let expected = inputs.first().map_or(0, TensorView::rows);
        self.inputs
            .iter()
            .zip(inputs)
            .try_for_each(|(spec, tensor)| check_rows(spec, tensor, expected))?;
        Ok(expected)
    }

    /// Whether a model wrote what its signature says, for this number of rows.
    ///
    /// # Errors
    /// As [`Signature::check`], with [`Error::NoOutput`] for one that was not written.
    ///
    /// ```
    /// use maas_core::{DType, Error, Outputs, Signature, TensorSpec};
    /// let signature = Signature::new(vec![], TensorSpec::rows("y", DType::Fp32, &[2]))?;
    /// assert!(matches!(signature.check_outputs(&Outputs::new(), 1), Err(Error::NoOutput { index: 0, outputs: 0 })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn check_outputs(&self, outputs: &Outputs<'_>, rows: usize) -> Result<(), Error> {
        for (index, spec) in self.outputs.iter().enumerate() {
            check_rows(spec, &outputs.get(index)?, rows)?;
        }
        Ok(())
    }
}

fn check_rows(spec: &TensorSpec, tensor: &TensorView<'_>, expected: usize) -> Result<(), Error> {
    spec.check(tensor)?;
    if tensor.rows() != expected {
        return Err(Error::TensorRows {
            name: spec.name().to_owned(),
            expected,
            found: tensor.rows(),
        });
    }
    Ok(())
}
