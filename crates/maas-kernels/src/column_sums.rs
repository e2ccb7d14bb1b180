use crate::kernels::Work;
use crate::simd::Simd;
use crate::{Compute, Kernels, Matrix};

impl Kernels {
    /// sums\[j\] = Σᵢ x\[i, j\]: a product with a row of ones, in the same order of summation.
    ///
    /// # Panics
    /// When `sums` does not have as many elements as `x` has columns.
    ///
    /// ```
    /// use maas_kernels::{Kernels, Matrix};
    /// let mut sums = [0.0; 2];
    /// Kernels::best().column_sums(Matrix::new(&[1.0, 2.0, 3.0, 4.0], 2, 2), &mut sums);
    /// assert_eq!(sums, [4.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn column_sums(self, x: Matrix<'_>, sums: &mut [f32]) {
        let compute = Compute {
            kernels: self,
            ..Compute::default()
        };
        compute.column_sums(x, sums);
    }
}

impl Compute {
    /// [`Kernels::column_sums`].
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
        if x.is_row_major() {
            let (term, rows) = (Element { x: x.data() }, x.rows());
            self.column_terms(term, (rows, x.row_stride()), sums);
        } else if x.rows() > 0 {
            let columns = x.data().chunks(x.column_stride());
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum = ordered_sum(&column[..x.rows()]);
            }
        } else {
            sums.fill(0.0);
        }
    }

    /// The sums of a term over the columns of matrices of so many rows, which begin so many floats apart, and as many
    /// columns as there are sums: blocks of [`ROWS`] rows from left to right, the blocks' sums added in ascending order, on
    /// any number of threads.
    pub(crate) fn column_terms(
        self,
        term: impl Term,
        (rows, stride): (usize, usize),
        sums: &mut [f32],
    ) {
        let columns = sums.len();
        let least = (FLOATS / rows.max(1)).max(16);
        self.split((0..columns, sums), least, |(part, sums)| {
            self.kernels.run(Columns {
                term,
                rows,
                columns,
                stride,
                first: part.start,
                sums,
            });
        });
    }
}

/// Floats that are worth a thread.
const FLOATS: usize = 16 * 1024;
/// Rows of one block, the same as the block of a product.
const ROWS: usize = crate::product::BLOCK;
/// Vectors whose chains run at once.
const SIDE_BY_SIDE: usize = 8;

/// The sum of blocks of [`ROWS`] elements, each from left to right.
fn ordered_sum(x: &[f32]) -> f32 {
    let mut blocks = x
        .chunks(ROWS)
        .map(|block| block.iter().fold(0.0, |sum, x| sum + x));
    let first = blocks.next().unwrap_or(0.0);
    blocks.fold(first, |sum, block| sum + block)
}

/// What each row adds to a column's chain.
pub(crate) trait Term: Copy + Sync {
    /// Must be `#[inline(always)]`.
    ///
    /// # Safety
    /// The place must lie in each matrix, and its columns in each row of columns.
    unsafe fn add<S: Simd>(&self, s: S, chain: S::F, place: Place) -> S::F;
}

/// Where a vector of columns lies in matrices of one shape.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) row: usize,
    column: usize,
    stride: usize,
    /// At most the lanes of a vector.
    width: usize,
}

impl Place {
    /// A matrix's floats here.
    ///
    /// # Safety
    /// The place must lie in the matrix.
    #[inline(always)]
    pub(crate) unsafe fn element<S: Simd>(self, s: S, x: *const f32) -> S::F {
        // SAFETY: as promised by the caller.
        unsafe { self.column(s, x.add(self.row * self.stride)) }
    }

    /// The floats of a row of columns here.
    ///
    /// # Safety
    /// The columns must lie in the row.
    #[inline(always)]
    pub(crate) unsafe fn column<S: Simd>(self, s: S, x: *const f32) -> S::F {
        // SAFETY: as promised by the caller.
        unsafe {
            let x = x.add(self.column);
            if self.width == S::LANES {
                s.load(x)
            } else {
                s.load_partial(x, self.width)
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Element<'a> {
    x: &'a [f32],
}

impl Term for Element<'_> {
    #[inline(always)]
    unsafe fn add<S: Simd>(&self, s: S, chain: S::F, place: Place) -> S::F {
        // SAFETY: as promised by the caller.
        s.add(chain, unsafe { place.element(s, self.x.as_ptr()) })
    }
}

/// The sums of the columns from `first` on. The terms have `rows` rows of `columns` columns, `stride` floats apart.
struct Columns<'a, T> {
    term: T,
    rows: usize,
    columns: usize,
    stride: usize,
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
                        stride: self.stride,
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
