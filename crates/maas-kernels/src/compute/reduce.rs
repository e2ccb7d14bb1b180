use super::{Chunks, Compute};
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
}

/// Blocks whose sums wait to be joined.
const BLOCKS: usize = 256;
/// Floats that are worth a thread.
const FLOATS: usize = 16 * 1024;
