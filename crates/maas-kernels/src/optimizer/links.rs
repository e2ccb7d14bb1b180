use crate::Kernels;
use crate::elementwise::{Update, UpdateAll};
use crate::simd::Vectors;

/// What stands around directions in a chain.
impl Kernels {
    /// x ← min(max(x, −limit), limit). NaN stays.
    ///
    /// ```
    /// let mut x = [3.0, -0.5, -2.0];
    /// maas_kernels::Kernels::best().clip(&mut x, 1.0);
    /// assert_eq!(x, [1.0, -0.5, -1.0]);
    /// ```
    pub fn clip(self, x: &mut [f32], limit: f32) {
        self.update(Clip(limit), [], x);
    }

    /// a ← a + w·(x − a): a running mean, one fused multiply-add.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// let mut mean = [1.0];
    /// maas_kernels::Kernels::best().average(&mut mean, &[3.0], 0.25);
    /// assert_eq!(mean, [1.5]);
    /// ```
    #[track_caller]
    pub fn average(self, mean: &mut [f32], x: &[f32], weight: f32) {
        self.update(Average(weight), [x], mean);
    }

    /// s ← s + w·(θ − s), then θ ← s: slow weights catch up, and fast ones go on from there.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// let (mut theta, mut slow) = ([3.0], [1.0]);
    /// maas_kernels::Kernels::best().synchronise(&mut theta, &mut slow, 0.5);
    /// assert_eq!((theta, slow), ([2.0], [2.0]));
    /// ```
    #[track_caller]
    pub fn synchronise(self, theta: &mut [f32], slow: &mut [f32], weight: f32) {
        self.update_all(Synchronise(weight), [], [theta, slow]);
    }
}

struct Clip(f32);

impl Update<0> for Clip {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], x: S::F) -> S::F {
        s.larger(s.splat(-self.0), s.smaller(s.splat(self.0), x))
    }
}

struct Average(f32);

impl Update<1> for Average {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1], mean: S::F) -> S::F {
        s.fma(s.splat(self.0), s.sub(x, mean), mean)
    }
}

struct Synchronise(f32);

impl UpdateAll<0, 2> for Synchronise {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], [theta, slow]: [S::F; 2]) -> [S::F; 2] {
        let slow = s.fma(s.splat(self.0), s.sub(theta, slow), slow);
        [slow, slow]
    }
}
