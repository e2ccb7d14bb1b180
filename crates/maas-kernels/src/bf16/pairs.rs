//! Operands as products read them: pair by pair along k.

use std::sync::atomic::{AtomicU32, Ordering};

use super::convert::{load_partial, widen, without_subnormal};
use super::{Bf16, Bf16Matrix};
use crate::kernels::Work;
use crate::simd::{MOST_LANES, Simd};
use crate::{Buffer, Chunks, Compute, Matrix};

/// What a copy of an operand holds. An odd k is filled up with zeros.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Floats, the second of each pair before the first; zeros for subnormal numbers.
    Floats,
    /// Words of two numbers, the first of each pair in the lower half.
    Words,
}

impl Form {
    /// Floats, or words in their place, of a pair.
    fn width(self) -> usize {
        match self {
            Self::Floats => 2,
            Self::Words => 1,
        }
    }
}

impl Bf16Matrix<'_> {
    /// Copies a matrix whose columns are summed over; with the smallest size that is not zero, if its form is floats. It must
    /// not be empty.
    pub(super) fn pairs<'b>(
        self,
        form: Form,
        compute: Compute,
        to: &'b mut Buffer,
    ) -> (Matrix<'b>, f32) {
        let (m, k) = (self.rows(), self.columns());
        let width = k.div_ceil(2) * form.width();
        if to.len() < m * width {
            *to = Buffer::zeroed(m * width);
        }
        let to = &mut to[..m * width];
        let least = AtomicU32::new(f32::INFINITY.to_bits());
        let lower = |x: f32| {
            // Sizes are in the order of their bits.
            least.fetch_min(x.to_bits(), Ordering::Relaxed);
        };
        let copied = if self.is_row_major() {
            let parts = (Chunks::new(self.data(), k), Chunks::new(&mut *to, width));
            compute.split(parts, (NUMBERS_OF_A_THREAD / k).max(1), |(from, to)| {
                lower(compute.kernels.run(Along {
                    form,
                    k,
                    from: from.data,
                    to: to.data,
                }));
            });
            Matrix::new(to, m, width)
        } else {
            let parts = (
                Chunks::new(self.data(), 2 * m),
                Chunks::new(&mut *to, form.width() * m),
            );
            compute.split(parts, (NUMBERS_OF_A_THREAD / m).max(1), |(from, to)| {
                lower(compute.kernels.run(Across {
                    form,
                    m,
                    from: from.data,
                    to: to.data,
                }));
            });
            Matrix::new(to, width, m).transposed()
        };
        (copied, f32::from_bits(least.into_inner()))
    }
}

/// Lines of k numbers.
struct Along<'a> {
    form: Form,
    k: usize,
    from: &'a [Bf16],
    to: &'a mut [f32],
}

impl Work for Along<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let mut least = s.splat(f32::INFINITY);
        let width = self.form.width();
        let to = self.to.chunks_exact_mut(self.k.div_ceil(2) * width);
        for (from, to) in self.from.chunks_exact(self.k).zip(to) {
            let to = to.chunks_mut(S::LANES * width);
            for (from, to) in from.chunks(2 * S::LANES).zip(to) {
                let words = load_pairs(s, from);
                match self.form {
                    Form::Words => store(s, to, s.of_bits(words)),
                    Form::Floats => {
                        let odd = s.and_i(s.shift_right::<16>(words), s.splat_i(0xffff));
                        let swapped = s.or_i(s.shift_left::<16>(words), odd);
                        let mut block = [0f32; MOST_LANES];
                        // SAFETY: the block holds a vector.
                        unsafe { s.store(block.as_mut_ptr(), s.of_bits(swapped)) };
                        let mut half = block.as_ptr().cast::<u16>();
                        for to in to.chunks_mut(S::LANES) {
                            // SAFETY: a vector holds twice as many numbers as lanes.
                            let x = widen(s, unsafe { s.load_u16(half) });
                            half = half.wrapping_add(S::LANES);
                            store(s, to, cleaned(s, x, &mut least));
                        }
                    }
                }
            }
        }
        smallest(s, least)
    }
}

/// Pairs of lines, in the order of k, of m numbers.
struct Across<'a> {
    form: Form,
    m: usize,
    from: &'a [Bf16],
    to: &'a mut [f32],
}

impl Work for Across<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let m = self.m;
        let mut least = s.splat(f32::INFINITY);
        let to = self.to.chunks_exact_mut(self.form.width() * m);
        for (from, to) in self.from.chunks(2 * m).zip(to) {
            let (even, odd) = from.split_at(m);
            match self.form {
                Form::Words => words(s, even, odd, to),
                Form::Floats => {
                    let (first, second) = to.split_at_mut(m);
                    if odd.is_empty() {
                        first.fill(0.0);
                    } else {
                        floats(s, odd, first, &mut least);
                    }
                    floats(s, even, second, &mut least);
                }
            }
        }
        smallest(s, least)
    }
}

#[inline(always)]
fn floats<S: Simd>(s: S, from: &[Bf16], to: &mut [f32], least: &mut S::F) {
    for (from, to) in from.chunks(S::LANES).zip(to.chunks_mut(S::LANES)) {
        // SAFETY: a chunk holds at most `LANES` numbers, and a `Bf16` is a `u16`.
        let x = widen(s, unsafe {
            load_partial(s, from.as_ptr().cast(), from.len())
        });
        store(s, to, cleaned(s, x, least));
    }
}

