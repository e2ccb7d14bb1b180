use crate::Kernels;
use crate::kernels::Work;
use crate::simd::Simd;

/// Elements of one block: each block is reduced by lanes and tree, then the blocks' values are joined in order.
pub(crate) const BLOCK: usize = 4096;
/// Virtual lanes, whatever the width of the processor's vectors.
pub(crate) const LANES: usize = 16;

/// Sums and maxima in an order that no instruction set changes.
///
/// Element i of a block of 4096 belongs to lane i mod 16; a last incomplete row of lanes is filled up with zeros (for
/// [`Kernels::max`] with −∞). Within a block the lanes run on from their start in ascending order, then lane l joins lane
/// l + 8, l + 4, l + 2 and l + 1; the blocks' values are joined in ascending order.
impl Kernels {
    /// Σ xᵢ.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Kernels::best().sum(&[1.0, 2.0, 3.0]), 6.0);
    /// ```
    #[must_use]
    pub fn sum(self, x: &[f32]) -> f32 {
        self.run(ReduceWork { op: Sum, x: [x] })
    }

    /// Σ xᵢ·yᵢ.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Kernels::best().dot(&[1.0, 2.0], &[3.0, 4.0]), 11.0);
    /// ```
    #[must_use]
    #[track_caller]
    pub fn dot(self, x: &[f32], y: &[f32]) -> f32 {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        self.run(ReduceWork { op: Dot, x: [x, y] })
    }

    /// Σ xᵢ².
    ///
    /// ```
    /// assert_eq!(maas_kernels::Kernels::best().sum_squares(&[3.0, 4.0]), 25.0);
    /// ```
    #[must_use]
    pub fn sum_squares(self, x: &[f32]) -> f32 {
        self.run(ReduceWork { op: Dot, x: [x, x] })
    }

    /// Whether each xᵢ²·`count` is finite: then Σ xᵢ² is, over `count` elements of which these are some. A part at a time
    /// gives the answer of the whole.
    ///
    /// ```
    /// let kernels = maas_kernels::Kernels::best();
    /// assert!(!kernels.squares_are_finite(&[1.0, f32::NEG_INFINITY], 2));
    /// assert!(kernels.squares_are_finite(&[1e19], 1) && !kernels.squares_are_finite(&[1e19], 10));
    /// ```
    #[must_use]
    pub fn squares_are_finite(self, x: &[f32], count: usize) -> bool {
        let op = Zeros {
            count: count as f32,
        };
        self.run(ReduceWork { op, x: [x] }) == 0.0
    }

    /// The largest element; NaN where there is one, −∞ where there are none.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Kernels::best().max(&[1.0, 3.0, 2.0]), 3.0);
    /// ```
    #[must_use]
    pub fn max(self, x: &[f32]) -> f32 {
        self.run(ReduceWork { op: Max, x: [x] })
    }
}

/// Both functions must be `#[inline(always)]`.
pub(crate) trait Reduction<const N: usize> {
    const START: f32;
    /// What fills up the last row of lanes.
    const PADDING: f32;
    fn step<S: Simd>(&self, s: S, lanes: S::F, x: [S::F; N]) -> S::F;
    fn join(&self, a: f32, b: f32) -> f32;
}

pub(crate) struct Sum;

impl Reduction<1> for Sum {
    const START: f32 = 0.0;
    const PADDING: f32 = 0.0;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x]: [S::F; 1]) -> S::F {
        s.add(lanes, x)
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }
}

pub(crate) struct Dot;

impl Reduction<2> for Dot {
    const START: f32 = 0.0;
    const PADDING: f32 = 0.0;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x, y]: [S::F; 2]) -> S::F {
        s.fma(x, y, lanes)
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }
}

/// Σ 0·xᵢ²·count: NaN where a summand's second factor is not finite, and 0 otherwise.
struct Zeros {
    count: f32,
}

impl Reduction<1> for Zeros {
    const START: f32 = 0.0;
    const PADDING: f32 = 0.0;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x]: [S::F; 1]) -> S::F {
        s.fma(s.zero(), s.mul(s.mul(s.splat(self.count), x), x), lanes)
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }
}

pub(crate) struct Max;

