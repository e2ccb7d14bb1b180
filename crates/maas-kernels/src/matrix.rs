use std::ops::Range;

/// A borrowed matrix: `rows × columns` floats in row-major order without gaps, the transposed view of such data, or some
/// rows or columns of either.
///
/// ```
/// use maas_kernels::Matrix;
///
/// let a = Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3);
/// assert_eq!((a.rows(), a.columns(), a.get(1, 0)), (2, 3, 4.0));
/// let t = a.transposed();
/// assert_eq!((t.rows(), t.columns(), t.get(0, 1)), (3, 2, 4.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    order: Order,
    /// From one row to the next in memory, or where columns lie one behind the other, from one column to the next.
    stride: usize,
}

/// Which index moves fastest in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Rows,
    Columns,
}

impl<'a> Matrix<'a> {
    /// `rows × columns` of row-major `data`.
    ///
    /// # Panics
    /// When `data` does not hold `rows · columns` values.
    ///
    /// ```should_panic
    /// maas_kernels::Matrix::new(&[1.0, 2.0, 3.0], 2, 2);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        check_len(data.len(), rows, columns);
        Self {
            data,
            rows,
            columns,
            order: Order::Rows,
            stride: columns,
        }
    }

    /// The same data with rows and columns exchanged; nothing is copied.
    ///
    /// ```
    /// let a = maas_kernels::Matrix::new(&[1.0, 2.0], 1, 2);
    /// assert_eq!(a.transposed().get(1, 0), 2.0);
    /// ```
    #[must_use]
    pub fn transposed(self) -> Self {
        let order = match self.order {
            Order::Rows => Order::Columns,
            Order::Columns => Order::Rows,
        };
        Self {
            rows: self.columns,
            columns: self.rows,
            order,
            ..self
        }
    }

    /// These rows of the view; nothing is copied.
    ///
    /// # Panics
    /// When the view does not have them.
    ///
    /// ```
    /// let a = maas_kernels::Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 2);
    /// assert_eq!(a.row_range(1..3).get(0, 1), 4.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn row_range(self, range: Range<usize>) -> Self {
        let Range { start, end } = range;
        assert!(
            start <= end && end <= self.rows,
            "rows {start}..{end} of {}",
            self.rows
        );
        let rows = end - start;
        if rows == 0 || self.columns == 0 {
            return Self {
                rows,
                data: &[],
                ..self
            };
        }
        let last = (rows - 1) * self.row_stride() + (self.columns - 1) * self.column_stride();
        let first = start * self.row_stride();
        Self {
            rows,
            data: &self.data[first..=first + last],
            ..self
        }
    }

    /// These columns of the view; nothing is copied.
    ///
    /// # Panics
    /// When the view does not have them.
    ///
    /// ```
    /// let a = maas_kernels::Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3);
    /// assert_eq!(a.column_range(1..3).get(1, 0), 5.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn column_range(self, range: Range<usize>) -> Self {
        self.transposed().row_range(range).transposed()
    }

    /// Rows of the view.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Matrix::new(&[1.0, 2.0], 1, 2).rows(), 1);
    /// ```
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the view.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Matrix::new(&[1.0, 2.0], 1, 2).columns(), 2);
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
    /// assert_eq!(maas_kernels::Matrix::new(&[1.0, 2.0], 1, 2).get(0, 1), 2.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn get(&self, row: usize, column: usize) -> f32 {
        assert!(
            row < self.rows && column < self.columns,
            "({row}, {column}) of {} × {}",
            self.rows,
            self.columns
        );
        self.data[row * self.row_stride() + column * self.column_stride()]
    }

    /// Some columns of a row.
    pub(crate) fn row(
        self,
        row: usize,
        columns: Range<usize>,
    ) -> impl Iterator<Item = f32> + use<'a> {
        let step = self.column_stride();
        let first = row * self.row_stride() + columns.start * step;
        let from = self.data.get(first..).unwrap_or(&[]);
        from.iter()
            .step_by(step.max(1))
            .take(columns.len())
            .copied()
    }

    /// A row, to where its numbers lie side by side.
    pub(crate) fn copy_row(self, row: usize, to: &mut [f32]) {
        debug_assert_eq!(to.len(), self.columns);
        if self.is_row_major() {
            to.copy_from_slice(&self.data[row * self.row_stride()..][..self.columns]);
        } else {
            let from = self.row(row, 0..self.columns);
            to.iter_mut().zip(from).for_each(|(to, from)| *to = from);
        }
    }

    /// From the view's first element to its last, as they lie in memory.
    pub(crate) fn data(&self) -> &'a [f32] {
        self.data
    }

    /// Whether a row's elements are neighbours in memory: true unless the view is transposed.
    pub(crate) fn is_row_major(&self) -> bool {
        self.order == Order::Rows
    }

    pub(crate) fn row_stride(&self) -> usize {
        match self.order {
            Order::Rows => self.stride,
            Order::Columns => 1,
        }
    }

    pub(crate) fn column_stride(&self) -> usize {
        match self.order {
            Order::Rows => 1,
            Order::Columns => self.stride,
        }
    }
}

/// A matrix to write: `rows × columns` floats in row-major order without gaps.
///
/// ```
/// let mut data = [0.0; 6];
/// let c = maas_kernels::MatrixMut::new(&mut data, 2, 3);
/// assert_eq!((c.rows(), c.columns()), (2, 3));
/// ```
#[derive(Debug)]
pub struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
}

impl<'a> MatrixMut<'a> {
    /// `rows × columns` of row-major `data`.
    ///
    /// # Panics
    /// When `data` does not hold `rows · columns` values.
    ///
    /// ```should_panic
    /// maas_kernels::MatrixMut::new(&mut [1.0, 2.0, 3.0], 2, 2);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        check_len(data.len(), rows, columns);
        Self {
            data,
            rows,
            columns,
        }
    }

    /// Rows of the matrix.
    ///
    /// ```
    /// assert_eq!(maas_kernels::MatrixMut::new(&mut [1.0, 2.0], 1, 2).rows(), 1);
    /// ```
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix.
    ///
    /// ```
    /// assert_eq!(maas_kernels::MatrixMut::new(&mut [1.0, 2.0], 1, 2).columns(), 2);
    /// ```
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) fn into_data(self) -> &'a mut [f32] {
        self.data
    }
}

#[track_caller]
pub(crate) fn check_len(len: usize, rows: usize, columns: usize) {
    assert!(
        rows.checked_mul(columns) == Some(len),
        "{len} values cannot be a matrix of {rows} × {columns}"
    );
}
