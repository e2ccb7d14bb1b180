//! What each direction does with one gradient and its numbers.

use super::AdamStep;
use super::along::Direct;
use crate::simd::Vectors;

pub(super) struct Plain;

impl Direct<0> for Plain {
    #[inline(always)]
    fn direct<S: Vectors>(&self, _: S, gradient: S::F, []: [S::F; 0]) -> (S::F, [S::F; 0]) {
        (gradient, [])
    }
}

pub(super) struct Momentum(pub(super) f32);

impl Direct<1> for Momentum {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [velocity]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let velocity = s.fma(s.splat(self.0), velocity, gradient);
        (velocity, [velocity])
    }
}

pub(super) struct LookAhead {
    pub(super) carry: f32,
    pub(super) momentum: f32,
}

impl Direct<1> for LookAhead {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [velocity]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let velocity = s.fma(s.splat(self.carry), velocity, gradient);
        (
            s.fma(s.splat(self.momentum), velocity, gradient),
            [velocity],
        )
    }
}

/// Adam's running moments and the direction that they give.
pub(super) struct Moments {
    weight_1: f32,
    weight_2: f32,
    epsilon: f32,
    scale: f32,
}

impl Moments {
    pub(super) fn new(step: AdamStep) -> Self {
        Self {
            weight_1: 1.0 - step.beta_1,
            weight_2: 1.0 - step.beta_2,
            epsilon: step.epsilon,
            scale: step.bias_correction_2.sqrt() / step.bias_correction_1,
        }
    }

    #[inline(always)]
    fn means<S: Vectors>(&self, s: S, gradient: S::F, m: S::F, v: S::F) -> (S::F, S::F) {
        (
            mean(s, self.weight_1, gradient, m),
            mean_square(s, self.weight_2, gradient, v),
        )
    }

    #[inline(always)]
    fn along<S: Vectors>(&self, s: S, m: S::F, v: S::F) -> S::F {
        let root = s.add(s.sqrt(v), s.splat(self.epsilon));
        s.mul(s.splat(self.scale), s.div(m, root))
    }
}

impl Direct<2> for Moments {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [m, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (m, v) = self.means(s, gradient, m, v);
        (self.along(s, m, v), [m, v])
    }
}

pub(super) struct AmsGrad(pub(super) Moments);

impl Direct<3> for AmsGrad {
    #[inline(always)]
    fn direct<S: Vectors>(
        &self,
        s: S,
        gradient: S::F,
        [m, v, top]: [S::F; 3],
    ) -> (S::F, [S::F; 3]) {
        let (m, v) = self.0.means(s, gradient, m, v);
        let top = s.larger(top, v);
        (self.0.along(s, m, top), [m, v, top])
    }
}

pub(super) struct Nadam {
    pub(super) weight_1: f32,
    pub(super) weight_2: f32,
    pub(super) epsilon: f32,
    pub(super) momentum_weight: f32,
    pub(super) gradient_weight: f32,
    pub(super) correction: f32,
}

impl Direct<2> for Nadam {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [m, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let m = mean(s, self.weight_1, gradient, m);
        let v = mean_square(s, self.weight_2, gradient, v);
        let ahead = s.mul(s.splat(self.gradient_weight), gradient);
        let ahead = s.fma(s.splat(self.momentum_weight), m, ahead);
        let root = s.sqrt(s.mul(v, s.splat(self.correction)));
        (s.div(ahead, s.add(root, s.splat(self.epsilon))), [m, v])
    }
}

pub(super) struct Rms {
    pub(super) weight: f32,
    pub(super) epsilon: f32,
}

impl Direct<1> for Rms {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let v = mean_square(s, self.weight, gradient, v);
        (by_root(s, gradient, v, self.epsilon), [v])
    }
}

pub(super) struct CenteredRms {
    pub(super) weight: f32,
    pub(super) epsilon: f32,
}

impl Direct<2> for CenteredRms {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [v, a]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let v = mean_square(s, self.weight, gradient, v);
        let a = mean(s, self.weight, gradient, a);
        let variance = s.larger(s.zero(), s.fnma(a, a, v));
        (by_root(s, gradient, variance, self.epsilon), [v, a])
    }
}

pub(super) struct Adagrad {
    pub(super) epsilon: f32,
}

impl Direct<1> for Adagrad {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [sum]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let sum = s.fma(gradient, gradient, sum);
        (by_root(s, gradient, sum, self.epsilon), [sum])
    }
}

pub(super) struct Lion {
    pub(super) weight_1: f32,
    pub(super) weight_2: f32,
}

impl Direct<1> for Lion {
    #[inline(always)]
    fn direct<S: Vectors>(&self, s: S, gradient: S::F, [m]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let ahead = mean(s, self.weight_1, gradient, m);
        let one = s.with_sign(s.splat(1.0), ahead);
        let sign = s.clear(s.le(s.abs(ahead), s.zero()), one);
        let sign = s.select(s.is_nan(ahead), ahead, sign);
        (sign, [mean(s, self.weight_2, gradient, m)])
    }
}

/// m + w (g − m).
#[inline(always)]
fn mean<S: Vectors>(s: S, weight: f32, gradient: S::F, m: S::F) -> S::F {
    s.fma(s.splat(weight), s.sub(gradient, m), m)
}

/// v + w (g² − v).
#[inline(always)]
fn mean_square<S: Vectors>(s: S, weight: f32, gradient: S::F, v: S::F) -> S::F {
    let excess = s.fma(gradient, gradient, s.neg(v));
    s.fma(s.splat(weight), excess, v)
}

/// g / √(v + ε).
#[inline(always)]
fn by_root<S: Vectors>(s: S, gradient: S::F, v: S::F, epsilon: f32) -> S::F {
    s.div(gradient, s.sqrt(s.add(v, s.splat(epsilon))))
}
