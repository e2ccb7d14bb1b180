use super::exp;
use crate::simd::Vectors;

/// An odd polynomial near zero; 1 − exp(−q(|x|)) beyond, where q = −ln erfc.
#[inline(always)]
pub(crate) fn erf<S: Vectors>(s: S, x: S::F) -> S::F {
    let x2 = s.mul(x, x);
    let near = s.fma(x, s.polynomial(x2, NEAR), x);
    // From 3.93 on the result is 1. A NaN stays in the second operand.
    let a = s.smaller(s.splat(3.95), s.abs(x));
    let q = s.polynomial(a, FAR);
    let far = s.sub(s.splat(1.0), exp(s, s.neg(q)));
    s.select(s.lt(a, s.splat(0.92)), near, s.with_sign(far, x))
}

/// erf x / x − 1 in x², least relative error of the whole on |x| <= 0.93.
const NEAR: [f32; 7] = [
    1.283_791_7e-1,
    -3.761_263_2e-1,
    1.128_367_6e-1,
    -2.685_853_3e-2,
    5.199_148e-3,
    -8.123_187e-4,
    8.293_013e-5,
];
/// −ln erfc on 0.92 <= |x| <= 3.95, least absolute error of the whole.
const FAR: [f32; 8] = [
    -1.790_1e-4,
    1.129_536_6,
    6.333_011_4e-1,
    1.083_326_64e-1,
    -2.515_492_2e-2,
    4.185_137_3e-3,
    -4.374_956e-4,
    2.136_891_8e-5,
];
