use std::arch::x86_64::*;
use std::sync::atomic::{Ordering, compiler_fence};

use super::{Part, Simd, Vectors, read_places};
use crate::kernels::Work;

/// Eight lanes on AVX2 with FMA. A value proves that the processor has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    /// Runs `work` compiled for this set.
    #[inline]
    pub(crate) fn run<W: Work>(self, work: W) -> W::Output {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { run(self, work) }
    }
}

#[target_feature(enable = "avx2,fma")]
fn run<W: Work>(simd: Avx2, work: W) -> W::Output {
    work.run(simd)
}

#[inline(never)]
#[target_feature(enable = "avx2,fma")]
fn run_apart<P: Part<Avx2>>(set: Avx2, part: P) {
    part.run(set);
}

/// Transposes the lower and the upper four lanes of four vectors as a matrix each.
///
/// # Safety
/// The processor must have AVX.
#[inline(always)]
unsafe fn transpose_halves([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
    // SAFETY: the caller vouches for AVX.
    unsafe {
        let (ab, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        [
            _mm256_shuffle_ps::<0x44>(ab, cd),
            _mm256_shuffle_ps::<0xee>(ab, cd),
            _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
            _mm256_shuffle_ps::<0xee>(ab_high, cd_high),
        ]
    }
}

/// The floats at four places.
///
/// # Safety
/// The processor must have AVX, and the floats be valid for reading.
#[inline(always)]
unsafe fn four(from: *const f32, places: [usize; 4]) -> __m128 {
    // SAFETY: the caller vouches for AVX and for the floats.
    unsafe {
        let [a, b, c, d] = places.map(|place| from.add(place));
        let low = _mm_insert_ps::<0x10>(_mm_load_ss(a), _mm_load_ss(b));
        let high = _mm_insert_ps::<0x10>(_mm_load_ss(c), _mm_load_ss(d));
        _mm_movelh_ps(low, high)
    }
}

/// `MASKS[8 − n..]` starts with n lanes set.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

impl Avx2 {
    /// The first `n` lanes set.
    #[inline(always)]
    fn first(self, n: usize) -> __m256i {
        debug_assert!(n <= 8);
        // SAFETY: `self` proves AVX2; eight integers lie from offset `8 − n` on.
        unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - n).cast()) }
    }

    /// [`Simd::transpose`] of eight columns, where `ALL` of eight rows.
    ///
    /// # Safety
    /// Eight floats of each of `rows` rows must be valid for reading, and eight at each of eight places for writing.
    #[inline(always)]
    unsafe fn transpose_rows<const ALL: bool>(
        self,
        from: *const f32,
        from_stride: usize,
        rows: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        for l in [0, 4] {
            // SAFETY: `self` proves AVX; the caller vouches for the floats.
            unsafe {
                let quarter = |j: usize| {
                    if ALL || j < rows {
                        _mm_loadu_ps(from.add(j * from_stride + l))
                    } else {
                        _mm_setzero_ps()
                    }
                };
                let half = |j: usize| _mm256_set_m128(quarter(j + 4), quarter(j));
                for (i, row) in transpose_halves([half(0), half(1), half(2), half(3)])
                    .into_iter()
                    .enumerate()
                {
                    self.store(to.add((l + i) * to_stride), row);
                }
            }
        }
    }
}

impl Vectors for Avx2 {
    const LANES: usize = 8;
    type F = __m256;
    type I = __m256i;
    type M = __m256;

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m256 {
        // SAFETY: `self` proves AVX; the caller vouches for eight floats.
        unsafe { _mm256_loadu_ps(p) }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, x: __m256) {
        // SAFETY: `self` proves AVX; the caller vouches for eight floats.
        unsafe { _mm256_storeu_ps(p, x) }
    }

