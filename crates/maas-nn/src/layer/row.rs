use std::fmt;

use crate::Error;

/// The type of the numbers in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// Single precision.
    F32,
    /// Integers, such as ids.
    I32,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::I32 => "i32",
        })
    }
}

/// The type of one row of a value: its numbers and its shape without the batch dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowType {
    /// The type of the numbers.
    pub value_type: ValueType,
    /// The shape of a row.
    pub shape: Vec<usize>,
}

impl RowType {
    /// Rows of single-precision numbers.
    ///
    /// ```
    /// assert_eq!(maas_nn::RowType::f32([28, 28]).width(), 784);
    /// ```
    pub fn f32(shape: impl Into<Vec<usize>>) -> Self {
        Self {
            value_type: ValueType::F32,
            shape: shape.into(),
        }
    }

    /// Rows of integers.
    ///
    /// ```
    /// assert!(maas_nn::RowType::i32([16]).expect_f32().is_err());
    /// ```
    pub fn i32(shape: impl Into<Vec<usize>>) -> Self {
        Self {
            value_type: ValueType::I32,
            shape: shape.into(),
        }
    }

    /// Numbers a row. Networks refuse shapes whose product overflows before a layer sees them.
    ///
    /// ```
    /// assert_eq!(maas_nn::RowType::f32([3, 4]).width(), 12);
    /// ```
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The row types as an array, if there are `N` of them.
    ///
    /// # Errors
    /// [`Error::InputCount`].
    ///
    /// ```
    /// use maas_nn::RowType;
    /// let inputs = [RowType::f32([4])];
    /// let [x] = RowType::exactly(&inputs)?;
    /// assert_eq!(x.shape, [4]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn exactly<const N: usize>(inputs: &[Self]) -> Result<&[Self; N], Error> {
        inputs.try_into().map_err(|_| Error::InputCount {
            expected: N,
            found: inputs.len(),
        })
    }

    /// Checks that the numbers are single-precision.
    ///
    /// # Errors
    /// [`Error::ValueType`].
    ///
    /// ```
    /// assert!(maas_nn::RowType::f32([4]).expect_f32().is_ok());
    /// ```
    pub fn expect_f32(&self) -> Result<(), Error> {
        self.expect_type(ValueType::F32)
    }

    /// Checks that the numbers are integers.
    ///
    /// # Errors
    /// [`Error::ValueType`].
    ///
    /// ```
    /// assert!(maas_nn::RowType::i32([4]).expect_i32().is_ok());
    /// ```
    pub fn expect_i32(&self) -> Result<(), Error> {
        self.expect_type(ValueType::I32)
    }

    /// Checks the shape of a row.
    ///
    /// # Errors
    /// [`Error::RowShape`].
    ///
    /// ```
    /// assert!(maas_nn::RowType::f32([4]).expect_shape(&[5]).is_err());
    /// ```
    pub fn expect_shape(&self, shape: &[usize]) -> Result<(), Error> {
        if self.shape == shape {
            Ok(())
        } else {
            Err(Error::RowShape {
                expected: shape.to_vec(),
                found: self.shape.clone(),
            })
        }
    }

    fn expect_type(&self, expected: ValueType) -> Result<(), Error> {
        if self.value_type == expected {
            Ok(())
        } else {
            Err(Error::ValueType {
                expected,
                found: self.value_type,
            })
        }
    }
}
