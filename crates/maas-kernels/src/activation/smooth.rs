use super::Operation;
use crate::math;
use crate::simd::Vectors;

pub(super) struct Gelu;

impl Operation for Gelu {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        s.mul(x, normal_distribution(s, x))
    }

    /// Φ(x) + x·φ(x).
    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        let density = s.mul(
            s.splat(FRAC_1_SQRT_2PI),
            math::exp(s, s.mul(s.splat(-0.5), s.mul(x, x))),
        );
        s.mul(dy, s.fma(x, density, normal_distribution(s, x)))
    }
}

/// Φ(x) = (1 + erf(x/√2)) / 2.
#[inline(always)]
fn normal_distribution<S: Vectors>(s: S, x: S::F) -> S::F {
    let erf = math::erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2)));
    s.fma(s.splat(0.5), erf, s.splat(0.5))
}

const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;

pub(super) struct GeluTanh;

/// (1 + tanh u) / 2 = σ(2u), with 2u = x·(a + b·x²).
impl Operation for GeluTanh {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        s.mul(x, math::sigmoid(s, doubled(s, x)))
    }

    /// σ + x·σ·(1 − σ)·(a + 3b·x²), with σ·(1 − σ) = e / (1 + e)² and e = exp(−|2u|).
    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        // Beyond ±11, σ is 0 or 1, and x³ must not overflow.
        let x = s.larger(s.splat(-11.0), s.smaller(s.splat(11.0), x));
        let z = doubled(s, x);
        let e = math::exp(s, s.neg(s.abs(z)));
        let inverse = s.div(s.splat(1.0), s.add(s.splat(1.0), e));
        let sigma = s.mul(s.select(s.lt(z, s.zero()), e, s.splat(1.0)), inverse);
        let inner = s.fma(s.splat(3.0 * GELU_B), s.mul(x, x), s.splat(GELU_A));
        let curve = s.mul(s.mul(s.mul(e, inverse), inverse), inner);
        s.mul(dy, s.fma(x, curve, sigma))
    }
}

#[inline(always)]
fn doubled<S: Vectors>(s: S, x: S::F) -> S::F {
    s.mul(x, s.fma(s.splat(GELU_B), s.mul(x, x), s.splat(GELU_A)))
}

/// 2·√(2/π), and that times 0.044715.
const GELU_A: f32 = 1.595_769_2;
const GELU_B: f32 = 0.071_354_814;

pub(super) struct Silu;

impl Operation for Silu {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        s.mul(x, math::sigmoid(s, x))
    }

    /// σ(x)·(1 + x·(1 − σ(x))).
    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        let sigma = math::sigmoid(s, x);
        let slope = s.mul(sigma, s.fma(x, s.sub(s.splat(1.0), sigma), s.splat(1.0)));
        s.mul(dy, slope)
    }
}

pub(super) struct Mish;

/// tanh(ln(1 + e)) = n / (n + 2) with e = eˣ and n = e·(e + 2), which cancels nothing. From 20 on it is 1.
impl Operation for Mish {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        let e = math::exp(s, s.smaller(s.splat(20.0), x));
        let n = s.mul(e, s.add(e, s.splat(2.0)));
        s.mul(x, s.div(n, s.add(n, s.splat(2.0))))
    }

    /// t + x·4e·(e + 1) / (n + 2)² with t = n / (n + 2).
    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        let x = s.smaller(s.splat(20.0), x);
        let e = math::exp(s, x);
        let n = s.mul(e, s.add(e, s.splat(2.0)));
        let inverse = s.div(s.splat(1.0), s.add(n, s.splat(2.0)));
        let t = s.mul(n, inverse);
        let steep = s.mul(s.mul(s.splat(4.0), e), s.add(e, s.splat(1.0)));
        let curve = s.mul(s.mul(steep, inverse), inverse);
        s.mul(dy, s.fma(x, curve, t))
    }
}

pub(super) struct Softplus;

impl Operation for Softplus {
    #[inline(always)]
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F {
        let above = s.larger(s.zero(), x);
        s.add(above, math::ln_1p_of_exp(s, s.neg(s.abs(x))))
    }

    /// σ(x) = 1 − e⁻ʸ.
    #[inline(always)]
    fn gradient<S: Vectors>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.mul(dy, s.neg(math::exp_m1_below_zero(s, s.neg(y))))
    }
}
