use std::fmt;

use crate::shape::elements;
use crate::storage::Storage;
use crate::strings::{self, Strings};
use crate::{DType, Element, Error, Shape, Tensor};

/// A borrowed tensor: a type, a shape, and bytes that fit both.
///
/// ```
/// use maas_core::TensorView;
///
/// let rows = [1.0_f32, 2.0, 3.0, 4.0];
/// let view = TensorView::from_slice(&[2, 2], &rows)?;
/// assert_eq!(view.rows(), 2);
/// assert_eq!(view.as_slice::<f32>()?, rows);
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct TensorView<'a> {
    pub(crate) dtype: DType,
    pub(crate) shape: &'a [usize],
    pub(crate) bytes: &'a [u8],
}

impl<'a> TensorView<'a> {
    /// A view of little-endian, row-major bytes, such as those of a request.
    ///
    /// # Errors
    /// When type, shape and bytes do not fit together: [`Error::TooManyElements`], [`Error::ByteCount`],
    /// [`Error::ElementCount`] and [`Error::StringCutOff`] for byte strings, [`Error::NotBoolean`].
    ///
    /// ```
    /// use maas_core::{DType, TensorView};
    /// let view = TensorView::new(DType::Int16, &[2], &[1, 0, 2, 0])?;
    /// assert_eq!(view.to_tensor()?.as_slice::<i16>()?, [1, 2]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn new(dtype: DType, shape: &'a [usize], bytes: &'a [u8]) -> Result<Self, Error> {
        let count = elements(shape).ok_or_else(|| Error::TooManyElements {
            shape: shape.into(),
        })?;
        if dtype == DType::Bytes {
            let found = strings::count(bytes)?;
            if found != count {
                return Err(Error::ElementCount {
                    shape: shape.into(),
                    expected: count,
                    found,
                });
            }
        } else {
            let expected = byte_length(dtype, shape)?;
            if bytes.len() != expected {
                return Err(Error::ByteCount {
                    dtype,
                    shape: shape.into(),
                    expected,
                    found: bytes.len(),
                });
            }
        }
        if dtype == DType::Bool
            && let Some((element, &found)) = bytes.iter().enumerate().find(|&(_, &byte)| byte > 1)
        {
            return Err(Error::NotBoolean { element, found });
        }
        Ok(Self {
            dtype,
            shape,
            bytes,
        })
    }

    /// A view of numbers in row-major order.
    ///
    /// # Errors
    /// [`Error::ElementCount`] when their number does not fit the shape, [`Error::TooManyElements`] when no number could.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1, 3], &[1_u8, 2, 3])?;
    /// assert_eq!(view.elements(), 3);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn from_slice<T: Element>(shape: &'a [usize], values: &'a [T]) -> Result<Self, Error> {
        check_count(shape, values.len())?;
        Ok(Self {
            dtype: T::DTYPE,
            shape,
            bytes: bytemuck::cast_slice(values),
        })
    }

    /// The type of the elements.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1], &[1_u8])?;
    /// assert_eq!(view.dtype(), maas_core::DType::UInt8);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The lengths of the dimensions, slowest first.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1, 2], &[1_u8, 2])?;
    /// assert_eq!(view.shape(), [1, 2]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// The first dimension's length, which is the batch; 1 for a scalar.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice::<f32>(&[0, 11], &[])?;
    /// assert_eq!(view.rows(), 0);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// How many elements there are.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1, 2], &[1_u8, 2])?;
    /// assert_eq!(view.elements(), 2);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The bytes, little-endian and row-major; byte strings each after its length as a `u32`.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1], &[258_u16])?;
    /// assert_eq!(view.bytes(), [2, 1]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The numbers, without a copy.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type; [`Error::Misaligned`] when the bytes were borrowed from an address that
    /// such numbers cannot have ([`TensorView::to_tensor`] makes a copy that can).
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[2], &[1.0_f32, 2.0])?;
    /// assert_eq!(view.as_slice::<f32>()?, [1.0, 2.0]);
    /// assert!(view.as_slice::<f64>().is_err());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_slice<T: Element>(&self) -> Result<&'a [T], Error> {
        check_type::<T>(self.dtype)?;
        cast(self.dtype, self.bytes)
    }

    /// The bits of half-precision numbers, [`DType::Fp16`] or [`DType::Bf16`].
    ///
    /// # Errors
    /// [`Error::UnfitDType`] for another type, [`Error::Misaligned`] as for [`TensorView::as_slice`].
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// let one = Tensor::from_half_bits(DType::Fp16, [1], &[0x3c00])?;
    /// assert_eq!(one.view().as_half_bits()?, [0x3c00]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_half_bits(&self) -> Result<&'a [u16], Error> {
        check_half(self.dtype)?;
        cast(self.dtype, self.bytes)
    }

    /// The booleans.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type.
    ///
    /// ```
    /// let mask = maas_core::Tensor::from_bools([2], &[true, false])?;
    /// assert_eq!(mask.view().as_bools()?.collect::<Vec<_>>(), [true, false]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_bools(&self) -> Result<impl ExactSizeIterator<Item = bool> + Clone + use<'a>, Error> {
        if self.dtype != DType::Bool {
            return Err(Error::ElementType {
                expected: DType::Bool,
                found: self.dtype,
            });
        }
        Ok(self.bytes.iter().map(|&byte| byte != 0))
    }

    /// The byte strings.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type.
    ///
    /// ```
    /// let names = maas_core::Tensor::strings([1], &["x"])?;
    /// assert_eq!(names.view().as_strings()?.next(), Some(b"x".as_slice()));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_strings(&self) -> Result<Strings<'a>, Error> {
        if self.dtype != DType::Bytes {
            return Err(Error::ElementType {
                expected: DType::Bytes,
                found: self.dtype,
            });
        }
        Ok(Strings::of_counted(self.bytes))
    }

    /// An owned copy, aligned for its type.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1], &[1_i64])?;
    /// assert_eq!(view.to_tensor()?.as_slice::<i64>()?, [1]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn to_tensor(&self) -> Result<Tensor, Error> {
        Ok(Tensor {
            dtype: self.dtype,
            shape: self.shape.into(),
            content: Storage::copy_of(self.bytes)?.into(),
        })
    }
}

