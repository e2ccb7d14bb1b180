use crate::simd::Vectors;

/// eˣ = 2ⁿ·eʳ with n = round(x / ln 2) and |r| <= ln 2 / 2.
///
/// 2ⁿ is applied in two exact halves, so that a result below the normal range is rounded once.
#[inline(always)]
pub(crate) fn exp<S: Vectors>(s: S, x: S::F) -> S::F {
    // Beyond these the result is ∞ or 0 already. A NaN stays in the second operand.
    let x = s.larger(s.splat(-104.0), s.smaller(s.splat(89.0), x));
    // Adding 1.5·2²³ leaves the nearest integer in the low bits of the sum.
    let shifted = s.fma(x, s.splat(std::f32::consts::LOG2_E), s.splat(ROUND));
    let n = s.sub(shifted, s.splat(ROUND));
    let r = s.fnma(n, s.splat(LN_2_HIGH), x);
    let r = s.fnma(n, s.splat(LN_2_LOW), r);
    let q = s.polynomial(r, COEFFICIENTS);
    let p = s.add(s.fma(s.mul(r, r), q, r), s.splat(1.0));

    let n = s.sub_i(s.bits(shifted), s.splat_i(ROUND.to_bits().cast_signed()));
    let half = s.shift_right::<1>(n);
    s.mul(
        s.mul(p, power_of_two(s, half)),
        power_of_two(s, s.sub_i(n, half)),
    )
}

/// eˣ − 1 for x <= 0, accurate relative to the result: 2ⁿ·(eʳ − 1) + (2ⁿ − 1). Above zero the result has no meaning.
#[inline(always)]
pub(crate) fn exp_m1_below_zero<S: Vectors>(s: S, x: S::F) -> S::F {
    // From −20 on the result is −1. A NaN stays in the second operand.
    let clamped = s.larger(s.splat(-20.0), s.smaller(s.zero(), x));
    let shifted = s.fma(clamped, s.splat(std::f32::consts::LOG2_E), s.splat(ROUND));
    let n = s.sub(shifted, s.splat(ROUND));
    let r = s.fnma(n, s.splat(LN_2_HIGH), clamped);
    let r = s.fnma(n, s.splat(LN_2_LOW), r);
    let q = s.polynomial(r, COEFFICIENTS);
    let p = s.fma(s.mul(r, r), q, r);
    let n = s.sub_i(s.bits(shifted), s.splat_i(ROUND.to_bits().cast_signed()));
    let scale = power_of_two(s, n);
    s.fma(scale, p, s.sub(scale, s.splat(1.0)))
}

/// 2ⁿ for −126 <= n <= 127.
#[inline(always)]
fn power_of_two<S: Vectors>(s: S, n: S::I) -> S::F {
    s.of_bits(s.shift_left::<23>(s.add_i(n, s.splat_i(127))))
}

const ROUND: f32 = 12_582_912.0;
/// ln 2 to 16 bits, so that n times it is exact; and the rest.
const LN_2_HIGH: f32 = 6.931_457_5e-1;
const LN_2_LOW: f32 = 1.428_606_8e-6;
/// (eʳ − 1 − r) / r², least relative error on |r| <= ln 2 / 2.
const COEFFICIENTS: [f32; 5] = [
    4.999_998_8e-1,
    1.666_651_8e-1,
    4.166_965_6e-2,
    8.368_961_5e-3,
    1.374_481_5e-3,
];
