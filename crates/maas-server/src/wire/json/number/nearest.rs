//! The floats that are nearest to decimals.

/// The powers of ten that an `f64` holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Their inverses, as nearly as possible.
const TENTHS: [f64; 23] = [
    1e-0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13, 1e-14,
    1e-15, 1e-16, 1e-17, 1e-18, 1e-19, 1e-20, 1e-21, 1e-22,
];

/// The number nearest to digits · 10^exponent, where both are numbers themselves, so that one operation rounds once.
#[inline(always)]
pub(super) fn nearest_f64(digits: u64, exponent: i64) -> Option<f64> {
    let power = POWERS.get(place(exponent)?)?;
    if digits > 1 << f64::MANTISSA_DIGITS {
        return None;
    }
    let digits = digits.cast_signed() as f64;
    Some(if exponent < 0 {
        digits / power
    } else {
        digits * power
    })
}

/// The number nearest to digits · 10^exponent, where an `f64` that is nearly it is enough to tell.
#[inline(always)]
pub(super) fn nearest_f32(digits: u64, exponent: i64) -> Option<f32> {
    let powers = if exponent < 0 { &TENTHS } else { &POWERS };
    let power = powers.get(place(exponent)?)?;
    // Three roundings at most: four units in the last place away from what is written, or less.
    let wide = i64::try_from(digits).ok()? as f64 * power;
    // The part below an f32's last place. Half of one is where roundings up and down meet.
    let part = wide.to_bits() & ((1 << 29) - 1);
    // What lies below wraps around, so that one comparison is enough.
    let is_near_half = part.wrapping_sub((1 << 28) - 4) <= 8;
    let is_normal = wide >= f64::from(f32::MIN_POSITIVE) || digits == 0;
    (is_normal && !is_near_half).then_some(wide as f32)
}

#[inline(always)]
fn place(exponent: i64) -> Option<usize> {
    usize::try_from(exponent.unsigned_abs()).ok()
}
