use std::ops::Range;

use crate::Error;
use crate::layer::{RowType, Training, ValueType};
use crate::pass::Mode;

/// What [`Layer::reference`](crate::Layer::reference) works on: [`Forward`](crate::Forward) in double precision.
///
/// ```
/// use maas_nn::{Error, Reference};
///
/// /// y = x ⊙ w, with one weight w a column.
/// fn reference(pass: &mut Reference<'_>) -> Result<bool, Error> {
///     let (x, w) = (pass.input(0)?, pass.parameter(0));
///     for (index, (x, y)) in x.iter().zip(&mut *pass.output).enumerate() {
///         *y = x * w[index % w.len()];
///     }
///     Ok(true)
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Reference<'a> {
    /// Rows in this pass.
    pub rows: usize,
    /// What the pass is for.
    pub mode: Mode,
    /// The layer's number in its network.
    pub layer: u32,
    /// Whether the layer is frozen.
    pub training: Training,
    /// The value to write.
    pub output: &'a mut [f64],
    pub(crate) values: &'a [ReferenceValue],
    pub(crate) sources: &'a [usize],
    pub(crate) types: &'a [RowType],
    pub(crate) parameters: &'a [f64],
    pub(crate) parameter_ranges: &'a [Range<usize>],
    pub(crate) state: &'a [f64],
    pub(crate) state_ranges: &'a [Range<usize>],
}

/// A value in double precision; integers stay what they are.
#[derive(Clone, Debug)]
pub(crate) enum ReferenceValue {
    F64(Vec<f64>),
    I32(Vec<i32>),
}

impl<'a> Reference<'a> {
    /// Input `index`, of numbers.
    ///
    /// # Errors
    /// [`Error::ValueType`] when it is of integers.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn input(&self, index: usize) -> Result<&'a [f64], Error> {
        match &self.values[self.sources[index]] {
            ReferenceValue::F64(values) => Ok(values),
            ReferenceValue::I32(_) => Err(Error::ValueType {
                expected: ValueType::F32,
                found: ValueType::I32,
            }),
        }
    }

    /// Input `index`, of integers.
    ///
    /// # Errors
    /// [`Error::ValueType`] when it is of numbers.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn ids(&self, index: usize) -> Result<&'a [i32], Error> {
        match &self.values[self.sources[index]] {
            ReferenceValue::I32(values) => Ok(values),
            ReferenceValue::F64(_) => Err(Error::ValueType {
                expected: ValueType::I32,
                found: ValueType::F32,
            }),
        }
    }

    /// How many inputs there are.
    pub fn inputs(&self) -> usize {
        self.sources.len()
    }

    /// The shape of a row of input `index`.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn row_shape(&self, index: usize) -> &'a [usize] {
        &self.types[index].shape
    }

    /// Parameter `index`.
    ///
    /// # Panics
    /// When the layer declared fewer.
    pub fn parameter(&self, index: usize) -> &'a [f64] {
        &self.parameters[self.parameter_ranges[index].clone()]
    }

    /// State `index`.
    ///
    /// # Panics
    /// When the layer declared less.
    pub fn state(&self, index: usize) -> &'a [f64] {
        &self.state[self.state_ranges[index].clone()]
    }
}
