use super::convert::{load_partial, widen};
use super::matrix::View;
use crate::kernels::Work;
use crate::product::tiles;
use crate::simd::{MOST_LANES, Simd};

/// Copies k × n of B into strips of `width` columns: for each pair of rows (2p, 2p + 1) a row of words that hold both.
///
/// An odd k is filled up with zeros, subnormal numbers become zeros.
pub(super) struct PackRight {
    pub(super) b: View,
    pub(super) k: usize,
    pub(super) n: usize,
    /// A multiple of the set's lanes.
    pub(super) width: usize,
    /// Room for `n.next_multiple_of(width) · ⌈k/2⌉` words.
    pub(super) to: *mut f32,
    /// One a strip: lowered to the smallest |b| that is not zero.
    pub(super) least: *mut f32,
}

impl Work for PackRight {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self {
            b,
            k,
            n,
            width,
            to,
            least,
        } = self;
        let pairs = k.div_ceil(2);
        for (strip, j) in (0..n).step_by(width).enumerate() {
            let columns = width.min(n - j);
            let to = to.wrapping_add(j * pairs);
            let mut smallest = s.splat(f32::INFINITY);
            for v in (0..columns).step_by(S::LANES) {
                let lanes = S::LANES.min(columns - v);
                if b.column == 1 {
                    for p in 0..pairs {
                        // SAFETY: `lanes` numbers of each row; the strip has room for a vector of words.
                        unsafe {
                            let even = load_partial(s, b.at(2 * p, j + v), lanes);
                            let odd = if 2 * p + 1 < k {
                                load_partial(s, b.at(2 * p + 1, j + v), lanes)
                            } else {
                                s.splat_i(0)
                            };
                            let pair = s.or_i(even, s.shift_left::<16>(odd));
                            let pair = cleaned(s, pair, &mut smallest);
                            s.store(to.add(p * width + v), s.of_bits(pair));
                        }
                    }
                } else {
                    let mut rows = [0f32; MOST_LANES * MOST_LANES];
                    for p in (0..pairs).step_by(S::LANES) {
                        for c in 0..lanes {
                            // SAFETY: column j + v + c holds k numbers, of which `k − 2p` are left.
                            unsafe {
                                let pair = load_pairs(s, b.at(2 * p, j + v + c), k - 2 * p);
                                let pair = cleaned(s, pair, &mut smallest);
                                s.store(rows.as_mut_ptr().add(c * S::LANES), s.of_bits(pair));
                            }
                        }
                        let count = S::LANES.min(pairs - p);
                        // SAFETY: `lanes` rows of a vector each; the strip has `width` words from each of `count` pairs on.
                        unsafe {
                            let to = to.add(p * width + v);
                            s.transpose(rows.as_ptr(), S::LANES, lanes, count, to, width);
                        }
                    }
                }
            }
            // SAFETY: there is a number for each strip.
            unsafe { lower(s, least.add(strip), smallest) };
        }
    }
}

/// Copies m × k of A tile by tile.
///
/// An odd k is filled up with zeros, subnormal numbers become zeros.
pub(super) struct PackLeft {
    pub(super) a: View,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) layout: Layout,
    /// Room for m · k' floats, k' being k rounded up to an even number, and a vector more.
    pub(super) to: *mut f32,
    /// One a tile: lowered to the smallest |a| that is not zero.
    pub(super) least: *mut f32,
}

/// What a packed tile of A with R rows consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// R floats for every l.
    Floats,
    /// R words for every pair of l, as in a strip of B.
    Pairs,
}

