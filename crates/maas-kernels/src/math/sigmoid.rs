use super::exp;
use crate::simd::Simd;

/// With e = exp(−|x|): 1 / (1 + e) for x >= 0, e / (1 + e) below, which neither overflows nor cancels.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let e = exp(s, s.neg(s.abs(x)));
    let numerator = s.select(s.lt(x, s.zero()), e, s.splat(1.0));
    s.div(numerator, s.add(s.splat(1.0), e))
}
