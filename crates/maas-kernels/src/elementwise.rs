use std::ops::Range;

use crate::Kernels;
use crate::kernels::Work;
use crate::simd::{Simd, Vectors, four};

/// y = f(x₀, x₁, …), element by element.
pub(crate) trait Map<const N: usize> {
    /// Must be `#[inline(always)]`.
    fn apply<S: Vectors>(&self, s: S, x: [S::F; N]) -> S::F;
}

/// y = f(x₀, x₁, …, y), element by element.
pub(crate) trait Update<const N: usize> {
    /// Must be `#[inline(always)]`.
    fn apply<S: Vectors>(&self, s: S, x: [S::F; N], y: S::F) -> S::F;
}

/// (y₀, y₁, …) = f(x₀, x₁, …, y₀, y₁, …), element by element.
pub(crate) trait UpdateAll<const N: usize, const K: usize> {
    /// Must be `#[inline(always)]`.
    fn apply<S: Vectors>(&self, s: S, x: [S::F; N], y: [S::F; K]) -> [S::F; K];
}

impl Kernels {
    #[track_caller]
    pub(crate) fn map<const N: usize>(self, op: impl Map<N>, x: [&[f32]; N], y: &mut [f32]) {
        check_lengths(&x, y);
        self.run(MapWork { op, x, y });
    }

    #[track_caller]
    pub(crate) fn update<const N: usize>(self, op: impl Update<N>, x: [&[f32]; N], y: &mut [f32]) {
        check_lengths(&x, y);
        self.run(UpdateWork {
            op: Single(op),
            x,
            y: [y],
        });
    }

    #[track_caller]
    pub(crate) fn update_all<const N: usize, const K: usize>(
        self,
        op: impl UpdateAll<N, K>,
        x: [&[f32]; N],
        y: [&mut [f32]; K],
    ) {
        for y in &y {
            check_lengths(&x, y);
        }
        for other in &y[1..] {
            assert_eq!(other.len(), y[0].len(), "slices of different lengths");
        }
        self.run(UpdateWork { op, x, y });
    }
}

struct MapWork<'a, O, const N: usize> {
    op: O,
    x: [&'a [f32]; N],
    y: &'a mut [f32],
}

impl<O: Map<N>, const N: usize> Work for MapWork<'_, O, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        map(s, &self.op, self.x, self.y);
    }
}

/// The slices must be of equal length.
#[inline(always)]
pub(crate) fn map<S: Simd, O: Map<N>, const N: usize>(s: S, op: &O, x: [&[f32]; N], y: &mut [f32]) {
    let len = y.len();
    debug_assert!(x.iter().all(|x| x.len() == len), "slices of equal length");
    let (x, y) = (x.map(<[f32]>::as_ptr), y.as_mut_ptr());
    // SAFETY: `len` is the length of every slice.
    let i = unsafe { map_whole(four(s), op, x, y, 0..len) };
    // SAFETY: as above.
    let i = unsafe { map_whole(s, op, x, y, i..len) };
    if i < len {
        let mut v = [s.zero(); N];
        for (v, x) in v.iter_mut().zip(&x) {
            // SAFETY: `len − i < LANES` floats are left in every `x`.
            *v = unsafe { s.load_partial(x.add(i), len - i) };
        }
        // SAFETY: as many are left in `y`.
        unsafe { s.store_partial(y.add(i), len - i, op.apply(s, v)) };
    }
}

/// As many of the elements of a range as whole vectors hold; where it ended.
///
/// # Safety
/// The range must be valid behind every pointer.
#[inline(always)]
unsafe fn map_whole<V: Vectors, O: Map<N>, const N: usize>(
    v: V,
    op: &O,
    x: [*const f32; N],
    y: *mut f32,
    range: Range<usize>,
) -> usize {
    let mut i = range.start;
    while i + V::LANES <= range.end {
        let mut a = [v.zero(); N];
        for (a, x) in a.iter_mut().zip(&x) {
            // SAFETY: `i + LANES` is within the range.
            *a = unsafe { v.load(x.add(i)) };
        }
        // SAFETY: as above.
        unsafe { v.store(y.add(i), op.apply(v, a)) };
        i += V::LANES;
    }
    i
}

