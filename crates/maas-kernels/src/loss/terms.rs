//! What losses do with one element.

use crate::math;
use crate::simd::Vectors;

/// A function of prediction and target with its derivative by the prediction. It must be finite at (0, 0), which fills
/// up rows.
pub(super) trait Term {
    /// Must be `#[inline(always)]`, so that a derivative that is not used is not computed.
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F);
}

pub(super) struct Squared;

impl Term for Squared {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let d = s.sub(p, t);
        (s.mul(d, d), s.add(d, d))
    }
}

pub(super) struct Absolute;

impl Term for Absolute {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let d = s.sub(p, t);
        let magnitude = s.abs(d);
        // 0 and NaN stay what they are.
        let sign = s.with_sign(s.splat(1.0), d);
        let slope = s.select(s.lt(s.zero(), magnitude), sign, magnitude);
        (magnitude, slope)
    }
}

pub(super) struct Huber {
    pub(super) delta: f32,
}

impl Term for Huber {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let (d, delta) = (s.sub(p, t), s.splat(self.delta));
        let magnitude = s.abs(d);
        let square = s.mul(s.mul(s.splat(0.5), d), d);
        let line = s.mul(delta, s.sub(magnitude, s.splat(0.5 * self.delta)));
        let outside = s.lt(delta, magnitude);
        let slope = s.select(outside, s.with_sign(delta, d), d);
        (s.select(outside, line, square), slope)
    }
}

/// |d| + ln(1 + e^(−2|d|)) − ln 2, and near 0, where that cancels, the series of ln cosh.
pub(super) struct LogCosh;

impl Term for LogCosh {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let d = s.sub(p, t);
        let magnitude = s.abs(d);
        let d2 = s.mul(d, d);
        let near = s.mul(d2, s.polynomial(d2, LOG_COSH));
        let tail = math::ln_1p_of_exp(s, s.mul(s.splat(-2.0), magnitude));
        let far = s.add(s.sub(magnitude, s.splat(std::f32::consts::LN_2)), tail);
        let value = s.select(s.lt(magnitude, s.splat(0.5)), near, far);
        (value, math::tanh(s, d))
    }
}

/// ln cosh d = d²·Σ cₖ·d²ᵏ.
const LOG_COSH: [f32; 7] = [
    0.5,
    -8.333_333_6e-2,
    2.222_222_2e-2,
    -6.746_032e-3,
    2.186_949e-3,
    -7.386_083_7e-4,
    2.565_8e-4,
];

/// max(p, 0) − p·t + ln(1 + e^−|p|), which neither overflows nor loses small values.
pub(super) struct SigmoidCrossEntropy {
    pub(super) smoothing: f32,
}

impl Term for SigmoidCrossEntropy {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let t = s.fma(
            t,
            s.splat(1.0 - self.smoothing),
            s.splat(0.5 * self.smoothing),
        );
        let linear = s.fnma(p, t, s.larger(s.zero(), p));
        let value = s.add(linear, math::ln_1p_of_exp(s, s.neg(s.abs(p))));
        (value, s.sub(math::sigmoid(s, p), t))
    }
}

pub(super) struct Poisson {
    pub(super) epsilon: f32,
}

impl Term for Poisson {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let above = s.add(p, s.splat(self.epsilon));
        let value = s.fnma(t, math::ln(s, above), p);
        (value, s.sub(s.splat(1.0), s.div(t, above)))
    }
}

pub(super) struct KullbackLeibler {
    pub(super) epsilon: f32,
}

impl Term for KullbackLeibler {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let (least, one) = (s.splat(self.epsilon), s.splat(1.0));
        // A NaN passes.
        let inside = s.smaller(one, s.larger(least, p));
        let t = s.smaller(one, s.larger(least, t));
        let value = s.mul(t, math::ln(s, s.div(t, inside)));
        let slope = s.neg(s.div(t, inside));
        let slope = s.select(s.lt(p, least), s.zero(), slope);
        (value, s.select(s.lt(one, p), s.zero(), slope))
    }
}

/// (1 − t·p, t) with t = −1 for 0.
#[inline(always)]
fn margin<S: Vectors>(s: S, p: S::F, t: S::F) -> (S::F, S::F) {
    let negative = s.le(s.abs(t), s.zero());
    let t = s.select(negative, s.splat(-1.0), t);
    (s.fnma(t, p, s.splat(1.0)), t)
}

pub(super) struct Hinge;

impl Term for Hinge {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let (margin, t) = margin(s, p, t);
        let satisfied = s.le(margin, s.zero());
        (s.clear(satisfied, margin), s.clear(satisfied, s.neg(t)))
    }
}

pub(super) struct SquaredHinge;

impl Term for SquaredHinge {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, p: S::F, t: S::F) -> (S::F, S::F) {
        let (margin, t) = margin(s, p, t);
        let margin = s.clear(s.le(margin, s.zero()), margin);
        let slope = s.mul(s.splat(-2.0), s.mul(t, margin));
        (s.mul(margin, margin), slope)
    }
}
