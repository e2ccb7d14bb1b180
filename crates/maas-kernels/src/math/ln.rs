use super::exp;
use crate::simd::Vectors;

/// ln x = e·ln 2 + ln(1 + f) with x = 2ᵉ·(1 + f) and √½ <= 1 + f < √2.
#[inline(always)]
pub(crate) fn ln<S: Vectors>(s: S, x: S::F) -> S::F {
    let subnormal = s.lt(x, s.splat(f32::MIN_POSITIVE));
    let scaled = s.select(subnormal, s.mul(x, s.splat(TWO_23)), x);
    let bits = s.bits(scaled);
    let e = s.shift_right::<23>(s.sub_i(bits, s.splat_i(SQRT_HALF_BITS)));
    let f = s.sub(
        s.of_bits(s.sub_i(bits, s.shift_left::<23>(e))),
        s.splat(1.0),
    );
    let e = s.sub(s.to_float(e), s.select(subnormal, s.splat(23.0), s.zero()));

    let f2 = s.mul(f, f);
    let p = s.mul(s.mul(f2, f), s.polynomial(f, COEFFICIENTS));
    let tail = s.fma(e, s.splat(LN_2_LOW), s.fnma(s.splat(0.5), f2, p));
    let y = s.fma(e, s.splat(LN_2_HIGH), s.add(f, tail));

    let y = s.select(s.lt(x, s.splat(f32::INFINITY)), y, x);
    let y = s.select(s.lt(x, s.zero()), s.splat(f32::NAN), y);
    let is_zero = s.le(s.abs(x), s.zero());
    s.select(is_zero, s.splat(f32::NEG_INFINITY), y)
}

/// ln(1 + eˣ) for x <= 0, accurate relative to the result: 2·artanh(e / (2 + e)) with e = eˣ.
#[inline(always)]
pub(crate) fn ln_1p_of_exp<S: Vectors>(s: S, x: S::F) -> S::F {
    let e = exp(s, x);
    let t = s.div(e, s.add(e, s.splat(2.0)));
    let t2 = s.mul(t, t);
    s.fma(s.mul(t2, t), s.polynomial(t2, ARTANH), s.add(t, t))
}

const TWO_23: f32 = 8_388_608.0;
const SQRT_HALF_BITS: i32 = 0x3f35_04f3;
/// ln 2 to 16 bits, so that e times it is exact; and the rest.
const LN_2_HIGH: f32 = 6.931_457_5e-1;
const LN_2_LOW: f32 = 1.428_606_8e-6;
/// (ln(1 + f) − f + f²/2) / f³, least relative error of the whole.
const COEFFICIENTS: [f32; 9] = [
    3.333_331e-1,
    -2.500_001_5e-1,
    2.000_222_7e-1,
    -1.666_772_7e-1,
    1.421_756_3e-1,
    -1.240_974_7e-1,
    1.190_541_3e-1,
    -1.165_514_6e-1,
    6.684_156e-2,
];
/// (2·artanh t − 2t) / t³ in t², on t <= 1/3.
const ARTANH: [f32; 5] = [
    6.666_667_5e-1,
    3.999_896e-1,
    2.861_472e-1,
    2.145_024e-1,
    2.421_912_4e-1,
];
