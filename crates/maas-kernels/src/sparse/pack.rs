use super::layout::Layout;
use crate::kernels::Work;
use crate::product::View;
use crate::simd::{MOST_LANES, Simd};

/// Copies some rows of A side by side: for each block of k first a row of −0, then the block's columns; at the end one
/// number a row of A, negative if the row has a NaN or an infinity.
///
/// Whoever makes one promises that A has the rows, that `to` has the room, and that nobody else uses it meanwhile.
pub(super) struct Pack<'a> {
    pub(super) layout: &'a Layout,
    pub(super) a: View,
    pub(super) rows: usize,
    /// Floats side by side, a multiple of the set's; or 1.
    pub(super) lanes: usize,
    pub(super) to: *mut f32,
}

/// Floats for `lanes` rows of A.
pub(super) fn room(layout: &Layout, lanes: usize) -> usize {
    lanes * (layout.rows + layout.blocks() + 1)
}

/// Where a block starts.
pub(super) fn offset(layout: &Layout, lanes: usize, block: usize) -> usize {
    lanes * block * (layout.depth() + 1)
}

/// Where the numbers lie that are negative.
pub(super) fn hostile(layout: &Layout, lanes: usize) -> usize {
    lanes * (layout.rows + layout.blocks())
}

impl Work for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layout, lanes, .. } = self;
        for block in 0..layout.blocks() {
            let to = self.to.wrapping_add(offset(layout, lanes, block));
            for lane in 0..lanes {
                // SAFETY: every block has a row of −0.
                unsafe { to.add(lane).write(-0.0) };
            }
            let (start, k) = (layout.block(block).start, layout.block(block).len());
            // SAFETY: the block's rows follow.
            unsafe { self.copy(s, start, k, to.add(lanes)) };
        }
        // SAFETY: what is read has been written, or lies beyond the rows; the numbers have room.
        unsafe {
            let end = self.to.add(hostile(layout, lanes));
            if lanes == 1 {
                let n = layout.rows + layout.blocks();
                let whole = n / S::LANES;
                let mut seen = hostility(s, self.to, S::LANES, whole, s.splat_i(0));
                let rest = n % S::LANES;
                let last = s.load_partial(self.to.add(n - rest), rest);
                seen = s.or_i(seen, hostile_bits(s, last));
                let mut found = [0.0; MOST_LANES];
                s.store(found.as_mut_ptr(), s.of_bits(seen));
                let negative = found[..S::LANES].iter().any(|x| x.is_sign_negative());
                end.write(if negative { -1.0 } else { 1.0 });
            } else {
                for lane in (0..lanes).step_by(S::LANES) {
                    let rows = layout.rows + layout.blocks();
                    let seen = hostility(s, self.to.add(lane), lanes, rows, s.splat_i(0));
                    s.store(end.add(lane), s.of_bits(seen));
                }
            }
        }
    }
}

impl Pack<'_> {
    /// Copies `k` columns of A, from `start` on.
    ///
    /// # Safety
    /// A must have the columns, and there must be room for as many rows of `lanes` floats.
    #[inline(always)]
    unsafe fn copy<S: Simd>(&self, s: S, start: usize, k: usize, to: *mut f32) {
        let Self { rows, lanes, .. } = *self;
        // SAFETY: as promised by the caller and the maker; whole vectors lie within the lanes, or within the row.
        unsafe {
            if lanes == 1 && self.a.column == 1 {
                std::ptr::copy_nonoverlapping(self.a.at(0, start).p, to, k);
            } else if lanes == 1 {
                for l in 0..k {
                    to.add(l).write(self.a.at(0, start + l).p.read());
                }
            } else if self.a.column == 1 {
                for line in (0..k).step_by(LINE) {
                    for row in (0..rows).step_by(S::LANES) {
                        let (rows, end) = (S::LANES.min(rows - row), k.min(line + LINE));
                        for l in (line..end).step_by(S::LANES) {
                            let (from, columns) = (self.a.at(row, start + l), S::LANES.min(k - l));
                            let to = to.add(l * lanes + row);
                            s.transpose(from.p, from.row, rows, columns, to, lanes);
                        }
                    }
                }
            } else {
                for l in 0..k {
                    for row in (0..rows).step_by(S::LANES) {
                        let (from, n) = (self.a.at(row, start + l).p, S::LANES.min(rows - row));
                        s.store(to.add(l * lanes + row), s.load_partial(from, n));
                    }
                }
            }
        }
    }
}

/// Negative lanes where one of `n` vectors, `stride` apart, is NaN or infinite.
///
/// # Safety
/// The vectors must be readable.
#[inline(always)]
unsafe fn hostility<S: Simd>(s: S, p: *const f32, stride: usize, n: usize, seen: S::I) -> S::I {
    let mut seen = seen;
    for i in 0..n {
        // SAFETY: as promised by the caller.
        let x = unsafe { s.load(p.add(i * stride)) };
        seen = s.or_i(seen, hostile_bits(s, x));
    }
    seen
}

/// Negative where `x` is NaN or infinite: one more than the largest exponent is the sign.
#[inline(always)]
fn hostile_bits<S: Simd>(s: S, x: S::F) -> S::I {
    let magnitude = s.and_i(s.bits(x), s.splat_i(i32::MAX));
    s.add_i(magnitude, s.splat_i(0x0080_0000))
}

/// Floats on a line of the cache. All of a line is read at once: rows whose lengths are powers of two share a set of the
/// cache, and it would be lost before the next vectors.
const LINE: usize = crate::prefetch::LINE / size_of::<f32>();
