use super::{Part, Simd, Vectors};

/// Sixteen lanes of plain Rust. For tests alone: it sends the generic code down the roads of the AVX-512 set on
/// processors that do not have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Array;

type F = [f32; 16];
type I = [i32; 16];
type M = [bool; 16];

fn map<T: Copy, U>(a: [T; 16], f: impl Fn(T) -> U) -> [U; 16] {
    a.map(f)
}

fn zip<T: Copy, U: Copy, V>(a: [T; 16], b: [U; 16], f: impl Fn(T, U) -> V) -> [V; 16] {
    std::array::from_fn(|l| f(a[l], b[l]))
}

impl Vectors for Array {
    const LANES: usize = 16;
    type F = F;
    type I = I;
    type M = M;

    #[inline(never)]
    unsafe fn load(self, p: *const f32) -> F {
        // SAFETY: the caller vouches for sixteen floats.
        unsafe { p.cast::<F>().read_unaligned() }
    }

    #[inline(never)]
    unsafe fn store(self, p: *mut f32, x: F) {
        // SAFETY: the caller vouches for sixteen floats.
        unsafe { p.cast::<F>().write_unaligned(x) }
    }

    #[inline(never)]
    fn splat(self, x: f32) -> F {
        [x; 16]
    }

    #[inline(never)]
    fn add(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a + b)
    }

    #[inline(never)]
    fn sub(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a - b)
    }

    #[inline(never)]
    fn mul(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a * b)
    }

    #[inline(never)]
    fn div(self, a: F, b: F) -> F {
        zip(a, b, |a, b| a / b)
    }

    #[inline(never)]
    fn sqrt(self, a: F) -> F {
        map(a, f32::sqrt)
    }

    #[inline(never)]
    fn fma(self, a: F, b: F, c: F) -> F {
        std::array::from_fn(|l| a[l].mul_add(b[l], c[l]))
    }

    #[inline(never)]
    fn fnma(self, a: F, b: F, c: F) -> F {
        std::array::from_fn(|l| (-a[l]).mul_add(b[l], c[l]))
    }

    #[inline(never)]
    fn lt(self, a: F, b: F) -> M {
        zip(a, b, |a, b| a < b)
    }

    #[inline(never)]
    fn le(self, a: F, b: F) -> M {
        zip(a, b, |a, b| a <= b)
    }

    #[inline(never)]
    fn is_nan(self, a: F) -> M {
        map(a, f32::is_nan)
    }

    #[inline(never)]
    fn select(self, mask: M, a: F, b: F) -> F {
        std::array::from_fn(|l| if mask[l] { a[l] } else { b[l] })
    }

    #[inline(never)]
    fn clear(self, mask: M, a: F) -> F {
        std::array::from_fn(|l| if mask[l] { 0.0 } else { a[l] })
    }

    #[inline(never)]
    fn splat_i(self, x: i32) -> I {
        [x; 16]
    }

    #[inline(never)]
    fn bits(self, a: F) -> I {
        map(a, |a| a.to_bits().cast_signed())
    }

    #[inline(never)]
    fn of_bits(self, a: I) -> F {
        map(a, |a| f32::from_bits(a.cast_unsigned()))
    }

    #[inline(never)]
    fn to_float(self, a: I) -> F {
        map(a, |a| a as f32)
    }

    #[inline(never)]
    fn add_i(self, a: I, b: I) -> I {
        zip(a, b, i32::wrapping_add)
    }

    #[inline(never)]
    fn sub_i(self, a: I, b: I) -> I {
        zip(a, b, i32::wrapping_sub)
    }

    #[inline(never)]
    fn and_i(self, a: I, b: I) -> I {
        zip(a, b, |a, b| a & b)
    }

    #[inline(never)]
    fn or_i(self, a: I, b: I) -> I {
        zip(a, b, |a, b| a | b)
    }

    #[inline(never)]
    fn shift_left<const N: i32>(self, a: I) -> I {
        map(a, |a| a << N)
    }

    #[inline(never)]
    fn shift_right<const N: i32>(self, a: I) -> I {
        map(a, |a| a >> N)
    }
}

impl Simd for Array {
    const TILE_ROWS: usize = 6;

    #[inline(never)]
    fn apart<P: Part<Self>>(self, part: P) {
        part.run(self);
    }

    #[inline(never)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> F {
        assert!(n <= 16);
        let mut x = [0.0; 16];
        // SAFETY: the caller vouches for `n` floats.
        x[..n].copy_from_slice(unsafe { std::slice::from_raw_parts(p, n) });
        x
    }

    #[inline(never)]
    unsafe fn store_partial(self, p: *mut f32, n: usize, x: F) {
        assert!(n <= 16);
        for (l, x) in x.into_iter().enumerate().take(n) {
            // SAFETY: the caller vouches for `n` floats.
            unsafe { p.add(l).write(x) }
        }
    }

    #[inline(never)]
    unsafe fn load_u16(self, p: *const u16) -> I {
        // SAFETY: the caller vouches for sixteen numbers.
        unsafe { p.cast::<[u16; 16]>().read_unaligned() }.map(i32::from)
    }

    #[inline(never)]
    unsafe fn store_u16(self, p: *mut u16, x: I) {
        // SAFETY: the caller vouches for sixteen numbers.
        unsafe { p.cast::<[u16; 16]>().write_unaligned(x.map(|x| x as u16)) }
    }

    #[inline(never)]
    unsafe fn transpose(
        self,
        from: *const f32,
        from_stride: usize,
        rows: usize,
        columns: usize,
        to: *mut f32,
        to_stride: usize,
    ) {
        assert!(rows <= 16 && columns <= 16);
        for l in 0..columns {
            // SAFETY: the caller vouches for these elements and for a whole vector to write.
            unsafe {
                let column = std::array::from_fn(|j| {
                    if j < rows {
                        from.add(j * from_stride + l).read()
                    } else {
                        f32::NAN
                    }
                });
                self.store(to.add(l * to_stride), column);
            }
        }
    }

    #[inline(never)]
    unsafe fn gather(self, from: *const f32, places: *const u16) -> F {
        // SAFETY: the caller vouches for sixteen places and for the floats there.
        std::array::from_fn(|l| unsafe { from.add(usize::from(places.add(l).read())).read() })
    }

    #[inline(never)]
    fn swap_pairs(self, a: F) -> F {
        std::array::from_fn(|l| a[l ^ 1])
    }

    #[inline(never)]
    fn mask_from_bits(self, bits: u32) -> M {
        std::array::from_fn(|l| bits >> l & 1 == 1)
    }
}
