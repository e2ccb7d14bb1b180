use maas_core::Values;
use maas_kernels::Tables;

use crate::Error;
use crate::layer::{RowType, ValueType};

/// The values that a layer works on.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    pub(crate) floats: &'a Tables<'a, f32>,
    pub(crate) ids: &'a Tables<'a, i32>,
    pub(crate) sources: &'a [ValueRef],
    pub(crate) types: &'a [RowType],
}

/// A value's place and numbers a row; a place may be larger than the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueRef {
    pub(crate) slot: usize,
    pub(crate) width: usize,
}

impl<'a> Inputs<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.sources.is_empty()
    }

    /// The shape of a row of input `index`.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn row_shape(self, index: usize) -> &'a [usize] {
        &self.types[index].shape
    }

    /// Input `index`, of whichever type.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn get(self, index: usize) -> Values<'a> {
        let ValueRef { slot, width } = self.sources[index];
        match self.types[index].value_type {
            ValueType::F32 => Values::F32(self.floats.get(slot, width)),
            ValueType::I32 => Values::I32(self.ids.get(slot, width)),
        }
    }

    /// Input `index`, of single-precision numbers.
    ///
    /// # Errors
    /// [`Error::ValueType`] when it is of another type, which a check in `plan` excludes.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn f32(self, index: usize) -> Result<&'a [f32], Error> {
        self.get(index).as_f32().ok_or(Error::ValueType {
            expected: ValueType::F32,
            found: ValueType::I32,
        })
    }

    /// Input `index`, of integers.
    ///
    /// # Errors
    /// [`Error::ValueType`] when it is of another type, which a check in `plan` excludes.
    ///
    /// # Panics
    /// When there are not as many inputs.
    pub fn i32(self, index: usize) -> Result<&'a [i32], Error> {
        self.get(index).as_i32().ok_or(Error::ValueType {
            expected: ValueType::I32,
            found: ValueType::F32,
        })
    }
}
