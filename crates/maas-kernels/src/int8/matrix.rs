use std::fmt;

use super::pack::{Pack, Peaks};
use super::scale;
use crate::{Buffer, Error, Kernels, Matrix};

/// Weights as 8-bit codes with one scale a column, packed for the kernels of every set: the right operand of
/// [`Kernels::matmul_int8`].
///
/// The weight in row l and column j is codes\[l, j\] · scales\[j\], exactly. Codes are −127..=127; a scale has at most 16
/// significant bits, so that the product is an `f32`, and quantising it again gives the same code and scale.
///
/// ```
/// use maas_kernels::{Int8Matrix, Matrix};
///
/// let w = [1.0, 0.5, -2.0, 0.0];
/// let b = Int8Matrix::quantize(Matrix::new(&w, 2, 2))?;
/// assert_eq!(b.codes(), [63, 127, -127, 0]);
///
/// let mut grid = [0.0; 4];
/// b.dequantize(&mut grid);
/// assert_eq!(Int8Matrix::quantize(Matrix::new(&grid, 2, 2))?, b);
/// # Ok::<(), maas_kernels::Error>(())
/// ```
#[derive(Clone)]
pub struct Int8Matrix {
    rows: usize,
    columns: usize,
    /// Panel after panel of 16 columns, each with its groups of four rows.
    groups: Vec<Group>,
    /// One a column, and ones up to the end of the last panel.
    scales: Buffer,
    /// −128 times the sum of a column's codes: what codes of inputs that are 128 too large add too much.
    offsets: Vec<i32>,
    /// Room for the largest magnitudes of columns.
    peaks: Buffer,
}

/// Four rows of a panel: the codes of a column are neighbours.
#[derive(Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Group(pub(super) [[i8; DEPTH]; PANEL]);

impl Int8Matrix {
    /// The most rows: no sum of so many products of codes leaves an `i32`.
    pub const MOST_ROWS: usize = 131_072;

    /// Codes and scales of `w`: a column's scale follows from its largest magnitude ([`Int8Matrix::scale_of`]), and a code is
    /// the integer nearest to the weight divided by the scale, ties to even.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when a weight is not finite, [`Error::TooManyRows`] when there are more than
    /// [`Int8Matrix::MOST_ROWS`].
    ///
    /// ```
    /// use maas_kernels::{Error, Int8Matrix, Matrix};
    ///
    /// let w = [1.0, f32::NAN];
    /// assert_eq!(Int8Matrix::quantize(Matrix::new(&w, 1, 2)), Err(Error::NotFinite { column: 1 }));
    /// ```
    pub fn quantize(w: Matrix<'_>) -> Result<Self, Error> {
        let mut quantized = Self::zeroed(w.rows(), w.columns())?;
        quantized.requantize(w)?;
        Ok(quantized)
    }

    /// Replaces codes and scales by those of `w`, as [`Int8Matrix::quantize`] makes them, without allocating.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when a weight is not finite; the matrix is then as it was.
    ///
    /// # Panics
    /// When `w` has another shape.
    ///
    /// ```
    /// use maas_kernels::{Int8Matrix, Matrix};
    ///
    /// let mut b = Int8Matrix::quantize(Matrix::new(&[1.0, 2.0], 2, 1))?;
    /// b.requantize(Matrix::new(&[0.0, -127.0], 2, 1))?;
    /// assert_eq!((b.codes(), b.scales()), (vec![0, -127], &[1.0][..]));
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[track_caller]
    pub fn requantize(&mut self, w: Matrix<'_>) -> Result<(), Error> {
        assert_eq!(
            (w.rows(), w.columns()),
            (self.rows, self.columns),
            "weights of another shape"
        );
        self.quantize_with(Kernels::best(), w)
    }

