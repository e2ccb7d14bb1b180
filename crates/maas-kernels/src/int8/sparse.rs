//! Products of 8-bit codes, most of which are zero: the sums are those of a product of floats, which holds integers exactly.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;

use super::rows::{code, measure};
use super::scale::MOST;
use super::{InputScale, Int8Matrix};
use crate::kernels::Work;
use crate::product::{Out, check_shapes};
use crate::simd::Simd;
use crate::{
    Buffer, Compute, Epilogue, Error, Kernels, Matrix, MatrixMut, Parallelism, SparseMatrix,
};

/// The codes of an [`Int8Matrix`] that are not zero, the right operand of [`Kernels::matmul_sparse_int8`].
///
/// ```
/// use maas_kernels::{Int8Matrix, SparseInt8Matrix};
///
/// let b = Int8Matrix::from_codes(2, 2, &[3, 0, 0, -4], &[0.5, 2.0])?;
/// let sparse = SparseInt8Matrix::new(&b)?;
/// assert_eq!((sparse.rows(), sparse.columns(), sparse.nonzeros()), (2, 2, 2));
/// # Ok::<(), maas_kernels::Error>(())
/// ```
#[derive(Clone)]
pub struct SparseInt8Matrix {
    codes: SparseMatrix,
    /// One a column.
    scales: Buffer,
}

impl SparseInt8Matrix {
    /// The codes of `dense`.
    ///
    /// # Errors
    /// [`Error::InexactSums`] when the magnitudes of a column's codes add up to more than 132,104, which is 2²⁴/127: then a
    /// float might not hold a sum of products. A column with 1,040 codes that are not zero never has as many.
    ///
    /// ```
    /// use maas_kernels::{Error, Int8Matrix, SparseInt8Matrix};
    ///
    /// let b = Int8Matrix::from_codes(1041, 1, &[127; 1041], &[1.0])?;
    /// assert_eq!(SparseInt8Matrix::new(&b).unwrap_err(), Error::InexactSums { column: 0 });
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(dense: &Int8Matrix) -> Result<Self, Error> {
        let (rows, columns) = (dense.rows(), dense.columns());
        let codes = dense.codes();
        let mut magnitudes = vec![0_u64; columns];
        for row in codes.chunks_exact(columns.max(1)) {
            for (sum, code) in magnitudes.iter_mut().zip(row) {
                *sum += u64::from(code.unsigned_abs());
            }
        }
        if let Some(column) = magnitudes.iter().position(|&sum| sum > MOST_MAGNITUDES) {
            return Err(Error::InexactSums { column });
        }
        let codes: Vec<f32> = codes.into_iter().map(f32::from).collect();
        Ok(Self {
            codes: SparseMatrix::new(Matrix::new(&codes, rows, columns)),
            scales: dense.scales().into(),
        })
    }

    /// Rows: inputs of a layer.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.codes.rows()
    }

    /// Columns: units of a layer.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.codes.columns()
    }

    /// Codes that are not zero.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn nonzeros(&self) -> usize {
        self.codes.nonzeros()
    }

    /// Bytes of memory: about six for each code, and four for each column.
    ///
    /// ```
    /// use maas_kernels::{Int8Matrix, SparseInt8Matrix};
    /// let b = Int8Matrix::from_codes(100, 100, &[0; 10_000], &[1.0; 100])?;
    /// assert!(SparseInt8Matrix::new(&b)?.bytes() < b.bytes());
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.codes.bytes() + size_of_val(&self.scales[..])
    }
}

impl fmt::Debug for SparseInt8Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparseInt8Matrix")
            .field("rows", &self.rows())
            .field("columns", &self.columns())
            .field("nonzeros", &self.nonzeros())
            .finish_non_exhaustive()
    }
}

