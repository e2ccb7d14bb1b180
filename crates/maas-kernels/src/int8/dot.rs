use crate::simd::Simd;

/// How an instruction set multiplies codes and adds the products up.
///
/// A row of inputs is kept in one or two forms, each a byte a code. All functions must be `#[inline(always)]`.
pub(super) trait Dot<S: Simd>: Copy {
    /// Forms of a row.
    const FORMS: usize;
    /// Rows of a tile: at most 6.
    const ROWS: usize;
    /// Whether sums start with the columns' offsets, because the forms of inputs are 128 too large.
    const OFFSETS: bool;
    /// Four codes of a row, in every lane.
    type Left: Copy;

    /// Leaves a vector of codes at `to`, and where there are two forms the other one at `to + form`.
    ///
    /// # Safety
    /// `LANES` bytes must be writable at each place.
    unsafe fn put(self, s: S, codes: S::I, to: *mut u8, form: usize);

    /// The four codes at `from`. Unless `SIGNED`, no code of the row is negative.
    ///
    /// # Safety
    /// Four bytes must be readable at `from`, and at `from + form` where there are two forms.
    unsafe fn left<const SIGNED: bool>(self, s: S, from: *const u8, form: usize) -> Self::Left;

    /// Adds to every lane four products: of the row's codes and of the column's, which are the bytes of the lane.
    fn go_on<const SIGNED: bool>(self, s: S, left: Self::Left, right: S::I, sum: S::I) -> S::I;
}

/// What runs with the vectors of a set and its way to multiply codes. Must be `#[inline(always)]`.
pub(super) trait DotWork {
    type Output;
    fn run<S: Simd, D: Dot<S>>(self, s: S, dot: D) -> Self::Output;
}

/// For tests: what the instruction of AVX512-VNNI does, in plain Rust.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) struct StandIn;

#[cfg(test)]
impl Dot<crate::simd::Array> for StandIn {
    const FORMS: usize = 1;
    const ROWS: usize = 6;
    const OFFSETS: bool = true;
    type Left = [u8; 4];

    unsafe fn put(self, _: crate::simd::Array, codes: [i32; 16], to: *mut u8, _: usize) {
        // SAFETY: the caller vouches for sixteen bytes.
        unsafe {
            to.cast::<[u8; 16]>()
                .write_unaligned(codes.map(|code| (code + 128) as u8));
        };
    }

    unsafe fn left<const SIGNED: bool>(
        self,
        _: crate::simd::Array,
        from: *const u8,
        _: usize,
    ) -> [u8; 4] {
        // SAFETY: the caller vouches for four bytes.
        unsafe { from.cast::<[u8; 4]>().read_unaligned() }
    }

    fn go_on<const SIGNED: bool>(
        self,
        _: crate::simd::Array,
        left: [u8; 4],
        right: [i32; 16],
        sum: [i32; 16],
    ) -> [i32; 16] {
        std::array::from_fn(|lane| {
            let codes = right[lane].to_ne_bytes().map(u8::cast_signed);
            let products = left
                .iter()
                .zip(codes)
                .map(|(&x, w)| i32::from(x) * i32::from(w));
            sum[lane].wrapping_add(products.sum())
        })
    }
}
