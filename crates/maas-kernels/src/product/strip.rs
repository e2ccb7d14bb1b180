use std::ops::Range;

#[cfg(test)]
use super::chain::Words;
use super::chain::{Chain, Flushing, Fused, Step};
use super::end::Out;
use super::pack::View;
use super::tile::tile;
use crate::Kernels;
use crate::kernels::Work;
use crate::simd::{Part, Simd};

/// A strip of C, a few vectors wide and `m` rows high, for one block of k.
///
/// Whoever makes one promises that its pointers reach as far as its lengths say, that C overlaps nothing that
/// is read, and that no other thread uses them meanwhile.
pub(crate) struct Strip {
    pub(super) chain: Chain,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) a: Left,
    /// k rows as wide as `out`, `b_stride` apart.
    pub(super) b: *const f32,
    pub(super) b_stride: usize,
    /// Where the first tile leaves B, row after row, for the others; two full vectors wide.
    pub(super) copy: Option<*mut f32>,
    /// Where sums lie that were left unfinished; otherwise they start at +0.
    pub(super) go_on: Option<*const f32>,
    /// Where sums are left unfinished, row after row of full vectors; otherwise they go to `out`.
    pub(super) leave: Option<*mut f32>,
    /// m rows; 1 to 2 vectors wide, with one row to 8, with two rows to 4.
    pub(super) out: Out,
}

/// The left operand's rows.
#[derive(Clone, Copy)]
pub(super) enum Left {
    InPlace(View),
    /// Tile after tile as [`tiles`] cuts them; element (r, l) of a tile of R rows lies at l·R + r.
    Packed {
        p: *const f32,
    },
}

/// Cuts `m` rows into the fewest tiles of at most `most` rows, as even as can be.
pub(crate) fn tiles(m: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
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
        match self.chain {
            Chain::Fused => self.multiply(s, Fused),
            Chain::Flushing => self.multiply(s, Flushing),
            #[cfg(target_arch = "x86_64")]
            Chain::Pairs(_) => unreachable!("the instruction has an entry of its own"),
            #[cfg(test)]
            Chain::Words => self.multiply(s, Words),
        }
    }
}

impl Strip {
    pub(super) fn run_on(self, kernels: Kernels) {
        #[cfg(target_arch = "x86_64")]
        if let Chain::Pairs(instruction) = self.chain {
            return instruction.run(self);
        }
        kernels.run(self);
    }

    /// `chain` must be what the strip's says.
    #[inline(always)]
    pub(crate) fn multiply<S: Simd, C: Step<S>>(self, s: S, chain: C) {
        let vectors = self.out.width.div_ceil(S::LANES);
        let ragged = !self.out.width.is_multiple_of(S::LANES);
        // SAFETY: the maker of the strip vouches for its pointers; the width fits the number of vectors chosen.
        unsafe {
            match (vectors, ragged) {
                (1, false) => self.apart::<S, C, 1, false>(s, chain),
                (1, true) => self.apart::<S, C, 1, true>(s, chain),
                (2, false) => match self.copy {
                    Some(copy) => self.copying(s, chain, copy),
                    None => self.apart::<S, C, 2, false>(s, chain),
                },
                (2, true) => self.apart::<S, C, 2, true>(s, chain),
                (4, false) if self.m == 1 => self.tile::<S, C, 4, false, false>(s, chain, 0..1),
                (4, false) if self.m == 2 => self.tile::<S, C, 4, false, false>(s, chain, 0..2),
                (8, false) if self.m == 1 => self.tile::<S, C, 8, false, false>(s, chain, 0..1),
                _ => unreachable!("strips are 1 or 2 vectors wide, flat ones 4 or 8"),
            }
        }
    }

    /// A tile of `rows` rows of A, from row `row` on.
    #[inline(always)]
    fn left(&self, row: usize, rows: usize) -> View {
        match self.a {
            Left::InPlace(view) => view.at(row, 0),
            Left::Packed { p } => View {
                p: p.wrapping_add(row * self.k),
                row: 1,
                column: rows,
            },
        }
    }

    /// Computes the first tile from B where it lies, and the others from the copy that it leaves.
    ///
    /// # Safety
    /// The width must be two vectors, and `copy` have room for k rows of them.
    #[inline(always)]
    unsafe fn copying<S: Simd, C: Step<S>>(mut self, s: S, chain: C, copy: *mut f32) {
        for rows in tiles(self.m, S::TILE_ROWS) {
            // SAFETY: the rows lie within the strip.
            unsafe {
                if rows.start == 0 {
                    self.tile::<S, C, 2, false, true>(s, chain, rows);
                    (self.b, self.b_stride) = (copy, self.out.width);
                } else {
                    self.tile::<S, C, 2, false, false>(s, chain, rows);
                }
            }
        }
    }

    /// # Safety
    /// As `tall`.
    #[inline(always)]
    unsafe fn apart<S: Simd, C: Step<S>, const V: usize, const RAGGED: bool>(
        &self,
        s: S,
        chain: C,
    ) {
        chain.apart(s, Tall::<C, V, RAGGED>(self, chain));
    }

    /// # Safety
    /// The width must fill `V` vectors, the last one partly where `RAGGED`.
    #[inline(always)]
    unsafe fn tall<S: Simd, C: Step<S>, const V: usize, const RAGGED: bool>(&self, s: S, chain: C) {
        for rows in tiles(self.m, S::TILE_ROWS) {
            // SAFETY: the rows lie within the strip.
            unsafe { self.tile::<S, C, V, RAGGED, false>(s, chain, rows) };
        }
    }

    /// # Safety
    /// The rows must lie within the strip; else as [`tile`].
    #[inline(always)]
    unsafe fn tile<S: Simd, C: Step<S>, const V: usize, const RAGGED: bool, const COPY: bool>(
        &self,
        s: S,
        chain: C,
        rows: Range<usize>,
    ) {
        let (row, a) = (rows.start, self.left(rows.start, rows.len()));
        // SAFETY: the caller's promises.
        unsafe {
            match rows.len() {
                1 => tile::<S, C, 1, V, RAGGED, COPY>(s, chain, self, a, row),
                2 if S::TILE_ROWS >= 2 && V <= 4 => {
                    tile::<S, C, 2, V, RAGGED, COPY>(s, chain, self, a, row);
                }
                3 if S::TILE_ROWS >= 3 && V <= 2 => {
                    tile::<S, C, 3, V, RAGGED, COPY>(s, chain, self, a, row);
                }
                4 if S::TILE_ROWS >= 4 && V <= 2 => {
                    tile::<S, C, 4, V, RAGGED, COPY>(s, chain, self, a, row);
                }
                5 if S::TILE_ROWS >= 5 && V <= 2 => {
                    tile::<S, C, 5, V, RAGGED, COPY>(s, chain, self, a, row);
                }
                6 if S::TILE_ROWS >= 6 && V <= 2 => {
                    tile::<S, C, 6, V, RAGGED, COPY>(s, chain, self, a, row);
                }
                _ => unreachable!("tiles have at most `TILE_ROWS` rows"),
            }
        }
    }
}

/// A strip of `V` vectors, the last one partly where `RAGGED`, in a function of its own.
struct Tall<'a, C, const V: usize, const RAGGED: bool>(&'a Strip, C);

impl<S: Simd, C: Step<S>, const V: usize, const RAGGED: bool> Part<S> for Tall<'_, C, V, RAGGED> {
    #[inline(always)]
    fn run(self, s: S) {
        // SAFETY: who made it vouches for the width.
        unsafe { self.0.tall::<S, C, V, RAGGED>(s, self.1) };
    }
}
