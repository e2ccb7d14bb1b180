use super::Bf16;
use crate::Kernels;
use crate::kernels::Work;
use crate::simd::{MOST_LANES, Simd};

/// Conversions between `f32` and [`Bf16`].
impl Kernels {
    /// yᵢ ← the bf16 number nearest to xᵢ, as [`Bf16::from_f32`] says it.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{Bf16, Kernels};
    ///
    /// let mut y = [Bf16::default(); 2];
    /// Kernels::best().narrow_bf16(&[0.1, -2.0], &mut y);
    /// assert_eq!(y.map(Bf16::to_f32), [0.100_097_656, -2.0]);
    /// ```
    #[track_caller]
    pub fn narrow_bf16(self, x: &[f32], y: &mut [Bf16]) {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        self.run(Narrow { x, y });
    }

    /// yᵢ ← xᵢ, exactly.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{Bf16, Kernels};
    ///
    /// let mut y = [0.0; 2];
    /// Kernels::best().widen_bf16(&[0.5, -2.0].map(Bf16::from_f32), &mut y);
    /// assert_eq!(y, [0.5, -2.0]);
    /// ```
    #[track_caller]
    pub fn widen_bf16(self, x: &[Bf16], y: &mut [f32]) {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        self.run(Widen { x, y });
    }
}

struct Narrow<'a> {
    x: &'a [f32],
    y: &'a mut [Bf16],
}

impl Work for Narrow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (mut x, mut y) = (
            self.x.chunks_exact(S::LANES),
            self.y.chunks_exact_mut(S::LANES),
        );
        for (x, y) in x.by_ref().zip(y.by_ref()) {
            // SAFETY: both chunks hold `LANES` numbers, and a `Bf16` is a `u16`.
            unsafe { s.store_u16(y.as_mut_ptr().cast(), narrow(s, s.load(x.as_ptr()))) };
        }
        for (x, y) in x.remainder().iter().zip(y.into_remainder()) {
            *y = Bf16::from_f32(*x);
        }
    }
}

/// In the lower half of each lane, the upper one being anything.
#[inline(always)]
pub(super) fn narrow<S: Simd>(s: S, x: S::F) -> S::I {
    let bits = s.bits(x);
    let odd = s.and_i(s.shift_right::<16>(bits), s.splat_i(1));
    let rounded = s.of_bits(s.add_i(bits, s.add_i(odd, s.splat_i(0x7fff))));
    let quiet = s.of_bits(s.or_i(bits, s.splat_i(0x40_0000)));
    let zero = s.of_bits(s.and_i(bits, s.splat_i(i32::MIN)));
    let tiny = s.lt(s.abs(x), s.splat(f32::MIN_POSITIVE));
    let y = s.select(s.is_nan(x), quiet, s.select(tiny, zero, rounded));
    s.shift_right::<16>(s.bits(y))
}

struct Widen<'a> {
    x: &'a [Bf16],
    y: &'a mut [f32],
}

impl Work for Widen<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (mut x, mut y) = (
            self.x.chunks_exact(S::LANES),
            self.y.chunks_exact_mut(S::LANES),
        );
        for (x, y) in x.by_ref().zip(y.by_ref()) {
            // SAFETY: both chunks hold `LANES` numbers, and a `Bf16` is a `u16`.
            unsafe { s.store(y.as_mut_ptr(), widen(s, s.load_u16(x.as_ptr().cast()))) };
        }
        for (x, y) in x.remainder().iter().zip(y.into_remainder()) {
            *y = x.to_f32();
        }
    }
}

/// From the lower half of each lane.
#[inline(always)]
pub(super) fn widen<S: Simd>(s: S, x: S::I) -> S::F {
    s.of_bits(s.shift_left::<16>(x))
}

/// A zero of its sign for a subnormal number.
#[inline(always)]
pub(crate) fn without_subnormal<S: Simd>(s: S, x: S::F) -> S::F {
    let tiny = s.lt(s.abs(x), s.splat(f32::MIN_POSITIVE));
    let zero = s.of_bits(s.and_i(s.bits(x), s.splat_i(i32::MIN)));
    s.select(tiny, zero, x)
}

/// Zeros beyond the first `n` lanes.
///
/// # Safety
/// `p` must be valid for reading `n <= LANES` numbers.
#[inline(always)]
pub(super) unsafe fn load_partial<S: Simd>(s: S, p: *const u16, n: usize) -> S::I {
    // SAFETY: the caller vouches for `n` numbers; the copy holds a whole vector.
    unsafe {
        if n == S::LANES {
            return s.load_u16(p);
        }
        let mut copy = [0; MOST_LANES];
        std::ptr::copy_nonoverlapping(p, copy.as_mut_ptr(), n);
        s.load_u16(copy.as_ptr())
    }
}
