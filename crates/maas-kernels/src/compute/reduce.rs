use super::{Chunks, Compute};
use crate::Matrix;
use crate::reduce::BLOCK;

/// Reductions on several threads, with the bits of one.
impl Compute {
    /// [`Kernels::sum_squares`](crate::Kernels::sum_squares).
    ///
    /// ```
    /// assert_eq!(maas_kernels::Compute::default().sum_squares(&[3.0, 4.0]), 25.0);
    /// ```
    #[must_use]
    pub fn sum_squares(self, x: &[f32]) -> f32 {
        if self.parallelism.get() == 1 || x.len() < 2 * FLOATS {
            return self.kernels.sum_squares(x);
        }
        let mut total = None;
        let mut sums = [0.0; BLOCKS];
        for x in x.chunks(BLOCKS * BLOCK) {
            let sums = &mut sums[..x.len().div_ceil(BLOCK)];
            let parts = (Chunks::new(x, BLOCK), &mut *sums);
            self.split(parts, FLOATS / BLOCK, |(x, sums)| {
                for (x, sum) in x.data.chunks(BLOCK).zip(sums) {
                    *sum = self.kernels.sum_squares(x);
                }
            });
            for &sum in &*sums {
                total = Some(total.map_or(sum, |total| total + sum));
            }
        }
        total.unwrap_or(0.0)
    }

    /// [`Kernels::column_sums`](crate::Kernels::column_sums).
    ///
    /// # Panics
    /// When `sums` does not have as many elements as `x` has columns.
    ///
    /// ```
    /// use maas_kernels::{Compute, Matrix};
    /// let mut sums = [0.0; 2];
    /// Compute::default().column_sums(Matrix::new(&[1.0, 2.0, 3.0, 4.0], 2, 2), &mut sums);
    /// assert_eq!(sums, [4.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn column_sums(self, x: Matrix<'_>, sums: &mut [f32]) {
        assert_eq!(sums.len(), x.columns(), "as many sums as columns");
        if !x.is_row_major() {
            self.kernels.column_sums(x, sums);
            return;
        }
        let columns = x.columns();
        let least = (FLOATS / x.rows().max(1)).max(16);
        self.split((0..columns, sums), least, |(part, sums)| {
            self.kernels
                .sums_of_columns(x.data(), columns, part.start, sums);
        });
    }
}

/// Blocks whose sums wait to be joined.
const BLOCKS: usize = 256;
/// Floats that are worth a thread.
const FLOATS: usize = 16 * 1024;