/// The slices must be of equal length.
#[inline(always)]
pub(crate) fn update<S: Simd, O: Update<N>, const N: usize>(
    s: S,
    op: &O,
    x: [&[f32]; N],
    y: &mut [f32],
) {
    update_all(s, &Single(op), x, [y]);
}

impl<O: Update<N>, const N: usize> Update<N> for &O {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, x: [S::F; N], y: S::F) -> S::F {
        (*self).apply(s, x, y)
    }
}

struct Single<O>(O);

impl<O: Update<N>, const N: usize> UpdateAll<N, 1> for Single<O> {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, x: [S::F; N], [y]: [S::F; 1]) -> [S::F; 1] {
        [self.0.apply(s, x, y)]
    }
}

struct UpdateWork<'a, O, const N: usize, const K: usize> {
    op: O,
    x: [&'a [f32]; N],
    y: [&'a mut [f32]; K],
}

impl<O: UpdateAll<N, K>, const N: usize, const K: usize> Work for UpdateWork<'_, O, N, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        update_all(s, &self.op, self.x, self.y);
    }
}

#[inline(always)]
fn update_all<S: Simd, O: UpdateAll<N, K>, const N: usize, const K: usize>(
    s: S,
    op: &O,
    x: [&[f32]; N],
    y: [&mut [f32]; K],
) {
    let len = y[0].len();
    debug_assert!(x.iter().all(|x| x.len() == len), "slices of equal length");
    debug_assert!(y.iter().all(|y| y.len() == len), "slices of equal length");
    let (x, y) = (x.map(<[f32]>::as_ptr), y.map(<[f32]>::as_mut_ptr));
    // SAFETY: `len` is the length of every slice.
    let i = unsafe { update_whole(four(s), op, x, y, 0..len) };
    // SAFETY: as above.
    let i = unsafe { update_whole(s, op, x, y, i..len) };
    let rest = len - i;
    if rest > 0 {
        let (mut a, mut b) = ([s.zero(); N], [s.zero(); K]);
        for (a, x) in a.iter_mut().zip(&x) {
            // SAFETY: `rest < LANES` floats are left in every slice.
            *a = unsafe { s.load_partial(x.add(i), rest) };
        }
        for (b, y) in b.iter_mut().zip(&y) {
            // SAFETY: as above.
            *b = unsafe { s.load_partial(y.add(i), rest) };
        }
        for (b, y) in op.apply(s, a, b).into_iter().zip(&y) {
            // SAFETY: as above.
            unsafe { s.store_partial(y.add(i), rest, b) };
        }
    }
}

/// As many of the elements of a range as whole vectors hold; where it ended.
///
/// # Safety
/// The range must be valid behind every pointer.
#[inline(always)]
unsafe fn update_whole<V: Vectors, O: UpdateAll<N, K>, const N: usize, const K: usize>(
    v: V,
    op: &O,
    x: [*const f32; N],
    y: [*mut f32; K],
    range: Range<usize>,
) -> usize {
    let mut i = range.start;
    while i + V::LANES <= range.end {
        let (mut a, mut b) = ([v.zero(); N], [v.zero(); K]);
        for (a, x) in a.iter_mut().zip(&x) {
            // SAFETY: `i + LANES` is within the range.
            *a = unsafe { v.load(x.add(i)) };
        }
        for (b, y) in b.iter_mut().zip(&y) {
            // SAFETY: as above.
            *b = unsafe { v.load(y.add(i)) };
        }
        for (b, y) in op.apply(v, a, b).into_iter().zip(&y) {
            // SAFETY: as above.
            unsafe { v.store(y.add(i), b) };
        }
        i += V::LANES;
    }
    i
}

#[track_caller]
fn check_lengths<const N: usize>(x: &[&[f32]; N], y: &[f32]) {
    for x in x {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
    }
}
