use std::arch::x86_64::*;

use super::{Avx2, Part, Simd, Vectors};
use crate::kernels::Work;

/// Sixteen lanes on AVX-512F. A value proves that the processor has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx512(Avx2);

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        Avx2::detect()
            .filter(|_| is_x86_feature_detected!("avx512f"))
            .map(Self)
    }

    /// Every processor with the one has the other.
    pub(crate) fn avx2(self) -> Avx2 {
        self.0
    }

    /// Runs `work` compiled for this set.
    #[inline]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { run(self, work) }
    }
}

#[target_feature(enable = "avx512f")]
fn run<W: Work>(simd: Avx512, work: W) -> W::Output {
    work.run(simd)
}

#[inline(never)]
#[target_feature(enable = "avx512f")]
fn run_apart<P: Part<Avx512>>(set: Avx512, part: P) {
    part.run(set);
}

/// The first `n` lanes set.
#[inline(always)]
fn first(n: usize) -> __mmask16 {
    debug_assert!(n <= 16);
    ((1u32 << n) - 1) as __mmask16
}

impl Vectors for Avx512 {
    const LANES: usize = 16;
    type F = __m512;
    type I = __m512i;
    type M = __mmask16;

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m512 {
        // SAFETY: `self` proves AVX-512F; the caller vouches for sixteen floats.
        unsafe { _mm512_loadu_ps(p) }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, x: __m512) {
        // SAFETY: `self` proves AVX-512F; the caller vouches for sixteen floats.
        unsafe { _mm512_storeu_ps(p, x) }
    }

    operations! {
        splat(x: f32) -> __m512 = _mm512_set1_ps(x);
        add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        sqrt(a: __m512) -> __m512 = _mm512_sqrt_ps(a);
        fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fnma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        lt(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b);
        le(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b);
        is_nan(a: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a);
        select(mask: __mmask16, a: __m512, b: __m512) -> __m512 = _mm512_mask_blend_ps(mask, b, a);
        clear(mask: __mmask16, a: __m512) -> __m512 = _mm512_maskz_mov_ps(!mask, a);
        splat_i(x: i32) -> __m512i = _mm512_set1_epi32(x);
        bits(a: __m512) -> __m512i = _mm512_castps_si512(a);
        of_bits(a: __m512i) -> __m512 = _mm512_castsi512_ps(a);
        to_float(a: __m512i) -> __m512 = _mm512_cvtepi32_ps(a);
        add_i(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        sub_i(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi32(a, b);
        and_i(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        or_i(a: __m512i, b: __m512i) -> __m512i = _mm512_or_si512(a, b);
    }

    #[inline(always)]
    fn shift_left<const N: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_sllv_epi32(a, _mm512_set1_epi32(N)) }
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self, a: __m512i) -> __m512i {
        // SAFETY: `self` proves AVX-512F.
        unsafe { _mm512_srav_epi32(a, _mm512_set1_epi32(N)) }
    }
}

impl Simd for Avx512 {
    const TILE_ROWS: usize = 6;

    #[inline(always)]
    fn apart<P: Part<Self>>(self, part: P) {
        // SAFETY: `self` proves that the processor has AVX-512F.
        unsafe { run_apart(self, part) }
    }

    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> __m512 {
        // SAFETY: `self` proves AVX-512F; lanes beyond the caller's `n` floats are not read.
        unsafe { _mm512_maskz_loadu_ps(first(n), p) }
    }

    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, n: usize, x: __m512) {
        // SAFETY: `self` proves AVX-512F; lanes beyond the caller's `n` floats are not written.
        unsafe { _mm512_mask_storeu_ps(p, first(n), x) }
    }

    #[inline(always)]
    unsafe fn load_u16(self, p: *const u16) -> __m512i {
        // SAFETY: `self` proves AVX-512F; the caller vouches for sixteen numbers.
        unsafe { _mm512_cvtepu16_epi32(_mm256_loadu_si256(p.cast())) }
    }

    #[inline(always)]
    unsafe fn store_u16(self, p: *mut u16, x: __m512i) {
        // SAFETY: `self` proves AVX-512F; the caller vouches for sixteen numbers.
        unsafe { _mm256_storeu_si256(p.cast(), _mm512_cvtepi32_epi16(x)) }
    }

    /// In blocks of eight by eight.
    #[inline(always)]
    unsafe fn transpose(
        self,
        from: *const f32,
        from_stride: usize,
        rows: usize,
        columns: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        for l in (0..columns).step_by(8) {
            for j in (0..rows).step_by(8) {
                let (rows, columns) = ((rows - j).min(8), (columns - l).min(8));
                // SAFETY: the block lies within what the caller vouches for.
                unsafe {
                    let (from, to) = (from.add(j * from_stride + l), to.add(l * to_stride + j));
                    self.0
                        .transpose(from, from_stride, rows, columns, to, to_stride);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn gather(self, from: *const f32, places: *const u16) -> __m512 {
        // SAFETY: `self` proves AVX-512F; the caller vouches for sixteen places and for the floats there.
        unsafe {
            let low = self.0.gather(from, places);
            let high = self.0.gather(from, places.add(8));
            let low = _mm512_castps_pd(_mm512_castps256_ps512(low));
            _mm512_castpd_ps(_mm512_insertf64x4::<1>(low, _mm256_castps_pd(high)))
        }
    }

    operations! {
        swap_pairs(a: __m512) -> __m512 = _mm512_permute_ps::<0b10_11_00_01>(a);
    }

    #[inline(always)]
    fn mask_from_bits(self, bits: u32) -> __mmask16 {
        bits as __mmask16
    }
}
