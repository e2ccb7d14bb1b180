use super::Operation;
use crate::math;
use crate::simd::Vectors;

pub(super) struct Tanh;

impl Operation for Tanh {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        math::tanh(s, x)
    }

    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.mul(dy, s.fnma(y, y, s.splat(1.0)))
    }
}

pub(super) struct Sigmoid;

impl Operation for Sigmoid {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        math::sigmoid(s, x)
    }

    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.mul(dy, s.mul(y, s.sub(s.splat(1.0), y)))
    }
}

pub(super) struct HardSigmoid;

impl Operation for HardSigmoid {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        let shifted = s.smaller(s.splat(6.0), s.add(x, s.splat(3.0)));
        s.div(s.clear(s.le(shifted, s.zero()), shifted), s.splat(6.0))
    }

    /// 1/6 where 0 < y < 1.
    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        let inside = s.clear(s.le(y, s.zero()), s.div(dy, s.splat(6.0)));
        s.clear(s.le(s.splat(1.0), y), inside)
    }
}

pub(super) struct Softsign;

impl Operation for Softsign {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        s.div(x, s.add(s.splat(1.0), s.abs(x)))
    }

    /// 1 / (1 + |x|)² = (1 − |y|)².
    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        let rest = s.sub(s.splat(1.0), s.abs(y));
        s.mul(dy, s.mul(rest, rest))
    }
}
