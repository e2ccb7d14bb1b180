//! Elementary functions from exactly rounded operations only, so that a schedule has the same bits on every platform:
//! the standard library leaves the last bits of its own to the platform.

use std::f64::consts::{LN_2, PI};

/// cos(π x) for 0 ≤ x ≤ 1, to about 10⁻¹⁵.
pub(super) fn cos_pi(x: f64) -> f64 {
    if x > 0.5 {
        return -cos_pi(1.0 - x);
    }
    if x > 0.25 {
        return sin_series(PI * (0.5 - x));
    }
    let y = PI * x;
    // Σ (−1)ⁿ y²ⁿ / (2n)!
    series(y * y, 1.0, |n| (2 * n - 1) * (2 * n))
}

/// Σ (−1)ⁿ y²ⁿ⁺¹ / (2n + 1)!
fn sin_series(y: f64) -> f64 {
    series(y * y, y, |n| (2 * n) * (2 * n + 1))
}

fn series(square: f64, first: f64, divisor: impl Fn(u32) -> u32) -> f64 {
    let (mut sum, mut term) = (first, first);
    for n in 1..=10 {
        term = -term * square / f64::from(divisor(n));
        sum += term;
    }
    sum
}

/// base^exponent for base ≥ 0, to about 10⁻¹⁴ for the exponents of schedules. Whole exponents are multiplied out.
pub(super) fn power(base: f64, exponent: f64) -> f64 {
    if (0.0..9e15).contains(&exponent) && exponent.fract() == 0.0 {
        return whole_power(base, exponent as u64);
    }
    if base == 0.0 {
        return if exponent > 0.0 { 0.0 } else { f64::INFINITY };
    }
    if base.is_nan() || base < 0.0 || base.is_infinite() || !exponent.is_finite() {
        return f64::NAN;
    }
    exp(exponent * ln(base))
}

/// By repeated squaring.
pub(crate) fn whole_power(mut base: f64, mut exponent: u64) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent & 1 == 1 {
            product *= base;
        }
        base *= base;
        exponent >>= 1;
    }
    product
}

/// For positive finite numbers: x = m 2ᵉ with √½ ≤ m < √2, ln m = 2 artanh((m − 1) / (m + 1)).
pub(super) fn ln(x: f64) -> f64 {
    let (x, shift) = if x < f64::MIN_POSITIVE {
        (x * 18_014_398_509_481_984.0, -54)
    } else {
        (x, 0)
    };
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i32 - 1023;
    let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    let y = (mantissa - 1.0) / (mantissa + 1.0);
    let square = y * y;
    let mut sum = 0.0;
    for n in (0..12).rev() {
        sum = sum * square + 1.0 / f64::from(2 * n + 1);
    }
    f64::from(exponent + shift) * LN_2 + 2.0 * y * sum
}

/// x = k ln 2 + r with |r| ≤ ½ ln 2, then Taylor's series of eʳ.
fn exp(x: f64) -> f64 {
    if x > 709.0 {
        return f64::INFINITY;
    }
    if x < -700.0 {
        return 0.0;
    }
    let k = (x / LN_2).round();
    let r = x - k * LN_2;
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..=14 {
        term = term * r / f64::from(n);
        sum += term;
    }
    sum * f64::from_bits(((k as i64 + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_close_to_those_of_the_platform() {
        for i in 0..=1000 {
            let x = f64::from(i) / 1000.0;
            assert!((cos_pi(x) - (PI * x).cos()).abs() < 1e-15, "cos {x}");
            for exponent in [0.1, 0.5, 0.9, 1.0, 2.0, 2.5, 17.3] {
                let (found, expected) = (power(x, exponent), x.powf(exponent));
                assert!(
                    (found - expected).abs() <= 1e-13 * expected,
                    "{x}^{exponent}"
                );
            }
        }
        assert_eq!((cos_pi(0.0), cos_pi(1.0)), (1.0, -1.0));
        assert!((power(1e8, 0.37) / 1e8_f64.powf(0.37) - 1.0).abs() < 1e-13);
        assert!((ln(5e-324) / 5e-324_f64.ln() - 1.0).abs() < 1e-13);
        assert!(power(-1.0, 0.5).is_nan() && power(f64::NAN, 0.5).is_nan());
    }
}
