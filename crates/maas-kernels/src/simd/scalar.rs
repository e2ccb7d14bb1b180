use super::{Part, Simd, Vectors};

/// One lane of plain Rust: runs everywhere and is the reference for all other sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scalar;

impl Vectors for Scalar {
    const LANES: usize = 1;
    type F = f32;
    type I = i32;
    type M = bool;

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> f32 {
        // SAFETY: the caller vouches for one float at `p`.
        unsafe { p.read() }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, x: f32) {
        // SAFETY: the caller vouches for one float at `p`.
        unsafe { p.write(x) }
    }

    #[inline(always)]
    fn splat(self, x: f32) -> f32 {
        x
    }

    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }

    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }

    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }

    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }

    #[inline(always)]
    fn sqrt(self, a: f32) -> f32 {
        a.sqrt()
    }

    #[inline(always)]
    fn fma(self, a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn fnma(self, a: f32, b: f32, c: f32) -> f32 {
        (-a).mul_add(b, c)
    }

    #[inline(always)]
    fn lt(self, a: f32, b: f32) -> bool {
        a < b
    }

    #[inline(always)]
    fn le(self, a: f32, b: f32) -> bool {
        a <= b
    }

    #[inline(always)]
    fn is_nan(self, a: f32) -> bool {
        a.is_nan()
    }

    #[inline(always)]
    fn select(self, mask: bool, a: f32, b: f32) -> f32 {
        if mask { a } else { b }
    }

    #[inline(always)]
    fn clear(self, mask: bool, a: f32) -> f32 {
        if mask { 0.0 } else { a }
    }

    #[inline(always)]
    fn splat_i(self, x: i32) -> i32 {
        x
    }

    #[inline(always)]
    fn bits(self, a: f32) -> i32 {
        a.to_bits().cast_signed()
    }

    #[inline(always)]
    fn of_bits(self, a: i32) -> f32 {
        f32::from_bits(a.cast_unsigned())
    }

    #[inline(always)]
    fn to_float(self, a: i32) -> f32 {
        a as f32
    }

    #[inline(always)]
    fn add_i(self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    #[inline(always)]
    fn sub_i(self, a: i32, b: i32) -> i32 {
        a.wrapping_sub(b)
    }

    #[inline(always)]
    fn and_i(self, a: i32, b: i32) -> i32 {
        a & b
    }

    #[inline(always)]
    fn or_i(self, a: i32, b: i32) -> i32 {
        a | b
    }

    #[inline(always)]
    fn shift_left<const N: i32>(self, a: i32) -> i32 {
        a << N
    }

    #[inline(always)]
    fn shift_right<const N: i32>(self, a: i32) -> i32 {
        a >> N
    }
}

impl Simd for Scalar {
    const TILE_ROWS: usize = 1;

    #[inline(never)]
    fn apart<P: Part<Self>>(self, part: P) {
        part.run(self);
    }

    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> f32 {
        if n == 0 {
            return 0.0;
        }
        // SAFETY: the caller vouches for `n = 1` float at `p`.
        unsafe { p.read() }
    }

    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, n: usize, x: f32) {
        if n > 0 {
            // SAFETY: the caller vouches for `n = 1` float at `p`.
            unsafe { p.write(x) }
        }
    }

    #[inline(always)]
    unsafe fn load_u16(self, p: *const u16) -> i32 {
        // SAFETY: the caller vouches for one number at `p`.
        unsafe { i32::from(p.read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn store_u16(self, p: *mut u16, x: i32) {
        // SAFETY: the caller vouches for one number at `p`.
        unsafe { p.write_unaligned(x as u16) }
    }

    #[inline(always)]
    unsafe fn transpose(
        self,
        from: *const f32,
        _: usize,
        rows: usize,
        columns: usize,
        to: *mut f32,
        _: usize,
    ) {
        if rows == 1 && columns == 1 {
            // SAFETY: the caller vouches for the one element.
            unsafe { to.write(from.read()) }
        }
    }

    #[inline(always)]
    unsafe fn gather(self, from: *const f32, places: *const u16) -> f32 {
        // SAFETY: the caller vouches for the place and for the float there.
        unsafe { from.add(usize::from(places.read())).read() }
    }

    #[inline(always)]
    fn swap_pairs(self, a: f32) -> f32 {
        a
    }

    #[inline(always)]
    fn mask_from_bits(self, bits: u32) -> bool {
        bits & 1 == 1
    }
}
