use std::fmt;

use crate::storage::Storage;
use crate::view::{byte_length, check_count};
use crate::{DType, Element, Error, Shape, Tensor, TensorMut, TensorView, strings};

/// Where a model writes its answers.
///
/// [`Outputs::new`] grows the tensors that a model asks for and keeps their memory, so that calls of the same shape
/// allocate nothing after the first one. [`Outputs::into_caller`] has the model write into the caller's own buffers.
///
/// ```
/// use maas_core::{CallerBuffer, DType, Outputs};
///
/// let mut answer = [0.0_f32; 4];
/// let mut outputs = Outputs::into_caller([CallerBuffer::new(&mut answer)]);
/// outputs.tensor(0, DType::Fp32, &[2, 2])?.as_mut_slice::<f32>()?.copy_from_slice(&[1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(outputs.get(0)?.shape(), [2, 2]);
/// drop(outputs);
/// assert_eq!(answer, [1.0, 2.0, 3.0, 4.0]);
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Outputs<'a> {
    slots: Vec<Slot<'a>>,
}

/// One output: memory, and what was last written into it.
struct Slot<'a> {
    memory: Memory<'a>,
    written: Option<DType>,
    dims: Vec<usize>,
    length: usize,
}

enum Memory<'a> {
    Own(Storage),
    Caller(CallerBuffer<'a>),
}

/// A caller's own buffer for one output of a model.
///
/// The model may write fewer elements than fit; more, or elements of another type, are an error.
///
/// ```
/// let mut scores = [0.0_f32; 8];
/// let buffer = maas_core::CallerBuffer::new(&mut scores);
/// # let _ = buffer;
/// ```
#[derive(Debug)]
pub struct CallerBuffer<'a> {
    dtype: DType,
    bytes: &'a mut [u8],
}

impl<'a> CallerBuffer<'a> {
    /// A buffer of numbers.
    ///
    /// ```
    /// let mut labels = [0_i64; 8];
    /// let buffer = maas_core::CallerBuffer::new(&mut labels);
    /// # let _ = buffer;
    /// ```
    pub fn new<T: Element>(values: &'a mut [T]) -> Self {
        Self {
            dtype: T::DTYPE,
            bytes: bytemuck::cast_slice_mut(values),
        }
    }
}

impl<'a> Outputs<'a> {
    /// No outputs yet; memory is taken as a model asks for it.
    ///
    /// ```
    /// assert!(maas_core::Outputs::new().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Outputs that are written into these buffers, in this order; further ones get memory of their own.
    ///
    /// ```
    /// use maas_core::{CallerBuffer, DType, Error, Outputs};
    /// let mut small = [0.0_f32; 1];
    /// let mut outputs = Outputs::into_caller([CallerBuffer::new(&mut small)]);
    /// let error = outputs.tensor(0, DType::Fp32, &[2, 1]).unwrap_err();
    /// assert!(matches!(error, Error::BufferTooSmall { index: 0, expected: 2, found: 1 }));
    /// ```
    pub fn into_caller(buffers: impl IntoIterator<Item = CallerBuffer<'a>>) -> Self {
        Self {
            slots: buffers
                .into_iter()
                .map(|buffer| Slot::new(Memory::Caller(buffer)))
                .collect(),
        }
    }

