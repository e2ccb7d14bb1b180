use super::tile::tile;
use crate::Activation;
use crate::kernels::Work;
use crate::simd::Simd;

/// A strip of C, a few vectors wide and `m` rows high, for one block of k.
///
/// Whoever makes one promises that its pointers reach as far as its lengths say, that C and the chain overlap nothing
/// that is read, and that no other thread uses them meanwhile.
pub(super) struct Strip {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) a: Left,
    /// k rows of `width` floats, `b_stride` apart.
    pub(super) b: *const f32,
    pub(super) b_stride: usize,
    /// 1 to 2 vectors; with one row to 8, with two rows to 4.
    pub(super) width: usize,
    /// Where the chain of multiply-adds goes on from; from +0 if nowhere.
    pub(super) start: Option<Rows>,
    pub(super) end: End,
    /// m rows of `width` floats, `c_stride` apart.
    pub(super) c: *mut f32,
    pub(super) c_stride: usize,
}

/// The left operand's rows.
#[derive(Clone, Copy)]
pub(super) enum Left {
    /// Element (i, l) lies at `p + i·stride + l`.
    ByRows { p: *const f32, stride: usize },
    /// Element (i, l) lies at `p + l·stride + i`.
    ByColumns { p: *const f32, stride: usize },
    /// Tile after tile as [`tiles`] cuts them; element (r, l) of a tile of R rows lies at l·R + r.
    Packed { p: *const f32 },
}

/// Rows of `width` floats, `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) p: *const f32,
    pub(super) stride: usize,
}

/// Where the sums go.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// The block of k goes on: keep the chains (the pointer is written through).
    Chain(Rows),
    /// The block of k ends: to C, after what C holds where `add`.
    Sum {
        add: bool,
        bias: Bias,
        activation: Activation,
    },
}

#[derive(Clone, Copy)]
pub(super) enum Bias {
    None,
    /// `width` floats.
    Columns(*const f32),
    All(f32),
}

/// Cuts `m` rows into the fewest tiles of at most `most` rows, as even as can be.
pub(super) fn tiles(m: usize, most: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let count = m.div_ceil(most);
    let (rows, longer) = (m / count.max(1), m % count.max(1));
    let mut start = 0;
    (0..count).map(move |i| {
        let end = start + rows + usize::from(i < longer);
        std::mem::replace(&mut start, end)..end
    })
}

impl Work for Strip {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let vectors = self.width.div_ceil(S::LANES);
        let ragged = !self.width.is_multiple_of(S::LANES);
        let by_rows = matches!(self.a, Left::ByRows { .. });
        // SAFETY: the maker of the strip vouches for its pointers; the width fits the number of vectors chosen.
        unsafe {
            match (vectors, ragged, by_rows) {
                (1, false, true) => self.tall::<S, 1, false, true>(s),
                (1, false, false) => self.tall::<S, 1, false, false>(s),
                (1, true, true) => self.tall::<S, 1, true, true>(s),
                (1, true, false) => self.tall::<S, 1, true, false>(s),
                (2, false, true) => self.tall::<S, 2, false, true>(s),
                (2, false, false) => self.tall::<S, 2, false, false>(s),
                (2, true, true) => self.tall::<S, 2, true, true>(s),
                (2, true, false) => self.tall::<S, 2, true, false>(s),
                (4, false, _) => self.flat::<S, 4>(s),
                (8, false, _) => self.flat::<S, 8>(s),
                _ => unreachable!("strips are 1, 2, 4 or 8 vectors wide"),
            }
        }
    }
}

impl Strip {
    /// The pointer to row `row` of A for a tile of `rows` rows, and the stride.
    #[inline(always)]
    fn left(&self, row: usize, rows: usize) -> (*const f32, usize) {
        match self.a {
            Left::ByRows { p, stride } => (p.wrapping_add(row * stride), stride),
            Left::ByColumns { p, stride } => (p.wrapping_add(row), stride),
            Left::Packed { p } => (p.wrapping_add(row * self.k), rows),
        }
    }

    /// # Safety
    /// The width must fill `V` vectors, the last one partly where `RAGGED`.
    #[inline(always)]
    unsafe fn tall<S: Simd, const V: usize, const RAGGED: bool, const BY_ROWS: bool>(&self, s: S) {
        for rows in tiles(self.m, S::TILE_ROWS) {
            let row = rows.start;
            let (a, stride) = self.left(row, rows.len());
            macro_rules! one_of {
                ($($r:literal)*) => {
                    match rows.len() {
                        $($r if S::TILE_ROWS >= $r => tile::<S, $r, V, RAGGED, BY_ROWS>(s, self, a, stride, row),)*
                        _ => unreachable!("tiles have at most `TILE_ROWS` rows"),
                    }
                };
            }
            // SAFETY: the rows lie within the strip.
            unsafe { one_of!(1 2 3 4 5 6 7 8) }
        }
    }

    /// One or two rows, with more vectors side by side so that enough chains are in flight.
    ///
    /// # Safety
    /// The width must be `V` vectors.
    #[inline(always)]
    unsafe fn flat<S: Simd, const V: usize>(&self, s: S) {
        let (a, stride) = self.left(0, self.m);
        // SAFETY: the rows lie within the strip.
        unsafe {
            match (self.m, matches!(self.a, Left::ByRows { .. })) {
                (1, true) => tile::<S, 1, V, false, true>(s, self, a, stride, 0),
                (1, false) => tile::<S, 1, V, false, false>(s, self, a, stride, 0),
                (2, true) if V <= 4 => tile::<S, 2, V, false, true>(s, self, a, stride, 0),
                (2, false) if V <= 4 => tile::<S, 2, V, false, false>(s, self, a, stride, 0),
                _ => unreachable!("wide strips have one or two rows"),
            }
        }
    }
}
