//! The few operations that every kernel is written in.
//!
//! A value of a type that implements [`Simd`] is a proof that the processor has its instructions, so all operations on
//! registers are safe; only those that touch memory ask the caller for a promise. Everything here is
//! `#[inline(always)]`: a generic body takes on the instruction set of the `#[target_feature]` function that calls it.

/// Methods that are one instruction of a set whose presence `self` proves.
#[cfg(target_arch = "x86_64")]
macro_rules! operations {
    ($($name:ident($($argument:ident: $type:ty),*) -> $output:ty = $instruction:expr;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($argument: $type),*) -> $output {
                // SAFETY: `self` proves that the processor has the instruction.
                unsafe { $instruction }
            }
        )*
    };
}

#[cfg(test)]
mod array;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod scalar;
mod twice;

#[cfg(test)]
pub(crate) use array::Array;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use scalar::Scalar;
pub(crate) use twice::{Four, four};

/// No set has more lanes.
pub(crate) const MOST_LANES: usize = 16;

/// Two or four places, read at once: reading them one by one would take as many of the processor's loads as what lies there.
///
/// # Safety
/// `p` must be valid for reading `N` numbers, two or four; no alignment is asked.
#[inline(always)]
pub(crate) unsafe fn read_places<const N: usize>(p: *const u16) -> [usize; N] {
    const { assert!(N == 2 || N == 4) };
    // SAFETY: the caller vouches for the numbers.
    let word = unsafe {
        match N {
            4 => u64::from_le(p.cast::<u64>().read_unaligned()),
            _ => u64::from(u32::from_le(p.cast::<u32>().read_unaligned())),
        }
    };
    std::array::from_fn(|i| usize::from((word >> (16 * i)) as u16))
}

/// Vectors of `LANES` floats or integers. Each operation is exactly rounded or exact, so that lane by lane every
/// implementation gives the same bits (a NaN's payload apart).
pub(crate) trait Vectors: Copy {
    /// Floats in a vector: a power of two.
    const LANES: usize;
    /// Floats.
    type F: Copy;
    /// 32-bit integers, wrapping.
    type I: Copy;
    /// One truth value a lane.
    type M: Copy;

    /// # Safety
    /// `p` must be valid for reading `LANES` floats; no alignment is asked.
    unsafe fn load(self, p: *const f32) -> Self::F;
    /// # Safety
    /// `p` must be valid for writing `LANES` floats; no alignment is asked.
    unsafe fn store(self, p: *mut f32, x: Self::F);

    fn splat(self, x: f32) -> Self::F;
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    fn sqrt(self, a: Self::F) -> Self::F;
    /// `a · b + c`, rounded once.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `c − a · b`, rounded once.
    fn fnma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;

    /// `a < b`; false where either is NaN.
    fn lt(self, a: Self::F, b: Self::F) -> Self::M;
    /// `a <= b`; false where either is NaN.
    fn le(self, a: Self::F, b: Self::F) -> Self::M;
    fn is_nan(self, a: Self::F) -> Self::M;
    /// Lane by lane `a` where `mask`, else `b`.
    fn select(self, mask: Self::M, a: Self::F, b: Self::F) -> Self::F;
    /// +0 where the mask is set, else `a`. Written as bitwise logic where masks are vectors: a selection between 0 and
    /// what lies at the place of the result would become a masked store, which takes many cycles on AMD's processors.
    fn clear(self, mask: Self::M, a: Self::F) -> Self::F;
    fn splat_i(self, x: i32) -> Self::I;
    fn bits(self, a: Self::F) -> Self::I;
    fn of_bits(self, a: Self::I) -> Self::F;
    /// The nearest float of a signed integer; exact below 2²⁴.
    fn to_float(self, a: Self::I) -> Self::F;
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn and_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn or_i(self, a: Self::I, b: Self::I) -> Self::I;
    fn shift_left<const N: i32>(self, a: Self::I) -> Self::I;
    /// Keeps the sign.
    fn shift_right<const N: i32>(self, a: Self::I) -> Self::I;

    #[inline(always)]
    fn zero(self) -> Self::F {
        self.splat(0.0)
    }

    #[inline(always)]
    fn abs(self, a: Self::F) -> Self::F {
        self.of_bits(self.and_i(self.bits(a), self.splat_i(i32::MAX)))
    }

    /// `|a|` with the sign of `sign`, given that the sign bit of `a` is clear.
    #[inline(always)]
    fn with_sign(self, a: Self::F, sign: Self::F) -> Self::F {
        let sign = self.and_i(self.bits(sign), self.splat_i(i32::MIN));
        self.of_bits(self.or_i(self.bits(a), sign))
    }

    #[inline(always)]
    fn neg(self, a: Self::F) -> Self::F {
        self.of_bits(self.add_i(self.bits(a), self.splat_i(i32::MIN)))
    }

