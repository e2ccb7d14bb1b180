use super::Bf16Matrix;
use crate::product::BLOCK;

/// s + a·b with one rounding to 24 bits, as if exponents had no lower limit; below the smallest normal number a zero of
/// the same sign. `s` must not be subnormal, `a` and `b` must be bf16 numbers.
#[inline(always)]
pub(super) fn multiply_add(a: f32, b: f32, s: f32) -> f32 {
    let (a, b) = (without_subnormal(a), without_subnormal(b));
    let sum = a.mul_add(b, s);
    if sum.abs() <= f32::MIN_POSITIVE && is_tiny(a, b, s, sum) {
        0f32.copysign(sum)
    } else {
        sum
    }
}

/// A zero of its sign for a subnormal number.
#[inline(always)]
fn without_subnormal(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE {
        0f32.copysign(x)
    } else {
        x
    }
}

/// Whether s + a·b, of which `sum` is the nearest float and at most the smallest normal number, rounds below it in 24 bits.
fn is_tiny(a: f32, b: f32, s: f32, sum: f32) -> bool {
    // Floats just below the smallest normal number are 2⁻¹⁴⁹ apart, numbers of 24 bits 2⁻¹⁵⁰: what lies between
    // the two halves is rounded up by one and not by the other. Where the sum was rounded at all, s is the
    // smallest normal number or as close to it as a·b is small, so that all of this is exact in an f64.
    const TIE: f64 = -(1.0 / (1u128 << 100) as f64 / (1u64 << 51) as f64);
    let sign = f64::from(1f32.copysign(sum));
    let excess = sign * f64::from(s) - f64::from(f32::MIN_POSITIVE);
    sum.abs() < f32::MIN_POSITIVE || excess + sign * f64::from(a) * f64::from(b) < TIE
}

/// C = A·B as the contract says it: the reference for all other products.
pub(super) fn product(a: Bf16Matrix<'_>, b: Bf16Matrix<'_>, c: &mut [f32]) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    for i in 0..m {
        for j in 0..n {
            let factor = |l: usize| {
                if l < k {
                    (a.get(i, l).to_f32(), b.get(l, j).to_f32())
                } else {
                    (0.0, 0.0)
                }
            };
            let mut total = 0.0;
            for start in (0..k).step_by(BLOCK) {
                let mut sum = 0.0;
                for l in (start..k.min(start + BLOCK)).step_by(2) {
                    for (a, b) in [factor(l + 1), factor(l)] {
                        sum = multiply_add(a, b, sum);
                    }
                }
                total = if start == 0 { sum } else { total + sum };
            }
            c[i * n + j] = total;
        }
    }
}