    /// The output `index`, as zeros of this type and shape, to be written by the model.
    ///
    /// # Errors
    /// [`Error::TooManyElements`] and [`Error::OutOfMemory`] for a shape that is too large; [`Error::BufferTooSmall`]
    /// and [`Error::ElementType`] when the caller's buffer does not fit; [`Error::UnfitDType`] for [`DType::Bytes`]
    /// and [`DType::Bool`], which [`Outputs::strings`] and [`Outputs::bools`] write.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor(0, DType::Int64, &[1])?.as_mut_slice::<i64>()?[0] = 7;
    /// assert_eq!(outputs.get(0)?.as_slice::<i64>()?, [7]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn tensor(
        &mut self,
        index: usize,
        dtype: DType,
        shape: &[usize],
    ) -> Result<TensorMut<'_>, Error> {
        let tensor = self.tensor_to_fill(index, dtype, shape)?;
        tensor.bytes.fill(0);
        Ok(tensor)
    }

    /// As [`Outputs::tensor`], but with the values that are there by chance: for models that write all of them.
    ///
    /// # Errors
    /// Those of [`Outputs::tensor`].
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor_to_fill(0, DType::Int64, &[2])?.as_mut_slice::<i64>()?.fill(7);
    /// assert_eq!(outputs.get(0)?.as_slice::<i64>()?, [7, 7]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn tensor_to_fill(
        &mut self,
        index: usize,
        dtype: DType,
        shape: &[usize],
    ) -> Result<TensorMut<'_>, Error> {
        if matches!(dtype, DType::Bytes | DType::Bool) {
            return Err(Error::UnfitDType {
                expected: "a number",
                found: dtype,
            });
        }
        let length = byte_length(dtype, shape)?;
        self.resize(index, dtype, shape.iter().copied(), length)
    }

    /// Writes the output `index` as byte strings in row-major order.
    ///
    /// # Errors
    /// [`Error::ElementCount`] when their number does not fit the shape; as [`Outputs::tensor`] otherwise.
    ///
    /// ```
    /// let mut outputs = maas_core::Outputs::new();
    /// outputs.strings(0, &[1], &["Gentoo"])?;
    /// assert_eq!(outputs.get(0)?.as_strings()?.next(), Some(b"Gentoo".as_slice()));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn strings<S: AsRef<[u8]>>(
        &mut self,
        index: usize,
        shape: &[usize],
        strings: &[S],
    ) -> Result<(), Error> {
        check_count(shape, strings.len())?;
        let length = strings::framed_length(strings)?;
        strings::frame(
            strings,
            self.resize(index, DType::Bytes, shape.iter().copied(), length)?
                .bytes,
        );
        Ok(())
    }

    /// Writes the output `index` as booleans in row-major order.
    ///
    /// # Errors
    /// [`Error::ElementCount`] when their number does not fit the shape; as [`Outputs::tensor`] otherwise.
    ///
    /// ```
    /// let mut outputs = maas_core::Outputs::new();
    /// outputs.bools(0, &[2], &[true, false])?;
    /// assert_eq!(outputs.get(0)?.bytes(), [1, 0]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn bools(&mut self, index: usize, shape: &[usize], values: &[bool]) -> Result<(), Error> {
        check_count(shape, values.len())?;
        let tensor = self.resize(index, DType::Bool, shape.iter().copied(), values.len())?;
        for (byte, &value) in tensor.bytes.iter_mut().zip(values) {
            *byte = u8::from(value);
        }
        Ok(())
    }

    /// Writes the output `index` as a copy of a tensor.
    ///
    /// # Errors
    /// Those of [`Outputs::tensor`].
    ///
    /// ```
    /// let tensor = maas_core::Tensor::from_slice([2], &[1_u8, 2])?;
    /// let mut outputs = maas_core::Outputs::new();
    /// outputs.copy(0, &tensor.view())?;
    /// assert_eq!(outputs.get(0)?.as_slice::<u8>()?, [1, 2]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn copy(&mut self, index: usize, tensor: &TensorView<'_>) -> Result<(), Error> {
        self.resize(
            index,
            tensor.dtype,
            tensor.shape.iter().copied(),
            tensor.bytes.len(),
        )?
        .bytes
        .copy_from_slice(tensor.bytes);
        Ok(())
    }

    /// What was written as the output `index`.
    ///
    /// # Errors
    /// [`Error::NoOutput`] when nothing was.
    ///
    /// ```
    /// assert!(maas_core::Outputs::new().get(0).is_err());
    /// ```
    pub fn get(&self, index: usize) -> Result<TensorView<'_>, Error> {
        self.slots
            .get(index)
            .and_then(Slot::view)
            .ok_or_else(|| Error::NoOutput {
                index,
                outputs: self.iter().count(),
            })
    }

    /// The outputs written, in order.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor(0, DType::Fp32, &[2, 3])?;
    /// assert_eq!(outputs.iter().map(|tensor| tensor.elements()).sum::<usize>(), 6);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = TensorView<'_>> {
        self.slots.iter().filter_map(Slot::view)
    }

    /// How many outputs were written.
    ///
    /// ```
    /// assert_eq!(maas_core::Outputs::new().len(), 0);
    /// ```
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether no output was written.
    ///
    /// ```
    /// assert!(maas_core::Outputs::new().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what was written and keeps the memory for the next call.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor(0, DType::Fp32, &[2, 3])?;
    /// outputs.clear();
    /// assert!(outputs.is_empty());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.written = None;
        }
    }

    /// The outputs written as tensors; those in memory of their own are moved, those in caller's buffers copied.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when there is none for a copy.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor(0, DType::Fp32, &[2, 3])?;
    /// assert_eq!(outputs.into_tensors()?[0].shape().dims(), [2, 3]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn into_tensors(self) -> Result<Vec<Tensor>, Error> {
        let mut slots = self.slots;
        slots.iter_mut().filter_map(Slot::take).collect()
    }

    /// Takes the output `index` out, with its memory unless that is a caller's; then it is copied.
    ///
    /// # Errors
    /// [`Error::NoOutput`] when it was not written, [`Error::OutOfMemory`] when there is none for a copy.
    ///
    /// ```
    /// use maas_core::{DType, Outputs};
    /// let mut outputs = Outputs::new();
    /// outputs.tensor(0, DType::Fp32, &[2, 3])?;
    /// assert_eq!(outputs.take(0)?.shape().dims(), [2, 3]);
    /// assert!(outputs.take(0).is_err());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn take(&mut self, index: usize) -> Result<Tensor, Error> {
        let written = self.slots.get_mut(index).and_then(Slot::take);
        written.unwrap_or_else(|| {
            Err(Error::NoOutput {
                index,
                outputs: self.len(),
            })
        })
    }

    /// Makes the output `index` be `length` bytes of this type and shape, whatever they are.
    pub(crate) fn resize(
        &mut self,
        index: usize,
        dtype: DType,
        shape: impl IntoIterator<Item = usize>,
        length: usize,
    ) -> Result<TensorMut<'_>, Error> {
        if self.slots.len() <= index {
            self.slots
                .resize_with(index + 1, || Slot::new(Memory::Own(Storage::default())));
        }
        let slot = &mut self.slots[index];
        slot.written = None;
        let bytes = match &mut slot.memory {
            Memory::Own(storage) => {
                storage.resize(length)?;
                storage.bytes_mut()
            }
            Memory::Caller(buffer) => buffer.first(index, dtype, length)?,
        };
        slot.written = Some(dtype);
        slot.length = length;
        slot.dims.clear();
        slot.dims.extend(shape);
        Ok(TensorMut {
            dtype,
            shape: &slot.dims,
            bytes,
        })
    }
}

