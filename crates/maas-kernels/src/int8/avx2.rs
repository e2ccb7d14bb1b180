use std::arch::x86_64::*;

use super::dot::{Dot, DotWork};
use crate::simd::Avx2;

/// `vpmaddubsw`, which adds two products of an unsigned and a signed byte into 16 bits, and `vpmaddwd`, which adds two of
/// those. The unsigned bytes are the inputs' magnitudes, the signed ones the weights with the inputs' signs: two such
/// products are at most 2·127·127, which 16 bits hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Magnitudes(pub(super) Avx2);

impl Magnitudes {
    pub(super) fn run<W: DotWork>(self, work: W) -> W::Output {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { run(self, work) }
    }
}

#[target_feature(enable = "avx2,fma")]
fn run<W: DotWork>(dot: Magnitudes, work: W) -> W::Output {
    work.run(dot.0, dot)
}

impl Dot<Avx2> for Magnitudes {
    const FORMS: usize = 2;
    const ROWS: usize = 4;
    const OFFSETS: bool = false;
    /// Magnitudes, and codes for their signs.
    type Left = (__m256i, __m256i);

    #[inline(always)]
    unsafe fn put(self, _: Avx2, codes: __m256i, to: *mut u8, form: usize) {
        // SAFETY: `self` proves AVX2; the caller vouches for eight bytes at each place.
        unsafe {
            let (low, high) = (
                _mm256_castsi256_si128(codes),
                _mm256_extracti128_si256::<1>(codes),
            );
            let words = _mm_packs_epi32(low, high);
            let bytes = _mm_packs_epi16(words, words);
            _mm_storel_epi64(to.cast(), _mm_abs_epi8(bytes));
            _mm_storel_epi64(to.add(form).cast(), bytes);
        }
    }

    #[inline(always)]
    unsafe fn left<const SIGNED: bool>(
        self,
        _: Avx2,
        from: *const u8,
        form: usize,
    ) -> (__m256i, __m256i) {
        // SAFETY: `self` proves AVX2; the caller vouches for four bytes at each place.
        unsafe {
            let magnitudes = _mm256_set1_epi32(from.cast::<i32>().read_unaligned());
            if !SIGNED {
                return (magnitudes, magnitudes);
            }
            let codes = _mm256_set1_epi32(from.add(form).cast::<i32>().read_unaligned());
            (magnitudes, codes)
        }
    }

    #[inline(always)]
    fn go_on<const SIGNED: bool>(
        self,
        _: Avx2,
        (magnitudes, codes): (__m256i, __m256i),
        right: __m256i,
        sum: __m256i,
    ) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let right = if SIGNED {
                _mm256_sign_epi8(right, codes)
            } else {
                right
            };
            let pairs = _mm256_maddubs_epi16(magnitudes, right);
            let products = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
            _mm256_add_epi32(sum, products)
        }
    }
}
