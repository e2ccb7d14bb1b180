//! The loops of directions.

use super::direction::Around;
use crate::kernels::Work;
use crate::simd::Simd;

/// (u, state′) = f(g, state), element by element.
pub(super) trait Direct<const K: usize> {
    /// Must be `#[inline(always)]`.
    fn direct<S: Simd>(&self, s: S, gradient: S::F, state: [S::F; K]) -> (S::F, [S::F; K]);
}

/// `update` becomes u.
pub(super) struct Turn<'a, D, const K: usize> {
    pub(super) op: D,
    pub(super) update: &'a mut [f32],
    /// As many runs of `update.len()` floats as the direction has buffers.
    pub(super) state: &'a mut [f32],
}

impl<D: Direct<K>, const K: usize> Work for Turn<'_, D, K> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { op, update, state } = self;
        let len = update.len();
        assert_eq!(state.len(), len * K);
        let (u, state) = (update.as_mut_ptr(), state.as_mut_ptr());
        let vector = |i: usize, n: usize| {
            // SAFETY: `n <= LANES` floats are left from offset `i` on, in `update` and in every run of `state`.
            unsafe {
                let gradient = load(s, u.add(i), n);
                let (direction, numbers) =
                    op.direct(s, gradient, load_all::<S, K>(s, state.add(i), len, n));
                store(s, u.add(i), n, direction);
                store_all(s, state.add(i), len, n, numbers);
            }
        };
        each_vector::<S>(len, vector);
    }
}

/// θ moves along u.
pub(super) struct Along<'a, D, const K: usize, const DECAY: bool> {
    pub(super) op: D,
    pub(super) theta: &'a mut [f32],
    pub(super) gradient: &'a [f32],
    pub(super) state: &'a mut [f32],
    pub(super) around: Around,
}

impl<D: Direct<K>, const K: usize, const DECAY: bool> Work for Along<'_, D, K, DECAY> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self {
            op,
            theta,
            gradient,
            state,
            around,
        } = self;
        let len = theta.len();
        assert_eq!((gradient.len(), state.len()), (len, len * K));
        let (theta, gradient, state) = (theta.as_mut_ptr(), gradient.as_ptr(), state.as_mut_ptr());
        let scale = s.splat(around.scale);
        let (least, most) = (s.splat(-around.limit), s.splat(around.limit));
        let rate = s.splat(around.learning_rate);
        let decay = s.splat(around.decay.unwrap_or(0.0));
        let vector = |i: usize, n: usize| {
            // SAFETY: `n <= LANES` floats are left from offset `i` on, in every slice and every run of `state`.
            unsafe {
                let gradient = s.mul(load(s, gradient.add(i), n), scale);
                let gradient = s.larger(least, s.smaller(most, gradient));
                let (direction, numbers) =
                    op.direct(s, gradient, load_all::<S, K>(s, state.add(i), len, n));
                store_all(s, state.add(i), len, n, numbers);
                let old = load(s, theta.add(i), n);
                let direction = if DECAY {
                    s.fma(decay, old, direction)
                } else {
                    direction
                };
                store(s, theta.add(i), n, s.fnma(rate, direction, old));
            }
        };
        each_vector::<S>(len, vector);
    }
}

/// Calls `vector` with the offset and the number of floats of each vector: all whole but the last one.
#[inline(always)]
fn each_vector<S: Simd>(len: usize, mut vector: impl FnMut(usize, usize)) {
    let whole = len - len % S::LANES;
    let mut i = 0;
    while i < whole {
        vector(i, S::LANES);
        i += S::LANES;
    }
    if i < len {
        vector(i, len - i);
    }
}

/// # Safety
/// `p` must be valid for reading `n <= LANES` floats.
#[inline(always)]
unsafe fn load<S: Simd>(s: S, p: *const f32, n: usize) -> S::F {
    // SAFETY: as promised by the caller.
    unsafe {
        if n == S::LANES {
            s.load(p)
        } else {
            s.load_partial(p, n)
        }
    }
}

/// # Safety
/// `p` must be valid for writing `n <= LANES` floats.
#[inline(always)]
unsafe fn store<S: Simd>(s: S, p: *mut f32, n: usize, x: S::F) {
    // SAFETY: as promised by the caller.
    unsafe {
        if n == S::LANES {
            s.store(p, x);
        } else {
            s.store_partial(p, n, x);
        }
    }
}

/// # Safety
/// Each of `p`, `p + len`, … must be valid for reading `n <= LANES` floats.
#[inline(always)]
unsafe fn load_all<S: Simd, const K: usize>(
    s: S,
    p: *const f32,
    len: usize,
    n: usize,
) -> [S::F; K] {
    let mut x = [s.zero(); K];
    for (k, x) in x.iter_mut().enumerate() {
        // SAFETY: as promised by the caller.
        *x = unsafe { load(s, p.add(k * len), n) };
    }
    x
}

/// # Safety
/// Each of `p`, `p + len`, … must be valid for writing `n <= LANES` floats.
#[inline(always)]
unsafe fn store_all<S: Simd, const K: usize>(
    s: S,
    p: *mut f32,
    len: usize,
    n: usize,
    x: [S::F; K],
) {
    for (k, x) in x.into_iter().enumerate() {
        // SAFETY: as promised by the caller.
        unsafe { store(s, p.add(k * len), n, x) };
    }
}
