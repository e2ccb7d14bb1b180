use super::Bf16;
use super::operand::Operand;

/// A borrowed matrix of [`Bf16`]: `rows × columns` in row-major order without gaps, or the transposed view of such data.
///
/// ```
/// use maas_kernels::{Bf16, Bf16Matrix};
///
/// let data = [1.0, 2.0, 3.0].map(Bf16::from_f32);
/// let a = Bf16Matrix::new(&data, 1, 3);
/// assert_eq!((a.rows(), a.columns()), (1, 3));
/// assert_eq!(a.transposed().rows(), 3);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bf16Matrix<'a> {
    data: &'a [Bf16],
    rows: usize,
    columns: usize,
    /// From a row to the next.
    row: usize,
    /// From a column to the next.
    column: usize,
}

impl<'a> Bf16Matrix<'a> {
    /// `rows × columns` of row-major `data`.
    ///
    /// # Panics
    /// When `data` does not hold `rows · columns` values.
    ///
    /// ```should_panic
    /// maas_kernels::Bf16Matrix::new(&[], 2, 2);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(data: &'a [Bf16], rows: usize, columns: usize) -> Self {
        crate::matrix::check_len(data.len(), rows, columns);
        Self {
            data,
            rows,
            columns,
            row: columns,
            column: 1,
        }
    }

    /// The same data with rows and columns exchanged; nothing is copied.
    ///
    /// ```
    /// use maas_kernels::{Bf16, Bf16Matrix};
    /// let a = [Bf16::default(); 6];
    /// assert_eq!(Bf16Matrix::new(&a, 2, 3).transposed().columns(), 2);
    /// ```
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row: self.column,
            column: self.row,
        }
    }

    /// Rows of the view.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Bf16Matrix::new(&[], 0, 3).rows(), 0);
    /// ```
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the view.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Bf16Matrix::new(&[], 0, 3).columns(), 3);
    /// ```
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The element at (`row`, `column`) of the view.
    ///
    /// # Panics
    /// When the position lies outside of the view.
    ///
    /// ```
    /// use maas_kernels::{Bf16, Bf16Matrix};
    /// assert_eq!(Bf16Matrix::new(&[Bf16::from_f32(2.0)], 1, 1).get(0, 0).to_f32(), 2.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn get(&self, row: usize, column: usize) -> Bf16 {
        assert!(
            row < self.rows && column < self.columns,
            "({row}, {column}) of {} × {}",
            self.rows,
            self.columns
        );
        self.data[row * self.row + column * self.column]
    }

    pub(super) fn operand(self) -> Operand<'a, Bf16> {
        Operand {
            data: self.data,
            rows: self.rows,
            columns: self.columns,
            row: self.row,
            column: self.column,
        }
    }
}
