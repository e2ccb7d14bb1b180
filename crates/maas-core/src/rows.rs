//! Some rows of tensors: to run several requests as one, and one in several parts.

use std::ops::Range;

use crate::storage::Storage;
use crate::{Error, Outputs, Shape, Tensor, TensorView, strings};

impl<'a> TensorView<'a> {
    /// The bytes of these rows. They are found at once, but for byte strings, which are read one by one.
    ///
    /// # Errors
    /// [`Error::NoSuchRows`] when there are not as many.
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[3, 2], &[1_u8, 2, 3, 4, 5, 6])?;
    /// assert_eq!(view.bytes_of_rows(1..3)?, [3, 4, 5, 6]);
    /// assert!(view.bytes_of_rows(1..4).is_err());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn bytes_of_rows(&self, rows: Range<usize>) -> Result<&'a [u8], Error> {
        if rows.start > rows.end || rows.end > self.rows() {
            return Err(Error::NoSuchRows {
                rows: self.rows(),
                found: rows,
            });
        }
        let elements = self.elements().checked_div(self.rows()).unwrap_or(0);
        let (start, end) = (rows.start * elements, rows.end * elements);
        let bytes = match self.dtype.size() {
            Some(size) => start * size..end * size,
            None => {
                let from = strings::skip(self.bytes, start);
                from..from + strings::skip(&self.bytes[from..], end - start)
            }
        };
        Ok(&self.bytes[bytes])
    }

    /// A copy of these rows. Those of a scalar are its one value, of shape `[1]`.
    ///
    /// # Errors
    /// [`Error::NoSuchRows`] when there are not as many, [`Error::OutOfMemory`].
    ///
    /// ```
    /// let view = maas_core::TensorView::from_slice(&[3, 2], &[1_u8, 2, 3, 4, 5, 6])?;
    /// assert_eq!(view.copy_rows(2..3)?, maas_core::Tensor::from_slice([1, 2], &[5_u8, 6])?);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn copy_rows(&self, rows: Range<usize>) -> Result<Tensor, Error> {
        let bytes = self.bytes_of_rows(rows.clone())?;
        Ok(Tensor {
            dtype: self.dtype,
            shape: Shape::from([&[rows.len()], self.row_shape()].concat()),
            content: Storage::copy_of(bytes)?.into(),
        })
    }

    /// The lengths of all dimensions but the first.
    fn row_shape(&self) -> &'a [usize] {
        self.shape.get(1..).unwrap_or(&[])
    }
}

impl Outputs<'_> {
    /// Writes the output `index` as the rows of these tensors, one after another.
    ///
    /// # Errors
    /// [`Error::ElementType`] and [`Error::RowShape`] when they are not of one type and one shape of rows,
    /// [`Error::NoSuchRows`], [`Error::TensorCount`] without any, and those of [`Outputs::tensor`].
    ///
    /// ```
    /// use maas_core::{Outputs, TensorView};
    ///
    /// let (a, b) = ([1_u8, 2, 3], [4_u8, 5]);
    /// let pieces = [(TensorView::from_slice(&[3, 1], &a)?, 1..3), (TensorView::from_slice(&[2, 1], &b)?, 0..1)];
    /// let mut outputs = Outputs::new();
    /// outputs.gather(0, pieces.iter().cloned())?;
    /// assert_eq!(outputs.get(0)?.as_slice::<u8>()?, [2, 3, 4]);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn gather<'t>(
        &mut self,
        index: usize,
        pieces: impl Iterator<Item = (TensorView<'t>, Range<usize>)> + Clone,
    ) -> Result<(), Error> {
        let (first, _) = pieces.clone().next().ok_or(Error::TensorCount {
            expected: 1,
            found: 0,
        })?;
        let (mut rows, mut length) = (0, 0);
        for (piece, range) in pieces.clone() {
            check_alike(&first, &piece)?;
            rows += range.len();
            length += piece.bytes_of_rows(range)?.len();
        }
        let shape = std::iter::once(rows).chain(first.row_shape().iter().copied());
        let mut left = self.resize(index, first.dtype, shape, length)?.bytes;
        for (piece, range) in pieces {
            let bytes = piece.bytes_of_rows(range)?;
            let (place, rest) = left.split_at_mut(bytes.len());
            place.copy_from_slice(bytes);
            left = rest;
        }
        Ok(())
    }
}

fn check_alike(first: &TensorView<'_>, piece: &TensorView<'_>) -> Result<(), Error> {
    if piece.dtype != first.dtype {
        return Err(Error::ElementType {
            expected: first.dtype,
            found: piece.dtype,
        });
    }
    if piece.row_shape() != first.row_shape() {
        return Err(Error::RowShape {
            expected: first.row_shape().into(),
            found: piece.row_shape().into(),
        });
    }
    Ok(())
}
