use super::Operation;
use crate::math;
use crate::simd::Vectors;

pub(super) struct Linear;

impl Operation for Linear {
    #[inline(always)]
    fn forward<S: Vectors>(&self, _: S, x: S::F) -> S::F {
        x
    }

    #[inline(always)]
    fn gradient<S: Vectors>(&self, _: S, _: S::F, dy: S::F) -> S::F {
        dy
    }
}

pub(crate) struct Relu;

impl Operation for Relu {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        s.clear(s.le(x, s.zero()), x)
    }

    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.clear(s.le(y, s.zero()), dy)
    }
}

pub(crate) struct LeakyRelu(pub(crate) f32);

impl Operation for LeakyRelu {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        s.select(s.le(x, s.zero()), s.mul(x, s.splat(self.0)), x)
    }

    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.select(s.le(y, s.zero()), s.mul(dy, s.splat(self.0)), dy)
    }
}

/// With the factor below zero, alpha.
pub(super) struct Elu(pub(super) f32);

/// Where the output is not above zero, alpha·eˣ = y + alpha.
impl Operation for Elu {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        let below = s.mul(s.splat(self.0), math::exp_m1_below_zero(s, x));
        s.select(s.le(x, s.zero()), below, x)
    }

    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, saved: S::F, dy: S::F) -> S::F {
        let slope = if self.0 >= 0.0 {
            s.add(saved, s.splat(self.0))
        } else {
            s.mul(s.splat(self.0), math::exp(s, saved))
        };
        s.select(s.le(saved, s.zero()), s.mul(dy, slope), dy)
    }
}

pub(super) struct Selu;

impl Operation for Selu {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        let below = s.mul(s.splat(SELU_DEPTH), math::exp_m1_below_zero(s, x));
        s.select(s.le(x, s.zero()), below, s.mul(s.splat(SELU_SCALE), x))
    }

    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        let (below, above) = (s.add(y, s.splat(SELU_DEPTH)), s.splat(SELU_SCALE));
        s.mul(dy, s.select(s.le(y, s.zero()), below, above))
    }
}

const SELU_SCALE: f32 = 1.050_701;
/// 1.05070098 · 1.67326324.
const SELU_DEPTH: f32 = 1.758_099_3;