    /// The weights have the matrix's shape.
    pub(crate) fn quantize_with(&mut self, kernels: Kernels, w: Matrix<'_>) -> Result<(), Error> {
        self.peaks.fill(0.0);
        let peaks = &mut self.peaks;
        if !kernels.run(Peaks { w, peaks }) {
            let finite = |j: usize| (0..w.rows()).all(|l| w.get(l, j).is_finite());
            let column = (0..w.columns()).find(|&j| !finite(j)).unwrap_or_default();
            return Err(Error::NotFinite { column });
        }
        for (scale, &peak) in self.scales.iter_mut().zip(&self.peaks[..]) {
            *scale = scale::of_column(peak);
        }
        self.offsets.fill(0);
        kernels.run(Pack {
            w,
            scales: &self.scales,
            groups: &mut self.groups,
            offsets: &mut self.offsets,
        });
        Ok(())
    }

    /// `rows × columns` of row-major codes, and one scale a column.
    ///
    /// # Errors
    /// [`Error::TooManyRows`] as [`Int8Matrix::quantize`]; [`Error::Codes`] or [`Error::Scales`] when there are not as many as the
    /// shape asks for; [`Error::Code`] when a code is −128; [`Error::Scale`] when a scale is not a positive normal number
    /// of at most 16 significant bits, 127 times which is finite.
    ///
    /// ```
    /// use maas_kernels::{Error, Int8Matrix};
    ///
    /// let b = Int8Matrix::from_codes(2, 1, &[3, -4], &[0.5])?;
    /// assert_eq!(b.codes(), [3, -4]);
    /// assert_eq!(Int8Matrix::from_codes(1, 1, &[-128], &[0.5]), Err(Error::Code { index: 0 }));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn from_codes(
        rows: usize,
        columns: usize,
        codes: &[i8],
        scales: &[f32],
    ) -> Result<Self, Error> {
        if rows.checked_mul(columns) != Some(codes.len()) {
            let (found, expected) = (codes.len(), (rows, columns));
            return Err(Error::Codes { expected, found });
        }
        if scales.len() != columns {
            let (found, expected) = (scales.len(), columns);
            return Err(Error::Scales { expected, found });
        }
        if let Some(index) = codes.iter().position(|&code| code == i8::MIN) {
            return Err(Error::Code { index });
        }
        if let Some(column) = scales.iter().position(|&scale| !scale::is_exact(scale)) {
            let bits = scales[column].to_bits();
            return Err(Error::Scale { column, bits });
        }
        let mut matrix = Self::zeroed(rows, columns)?;
        matrix.scales[..columns].copy_from_slice(scales);
        for (l, row) in codes.chunks_exact(columns.max(1)).enumerate() {
            for (j, &code) in row.iter().enumerate() {
                *matrix.code_mut(l, j) = code;
                matrix.offsets[j] -= 128 * i32::from(code);
            }
        }
        Ok(matrix)
    }

    fn zeroed(rows: usize, columns: usize) -> Result<Self, Error> {
        if rows > Self::MOST_ROWS {
            let most = Self::MOST_ROWS;
            return Err(Error::TooManyRows { rows, most });
        }
        let padded = columns.next_multiple_of(PANEL);
        let (mut scales, peaks) = (Buffer::zeroed(padded), Buffer::zeroed(padded));
        scales.fill(1.0);
        Ok(Self {
            rows,
            columns,
            groups: vec![Group([[0; DEPTH]; PANEL]); padded / PANEL * rows.div_ceil(DEPTH)],
            scales,
            offsets: vec![0; padded],
            peaks,
        })
    }

    /// The scale of a column whose largest magnitude is `largest`: largest/127, rounded up to 16 significant bits.
    ///
    /// It is 1 where `largest` is below 127·2⁻¹²⁶, where all codes are zero; and rounded down where 127 times the scale would
    /// not be finite otherwise.
    ///
    /// ```
    /// use maas_kernels::Int8Matrix;
    ///
    /// assert_eq!(Int8Matrix::scale_of(127.0), 1.0);
    /// assert_eq!(Int8Matrix::scale_of(0.0), 1.0);
    /// assert!(127.0 * Int8Matrix::scale_of(1.0) >= 1.0);
    /// ```
    #[must_use]
    pub fn scale_of(largest: f32) -> f32 {
        scale::of_column(largest)
    }

    /// Rows: inputs of a layer.
    ///
    /// ```
    /// let b = maas_kernels::Int8Matrix::from_codes(2, 1, &[3, -4], &[0.5])?;
    /// assert_eq!((b.rows(), b.columns()), (2, 1));
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: units of a layer.
    ///
    /// ```
    /// let b = maas_kernels::Int8Matrix::from_codes(0, 1, &[], &[0.5])?;
    /// assert_eq!(b.columns(), 1);
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Bytes that a product reads of it: codes, padding included, and what belongs to each column.
    ///
    /// ```
    /// let b = maas_kernels::Int8Matrix::from_codes(4, 16, &[1; 64], &[1.0; 16])?;
    /// assert_eq!(b.bytes(), 64 + 2 * 64);
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&self.groups[..])
            + size_of_val(&self.scales[..])
            + size_of_val(&self.offsets[..])
    }

    /// One a column.
    ///
    /// ```
    /// let b = maas_kernels::Int8Matrix::from_codes(1, 2, &[3, -4], &[0.5, 2.0])?;
    /// assert_eq!(b.scales(), [0.5, 2.0]);
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[must_use]
    pub fn scales(&self) -> &[f32] {
        &self.scales[..self.columns]
    }

    /// The codes in row-major order.
    ///
    /// ```
    /// let b = maas_kernels::Int8Matrix::from_codes(1, 2, &[3, -4], &[0.5, 2.0])?;
    /// assert_eq!(b.codes(), [3, -4]);
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[must_use]
    pub fn codes(&self) -> Vec<i8> {
        let columns = |l| (0..self.columns).map(move |j| self.code(l, j));
        (0..self.rows).flat_map(columns).collect()
    }

    /// The weights in row-major order: each code times its column's scale, exactly.
    ///
    /// # Panics
    /// When `into` is not as long.
    ///
    /// ```
    /// let b = maas_kernels::Int8Matrix::from_codes(1, 2, &[3, -4], &[0.5, 2.0])?;
    /// let mut w = [0.0; 2];
    /// b.dequantize(&mut w);
    /// assert_eq!(w, [1.5, -8.0]);
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[track_caller]
    pub fn dequantize(&self, into: &mut [f32]) {
        crate::matrix::check_len(into.len(), self.rows, self.columns);
        for (l, row) in into.chunks_exact_mut(self.columns.max(1)).enumerate() {
            for (j, (weight, scale)) in row.iter_mut().zip(self.scales()).enumerate() {
                *weight = f32::from(self.code(l, j)) * scale;
            }
        }
    }

    /// Groups in a panel.
    pub(super) fn depth(&self) -> usize {
        self.rows.div_ceil(DEPTH)
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// One a column, and ones up to the end of the last panel.
    pub(super) fn padded_scales(&self) -> &[f32] {
        &self.scales
    }

    /// As many as there are scales.
    pub(super) fn offsets(&self) -> &[i32] {
        &self.offsets
    }

    pub(super) fn code(&self, row: usize, column: usize) -> i8 {
        self.groups[self.group(row, column)].0[column % PANEL][row % DEPTH]
    }

    fn code_mut(&mut self, row: usize, column: usize) -> &mut i8 {
        let group = self.group(row, column);
        &mut self.groups[group].0[column % PANEL][row % DEPTH]
    }

    fn group(&self, row: usize, column: usize) -> usize {
        column / PANEL * self.depth() + row / DEPTH
    }
}

/// Of the same shape, with the same codes and scales.
impl PartialEq for Int8Matrix {
    fn eq(&self, other: &Self) -> bool {
        (self.rows, self.columns) == (other.rows, other.columns)
            && self.groups == other.groups
            && self.scales == other.scales
    }
}

impl fmt::Debug for Int8Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Int8Matrix({} × {})", self.rows, self.columns)
    }
}

/// Columns of a panel: a group fills a line of the cache.
pub(super) const PANEL: usize = 16;
/// Rows of a group: what an instruction sums at a time.
pub(super) const DEPTH: usize = 4;
