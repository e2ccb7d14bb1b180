use crate::Kernels;
use crate::elementwise::Update;
use crate::kernels::Work;
use crate::simd::{Simd, Vectors};

/// Steps that make weights smaller, and masks that keep them at zero.
impl Kernels {
    /// w ← sign(w)·max(|w| − λ, 0), the proximal map of λ‖w‖₁: weights within λ of zero become +0. NaN stays.
    ///
    /// ```
    /// let mut w = [3.0, -0.5, -2.0];
    /// maas_kernels::Kernels::best().soft_threshold(&mut w, 1.0);
    /// assert_eq!(w, [2.0, 0.0, -1.0]);
    /// ```
    pub fn soft_threshold(self, w: &mut [f32], lambda: f32) {
        self.update(SoftThreshold(lambda), [], w);
    }

    /// w ← w − λ·sign(w) with sign(±0) = 0, so it steps over zero where |w| < λ; a zero is written as +0. NaN stays.
    ///
    /// ```
    /// let mut w = [3.0, -0.5, 0.0];
    /// maas_kernels::Kernels::best().sign_step(&mut w, 1.0);
    /// assert_eq!(w, [2.0, 0.5, 0.0]);
    /// ```
    pub fn sign_step(self, w: &mut [f32], lambda: f32) {
        self.update(SignStep(lambda), [], w);
    }

    /// Writes +0 where bit i mod 64 of `mask[i / 64]` is clear and leaves the rest as it is.
    ///
    /// # Panics
    /// When `mask` is not `w.len() / 64` words long, rounded up.
    ///
    /// ```
    /// let mut w = [1.0, 2.0, f32::NAN];
    /// maas_kernels::Kernels::best().apply_mask(&mut w, &[0b010]);
    /// assert_eq!(w, [0.0, 2.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn apply_mask(self, w: &mut [f32], mask: &[u64]) {
        assert_eq!(mask.len(), w.len().div_ceil(64), "one bit of mask a weight");
        self.run(ApplyMask { w, mask });
    }
}

struct SoftThreshold(f32);

impl Update<0> for SoftThreshold {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], w: S::F) -> S::F {
        let lambda = s.splat(self.0);
        let shrunk = s.with_sign(s.sub(s.abs(w), lambda), w);
        s.clear(s.le(s.abs(w), lambda), shrunk)
    }
}

struct SignStep(f32);

impl Update<0> for SignStep {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], w: S::F) -> S::F {
        let lambda = s.splat(self.0);
        let above = s.select(s.lt(s.zero(), w), s.sub(w, lambda), w);
        let stepped = s.select(s.lt(w, s.zero()), s.add(w, lambda), above);
        s.clear(s.le(s.abs(w), s.zero()), stepped)
    }
}

struct ApplyMask<'a> {
    w: &'a mut [f32],
    mask: &'a [u64],
}

impl Work for ApplyMask<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (w, &word) in self.w.chunks_mut(64).zip(self.mask) {
            let mut i = 0;
            while i < w.len() {
                let masked = s.mask_from_bits(!(word >> i) as u32);
                let n = w.len() - i;
                // SAFETY: `n` floats are left from offset `i` on.
                unsafe {
                    let p = w.as_mut_ptr().add(i);
                    if n >= S::LANES {
                        s.store(p, s.clear(masked, s.load(p)));
                    } else {
                        s.store_partial(p, n, s.clear(masked, s.load_partial(p, n)));
                    }
                }
                i += S::LANES;
            }
        }
    }
}
