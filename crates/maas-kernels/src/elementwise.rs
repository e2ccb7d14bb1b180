use crate::Kernels;
use crate::kernels::Work;
use crate::simd::Simd;

/// y = f(x₀, x₁, …), element by element.
pub(crate) trait Map<const N: usize> {
    /// Must be `#[inline(always)]`.
    fn apply<S: Simd>(&self, s: S, x: [S::F; N]) -> S::F;
}

/// y = f(x₀, x₁, …, y), element by element.
pub(crate) trait Update<const N: usize> {
    /// Must be `#[inline(always)]`.
    fn apply<S: Simd>(&self, s: S, x: [S::F; N], y: S::F) -> S::F;
}

/// (y₀, y₁, …) = f(x₀, x₁, …, y₀, y₁, …), element by element.
pub(crate) trait UpdateAll<const N: usize, const K: usize> {
    /// Must be `#[inline(always)]`.
    fn apply<S: Simd>(&self, s: S, x: [S::F; N], y: [S::F; K]) -> [S::F; K];
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
    let p = y.as_mut_ptr();
    let whole = len - len % S::LANES;
    let mut i = 0;
    while i < whole {
        let mut v = [s.zero(); N];
        for (v, x) in v.iter_mut().zip(&x) {
            // SAFETY: `i + LANES <= len`, the length of every `x`.
            *v = unsafe { s.load(x.as_ptr().add(i)) };
        }
        // SAFETY: `i + LANES <= len`, the length of `y`.
        unsafe { s.store(p.add(i), op.apply(s, v)) };
        i += S::LANES;
    }
    if i < len {
        let mut v = [s.zero(); N];
        for (v, x) in v.iter_mut().zip(&x) {
            // SAFETY: `len − i < LANES` floats are left in every `x`.
            *v = unsafe { s.load_partial(x.as_ptr().add(i), len - i) };
        }
        // SAFETY: as many are left in `y`.
        unsafe { s.store_partial(p.add(i), len - i, op.apply(s, v)) };
    }
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
    fn apply<S: Simd>(&self, s: S, x: [S::F; N], y: S::F) -> S::F {
        (*self).apply(s, x, y)
    }
}

struct Single<O>(O);

impl<O: Update<N>, const N: usize> UpdateAll<N, 1> for Single<O> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, x: [S::F; N], [y]: [S::F; 1]) -> [S::F; 1] {
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
    mut y: [&mut [f32]; K],
) {
    let len = y[0].len();
    debug_assert!(x.iter().all(|x| x.len() == len), "slices of equal length");
    debug_assert!(y.iter().all(|y| y.len() == len), "slices of equal length");
    let whole = len - len % S::LANES;
    let mut i = 0;
    while i < whole {
        let (mut a, mut b) = ([s.zero(); N], [s.zero(); K]);
        for (a, x) in a.iter_mut().zip(&x) {
            // SAFETY: `i + LANES <= len`, the length of every slice.
            *a = unsafe { s.load(x.as_ptr().add(i)) };
        }
        for (b, y) in b.iter_mut().zip(&y) {
            // SAFETY: as above.
            *b = unsafe { s.load(y.as_ptr().add(i)) };
        }
        for (b, y) in op.apply(s, a, b).into_iter().zip(&mut y) {
            // SAFETY: as above.
            unsafe { s.store(y.as_mut_ptr().add(i), b) };
        }
        i += S::LANES;
    }
    let rest = len - i;
    if rest > 0 {
        let (mut a, mut b) = ([s.zero(); N], [s.zero(); K]);
        for (a, x) in a.iter_mut().zip(&x) {
            // SAFETY: `rest < LANES` floats are left in every slice.
            *a = unsafe { s.load_partial(x.as_ptr().add(i), rest) };
        }
        for (b, y) in b.iter_mut().zip(&y) {
            // SAFETY: as above.
            *b = unsafe { s.load_partial(y.as_ptr().add(i), rest) };
        }
        for (b, y) in op.apply(s, a, b).into_iter().zip(&mut y) {
            // SAFETY: as above.
            unsafe { s.store_partial(y.as_mut_ptr().add(i), rest, b) };
        }
    }
}

#[track_caller]
fn check_lengths<const N: usize>(x: &[&[f32]; N], y: &[f32]) {
    for x in x {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
    }
}