impl<'a> Slot<'a> {
    fn new(memory: Memory<'a>) -> Self {
        Self {
            memory,
            written: None,
            dims: Vec::new(),
            length: 0,
        }
    }

    /// What was written, as a tensor.
    fn take(&mut self) -> Option<Result<Tensor, Error>> {
        let dtype = self.written.take()?;
        let storage = match &mut self.memory {
            Memory::Own(storage) => Ok(std::mem::take(storage)),
            Memory::Caller(buffer) => Storage::copy_of(&buffer.bytes[..self.length]),
        };
        Some(storage.map(|storage| Tensor {
            dtype,
            shape: Shape::from(&*self.dims),
            content: storage.into(),
        }))
    }

    fn view(&self) -> Option<TensorView<'_>> {
        let bytes = match &self.memory {
            Memory::Own(storage) => storage.bytes(),
            Memory::Caller(buffer) => &*buffer.bytes,
        };
        Some(TensorView {
            dtype: self.written?,
            shape: &self.dims,
            bytes: &bytes[..self.length],
        })
    }
}

impl CallerBuffer<'_> {
    /// The first `length` bytes.
    fn first(&mut self, index: usize, dtype: DType, length: usize) -> Result<&mut [u8], Error> {
        if self.dtype != dtype {
            return Err(Error::ElementType {
                expected: self.dtype,
                found: dtype,
            });
        }
        let size = dtype.size().unwrap_or(1);
        let found = self.bytes.len() / size;
        self.bytes.get_mut(..length).ok_or(Error::BufferTooSmall {
            index,
            expected: length / size,
            found,
        })
    }
}

impl fmt::Debug for Slot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}
