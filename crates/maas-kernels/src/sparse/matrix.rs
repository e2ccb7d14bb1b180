use std::fmt;

use super::layout::{GROUP, Layout};
use crate::product::BLOCK;
use crate::{Buffer, Matrix};

/// A matrix of which only the elements are kept that are not +0, the right operand of
/// [`Kernels::matmul_sparse`](crate::Kernels::matmul_sparse).
///
/// A −0 is an element: nothing is lost, [`SparseMatrix::to_dense`] gives every bit back.
///
/// ```
/// use maas_kernels::{Matrix, SparseMatrix};
///
/// let dense = [0.0, 2.0, 0.0, 0.0, -1.0, 0.0];
/// let sparse = SparseMatrix::new(Matrix::new(&dense, 2, 3));
/// assert_eq!((sparse.rows(), sparse.columns(), sparse.nonzeros()), (2, 3, 2));
/// assert_eq!(sparse.to_dense(), dense);
/// ```
#[derive(Clone)]
pub struct SparseMatrix {
    layout: Layout,
    nonzeros: usize,
    /// Step after step, in each the next element of every column of a group.
    weights: Buffer,
    /// Where in its block a weight's row is, counted from 1; 0 where a column has no more elements.
    places: Vec<u16>,
}

impl SparseMatrix {
    /// The elements of `dense`, which may be a transposed view.
    ///
    /// ```
    /// use maas_kernels::{Matrix, SparseMatrix};
    /// let turned = Matrix::new(&[1.0, 0.0, 3.0, 0.0], 2, 2).transposed();
    /// assert_eq!(SparseMatrix::new(turned).to_dense(), [1.0, 3.0, 0.0, 0.0]);
    /// ```
    #[must_use]
    pub fn new(dense: Matrix<'_>) -> Self {
        let nonzeros = (0..dense.rows())
            .map(|l| elements(dense, l, 0..dense.columns()).count())
            .sum();
        let layout = Layout::new(dense, nonzeros);
        let slots = layout.steps() * GROUP;
        let mut weights = Buffer::zeroed(slots);
        weights.fill(NEUTRAL);
        let mut places = vec![0; slots];
        for band in 0..layout.bands() {
            let columns = layout.band(band);
            for block in 0..layout.blocks() {
                let rows = layout.block(block);
                let mut slots: Vec<usize> = vec![0; columns.len()];
                let crossing = layout.crossing(band, block);
                for (i, &column) in crossing.order.iter().enumerate() {
                    if let Some(slot) = slots.get_mut(usize::from(column)) {
                        *slot = crossing.steps(i / GROUP).start * GROUP + i % GROUP;
                    }
                }
                for (l, place) in rows.zip(1..) {
                    for (j, weight) in elements(dense, l, columns.clone()) {
                        let slot = &mut slots[j - columns.start];
                        (weights[*slot], places[*slot]) = (weight, place);
                        *slot += GROUP;
                    }
                }
            }
        }
        Self {
            layout,
            nonzeros,
            weights,
            places,
        }
    }

    /// Rows of the matrix.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, SparseMatrix};
    /// assert_eq!(SparseMatrix::new(Matrix::new(&[1.0, 0.0], 1, 2)).rows(), 1);
    /// ```
    #[must_use]
    pub fn rows(&self) -> usize {
        self.layout.rows
    }

    /// Columns of the matrix.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, SparseMatrix};
    /// assert_eq!(SparseMatrix::new(Matrix::new(&[1.0, 0.0], 1, 2)).columns(), 2);
    /// ```
    #[must_use]
    pub fn columns(&self) -> usize {
        self.layout.columns
    }

    /// Elements that are not +0.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, SparseMatrix};
    /// assert_eq!(SparseMatrix::new(Matrix::new(&[1.0, 0.0, -0.0], 1, 3)).nonzeros(), 2);
    /// ```
    #[must_use]
    pub fn nonzeros(&self) -> usize {
        self.nonzeros
    }

    /// Bytes of memory that the elements and where they are take: about six for each.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, SparseMatrix};
    /// let mut dense = vec![0.0; 100 * 100];
    /// dense[55] = 1.0;
    /// assert!(SparseMatrix::new(Matrix::new(&dense, 100, 100)).bytes() < 4 * dense.len());
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&self.weights[..]) + size_of_val(&self.places[..]) + self.layout.bytes()
    }

    /// The matrix with its zeros, row by row.
    ///
    /// ```
    /// # use maas_kernels::{Matrix, SparseMatrix};
    /// let sparse = SparseMatrix::new(Matrix::new(&[1.0, 0.0], 1, 2));
    /// assert_eq!(sparse.to_dense(), [1.0, 0.0]);
    /// ```
    #[must_use]
    pub fn to_dense(&self) -> Vec<f32> {
        let n = self.columns();
        let mut dense = vec![0.0; self.rows() * n];
        for j in 0..n {
            for (l, weight) in self.column(j) {
                dense[l * n + j] = weight;
            }
        }
        dense
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The weights of a step and of those behind it.
    pub(super) fn weights(&self, step: usize) -> *const f32 {
        self.weights.as_ptr().wrapping_add(step * GROUP)
    }

    /// The places of a step and of those behind it.
    pub(super) fn places(&self, step: usize) -> *const u16 {
        self.places.as_ptr().wrapping_add(step * GROUP)
    }

    /// The sum of a column's products with `x`, zeros included, as the dense product defines it.
    pub(super) fn dense_total(&self, column: usize, x: impl Fn(usize) -> f32) -> f32 {
        let mut elements = self.column(column).peekable();
        let mut total = 0.0;
        for start in (0..self.rows()).step_by(BLOCK) {
            let mut sum = 0.0f32;
            for l in start..self.rows().min(start + BLOCK) {
                let weight = elements.next_if(|&(row, _)| row == l);
                sum = x(l).mul_add(weight.map_or(0.0, |(_, weight)| weight), sum);
                if sum.is_nan() {
                    return sum;
                }
            }
            total = if start == 0 { sum } else { total + sum };
        }
        total
    }

    /// Row and weight of each element of a column, from top to bottom.
    fn column(&self, column: usize) -> impl Iterator<Item = (usize, f32)> {
        let (band, inside) = self.layout.band_of(column);
        (0..self.layout.blocks()).flat_map(move |block| {
            let crossing = self.layout.crossing(band, block);
            let position = (crossing.order.iter())
                .position(|&column| usize::from(column) == inside)
                .expect("an order has every column of its band");
            let steps = crossing.steps(position / GROUP);
            let first = self.layout.block(block).start;
            steps
                .map(move |step| step * GROUP + position % GROUP)
                .map(|slot| (usize::from(self.places[slot]), self.weights[slot]))
                .take_while(|&(place, _)| place > 0)
                .map(move |(place, weight)| (first + place - 1, weight))
        })
    }
}

impl fmt::Debug for SparseMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparseMatrix")
            .field("rows", &self.rows())
            .field("columns", &self.columns())
            .field("nonzeros", &self.nonzeros)
            .finish_non_exhaustive()
    }
}

/// Columns and weights of the elements of row `l` in some columns.
pub(super) fn elements(
    dense: Matrix<'_>,
    l: usize,
    columns: std::ops::Range<usize>,
) -> impl Iterator<Item = (usize, f32)> {
    columns
        .clone()
        .zip(dense.row(l, columns))
        .filter(|(_, weight)| weight.to_bits() != 0)
}

/// The weight of a place 0. There every row of a batch has a −0, and s + 1 · −0 is s, to the bit, whatever s is.
const NEUTRAL: f32 = 1.0;