/// Products with most codes zero.
impl Kernels {
    /// [`Kernels::matmul_int8`], bit for bit, in a time that grows with the codes of B that are not zero.
    ///
    /// # Panics
    /// As [`Kernels::matmul_int8`].
    ///
    /// ```
    /// use maas_kernels::{
    ///     Epilogue, InputScale, Int8Matrix, Kernels, Matrix, MatrixMut, Parallelism, SparseInt8Matrix,
    /// };
    ///
    /// let b = SparseInt8Matrix::new(&Int8Matrix::from_codes(2, 2, &[3, 0, 0, 6], &[1.0, 0.5])?)?;
    /// let mut y = [0.0; 2];
    /// Kernels::best().matmul_sparse_int8(
    ///     Matrix::new(&[127.0, -63.6], 1, 2), // 127 and −64
    ///     InputScale::PerRow,
    ///     &b,
    ///     MatrixMut::new(&mut y, 1, 2),
    ///     Epilogue { bias: Some(&[0.25, 0.0]), ..Epilogue::default() },
    ///     Parallelism::single(),
    /// );
    /// assert_eq!(y, [381.25, -192.0]);
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[track_caller]
    pub fn matmul_sparse_int8(
        self,
        a: Matrix<'_>,
        scale: InputScale,
        b: &SparseInt8Matrix,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        let (m, k, n) = (a.rows(), b.rows(), b.columns());
        check_shapes((m, a.columns()), (k, n), &c, &epilogue);
        scale.check();
        let compute = Compute {
            kernels: self,
            parallelism,
        };
        self.with_epilogue(c, epilogue, parallelism, |c, end| {
            OWN.with_borrow_mut(|own| {
                let (codes, scales) = own.reserve(k);
                for top in (0..m).step_by(SLAB) {
                    let rows = top..m.min(top + SLAB);
                    self.run(Codes {
                        a,
                        scale,
                        rows: rows.clone(),
                        codes,
                        scales,
                    });
                    let sums = &mut c[top * n..rows.end * n];
                    self.matmul_sparse(
                        Matrix::new(&codes[..rows.len() * k], rows.len(), k),
                        &b.codes,
                        MatrixMut::new(sums, rows.len(), n),
                        Epilogue::default(),
                        parallelism,
                    );
                    self.run(Rescale {
                        rows,
                        of_rows: scales,
                        of_columns: &b.scales,
                        out: end.out(c, n),
                    });
                }
            });
            compute.activate_unfused(end.activation, c);
        });
    }
}

/// Memory of the thread that asks for a product; it grows and is kept.
#[derive(Default)]
struct Workspace {
    codes: Buffer,
    scales: Buffer,
}

impl Workspace {
    fn reserve(&mut self, k: usize) -> (&mut [f32], &mut [f32]) {
        self.codes.make_room(SLAB * k, &CODES);
        self.scales.make_room(SLAB, &SCALES);
        (&mut self.codes, &mut self.scales)
    }
}

thread_local! {
    static OWN: RefCell<Workspace> = RefCell::default();
}

/// The most that any thread has asked for.
static CODES: AtomicUsize = AtomicUsize::new(0);
static SCALES: AtomicUsize = AtomicUsize::new(0);

/// Codes of some rows, as floats, and the rows' scales.
struct Codes<'a> {
    a: Matrix<'a>,
    scale: InputScale,
    rows: Range<usize>,
    /// Row after row.
    codes: &'a mut [f32],
    scales: &'a mut [f32],
}

impl Work for Codes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let k = self.a.columns();
        for (at, (i, scale)) in self.rows.zip(self.scales).enumerate() {
            let codes = &mut self.codes[at * k..][..k];
            self.a.copy_row(i, codes);
            let (largest, finite) = measure(s, codes);
            let factors = self.scale.factors(largest, finite);
            *scale = factors.scale;
            let to_codes = s.splat(factors.to_codes);
            let p = codes.as_mut_ptr();
            for l in (0..k).step_by(S::LANES) {
                let width = S::LANES.min(k - l);
                // SAFETY: so many numbers are left.
                unsafe {
                    let x = s.load_partial(p.add(l), width);
                    let nearest = s.to_float(code(s, s.mul(x, to_codes)));
                    s.store_partial(p.add(l), width, nearest);
                }
            }
        }
    }
}

/// Makes of sums of products of codes what they stand for, and the rest of C's elements.
///
/// Whoever makes one promises that `out` has the rows and columns, and that no one else uses it meanwhile.
struct Rescale<'a> {
    rows: Range<usize>,
    of_rows: &'a [f32],
    of_columns: &'a [f32],
    out: Out,
}

impl Work for Rescale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let n = self.of_columns.len();
        for (row, &scale) in self.rows.zip(self.of_rows) {
            for j in (0..n).step_by(S::LANES) {
                let width = S::LANES.min(n - j);
                let out = self.out.part(row, j, width);
                // SAFETY: the maker vouches for row and columns.
                unsafe {
                    let scales = s.load_partial(self.of_columns.as_ptr().add(j), width);
                    let sums = s.load_partial(out.sums(), width);
                    let totals = [[s.mul(sums, s.mul(s.splat(scale), scales))]];
                    if width == S::LANES {
                        out.finish::<S, 1, 1, false>(s, 0, totals);
                    } else {
                        out.finish::<S, 1, 1, true>(s, 0, totals);
                    }
                }
            }
        }
    }
}

/// Magnitudes of a column's codes that sums of products with codes of inputs stay exact with: 2²⁴/127.
const MOST_MAGNITUDES: u64 = (1 << 24) / MOST as u64;
/// Rows whose codes are made at a time.
const SLAB: usize = 64;
