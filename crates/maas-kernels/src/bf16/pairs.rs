//! Operands as products read them: pair by pair along k.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::convert::{widen, without_subnormal};
use super::operand::{Number, Operand};
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

impl<T: Number> Operand<'_, T> {
    /// Copies a matrix whose columns are summed over; with the smallest size that is not zero, if its form is floats. It must
    /// not be empty.
    pub(super) fn pairs<'b>(
        self,
        form: Form,
        compute: Compute,
        to: &'b mut Buffer,
    ) -> (Matrix<'b>, f32) {
        let (m, k) = (self.rows, self.columns);
        let width = k.div_ceil(2) * form.width();
        static MOST: AtomicUsize = AtomicUsize::new(0);
        to.make_room(m * width, &MOST);
        let to = &mut to[..m * width];
        let least = AtomicU32::new(f32::INFINITY.to_bits());
        let lower = |x: f32| {
            // Sizes are in the order of their bits.
            least.fetch_min(x.to_bits(), Ordering::Relaxed);
        };
        let copied = if self.column == 1 {
            let stride = if m == 1 { k } else { self.row };
            let parts = (Chunks::new(self.data, stride), Chunks::new(&mut *to, width));
            compute.split(parts, (NUMBERS_OF_A_THREAD / k).max(1), |(from, to)| {
                lower(compute.kernels.run(Along {
                    form,
                    k,
                    stride,
                    from: from.data,
                    to: to.data,
                }));
            });
            Matrix::new(to, m, width)
        } else {
            let stride = if k == 1 { m } else { self.column };
            let parts = (
                Chunks::new(self.data, 2 * stride),
                Chunks::new(&mut *to, form.width() * m),
            );
            compute.split(parts, (NUMBERS_OF_A_THREAD / m).max(1), |(from, to)| {
                lower(compute.kernels.run(Across {
                    form,
                    m,
                    stride,
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
struct Along<'a, T> {
    form: Form,
    k: usize,
    /// From a line to the next.
    stride: usize,
    from: &'a [T],
    to: &'a mut [f32],
}

impl<T: Number> Work for Along<'_, T> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let k = self.k;
        let mut least = s.splat(f32::INFINITY);
        let to = self.to.chunks_exact_mut(k.div_ceil(2) * self.form.width());
        for (from, to) in self.from.chunks(self.stride).zip(to) {
            let from = from[..k].chunks(S::LANES);
            match self.form {
                Form::Floats => {
                    for (from, to) in from.zip(to.chunks_mut(S::LANES)) {
                        let x = cleaned(s, widen(s, T::load(s, from)), &mut least);
                        store(s, to, s.swap_pairs(x));
                    }
                }
                Form::Words => {
                    let numbers = halves(to);
                    for (from, to) in from.zip(numbers.chunks_mut(S::LANES)) {
                        store_u16(s, to, T::load(s, from));
                    }
                }
            }
        }
        smallest(s, least)
    }
}

/// Pairs of lines, in the order of k, of m numbers.
struct Across<'a, T> {
    form: Form,
    m: usize,
    /// From a line to the next.
    stride: usize,
    from: &'a [T],
    to: &'a mut [f32],
}

impl<T: Number> Work for Across<'_, T> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let (m, stride) = (self.m, self.stride);
        let mut least = s.splat(f32::INFINITY);
        let to = self.to.chunks_exact_mut(self.form.width() * m);
        for (from, to) in self.from.chunks(2 * stride).zip(to) {
            let (even, odd) = (&from[..m], from.get(stride..stride + m));
            match self.form {
                Form::Words => words(s, even, odd, to),
                Form::Floats => {
                    let (first, second) = to.split_at_mut(m);
                    match odd {
                        Some(odd) => floats(s, odd, first, &mut least),
                        None => first.fill(0.0),
                    }
                    floats(s, even, second, &mut least);
                }
            }
        }
        smallest(s, least)
    }
}

#[inline(always)]
fn floats<S: Simd, T: Number>(s: S, from: &[T], to: &mut [f32], least: &mut S::F) {
    for (from, to) in from.chunks(S::LANES).zip(to.chunks_mut(S::LANES)) {
        store(s, to, cleaned(s, widen(s, T::load(s, from)), least));
    }
}

#[inline(always)]
fn words<S: Simd, T: Number>(s: S, even: &[T], odd: Option<&[T]>, to: &mut [f32]) {
    let numbers = even.chunks(S::LANES).zip(to.chunks_mut(S::LANES));
    for (i, (even, to)) in numbers.enumerate() {
        let mut words = T::load(s, even);
        if let Some(odd) = odd {
            let odd = T::load(s, &odd[i * S::LANES..][..even.len()]);
            words = s.or_i(words, s.shift_left::<16>(odd));
        }
        store(s, to, s.of_bits(words));
    }
}

/// The numbers of words.
fn halves(words: &mut [f32]) -> &mut [u16] {
    // SAFETY: a word is two numbers, which may have any bits and need less alignment.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), 2 * words.len()) }
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

/// The lower half of as many lanes as there is room for.
#[inline(always)]
fn store_u16<S: Simd>(s: S, to: &mut [u16], x: S::I) {
    let mut block = [0; MOST_LANES];
    // SAFETY: as the slices say.
    unsafe {
        if to.len() >= S::LANES {
            s.store_u16(to.as_mut_ptr(), x);
        } else {
            s.store_u16(block.as_mut_ptr(), x);
            to.copy_from_slice(&block[..to.len()]);
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
    use crate::bf16::Bf16;

    fn check<T: Number>(x: Operand<'_, T>, compute: Compute) {
        let (m, k) = (x.rows, x.columns);
        let number = |i, l| if l < k { x.get(i, l) } else { 0.0 };
        let mut to = Buffer::default();
        let (floats, least) = x.pairs(Form::Floats, compute, &mut to);
        assert_eq!((floats.rows(), floats.columns()), (m, k + k % 2));
        let mut smallest = f32::INFINITY;
        for (i, l) in (0..m).flat_map(|i| (0..k + k % 2).map(move |l| (i, l))) {
            let mut expected = number(i, l ^ 1);
            if expected.is_subnormal() {
                expected = 0f32.copysign(expected);
            } else if expected != 0.0 {
                smallest = smallest.min(expected.abs());
            }
            assert_eq!(floats.get(i, l).to_bits(), expected.to_bits());
        }
        assert_eq!(least, smallest);
        let (words, _) = x.pairs(Form::Words, compute, &mut to);
        for (i, p) in (0..m).flat_map(|i| (0..k.div_ceil(2)).map(move |p| (i, p))) {
            let expected = number(i, 2 * p).to_bits() >> 16 | number(i, 2 * p + 1).to_bits();
            assert_eq!(words.get(i, p).to_bits(), expected);
        }
    }

    #[test]
    fn copies_hold_pairs() {
        let sets = Kernels::available().into_iter().skip(1);
        for kernels in sets.chain([Kernels::wide()]) {
            let compute = Compute {
                kernels,
                ..Compute::default()
            };
            for (m, k) in [
                (1, 1),
                (1, 40),
                (3, 2),
                (2, 31),
                (17, 32),
                (16, 33),
                (40, 67),
            ] {
                let single: Vec<_> = (0..m * k)
                    .map(|i| match i % 11 {
                        5 => -1e-40,
                        7 => 0.0,
                        _ => (i as f32).sin(),
                    })
                    .collect();
                let half: Vec<_> = (0..m * k)
                    .map(|i| match i % 11 {
                        5 => Bf16::from_bits(0x8001),
                        _ => Bf16::from_f32(single[i]),
                    })
                    .collect();
                for (row, column) in [(k, 1), (1, m)] {
                    let data = &single[..];
                    let (rows, columns) = (m, k);
                    check(
                        Operand {
                            data,
                            rows,
                            columns,
                            row,
                            column,
                        },
                        compute,
                    );
                    let data = &half[..];
                    check(
                        Operand {
                            data,
                            rows,
                            columns,
                            row,
                            column,
                        },
                        compute,
                    );
                }
            }
        }
    }
}