/// `odd` may be empty.
#[inline(always)]
fn words<S: Simd>(s: S, even: &[Bf16], odd: &[Bf16], to: &mut [f32]) {
    for (i, (even, to)) in even
        .chunks(S::LANES)
        .zip(to.chunks_mut(S::LANES))
        .enumerate()
    {
        // SAFETY: a chunk holds at most `LANES` numbers, and so do what lies beside it; a `Bf16` is a `u16`.
        unsafe {
            let mut words = load_partial(s, even.as_ptr().cast(), even.len());
            if !odd.is_empty() {
                let odd = odd.as_ptr().wrapping_add(i * S::LANES);
                let odd = load_partial(s, odd.cast(), even.len());
                words = s.or_i(words, s.shift_left::<16>(odd));
            }
            store(s, to, s.of_bits(words));
        }
    }
}

/// At most a vector of words, two numbers a word; zeros beyond the end.
#[inline(always)]
fn load_pairs<S: Simd>(s: S, from: &[Bf16]) -> S::I {
    if from.len() == 2 * S::LANES {
        // SAFETY: a `Bf16` is a `u16`, two of which are a word.
        return s.bits(unsafe { s.load(from.as_ptr().cast()) });
    }
    let mut copy = [Bf16::default(); 2 * MOST_LANES];
    copy[..from.len()].copy_from_slice(from);
    // SAFETY: the copy holds a vector of words.
    s.bits(unsafe { s.load(copy.as_ptr().cast()) })
}

/// As many lanes as there is room for.
#[inline(always)]
fn store<S: Simd>(s: S, to: &mut [f32], x: S::F) {
    // SAFETY: as the slice says.
    unsafe {
        if to.len() >= S::LANES {
            s.store(to.as_mut_ptr(), x);
        } else {
            s.store_partial(to.as_mut_ptr(), to.len(), x);
        }
    }
}

/// Zeros for subnormal numbers; `least` is lowered to the smallest |x| that is not zero then.
#[inline(always)]
fn cleaned<S: Simd>(s: S, x: S::F, least: &mut S::F) -> S::F {
    let x = without_subnormal(s, x);
    let size = s.abs(x);
    let zero = s.lt(size, s.splat(f32::MIN_POSITIVE));
    *least = s.smaller(s.select(zero, s.splat(f32::INFINITY), size), *least);
    x
}

#[inline(always)]
fn smallest<S: Simd>(s: S, least: S::F) -> f32 {
    let mut lanes = [f32::INFINITY; MOST_LANES];
    // SAFETY: the array holds a vector.
    unsafe { s.store(lanes.as_mut_ptr(), least) };
    lanes.into_iter().fold(f32::INFINITY, f32::min)
}

/// Numbers whose copying is worth a thread.
const NUMBERS_OF_A_THREAD: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kernels;

    /// Number l of line i of an operand, and beyond the last one a zero.
    fn number(i: usize, l: usize, k: usize) -> Bf16 {
        let subnormal = (i + 3 * l).is_multiple_of(11);
        Bf16::from_bits(match (l < k, subnormal) {
            (false, _) => 0,
            (_, true) => 0x8001,
            (_, false) => 0x3f00 + (31 * i + 7 * l) as u16,
        })
    }

    #[test]
    fn copies_hold_pairs() {
        let sets = Kernels::available().into_iter().skip(1);
        for kernels in sets.chain([Kernels::wide()]) {
            let compute = Compute {
                kernels,
                ..Compute::default()
            };
            for (m, k) in [(1, 1), (3, 2), (2, 31), (17, 32), (16, 33), (40, 67)] {
                let rows: Vec<_> = (0..m * k).map(|e| number(e / k, e % k, k)).collect();
                let columns: Vec<_> = (0..m * k).map(|e| number(e % m, e / m, k)).collect();
                for x in [
                    Bf16Matrix::new(&rows, m, k),
                    Bf16Matrix::new(&columns, k, m).transposed(),
                ] {
                    let mut to = Buffer::default();
                    let (floats, least) = x.pairs(Form::Floats, compute, &mut to);
                    let mut smallest = f32::INFINITY;
                    for (i, l) in (0..m).flat_map(|i| (0..floats.columns()).map(move |l| (i, l))) {
                        let mut expected = number(i, l ^ 1, k).to_f32();
                        if expected.is_subnormal() {
                            expected = -0.0;
                        } else if expected != 0.0 {
                            smallest = smallest.min(expected);
                        }
                        assert_eq!(floats.get(i, l).to_bits(), expected.to_bits());
                    }
                    assert_eq!(least, smallest);
                    let (words, _) = x.pairs(Form::Words, compute, &mut to);
                    for (i, p) in (0..m).flat_map(|i| (0..words.columns()).map(move |p| (i, p))) {
                        let bits = |l| u32::from(number(i, l, k).to_bits());
                        let expected = bits(2 * p) | bits(2 * p + 1) << 16;
                        assert_eq!(words.get(i, p).to_bits(), expected);
                    }
                }
            }
        }
    }
}