impl Work for PackLeft {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self {
            a,
            m,
            k,
            layout,
            to,
            least,
        } = self;
        let pairs = k.div_ceil(2);
        let (step, words) = match layout {
            Layout::Floats => (1, 2 * pairs),
            Layout::Pairs => (2, pairs),
        };
        for (tile, rows) in tiles(m, S::TILE_ROWS).enumerate() {
            let to = to.wrapping_add(rows.start * words);
            let r = rows.len();
            let mut smallest = s.splat(f32::INFINITY);
            if a.column == 1 {
                let mut block = [0f32; MOST_LANES * MOST_LANES];
                for w in (0..words).step_by(S::LANES) {
                    let l = w * step;
                    for i in 0..r {
                        let from = a.at(rows.start + i, l);
                        // SAFETY: the row holds k numbers, of which `k − l` are left; `block` has a vector for each row of a tile.
                        unsafe {
                            let x = match layout {
                                Layout::Floats => {
                                    let x = widen(s, load_partial(s, from, S::LANES.min(k - l)));
                                    without_subnormal(s, x, &mut smallest)
                                }
                                Layout::Pairs => {
                                    s.of_bits(cleaned(s, load_pairs(s, from, k - l), &mut smallest))
                                }
                            };
                            s.store(block.as_mut_ptr().add(i * S::LANES), x);
                        }
                    }
                    let count = S::LANES.min(words - w);
                    // SAFETY: r rows of a vector each; what is written beyond r words is still to be written, or lies in
                    // the vector of room at the end.
                    unsafe { s.transpose(block.as_ptr(), S::LANES, r, count, to.add(w * r), r) };
                }
            } else {
                for w in 0..words {
                    // SAFETY: as `load_column` asks; what is written beyond r words is still to be written, or lies in the
                    // vector of room at the end.
                    unsafe {
                        let x = match layout {
                            Layout::Floats => {
                                let x = widen(s, load_column(s, a, rows.start, r, w, k));
                                without_subnormal(s, x, &mut smallest)
                            }
                            Layout::Pairs => {
                                let even = load_column(s, a, rows.start, r, 2 * w, k);
                                let odd = load_column(s, a, rows.start, r, 2 * w + 1, k);
                                let pair = s.or_i(even, s.shift_left::<16>(odd));
                                s.of_bits(cleaned(s, pair, &mut smallest))
                            }
                        };
                        s.store(to.add(w * r), x);
                    }
                }
            }
            // SAFETY: there is a number for each tile.
            unsafe { lower(s, least.add(tile), smallest) };
        }
    }
}

/// `rows` numbers of column l of A, which is contiguous, from row `row` on; zeros in column k. More lanes may hold anything.
///
/// # Safety
/// `a` must describe k columns of at least `row + rows` numbers, and `rows` be at most `LANES`.
#[inline(always)]
unsafe fn load_column<S: Simd>(s: S, a: View, row: usize, rows: usize, l: usize, k: usize) -> S::I {
    if l >= k {
        return s.splat_i(0);
    }
    let p = a.at(row, l);
    // A vector from here ends before these rows of the next column do.
    let whole = l + 1 < k && a.column >= S::LANES;
    // SAFETY: see above, and the caller's promise.
    unsafe {
        if whole {
            s.load_u16(p)
        } else {
            load_partial(s, p, rows)
        }
    }
}

/// A vector of words from `count` numbers in a row, two numbers a word; zeros beyond them.
///
/// # Safety
/// `p` must be valid for reading `count` numbers.
#[inline(always)]
unsafe fn load_pairs<S: Simd>(s: S, p: *const u16, count: usize) -> S::I {
    // SAFETY: the caller vouches for `count` numbers; the copy holds a whole vector of words.
    unsafe {
        if count >= 2 * S::LANES {
            return s.bits(s.load(p.cast()));
        }
        let mut copy = [0u16; 2 * MOST_LANES];
        std::ptr::copy_nonoverlapping(p, copy.as_mut_ptr(), count);
        s.bits(s.load(copy.as_ptr().cast()))
    }
}

/// Both numbers of each word without subnormal ones.
#[inline(always)]
fn cleaned<S: Simd>(s: S, pair: S::I, smallest: &mut S::F) -> S::I {
    let even = without_subnormal(s, widen(s, pair), smallest);
    let odd = s.of_bits(s.and_i(pair, s.splat_i(!0xffff)));
    let odd = without_subnormal(s, odd, smallest);
    let even = s.and_i(s.shift_right::<16>(s.bits(even)), s.splat_i(0xffff));
    s.or_i(even, s.bits(odd))
}

/// Zeros for subnormal numbers; `smallest` is lowered to the smallest |x| that is not zero then.
#[inline(always)]
fn without_subnormal<S: Simd>(s: S, x: S::F, smallest: &mut S::F) -> S::F {
    let size = s.abs(x);
    let tiny = s.lt(size, s.splat(f32::MIN_POSITIVE));
    *smallest = s.smaller(s.select(tiny, s.splat(f32::INFINITY), size), *smallest);
    let zero = s.of_bits(s.and_i(s.bits(x), s.splat_i(i32::MIN)));
    s.select(tiny, zero, x)
}

/// # Safety
/// `least` must be valid for reading and writing.
#[inline(always)]
unsafe fn lower<S: Simd>(s: S, least: *mut f32, smallest: S::F) {
    let mut lanes = [f32::INFINITY; MOST_LANES];
    // SAFETY: the array holds a vector, and the caller vouches for `least`.
    unsafe {
        s.store(lanes.as_mut_ptr(), smallest);
        *least = lanes.into_iter().fold(*least, f32::min);
    }
}
