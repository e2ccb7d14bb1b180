use super::rows_of;
use crate::Compute;
use crate::kernels::Work;
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
        self.column_terms(Deviation { x, means }, x.len(), sums);
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
        self.column_terms(CentredDot { x, means, y }, x.len(), sums);
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
        self.column_terms(NormalizedDot { x, statistics, y }, x.len(), sums);
    }

    #[track_caller]
    fn column_terms(self, term: impl Term, len: usize, sums: &mut [f32]) {
        let columns = sums.len();
        let rows = rows_of(len, columns);
        let least = (FLOATS / rows.max(1)).max(16);
        self.split((0..columns, sums), least, |(part, sums)| {
            self.kernels.run(Columns {
                term,
                rows,
                columns,
                first: part.start,
                sums,
            });
        });
    }
}

/// Floats that are worth a thread.
const FLOATS: usize = 16 * 1024;
/// Rows of one block.
const ROWS: usize = crate::product::BLOCK;
/// Vectors whose chains run at once.
const SIDE_BY_SIDE: usize = 4;

/// What each row adds to a column's chain.
trait Term: Copy + Sync {
    /// Must be `#[inline(always)]`.
    ///
    /// # Safety
    /// `width <= LANES` floats must lie at offset `at` of each matrix and at `column` of each row of columns, and there
    /// must be a row `row`.
    unsafe fn add<S: Simd>(&self, s: S, chain: S::F, place: Place) -> S::F;
}

#[derive(Clone, Copy)]
struct Place {
    row: usize,
    column: usize,
    /// row · columns + column.
    at: usize,
    width: usize,
}

/// # Safety
/// `width <= LANES` floats must be readable at `p`.
#[inline(always)]
unsafe fn load<S: Simd>(s: S, p: *const f32, width: usize) -> S::F {
    // SAFETY: as promised by the caller.
    unsafe {
        if width == S::LANES {
            s.load(p)
        } else {
            s.load_partial(p, width)
        }
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
                load(s, self.x.as_ptr().add(place.at), place.width),
                load(s, self.means.as_ptr().add(place.column), place.width),
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
                load(s, self.x.as_ptr().add(place.at), place.width),
                load(s, self.means.as_ptr().add(place.column), place.width),
                load(s, self.y.as_ptr().add(place.at), place.width),
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
                load(s, self.x.as_ptr().add(place.at), place.width),
                load(s, self.y.as_ptr().add(place.at), place.width),
                s.splat(*statistics),
                s.splat(*statistics.add(1)),
            )
        };
        s.fma(s.mul(s.sub(x, mean), inverse), y, chain)
    }
}

/// The sums of the columns from `first` on. The terms have `rows` rows of `columns` columns.
struct Columns<'a, T> {
    term: T,
    rows: usize,
    columns: usize,
    first: usize,
    sums: &'a mut [f32],
}

impl<T: Term> Work for Columns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let mut j = 0;
        while self.sums.len() - j >= SIDE_BY_SIDE * S::LANES {
            self.strip(s, j, [S::LANES; SIDE_BY_SIDE]);
            j += SIDE_BY_SIDE * S::LANES;
        }
        while j < self.sums.len() {
            self.strip(s, j, [S::LANES.min(self.sums.len() - j)]);
            j += S::LANES;
        }
    }
}

impl<T: Term> Columns<'_, T> {
    /// The sums from `j` on, in `N` vectors of which each holds so many.
    #[inline(always)]
    fn strip<S: Simd, const N: usize>(&mut self, s: S, j: usize, widths: [usize; N]) {
        let column = self.first + j;
        let width: usize = widths.iter().sum();
        assert!(
            column + width <= self.columns && j + width <= self.sums.len(),
            "sums of columns that are there"
        );
        let mut totals = [s.zero(); N];
        let mut start = 0;
        while start < self.rows {
            let mut chains = [s.zero(); N];
            let end = self.rows.min(start + ROWS);
            for row in start..end {
                for v in 0..N {
                    let column = column + v * S::LANES;
                    let place = Place {
                        row,
                        column,
                        at: row * self.columns + column,
                        width: widths[v],
                    };
                    // SAFETY: before vector `v` all are full; the row and the columns are there, as has been asserted
                    // here and where the term was made.
                    chains[v] = unsafe { self.term.add(s, chains[v], place) };
                }
            }
            for v in 0..N {
                totals[v] = if start == 0 {
                    chains[v]
                } else {
                    s.add(totals[v], chains[v])
                };
            }
            start = end;
        }
        for v in 0..N {
            let p = self.sums[j..].as_mut_ptr();
            // SAFETY: `width` sums lie from `j` on.
            unsafe { s.store_partial(p.add(v * S::LANES), widths[v], totals[v]) };
        }
    }
}
