use std::fmt;

use crate::view::{check_half, check_type};
use crate::{DType, Element, Error};

/// A tensor to be written: what a model gets from [`Outputs`](crate::Outputs). Its elements are zero at first.
pub struct TensorMut<'a> {
    pub(crate) dtype: DType,
    pub(crate) shape: &'a [usize],
    pub(crate) bytes: &'a mut [u8],
}

impl<'a> TensorMut<'a> {
    /// The type of the elements.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// assert_eq!(outputs.tensor(0, DType::Fp32, &[1, 2])?.dtype(), DType::Fp32);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The lengths of the dimensions, slowest first.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// assert_eq!(outputs.tensor(0, DType::Fp32, &[1, 2])?.shape(), [1, 2]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn shape(&self) -> &[usize] {
        self.shape
    }

    /// The numbers, to be written.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor(0, DType::Fp32, &[2])?.as_mut_slice::<f32>()?.fill(0.5);
    /// assert_eq!(outputs.get(0)?.as_slice::<f32>()?, [0.5, 0.5]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_mut_slice<T: Element>(&mut self) -> Result<&mut [T], Error> {
        check_type::<T>(self.dtype)?;
        cast_mut(self.dtype, self.bytes)
    }

    /// The numbers, to be written for as long as the outputs are borrowed.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// let y: &mut [f32] = outputs.tensor(0, DType::Fp32, &[2])?.into_mut_slice()?;
    /// y[1] = 1.0;
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn into_mut_slice<T: Element>(self) -> Result<&'a mut [T], Error> {
        check_type::<T>(self.dtype)?;
        cast_mut(self.dtype, self.bytes)
    }

    /// The bits of half-precision numbers, to be written.
    ///
    /// # Errors
    /// [`Error::UnfitDType`] for another type than [`DType::Fp16`] and [`DType::Bf16`].
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor(0, DType::Bf16, &[1])?.as_mut_half_bits()?[0] = 0x3f80;
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_mut_half_bits(&mut self) -> Result<&mut [u16], Error> {
        check_half(self.dtype)?;
        cast_mut(self.dtype, self.bytes)
    }
}

impl fmt::Debug for TensorMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} to be written", self.dtype, self.shape)
    }
}

fn cast_mut<T: bytemuck::Pod>(dtype: DType, bytes: &mut [u8]) -> Result<&mut [T], Error> {
    if bytes.is_empty() {
        return Ok(&mut []);
    }
    bytemuck::try_cast_slice_mut(bytes).map_err(|_| Error::Misaligned { dtype })
}
