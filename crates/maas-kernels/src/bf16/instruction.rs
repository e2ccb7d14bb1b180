use std::arch::x86_64::*;

use crate::Kernels;
use crate::product::{Step, Strip};
use crate::simd::{Avx512, Part};

/// `vdpbf16ps`, which adds the products of the odd and then of the even numbers of two words. A value proves that the
/// processor has AVX512-BF16.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction(Avx512);

impl Instruction {
    pub(super) fn detect(kernels: Kernels) -> Option<Self> {
        kernels
            .as_avx512()
            .filter(|_| is_x86_feature_detected!("avx512bf16"))
            .map(Self)
    }

    pub(crate) fn run(self, strip: Strip) {
        // SAFETY: `self` proves that the processor has both.
        unsafe { run(self, strip) }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn run(chain: Instruction, strip: Strip) {
    strip.multiply(chain.0, chain);
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512bf16")]
fn run_apart<P: Part<Avx512>>(set: Avx512, part: P) {
    part.run(set);
}

impl Step<Avx512> for Instruction {
    #[inline(always)]
    fn apart<P: Part<Avx512>>(self, set: Avx512, part: P) {
        // SAFETY: `self` proves that the processor has both.
        unsafe { run_apart(set, part) }
    }

    #[inline(always)]
    fn go_on(self, _: Avx512, left: __m512, right: __m512, sum: __m512) -> __m512 {
        // SAFETY: `self` proves AVX512-BF16.
        unsafe { dot(sum, _mm512_castps_si512(left), _mm512_castps_si512(right)) }
    }
}

/// # Safety
/// The processor must have AVX512-BF16.
#[inline(always)]
unsafe fn dot(sum: __m512, a: __m512i, b: __m512i) -> __m512 {
    // SAFETY: as the caller promises; all types are 512 bits wide and any bits are valid in them.
    unsafe {
        _mm512_dpbf16_ps(
            sum,
            std::mem::transmute::<__m512i, __m512bh>(a),
            std::mem::transmute::<__m512i, __m512bh>(b),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bf16::step::multiply_add;

    /// The instruction against the definition: any bits, and exponents that bring sums near to the smallest normal number.
    #[test]
    fn one_step() {
        let Some(_) = Instruction::detect(Kernels::best()) else {
            return;
        };
        let mut state = 1u32;
        let mut word = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.rotate_left(16)
        };
        for round in 0..20_000 {
            let mut words = |keep: u32, set: u32| [(); 16].map(|()| word() & keep | set);
            let (a, b, mut c) = match round % 3 {
                0 => (words(!0, 0), words(!0, 0), words(!0, 0)),
                1 => (
                    words(0x87ff_87ff, 0x1800_2000),
                    words(0x87ff_87ff, 0x2000_1800),
                    words(0x81ff_ffff, 0),
                ),
                _ => (
                    words(0x8360_8360, 0x1c00_1800),
                    words(0x8360_8360, 0x1c00_2000),
                    words(0x8000_0003, 0x0080_0000),
                ),
            };
            for c in &mut c {
                if f32::from_bits(*c).is_subnormal() {
                    *c &= 0x8000_0000;
                }
            }
            let mut found = [0f32; 16];
            // SAFETY: the processor has AVX512-BF16; all arrays hold sixteen words.
            unsafe {
                let load = |x: &[u32; 16]| x.as_ptr().cast();
                dots(load(&a), load(&b), load(&c), found.as_mut_ptr());
            }
            for lane in 0..16 {
                let half =
                    |x: u32, odd: bool| f32::from_bits(if odd { x & 0xffff_0000 } else { x << 16 });
                let mut sum = f32::from_bits(c[lane]);
                for odd in [true, false] {
                    sum = multiply_add(half(a[lane], odd), half(b[lane], odd), sum);
                }
                assert!(
                    found[lane].to_bits() == sum.to_bits()
                        || (found[lane].is_nan() && sum.is_nan()),
                    "{:08x} + {:08x} · {:08x} is {:08x}, not {:08x}",
                    c[lane],
                    a[lane],
                    b[lane],
                    found[lane].to_bits(),
                    sum.to_bits()
                );
            }
        }
    }

    /// # Safety
    /// All pointers must be valid for sixteen words, and the processor must have AVX512-BF16.
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn dots(a: *const f32, b: *const f32, c: *const f32, to: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe {
            let bits = |p| _mm512_castps_si512(_mm512_loadu_ps(p));
            _mm512_storeu_ps(to, dot(_mm512_loadu_ps(c), bits(a), bits(b)));
        }
    }
}
