//! Conversions from and to `ndarray`.

use ndarray::{ArrayBase, ArrayView2, ArrayViewD, Data, IxDyn};

use crate::storage::Storage;
use crate::{Element, Error, Shape, Tensor, TensorView};

impl Tensor {
    /// A tensor with a copy of an array's elements in row-major order, whatever the array's strides.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    ///
    /// ```
    /// use maas_core::Tensor;
    /// let columns_first = ndarray::array![[1.0_f32, 2.0], [3.0, 4.0]].reversed_axes();
    /// assert_eq!(Tensor::from_array(&columns_first)?.as_slice::<f32>()?, [1.0, 3.0, 2.0, 4.0]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn from_array<T, S, D>(array: &ArrayBase<S, D>) -> Result<Self, Error>
    where
        T: Element,
        S: Data<Elem = T>,
        D: ndarray::Dimension,
    {
        let shape = Shape::from(array.shape());
        if let Some(values) = array.as_slice() {
            return Self::from_slice(shape, values);
        }
        let mut tensor = Self {
            dtype: T::DTYPE,
            shape,
            content: Storage::zeroed(array.len() * size_of::<T>())?.into(),
        };
        for (into, &from) in tensor.as_mut_slice::<T>()?.iter_mut().zip(array) {
            *into = from;
        }
        Ok(tensor)
    }

    /// The tensor as an array, without a copy.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type.
    ///
    /// ```
    /// let tensor = maas_core::Tensor::from_slice([1, 1, 2], &[1_u8, 2])?;
    /// assert_eq!(tensor.as_array::<u8>()?[[0, 0, 1]], 2);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_array<T: Element>(&self) -> Result<ArrayViewD<'_, T>, Error> {
        self.view().as_array()
    }

    /// The tensor as rows and columns, without a copy.
    ///
    /// # Errors
    /// [`Error::ElementType`] for another type, [`Error::Rank`] unless there are two dimensions.
    ///
    /// ```
    /// let tensor = maas_core::Tensor::from_slice([1, 2], &[1.0_f32, 2.0])?;
    /// assert_eq!(tensor.as_array2::<f32>()?.row(0).sum(), 3.0);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_array2<T: Element>(&self) -> Result<ArrayView2<'_, T>, Error> {
        self.view().as_array2()
    }
}

impl<'a> TensorView<'a> {
    /// The view as an array, without a copy.
    ///
    /// # Errors
    /// Those of [`TensorView::as_slice`].
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1, 2], &[1_u8, 2])?;
    /// assert_eq!(view.as_array::<u8>()?[[0, 1]], 2);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_array<T: Element>(&self) -> Result<ArrayViewD<'a, T>, Error> {
        let values = self.as_slice::<T>()?;
        ArrayViewD::from_shape(IxDyn(self.shape()), values).map_err(|_| Error::TooManyElements {
            shape: self.shape().into(),
        })
    }

    /// The view as rows and columns, without a copy.
    ///
    /// # Errors
    /// Those of [`TensorView::as_slice`]; [`Error::Rank`] unless there are two dimensions.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[1, 2], &[1_u8, 2])?;
    /// assert_eq!(view.as_array2::<u8>()?.ncols(), 2);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn as_array2<T: Element>(&self) -> Result<ArrayView2<'a, T>, Error> {
        self.as_array()?
            .into_dimensionality()
            .map_err(|_| Error::Rank {
                expected: 2,
                found: self.shape().into(),
            })
    }
}
