use std::arch::x86_64::*;

use super::dot::{Dot, DotWork};
use crate::Kernels;
use crate::simd::Avx512;

/// `vpdpbusd`, which adds four products of an unsigned and a signed byte into 32 bits. The unsigned bytes are the inputs'
/// codes plus 128. A value proves that the processor has AVX512-VNNI.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vnni(Avx512);

impl Vnni {
    pub(super) fn detect(kernels: Kernels) -> Option<Self> {
        kernels
            .as_avx512()
            .filter(|_| is_x86_feature_detected!("avx512vnni"))
            .map(Self)
    }

    pub(super) fn run<W: DotWork>(self, work: W) -> W::Output {
        // SAFETY: `self` proves that the processor has both.
        unsafe { run(self, work) }
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn run<W: DotWork>(dot: Vnni, work: W) -> W::Output {
    work.run(dot.0, dot)
}

impl Dot<Avx512> for Vnni {
    const FORMS: usize = 1;
    const ROWS: usize = 6;
    const OFFSETS: bool = true;
    type Left = __m512i;

    #[inline(always)]
    unsafe fn put(self, _: Avx512, codes: __m512i, to: *mut u8, _: usize) {
        // SAFETY: `self` proves AVX-512F; the caller vouches for sixteen bytes.
        unsafe {
            let bytes = _mm512_cvtepi32_epi8(_mm512_add_epi32(codes, _mm512_set1_epi32(128)));
            _mm_storeu_si128(to.cast(), bytes);
        }
    }

    #[inline(always)]
    unsafe fn left<const SIGNED: bool>(self, _: Avx512, from: *const u8, _: usize) -> __m512i {
        // SAFETY: `self` proves AVX-512F; the caller vouches for four bytes.
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    fn go_on<const SIGNED: bool>(
        self,
        _: Avx512,
        left: __m512i,
        right: __m512i,
        sum: __m512i,
    ) -> __m512i {
        // SAFETY: `self` proves AVX512-VNNI.
        unsafe { _mm512_dpbusd_epi32(sum, left, right) }
    }
}