impl Reduction<1> for Max {
    const START: f32 = f32::NEG_INFINITY;
    const PADDING: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x]: [S::F; 1]) -> S::F {
        s.select(s.is_nan(lanes), lanes, s.larger(lanes, x))
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        if a.is_nan() || b < a { a } else { b }
    }
}

struct ReduceWork<'a, R, const N: usize> {
    op: R,
    x: [&'a [f32]; N],
}

impl<R: Reduction<N>, const N: usize> Work for ReduceWork<'_, R, N> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        reduce(s, &self.op, self.x)
    }
}

/// The slices must be of equal length.
#[inline(always)]
pub(crate) fn reduce<S: Simd, R: Reduction<N>, const N: usize>(
    s: S,
    op: &R,
    x: [&[f32]; N],
) -> f32 {
    let len = x[0].len();
    debug_assert!(x.iter().all(|x| x.len() == len), "slices of equal length");
    let pointers = x.map(<[f32]>::as_ptr);
    // SAFETY: the pointers are valid for `min(len, BLOCK)` floats.
    let mut total = unsafe { reduce_block(s, op, pointers, len.min(BLOCK)) };
    let mut start = BLOCK;
    while start < len {
        // SAFETY: `len − start` floats are left behind the pointers.
        let block = unsafe {
            reduce_block(
                s,
                op,
                pointers.map(|p| p.add(start)),
                (len - start).min(BLOCK),
            )
        };
        total = op.join(total, block);
        start += BLOCK;
    }
    total
}

/// # Safety
/// Each pointer must be valid for reading `len` floats.
#[inline(always)]
unsafe fn reduce_block<S: Simd, R: Reduction<N>, const N: usize>(
    s: S,
    op: &R,
    x: [*const f32; N],
    len: usize,
) -> f32 {
    // Only the first 16 / LANES vectors are used.
    let mut lanes = [s.splat(R::START); LANES];
    let whole = len - len % LANES;
    let mut i = 0;
    while i < whole {
        // SAFETY: `i + 16 <= len`.
        unsafe { step_row(s, op, &mut lanes, &x, i) };
        i += LANES;
    }
    if whole < len {
        let mut padded = [[R::PADDING; LANES]; N];
        for (row, x) in padded.iter_mut().zip(&x) {
            // SAFETY: `len − whole < 16` floats are left.
            let rest = unsafe { std::slice::from_raw_parts(x.add(whole), len - whole) };
            row[..rest.len()].copy_from_slice(rest);
        }
        let mut rows = [std::ptr::null(); N];
        for (pointer, row) in rows.iter_mut().zip(&padded) {
            *pointer = row.as_ptr();
        }
        // SAFETY: every row holds 16 floats.
        unsafe { step_row(s, op, &mut lanes, &rows, 0) };
    }

    join_lanes(s, op, &lanes)
}

/// The tree that makes one value of 16 lanes, which are the first 16 / LANES vectors.
#[inline(always)]
pub(crate) fn join_lanes<S: Simd, R: Reduction<N>, const N: usize>(
    s: S,
    op: &R,
    lanes: &[S::F; LANES],
) -> f32 {
    let mut values = [R::START; LANES];
    let mut j = 0;
    while j < LANES / S::LANES {
        // SAFETY: `(j + 1) · S::LANES <= 16`.
        unsafe { s.store(values.as_mut_ptr().add(j * S::LANES), lanes[j]) };
        j += 1;
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            values[l] = op.join(values[l], values[l + half]);
        }
        half /= 2;
    }
    values[0]
}

/// One row of 16 lanes.
///
/// # Safety
/// Each pointer must be valid for reading 16 floats from offset `i` on.
#[inline(always)]
unsafe fn step_row<S: Simd, R: Reduction<N>, const N: usize>(
    s: S,
    op: &R,
    lanes: &mut [S::F; LANES],
    x: &[*const f32; N],
    i: usize,
) {
    let mut j = 0;
    while j < LANES / S::LANES {
        let mut v = [s.zero(); N];
        for (v, x) in v.iter_mut().zip(x) {
            // SAFETY: `(j + 1) · S::LANES <= 16`.
            *v = unsafe { s.load(x.add(i + j * S::LANES)) };
        }
        lanes[j] = op.step(s, lanes[j], v);
        j += 1;
    }
}
