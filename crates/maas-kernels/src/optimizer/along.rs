//! The loops of directions.

use super::direction::Around;
use crate::kernels::Work;
use crate::simd::{Simd, Vectors};

/// (u, state′) = f(g, state), element by element.
pub(super) trait Direct<const K: usize> {
    /// Must be `#[inline(always)]`.
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, state: [S::F; K]) -> (S::F, [S::F; K]);
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
        let turn = TurnVector {
            op,
            u: update.as_mut_ptr(),
            state: state.as_mut_ptr(),
            len,
        };
        // SAFETY: the pointers are of slices of `len` and `len * K` floats that nobody else uses.
        unsafe { each_vector(s, len, &turn) };
    }
}

struct TurnVector<D, const K: usize> {
    op: D,
    u: *mut f32,
    state: *mut f32,
    len: usize,
}

impl<S: Simd, D: Direct<K>, const K: usize> Vector<S> for TurnVector<D, K> {
    #[inline(always)]
    unsafe fn at(&self, s: S, i: usize, n: usize) {
        let Self { op, u, state, len } = self;
        // SAFETY: as promised by the caller.
        unsafe {
            let (u, state) = (u.add(i), state.add(i));
            let gradient = load(s, u, n);
            let (direction, numbers) = op.direct(s, gradient, load_all::<S, K>(s, state, *len, n));
            store(s, u, n, direction);
            store_all(s, state, *len, n, numbers);
        }
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
        let along = AlongVector::<S, D, K, DECAY> {
            op,
            theta: theta.as_mut_ptr(),
            gradient: gradient.as_ptr(),
            state: state.as_mut_ptr(),
            len,
            scale: s.splat(around.scale),
            least: s.splat(-around.limit),
            most: s.splat(around.limit),
            rate: s.splat(around.learning_rate),
            decay: s.splat(around.decay.unwrap_or(0.0)),
        };
        // SAFETY: the pointers are of slices of `len` and `len * K` floats; those written are nobody else's.
        unsafe { each_vector(s, len, &along) };
    }
}

struct AlongVector<S: Simd, D, const K: usize, const DECAY: bool> {
    op: D,
    theta: *mut f32,
    gradient: *const f32,
    state: *mut f32,
    len: usize,
    scale: S::F,
    least: S::F,
    most: S::F,
    rate: S::F,
    decay: S::F,
}

impl<S: Simd, D: Direct<K>, const K: usize, const DECAY: bool> Vector<S>
    for AlongVector<S, D, K, DECAY>
{
    #[inline(always)]
    unsafe fn at(&self, s: S, i: usize, n: usize) {
        // SAFETY: as promised by the caller.
        unsafe {
            let (theta, state) = (self.theta.add(i), self.state.add(i));
            let gradient = s.mul(load(s, self.gradient.add(i), n), self.scale);
            let gradient = s.larger(self.least, s.smaller(self.most, gradient));
            let numbers = load_all::<S, K>(s, state, self.len, n);
            let (direction, numbers) = self.op.direct(s, gradient, numbers);
            store_all(s, state, self.len, n, numbers);
            let old = load(s, theta, n);
            let direction = if DECAY {
                s.fma(self.decay, old, direction)
            } else {
                direction
            };
            store(s, theta, n, s.fnma(self.rate, direction, old));
        }
    }
}

/// What is done to each vector. No closure: a closure that is called twice is compiled without the features of the set,
/// and its instructions become calls.
trait Vector<S: Simd> {
    /// The `n` floats from offset `i` on. Must be `#[inline(always)]`.
    ///
    /// # Safety
    /// `n <= LANES` floats must be left from offset `i` on in everything that it reads and writes.
    unsafe fn at(&self, s: S, i: usize, n: usize);
}

/// All vectors of `len` floats, whole but the last one.
///
/// # Safety
/// Everything that `vector` reads and writes must have `len` floats.
#[inline(always)]
unsafe fn each_vector<S: Simd>(s: S, len: usize, vector: &impl Vector<S>) {
    let whole = len - len % S::LANES;
    let mut i = 0;
    while i < whole {
        // SAFETY: `i + LANES <= len`.
        unsafe { vector.at(s, i, S::LANES) };
        i += S::LANES;
    }
    if i < len {
        // SAFETY: `len − i < LANES` floats are left.
        unsafe { vector.at(s, i, len - i) };
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