impl fmt::Debug for TensorView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.dtype, self.shape)
    }
}

pub(crate) fn check_count(shape: &[usize], found: usize) -> Result<(), Error> {
    let expected = elements(shape).ok_or_else(|| Error::TooManyElements {
        shape: shape.into(),
    })?;
    if expected == found {
        Ok(())
    } else {
        Err(Error::ElementCount {
            shape: shape.into(),
            expected,
            found,
        })
    }
}

/// How many bytes a tensor takes; for byte strings, those of as many empty ones.
pub(crate) fn byte_length(dtype: DType, shape: &[usize]) -> Result<usize, Error> {
    let size = dtype.size().unwrap_or(size_of::<u32>());
    elements(shape)
        .and_then(|count| count.checked_mul(size))
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .ok_or_else(|| Error::TooManyElements {
            shape: Shape::from(shape),
        })
}

pub(crate) fn check_half(dtype: DType) -> Result<(), Error> {
    match dtype {
        DType::Fp16 | DType::Bf16 => Ok(()),
        found => Err(Error::UnfitDType {
            expected: "FP16 or BF16",
            found,
        }),
    }
}

pub(crate) fn check_type<T: Element>(found: DType) -> Result<(), Error> {
    if found == T::DTYPE {
        Ok(())
    } else {
        Err(Error::ElementType {
            expected: T::DTYPE,
            found,
        })
    }
}

fn cast<T: bytemuck::Pod>(dtype: DType, bytes: &[u8]) -> Result<&[T], Error> {
    if bytes.is_empty() {
        return Ok(&[]);
    }
    bytemuck::try_cast_slice(bytes).map_err(|_| Error::Misaligned { dtype })
}
