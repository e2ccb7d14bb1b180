use super::exp;
use crate::simd::Vectors;

/// With e = exp(−|x|): 1 / (1 + e) for x >= 0, e / (1 + e) below, which neither overflows nor cancels.
#[inline(always)]
pub(crate) fn sigmoid<S: Vectors>(s: S, x: S::F) -> S::F {
    let one = s.splat(1.0);
    let e = exp(s, s.neg(s.abs(x)));
    let numerator = s.select(s.lt(x, s.zero()), e, one);
    // What the sum 1 + e loses, and what the quotient leaves over, are put back.
    let sum = s.add(one, e);
    let lost = s.sub(e, s.sub(sum, one));
    let inverse = s.div(one, sum);
    let quotient = s.mul(numerator, inverse);
    let rest = s.fnma(quotient, lost, s.fnma(quotient, sum, numerator));
    s.fma(rest, inverse, quotient)
}