    operations! {
        splat(x: f32) -> __m256 = _mm256_set1_ps(x);
        add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
        sqrt(a: __m256) -> __m256 = _mm256_sqrt_ps(a);
        fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        fnma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
        lt(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LT_OQ>(a, b);
        le(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LE_OQ>(a, b);
        is_nan(a: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a);
        select(mask: __m256, a: __m256, b: __m256) -> __m256 = _mm256_blendv_ps(b, a, mask);
        clear(mask: __m256, a: __m256) -> __m256 = _mm256_andnot_ps(mask, a);
        splat_i(x: i32) -> __m256i = _mm256_set1_epi32(x);
        bits(a: __m256) -> __m256i = _mm256_castps_si256(a);
        of_bits(a: __m256i) -> __m256 = _mm256_castsi256_ps(a);
        to_float(a: __m256i) -> __m256 = _mm256_cvtepi32_ps(a);
        add_i(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi32(a, b);
        sub_i(a: __m256i, b: __m256i) -> __m256i = _mm256_sub_epi32(a, b);
        and_i(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
        or_i(a: __m256i, b: __m256i) -> __m256i = _mm256_or_si256(a, b);
    }

    #[inline(always)]
    fn shift_left<const N: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_slli_epi32::<N>(a) }
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self, a: __m256i) -> __m256i {
        // SAFETY: `self` proves AVX2.
        unsafe { _mm256_srai_epi32::<N>(a) }
    }
}

impl Simd for Avx2 {
    const TILE_ROWS: usize = 6;

    #[inline(always)]
    fn apart<P: Part<Self>>(self, part: P) {
        // SAFETY: `self` proves that the processor has AVX2 and FMA.
        unsafe { run_apart(self, part) }
    }

    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> __m256 {
        // SAFETY: `self` proves AVX; lanes beyond the caller's `n` floats are not read.
        unsafe { _mm256_maskload_ps(p, self.first(n)) }
    }

    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, n: usize, x: __m256) {
        // SAFETY: `self` proves AVX; lanes beyond the caller's `n` floats are not written.
        unsafe { _mm256_maskstore_ps(p, self.first(n), x) }
    }

    #[inline(always)]
    unsafe fn load_u16(self, p: *const u16) -> __m256i {
        // SAFETY: `self` proves AVX2; the caller vouches for eight numbers.
        unsafe { _mm256_cvtepu16_epi32(_mm_loadu_si128(p.cast())) }
    }

    #[inline(always)]
    unsafe fn store_u16(self, p: *mut u16, x: __m256i) {
        // SAFETY: `self` proves AVX2; the caller vouches for eight numbers.
        unsafe {
            let lower = _mm256_and_si256(x, _mm256_set1_epi32(0xffff));
            let halves = _mm256_packus_epi32(lower, lower);
            let ordered = _mm256_permute4x64_epi64::<0b1000>(halves);
            _mm_storeu_si128(p.cast(), _mm256_castsi256_si128(ordered));
        }
    }

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
        if columns < 8 {
            for l in 0..columns {
                for j in 0..rows {
                    // SAFETY: the caller vouches for the element.
                    unsafe { *to.add(l * to_stride + j) = *from.add(j * from_stride + l) };
                }
            }
            return;
        }
        // SAFETY: the caller vouches for eight floats of each of `rows` rows, and for eight floats to write at each of
        // eight places.
        unsafe {
            if rows == 8 {
                self.transpose_rows::<true>(from, from_stride, rows, to, to_stride);
            } else {
                self.transpose_rows::<false>(from, from_stride, rows, to, to_stride);
            }
        }
    }

    #[inline(always)]
    unsafe fn chains<const V: usize>(
        self,
        from: *const f32,
        from_stride: usize,
        x: *const f32,
        sums: [__m256; V],
    ) -> [__m256; V] {
        let mut sums = sums;
        for l in [0, 4] {
            // SAFETY: `self` proves AVX; the caller vouches for eight rows of eight floats a vector, and for `x`.
            unsafe {
                let x = [0, 1, 2, 3].map(|i| self.splat(*x.add(l + i)));
                for (v, sum) in sums.iter_mut().enumerate() {
                    let from = from.add(v * 8 * from_stride + l);
                    let quarter = |j: usize| _mm_loadu_ps(from.add(j * from_stride));
                    let half = |j: usize| _mm256_set_m128(quarter(j + 4), quarter(j));
                    let columns = transpose_halves([half(0), half(1), half(2), half(3)]);
                    for (x, column) in x.into_iter().zip(columns) {
                        *sum = self.fma(x, column, *sum);
                    }
                }
            }
            // Loads that moved up from the next chains would spill more registers than they hide latency.
            compiler_fence(Ordering::SeqCst);
        }
        sums
    }

    /// One load after another: on AMD's processors the instruction that gathers takes nearly twice as long.
    #[inline(always)]
    unsafe fn gather(self, from: *const f32, places: *const u16) -> __m256 {
        // SAFETY: `self` proves AVX; the caller vouches for eight places and for the floats there.
        unsafe {
            let low = four(from, read_places(places));
            _mm256_set_m128(four(from, read_places(places.add(4))), low)
        }
    }

    operations! {
        swap_pairs(a: __m256) -> __m256 = _mm256_permute_ps::<0b10_11_00_01>(a);
    }

    #[inline(always)]
    fn mask_from_bits(self, bits: u32) -> __m256 {
        // SAFETY: `self` proves AVX2.
        unsafe {
            let lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let set = _mm256_and_si256(_mm256_set1_epi32(bits.cast_signed()), lanes);
            _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lanes))
        }
    }
}
