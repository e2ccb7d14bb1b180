use super::rows_of;
use crate::Compute;
use crate::column_sums::{Place, Term};
use crate::simd::Simd;

/// Sums over the columns of rows, each in the order of [`Kernels::column_sums`](crate::Kernels::column_sums): blocks of 1024 rows from left to right,
/// one chain of fused multiply-adds a block, the blocks' sums added in ascending order. On any number of threads.
///
/// The columns are as many as there are sums.
impl Compute {
    /// sums\[j\] = Σᵢ (x\[i, j\] − means\[j\])².
    ///
    /// # Panics
    /// When there are not as many means as sums, or x is not made of whole rows.
    ///
    /// ```
    /// let mut sums = [0.0; 2];
    /// maas_kernels::Compute::default().column_deviations(&[1.0, 5.0, 3.0, 5.0], &[2.0, 4.0], &mut sums);
    /// assert_eq!(sums, [2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn column_deviations(self, x: &[f32], means: &[f32], sums: &mut [f32]) {
        assert_eq!(means.len(), sums.len(), "as many means as sums");
        let shape = (rows_of(x.len(), sums.len()), sums.len());
        self.column_terms(Deviation { x, means }, shape, sums);
    }

    /// sums\[j\] = Σᵢ (x\[i, j\] − means\[j\])·y\[i, j\].
    ///
    /// # Panics
    /// When there are not as many means as sums, x and y differ in length, or x is not made of whole rows.
    ///
    /// ```
    /// let (x, y) = ([1.0, 5.0, 3.0, 5.0], [1.0, 1.0, 2.0, 3.0]);
    /// let mut sums = [0.0; 2];
    /// maas_kernels::Compute::default().centred_column_dots(&x, &[2.0, 4.0], &y, &mut sums);
    /// assert_eq!(sums, [1.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn centred_column_dots(self, x: &[f32], means: &[f32], y: &[f32], sums: &mut [f32]) {
        assert_eq!(means.len(), sums.len(), "as many means as sums");
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        let shape = (rows_of(x.len(), sums.len()), sums.len());
        self.column_terms(CentredDot { x, means, y }, shape, sums);
    }

    /// sums\[j\] = Σᵢ (x\[i, j\] − mᵢ)·rᵢ·y\[i, j\], where row i has mᵢ and rᵢ in `statistics`, one after the other, as
    /// [`Kernels::normalize_rows`](crate::Kernels::normalize_rows) gives them.
    ///
    /// # Panics
    /// When there are not two statistics a row, x and y differ in length, or x is not made of whole rows.
    ///
    /// ```
    /// let (x, y) = ([1.0, 5.0, 3.0, 5.0], [1.0, 1.0, 2.0, 3.0]);
    /// let mut sums = [0.0; 2];
    /// maas_kernels::Compute::default().normalized_column_dots(&x, &[3.0, 0.5, 4.0, 1.0], &y, &mut sums);
    /// assert_eq!(sums, [-3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn normalized_column_dots(
        self,
        x: &[f32],
        statistics: &[f32],
        y: &[f32],
        sums: &mut [f32],
    ) {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        let rows = rows_of(x.len(), sums.len());
        assert!(
            statistics.len() == 2 * rows || sums.is_empty(),
            "two statistics a row"
        );
        let shape = (rows, sums.len());
        self.column_terms(NormalizedDot { x, statistics, y }, shape, sums);
    }
}

#[derive(Clone, Copy)]
struct Deviation<'a> {
    x: &'a [f32],
    means: &'a [f32],
}

impl Term for Deviation<'_> {
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, s: S, chain: S::F, place: Place) -> S::F {
        // SAFETY: as promised by the caller.
        let (x, mean) = unsafe {
            (
                place.element(s, self.x.as_ptr()),
                place.column(s, self.means.as_ptr()),
            )
        };
        let d = s.sub(x, mean);
        s.fma(d, d, chain)
    }
}

#[derive(Clone, Copy)]
struct CentredDot<'a> {
    x: &'a [f32],
    means: &'a [f32],
    y: &'a [f32],
}

impl Term for CentredDot<'_> {
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, s: S, chain: S::F, place: Place) -> S::F {
        // SAFETY: as promised by the caller.
        let (x, mean, y) = unsafe {
            (
                place.element(s, self.x.as_ptr()),
                place.column(s, self.means.as_ptr()),
                place.element(s, self.y.as_ptr()),
            )
        };
        s.fma(s.sub(x, mean), y, chain)
    }
}

#[derive(Clone, Copy)]
struct NormalizedDot<'a> {
    x: &'a [f32],
    statistics: &'a [f32],
    y: &'a [f32],
}

impl Term for NormalizedDot<'_> {
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, s: S, chain: S::F, place: Place) -> S::F {
        // SAFETY: as promised by the caller; there are two statistics a row.
        let (x, y, mean, inverse) = unsafe {
            let statistics = self.statistics.as_ptr().add(2 * place.row);
            (
                place.element(s, self.x.as_ptr()),
                place.element(s, self.y.as_ptr()),
                s.splat(*statistics),
                s.splat(*statistics.add(1)),
            )
        };
        s.fma(s.mul(s.sub(x, mean), inverse), y, chain)
    }
}
