use std::fmt;

use crate::content::Content;
use crate::storage::Storage;
use crate::view::{byte_length, check_count, check_half};
use crate::{DType, Element, Error, Shape, TensorMut, TensorView, strings};

/// An owned tensor: a type, a shape, and row-major elements that fit both.
///
/// Its bytes are those of the Open Inference Protocol's binary form (little-endian; a byte string follows its length
/// as a `u32`) and start where such elements may lie, so that they are numbers without a copy.
///
/// ```
/// use maas_core::{DType, Tensor};
///
/// let tensor = Tensor::from_slice([2, 3], &[1_i32, 2, 3, 4, 5, 6])?;
/// assert_eq!(tensor.dtype(), DType::Int32);
/// assert_eq!(tensor.rows(), 2);
/// let same = Tensor::from_bytes(tensor.dtype(), tensor.shape(), tensor.bytes())?;
/// assert_eq!(same, tensor);
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor {
    pub(crate) dtype: DType,
    pub(crate) shape: Shape,
    pub(crate) content: Content,
}

impl Tensor {
    /// A tensor of zeros; of empty strings for [`DType::Bytes`].
    ///
    /// # Errors
    /// [`Error::TooManyElements`] when the shape overflows, [`Error::OutOfMemory`] when it does not fit the memory.
    ///
    /// ```
    /// use maas_core::{DType, Error, Tensor};
    /// assert_eq!(Tensor::zeros(DType::Fp64, [2])?.as_slice::<f64>()?, [0.0, 0.0]);
    /// assert!(matches!(Tensor::zeros(DType::Int8, [usize::MAX, 2]), Err(Error::TooManyElements { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn zeros(dtype: DType, shape: impl Into<Shape>) -> Result<Self, Error> {
        let shape = shape.into();
        let storage = Storage::zeroed(byte_length(dtype, shape.dims())?)?;
        Ok(Self {
            dtype,
            shape,
            content: storage.into(),
        })
    }

    /// A tensor with a copy of these numbers, in row-major order.
    ///
    /// # Errors
    /// [`Error::ElementCount`] when their number does not fit the shape; as [`Tensor::zeros`].
    ///
    /// ```
    /// let tensor = maas_core::Tensor::from_slice([1, 2], &[1.0_f32, 2.0])?;
    /// assert_eq!(tensor.as_slice::<f32>()?, [1.0, 2.0]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn from_slice<T: Element>(shape: impl Into<Shape>, values: &[T]) -> Result<Self, Error> {
        let shape = shape.into();
        check_count(shape.dims(), values.len())?;
        Ok(Self {
            dtype: T::DTYPE,
            shape,
            content: Storage::copy_of(bytemuck::cast_slice(values))?.into(),
        })
    }

    /// A tensor with a copy of these little-endian, row-major bytes.
    ///
    /// # Errors
    /// Those of [`TensorView::new`]. Nothing is allocated for a shape that the bytes do not fill.
    ///
    /// ```
    /// use maas_core::{DType, Error, Tensor};
    /// let tensor = Tensor::from_bytes(DType::UInt16, [2], &[1, 0, 2, 0])?;
    /// assert_eq!(tensor.as_slice::<u16>()?, [1, 2]);
    /// let hostile = Tensor::from_bytes(DType::Fp32, [1 << 40], &[0; 8]);
    /// assert!(matches!(hostile, Err(Error::ByteCount { found: 8, .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_bytes(dtype: DType, shape: impl Into<Shape>, bytes: &[u8]) -> Result<Self, Error> {
        let shape = shape.into();
        TensorView::new(dtype, shape.dims(), bytes)?;
        Ok(Self {
            dtype,
            shape,
            content: Storage::copy_of(bytes)?.into(),
        })
    }

    /// A tensor over little-endian, row-major bytes that are kept alive with it, such as a part of a message. They are
    /// copied only when they start at an address that such elements cannot have. `bytes` must give the same slice
    /// whenever it is asked.
    ///
    /// # Errors
    /// Those of [`TensorView::new`], and [`Error::OutOfMemory`].
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// let message: std::sync::Arc<[u8]> = [1, 2, 3].into();
    /// let tensor = Tensor::from_shared(DType::UInt8, [3], message.clone())?;
    /// assert_eq!(tensor.bytes().as_ptr(), message.as_ptr());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn from_shared(
        dtype: DType,
        shape: impl Into<Shape>,
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let shape = shape.into();
        TensorView::new(dtype, shape.dims(), bytes.as_ref())?;
        Ok(Self {
            dtype,
            shape,
            content: Content::share(dtype, bytes)?,
        })
    }

    /// A tensor of type [`DType::Bytes`] with a copy of these strings, in row-major order.
    ///
    /// # Errors
    /// [`Error::ElementCount`] when their number does not fit the shape, [`Error::StringTooLong`] when one is longer
    /// than a `u32` can say.
    ///
    /// ```
    /// let tensor = maas_core::Tensor::strings([2, 1], &["a", "bc"])?;
    /// assert_eq!(tensor.bytes(), b"\x01\0\0\0a\x02\0\0\0bc");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn strings<S: AsRef<[u8]>>(shape: impl Into<Shape>, strings: &[S]) -> Result<Self, Error> {
        let shape = shape.into();
        check_count(shape.dims(), strings.len())?;
        let mut storage = Storage::zeroed(strings::framed_length(strings)?)?;
        strings::frame(strings, storage.bytes_mut());
        Ok(Self {
            dtype: DType::Bytes,
            shape,
            content: storage.into(),
        })
    }

    /// A tensor of type [`DType::Bool`].
    ///
    /// # Errors
    /// [`Error::ElementCount`] when their number does not fit the shape.
    ///
    /// ```
    /// let tensor = maas_core::Tensor::from_bools([2], &[true, false])?;
    /// assert_eq!(tensor.bytes(), [1, 0]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn from_bools(shape: impl Into<Shape>, values: &[bool]) -> Result<Self, Error> {
        let shape = shape.into();
        check_count(shape.dims(), values.len())?;
        let mut storage = Storage::zeroed(values.len())?;
        for (byte, &value) in storage.bytes_mut().iter_mut().zip(values) {
            *byte = u8::from(value);
        }
        Ok(Self {
            dtype: DType::Bool,
            shape,
            content: storage.into(),
        })
    }

    /// A tensor of half-precision numbers, [`DType::Fp16`] or [`DType::Bf16`], from their bits.
    ///
    /// # Errors
    /// [`Error::UnfitDType`] for another type; [`Error::ElementCount`] when their number does not fit the shape.
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// let one = Tensor::from_half_bits(DType::Bf16, [1], &[0x3f80])?;
    /// assert_eq!(one.bytes(), [0x80, 0x3f]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn from_half_bits(
        dtype: DType,
        shape: impl Into<Shape>,
        bits: &[u16],
    ) -> Result<Self, Error> {
        check_half(dtype)?;
        Ok(Self {
            dtype,
            ..Self::from_slice(shape, bits)?
        })
    }

    /// The type of the elements.
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// assert_eq!(Tensor::zeros(DType::Int8, [1])?.dtype(), DType::Int8);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The shape.
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// assert_eq!(Tensor::zeros(DType::Int8, [1, 2])?.shape().dims(), [1, 2]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The first dimension's length, which is the batch; 1 for a scalar.
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// assert_eq!(Tensor::zeros(DType::Fp32, [0, 11])?.rows(), 0);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.view().rows()
    }

    /// How many elements there are.
    ///
    /// ```
    /// use maas_core::{DType, Tensor};
    /// assert_eq!(Tensor::zeros(DType::Fp32, [2, 11])?.elements(), 22);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn elements(&self) -> usize {
        self.view().elements()
    }

    /// The bytes, little-endian and row-major; byte strings each after its length as a `u32`.
    ///
    /// ```
    /// assert_eq!(maas_core::Tensor::from_slice([1], &[1_u32])?.bytes(), [1, 0, 0, 0]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn bytes(&self) -> &[u8] {
        self.content.bytes()
    }

    /// The numbers, without a copy.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type.
    ///
    /// ```
    /// let tensor = maas_core::Tensor::from_slice([1], &[1_u32])?;
    /// assert_eq!(tensor.as_slice::<u32>()?, [1]);
    /// assert!(tensor.as_slice::<f32>().is_err());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_slice<T: Element>(&self) -> Result<&[T], Error> {
        self.view().as_slice()
    }

    /// The numbers, to be changed; those of [`Tensor::from_shared`] are copied first.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type, [`Error::OutOfMemory`].
    ///
    /// ```
    /// let mut tensor = maas_core::Tensor::from_slice([2], &[1_u32, 2])?;
    /// tensor.as_mut_slice::<u32>()?[0] = 7;
    /// assert_eq!(tensor.as_slice::<u32>()?, [7, 2]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_mut_slice<T: Element>(&mut self) -> Result<&mut [T], Error> {
        TensorMut {
            dtype: self.dtype,
            shape: self.shape.dims(),
            bytes: self.content.bytes_mut()?,
        }
        .into_mut_slice()
    }

    /// The tensor, borrowed.
    ///
    /// ```
    /// let tensor = maas_core::Tensor::from_slice([1], &[1_u32])?;
    /// assert_eq!(tensor.view().shape(), [1]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn view(&self) -> TensorView<'_> {
        TensorView {
            dtype: self.dtype,
            shape: self.shape.dims(),
            bytes: self.content.bytes(),
        }
    }
}

/// Equal type, shape and bytes: a NaN equals the same NaN, and 0.0 differs from -0.0.
impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        self.dtype == other.dtype && self.shape == other.shape && self.bytes() == other.bytes()
    }
}

impl Eq for Tensor {}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dtype, self.shape)
    }
}

impl<'a> From<&'a Tensor> for TensorView<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        tensor.view()
    }
}