    /// `b` where `a <= b` fails, so a NaN in `b` wins and one in `a` is replaced.
    #[inline(always)]
    fn smaller(self, a: Self::F, b: Self::F) -> Self::F {
        self.select(self.lt(a, b), a, b)
    }

    /// `b` where `b < a` fails, so a NaN in `b` wins and one in `a` is replaced.
    #[inline(always)]
    fn larger(self, a: Self::F, b: Self::F) -> Self::F {
        self.select(self.lt(b, a), a, b)
    }

    /// c₀ + x·(c₁ + x·(c₂ + …)), a chain of fused multiply-adds.
    #[inline(always)]
    fn polynomial<const N: usize>(self, x: Self::F, coefficients: [f32; N]) -> Self::F {
        let mut sum = self.splat(coefficients[N - 1]);
        let mut i = N - 1;
        while i > 0 {
            i -= 1;
            sum = self.fma(sum, x, self.splat(coefficients[i]));
        }
        sum
    }
}

/// A part of a computation for one instruction set, or several.
pub(crate) trait Part<S> {
    /// Must be `#[inline(always)]`, so that it is compiled with the instructions of the caller.
    fn run(self, simd: S);
}

/// Vectors as wide as the registers of an instruction set: at most `MOST_LANES`.
pub(crate) trait Simd: Vectors {
    /// Rows of a product's tile, two vectors wide, that the registers hold: at most 6.
    const TILE_ROWS: usize;

    /// Runs `part` in a function of its own, compiled for this set: where many would be inlined in one function, the compiler
    /// would take far longer than for all of them one by one.
    fn apart<P: Part<Self>>(self, part: P);

    /// Zeros beyond the first `n` lanes.
    /// # Safety
    /// `p` must be valid for reading `n <= LANES` floats.
    unsafe fn load_partial(self, p: *const f32, n: usize) -> Self::F;
    /// Writes the first `n` lanes only.
    /// # Safety
    /// `p` must be valid for writing `n <= LANES` floats.
    unsafe fn store_partial(self, p: *mut f32, n: usize, x: Self::F);

    /// Each number in the lower half of its lane, the upper one being zero.
    /// # Safety
    /// `p` must be valid for reading `LANES` numbers; no alignment is asked.
    unsafe fn load_u16(self, p: *const u16) -> Self::I;
    /// The lower half of each lane.
    /// # Safety
    /// `p` must be valid for writing `LANES` numbers; no alignment is asked.
    unsafe fn store_u16(self, p: *mut u16, x: Self::I);

    /// `to[l·to_stride + j] = from[j·from_stride + l]` for `j < rows` and `l < columns`, both at most `LANES`.
    ///
    /// For l in ascending order whole vectors may be written, with anything beyond the first `rows` floats.
    ///
    /// # Safety
    /// The elements of `from` must be valid for reading, and `LANES` floats from every `to + l·to_stride` for writing.
    unsafe fn transpose(
        self,
        from: *const f32,
        from_stride: usize,
        rows: usize,
        columns: usize,
        to: *mut f32,
        to_stride: usize,
    );

    /// Goes on with one chain a lane of `V` vectors: `sum[j] ← fma(x[l], from[j·from_stride + l], sum[j])` for
    /// `l < LANES` in ascending order.
    ///
    /// # Safety
    /// `V · LANES` rows of `LANES` floats of `from` must be valid for reading, and `LANES` floats of `x`.
    #[inline(always)]
    unsafe fn chains<const V: usize>(
        self,
        from: *const f32,
        from_stride: usize,
        x: *const f32,
        sums: [Self::F; V],
    ) -> [Self::F; V] {
        let (mut block, mut sums) = ([0.0; MOST_LANES * MOST_LANES], sums);
        // SAFETY: the caller vouches for `from` and `x`; the block has room for `LANES` vectors.
        unsafe {
            let n = Self::LANES;
            for (v, sum) in sums.iter_mut().enumerate() {
                let from = from.add(v * n * from_stride);
                self.transpose(from, from_stride, n, n, block.as_mut_ptr(), n);
                for l in 0..n {
                    let column = self.load(block.as_ptr().add(l * n));
                    *sum = self.fma(self.splat(*x.add(l)), column, *sum);
                }
            }
        }
        sums
    }

    /// Lane `l` is `from[places[l]]`.
    ///
    /// # Safety
    /// `LANES` places must be valid for reading, and the floats at these places of `from`.
    unsafe fn gather(self, from: *const f32, places: *const u16) -> Self::F;

    /// Lane `l` is bit `l` of `bits`.
    fn mask_from_bits(self, bits: u32) -> Self::M;

    /// Lanes 2p and 2p + 1 exchanged; a lane alone stays.
    fn swap_pairs(self, a: Self::F) -> Self::F;
}
