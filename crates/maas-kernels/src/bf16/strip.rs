use super::form::{Flushing, Form, Plain};
#[cfg(target_arch = "x86_64")]
use super::instruction::Instruction;
use super::pack::Layout;
use super::tile::tile;
use crate::Kernels;
use crate::kernels::Work;
use crate::product::tiles;
use crate::simd::Simd;

/// A strip of C, one or two vectors wide and `m` rows high, for a part of a block of k.
///
/// Whoever makes one promises that its pointers reach as far as its lengths say, that C and the chain overlap nothing
/// that is read, and that no other thread uses them meanwhile.
pub(super) struct Strip {
    pub(super) m: usize,
    pub(super) pairs: usize,
    /// Tile after tile.
    pub(super) left: *const f32,
    /// One a tile: the smallest |a| that is not zero.
    pub(super) left_least: *const f32,
    /// `pairs` rows of `stride` words.
    pub(super) right: *const f32,
    pub(super) stride: usize,
    /// The smallest |b| that is not zero.
    pub(super) right_least: f32,
    pub(super) width: usize,
    /// Where the chain of multiply-adds goes on from; from +0 if nowhere.
    pub(super) start: Option<Rows>,
    pub(super) end: End,
}

/// Rows of `width` floats, `stride` apart.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    pub(super) p: *mut f32,
    pub(super) stride: usize,
}

/// Where the sums go.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// The block of k goes on: keep the chains.
    Chain(Rows),
    /// The block of k ends, the first one: to C.
    Set(Rows),
    /// A later block of k ends: added to C.
    Add(Rows),
}

/// How the tiles of a strip are multiplied.
#[derive(Clone, Copy)]
pub(super) enum Road {
    Twin(Kernels),
    #[cfg(target_arch = "x86_64")]
    Instruction(Instruction),
}

impl Road {
    pub(super) fn of(kernels: Kernels) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(instruction) = Instruction::detect(kernels) {
            return Self::Instruction(instruction);
        }
        Self::Twin(kernels)
    }

    pub(super) fn layout(self) -> Layout {
        match self {
            Self::Twin(_) => Layout::Floats,
            #[cfg(target_arch = "x86_64")]
            Self::Instruction(_) => Layout::Pairs,
        }
    }

    pub(super) fn run(self, strip: Strip) {
        match self {
            Self::Twin(kernels) => kernels.run(strip),
            #[cfg(target_arch = "x86_64")]
            Self::Instruction(instruction) => instruction.run(&strip),
        }
    }
}

impl Work for Strip {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (tile, rows) in tiles(self.m, S::TILE_ROWS).enumerate() {
            // SAFETY: there is a number for each tile, and the maker of the strip vouches for the rest.
            unsafe {
                if can_become_subnormal(*self.left_least.add(tile), self.right_least) {
                    self.tile(s, Flushing, rows);
                } else {
                    self.tile(s, Plain, rows);
                }
            }
        }
    }
}

/// Whether a sum of products of bf16 numbers, none of them nearer to zero than these, could be subnormal.
///
/// a is a multiple of 2^(e − 7) if |a| ≥ 2^e, and so with b. A product is then a multiple of 2^(e + f − 14), and every
/// rounded sum of such products is one too: if it is not zero, it is at least as large.
#[inline(always)]
fn can_become_subnormal(a: f32, b: f32) -> bool {
    let exponent = |x: f32| (x.to_bits() >> 23).cast_signed() - 127;
    exponent(a) + exponent(b) - 14 < -126
}

impl Strip {
    /// # Safety
    /// The strip must keep its promises, the left panel be as the form reads it, and `rows` be one of its tiles.
    #[inline(always)]
    pub(super) unsafe fn tile<S: Simd, F: Form<S>>(
        &self,
        s: S,
        form: F,
        rows: std::ops::Range<usize>,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            if self.width > S::LANES {
                self.tile_of::<S, F, 2>(s, form, rows);
            } else {
                self.tile_of::<S, F, 1>(s, form, rows);
            }
        }
    }

    /// # Safety
    /// As for `tile`; the width must fill `V` vectors, the last one perhaps partly.
    #[inline(always)]
    unsafe fn tile_of<S: Simd, F: Form<S>, const V: usize>(
        &self,
        s: S,
        form: F,
        rows: std::ops::Range<usize>,
    ) {
        let row = rows.start;
        let left = self.left.wrapping_add(row * self.pairs * F::WORDS);
        // SAFETY: as the caller promises.
        unsafe {
            match rows.len() {
                1 => tile::<S, F, 1, V>(s, form, self, left, row),
                2 if S::TILE_ROWS >= 2 => tile::<S, F, 2, V>(s, form, self, left, row),
                3 if S::TILE_ROWS >= 3 => tile::<S, F, 3, V>(s, form, self, left, row),
                4 if S::TILE_ROWS >= 4 => tile::<S, F, 4, V>(s, form, self, left, row),
                5 if S::TILE_ROWS >= 5 => tile::<S, F, 5, V>(s, form, self, left, row),
                6 if S::TILE_ROWS >= 6 => tile::<S, F, 6, V>(s, form, self, left, row),
                _ => unreachable!("tiles have at most `TILE_ROWS` rows"),
            }
        }
    }
}
