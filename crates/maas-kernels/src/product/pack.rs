use super::strip::tiles;
use crate::Matrix;
use crate::kernels::Work;
use crate::simd::Simd;

/// An operand in place: element (i, j) lies at `p + i·row + j·column`.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) p: *const f32,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

impl View {
    pub(crate) fn of(matrix: Matrix<'_>) -> Self {
        Self {
            p: matrix.data().as_ptr(),
            row: matrix.row_stride(),
            column: matrix.column_stride(),
        }
    }

    #[inline]
    pub(crate) fn at(self, row: usize, column: usize) -> Self {
        Self {
            p: self.p.wrapping_add(row * self.row + column * self.column),
            ..self
        }
    }

    /// The first `n` of the first row.
    ///
    /// # Safety
    /// They must be readable, and at most `N`.
    pub(crate) unsafe fn gather<const N: usize>(self, n: usize) -> [f32; N] {
        std::array::from_fn(|l| {
            if l < n {
                // SAFETY: the caller vouches for the first n.
                unsafe { *self.p.add(l * self.column) }
            } else {
                0.0
            }
        })
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            p: self.p,
            row: self.column,
            column: self.row,
        }
    }
}

/// Copies k × n of B into strips of `width` columns, each with its k rows one after another.
pub(super) struct PackRight {
    pub(super) b: View,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) width: usize,
    /// Room for `n.next_multiple_of(width) · k` floats.
    pub(super) to: *mut f32,
}

impl Work for PackRight {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { b, k, n, width, to } = self;
        if b.column == 1 {
            // A few rows at a time, so that reads and writes both run on for a while.
            for l in (0..k).step_by(8) {
                for j in (0..n).step_by(width) {
                    let columns = width.min(n - j);
                    for l in l..k.min(l + 8) {
                        // SAFETY: `columns` floats of row l of B, and of row l of its strip.
                        unsafe { copy(s, b.at(l, j).p, to.add(j * k + l * width), columns) };
                    }
                }
            }
        } else {
            for j in (0..n).step_by(width) {
                for v in (j..n.min(j + width)).step_by(S::LANES) {
                    let columns = S::LANES.min(n.min(j + width) - v);
                    for l in (0..k).step_by(S::LANES) {
                        let rows = S::LANES.min(k - l);
                        // SAFETY: columns v.. of B are runs of k floats, `b.column` apart; the strip has room for k
                        // rows of `width` floats.
                        unsafe {
                            let to = to.add(j * k + l * width + (v - j));
                            s.transpose(b.at(l, v).p, b.column, columns, rows, to, width);
                        }
                    }
                }
            }
        }
    }
}

/// # Safety
/// `n` floats must be readable at `from` and writable at `to`.
#[inline(always)]
unsafe fn copy<S: Simd>(s: S, from: *const f32, to: *mut f32, n: usize) {
    let mut i = 0;
    while i + S::LANES <= n {
        // SAFETY: `i + LANES <= n`.
        unsafe { s.store(to.add(i), s.load(from.add(i))) };
        i += S::LANES;
    }
    if i < n {
        // SAFETY: `n − i` floats are left.
        unsafe { s.store_partial(to.add(i), n - i, s.load_partial(from.add(i), n - i)) };
    }
}

/// Copies m × k of A tile by tile, each with its k columns one after another.
pub(super) struct PackLeft {
    pub(super) a: View,
    pub(super) m: usize,
    pub(super) k: usize,
    /// Room for m · k floats and a vector more.
    pub(super) to: *mut f32,
}

impl Work for PackLeft {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { a, m, k, to } = self;
        if a.column == 1 {
            for rows in tiles(m, S::TILE_ROWS) {
                let (to, r) = (to.wrapping_add(rows.start * k), rows.len());
                for l in (0..k).step_by(S::LANES) {
                    let from = a.at(rows.start, l);
                    // SAFETY: r rows of A are k floats long; what is written beyond a column of the tile is still to
                    // be written, or lies in the vector of room at the end.
                    unsafe { s.transpose(from.p, a.row, r, S::LANES.min(k - l), to.add(l * r), r) };
                }
            }
            return;
        }
        // A few columns at a time, whose lines all tiles find in the first cache.
        for start in (0..k).step_by(COLUMNS) {
            let end = k.min(start + COLUMNS);
            for rows in tiles(m, S::TILE_ROWS) {
                let (to, r) = (to.wrapping_add(rows.start * k), rows.len());
                // Where the next column follows closely enough, a whole vector may be read and written of all columns
                // but the last ones.
                let whole = if a.column >= S::LANES && r <= S::LANES {
                    end.min(k.saturating_sub(S::LANES.div_ceil(r))).max(start)
                } else {
                    start
                };
                for l in start..whole {
                    // SAFETY: a vector from here ends before the tile's rows of column l + 1 do; what is written
                    // beyond r floats lies within the tile and is still to be written.
                    unsafe { s.store(to.add(l * r), s.load(a.at(rows.start, l).p)) };
                }
                for l in whole..end {
                    // SAFETY: column l of A holds r floats from the tile's first row on; the tile has room for k
                    // columns of r floats.
                    unsafe { copy(s, a.at(rows.start, l).p, to.add(l * r), r) };
                }
            }
        }
    }
}

/// Columns of A that are copied at a time.
const COLUMNS: usize = 32;
