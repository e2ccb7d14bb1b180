//! A right operand whose panels of columns were copied ahead of time to where tiles read them in order.

use std::fmt;

use super::BLOCK;
use super::pack::{PackRight, View};
use crate::{Buffer, Kernels, Matrix};

/// A matrix in panels of columns, the right operand of [`Kernels::matmul_panels`]: for weights that are multiplied with again
/// and again.
///
/// How wide the panels are follows from [`Kernels::best`]; other sets read them too, and give the same bits.
///
/// ```
/// use maas_kernels::{Matrix, PanelMatrix};
///
/// let panels = PanelMatrix::new(Matrix::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3));
/// assert_eq!((panels.rows(), panels.columns()), (2, 3));
/// ```
#[derive(Clone)]
pub struct PanelMatrix {
    rows: usize,
    columns: usize,
    /// Columns of a panel: a power of two.
    width: usize,
    /// Block after block of rows, in each panel after panel, in each row after row.
    panels: Buffer,
}

impl PanelMatrix {
    /// The elements of `dense`, which may be a transposed view.
    ///
    /// ```
    /// use maas_kernels::{Kernels, Matrix, PanelMatrix};
    /// let turned = Matrix::new(&[1.0, 0.0, 3.0, 0.0], 2, 2).transposed();
    /// assert_eq!(PanelMatrix::new(turned).rows(), 2);
    /// ```
    #[must_use]
    pub fn new(dense: Matrix<'_>) -> Self {
        Self::for_kernels(dense, Kernels::best())
    }

    /// In panels as these kernels read them fastest.
    pub(crate) fn for_kernels(dense: Matrix<'_>, kernels: Kernels) -> Self {
        let (rows, columns) = (dense.rows(), dense.columns());
        let width = 2 * kernels.lanes();
        let mut panels = Buffer::zeroed(rows * columns.next_multiple_of(width));
        let to = Panels {
            p: panels.as_mut_ptr(),
            rows,
            columns,
            width,
            first: 0,
        };
        for start in (0..rows).step_by(BLOCK) {
            kernels.run(PackRight {
                b: View::of(dense).at(start, 0),
                k: BLOCK.min(rows - start),
                n: columns,
                width,
                to: to.at(start, 0).cast_mut(),
            });
        }
        Self {
            rows,
            columns,
            width,
            panels,
        }
    }

    /// Rows of the matrix.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, PanelMatrix};
    /// assert_eq!(PanelMatrix::new(Matrix::new(&[1.0, 0.0], 1, 2)).rows(), 1);
    /// ```
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, PanelMatrix};
    /// assert_eq!(PanelMatrix::new(Matrix::new(&[1.0, 0.0], 1, 2)).columns(), 2);
    /// ```
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes of memory: four for each element, and as many for what fills the last panel.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, PanelMatrix};
    /// assert!(PanelMatrix::new(Matrix::new(&[1.0, 0.0], 1, 2)).bytes() >= 8);
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&self.panels[..])
    }

    pub(super) fn get(&self, row: usize, column: usize) -> f32 {
        let block = row - row % BLOCK;
        let offset = self.view().offset(block, column);
        self.panels[offset + (row - block) * self.width]
    }

    pub(super) fn view(&self) -> Panels {
        Panels {
            p: self.panels.as_ptr(),
            rows: self.rows,
            columns: self.columns,
            width: self.width,
            first: 0,
        }
    }
}

impl fmt::Debug for PanelMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanelMatrix")
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

/// The right operand of a product.
#[derive(Clone, Copy)]
pub(super) enum Right {
    /// As it lies in memory.
    InPlace(View),
    Panels(Panels),
}

impl Right {
    /// Without the columns before this one, the first of a strip.
    pub(super) fn from(self, column: usize) -> Self {
        match self {
            Self::InPlace(view) => Self::InPlace(view.at(0, column)),
            Self::Panels(panels) => Self::Panels(Panels {
                first: panels.first + column,
                ..panels
            }),
        }
    }
}

/// Panels of a [`PanelMatrix`], from some column on.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    p: *const f32,
    rows: usize,
    columns: usize,
    /// Floats from one row of a panel to the next.
    pub(super) width: usize,
    first: usize,
}

impl Panels {
    /// Row `start`, the first one of a block, of this column.
    pub(super) fn at(self, start: usize, column: usize) -> *const f32 {
        self.p.wrapping_add(self.offset(start, column))
    }

    /// Floats from one panel to the next, in the block of rows that begins with `start`.
    pub(super) fn step(self, start: usize) -> usize {
        self.width * BLOCK.min(self.rows - start)
    }

    fn offset(self, start: usize, column: usize) -> usize {
        let (panel, inside) = (
            (self.first + column) / self.width,
            (self.first + column) % self.width,
        );
        let before = start * self.columns.next_multiple_of(self.width);
        before + panel * self.step(start) + inside
    }
}
