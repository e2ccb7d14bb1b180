//! Numbers in JSON text, digits eight at a time.

use std::str::FromStr;

use maas_core::Element;

/// A number that is written in JSON.
pub(in crate::wire) trait Number: Element + Copy {
    /// The number that a text begins with, and its length; `None` where there is none of this type.
    fn read(text: &[u8]) -> Option<(Self, usize)>;
}

/// ± digits · 10^exponent.
struct Decimal {
    is_negative: bool,
    /// Wrong where there are more than [`EXACT`].
    digits: u64,
    /// How many, zeros in front included.
    count: usize,
    exponent: i64,
    length: usize,
}

/// As many digits always fit.
const EXACT: usize = 19;

/// The length of the number that a text begins with.
pub(super) fn length(text: &[u8]) -> Option<usize> {
    decimal(text).map(|decimal| decimal.length)
}

// Inlined, so that it never lies in memory.
#[inline(always)]
fn decimal(text: &[u8]) -> Option<Decimal> {
    let is_negative = text.first() == Some(&b'-');
    let start = usize::from(is_negative);
    let (mut digits, mut at) = match text.get(start..) {
        // The most usual number has one digit before the point: its place need not be computed.
        Some([digit @ b'0'..=b'9', b'.', ..]) => (u64::from(digit - b'0'), start + 1),
        _ => whole(text, start)?,
    };
    let (mut count, mut exponent) = (at - start, 0);
    if text.get(at) == Some(&b'.') {
        let from = at + 1;
        (digits, at) = digits_from(text, from, digits);
        if at == from {
            return None;
        }
        count += at - from;
        exponent = -i64::try_from(at - from).ok()?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let (more, end) = power(text, at + 1)?;
        exponent = exponent.saturating_add(more);
        at = end;
    }
    Some(Decimal {
        is_negative,
        digits,
        count,
        exponent,
        length: at,
    })
}

/// The digits before the point, which begin with 0 only if they are nothing else, and where they end.
#[inline(always)]
fn whole(text: &[u8], start: usize) -> Option<(u64, usize)> {
    let (digits, end) = digits_from(text, start, 0);
    let begins_with_zero = text.get(start) == Some(&b'0');
    (end == start + 1 || (end > start && !begins_with_zero)).then_some((digits, end))
}

/// What follows an `e`, and where it ends.
#[cold]
fn power(text: &[u8], start: usize) -> Option<(i64, usize)> {
    let sign = text.get(start).filter(|sign| b"+-".contains(sign));
    let from = start + usize::from(sign.is_some());
    let (mut power, mut at) = (0_i64, from);
    while let Some(digit @ b'0'..=b'9') = text.get(at) {
        power = power
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'));
        at += 1;
    }
    let power = if sign == Some(&b'-') { -power } else { power };
    (at > from).then_some((power, at))
}

/// Puts the digits from `at` on behind those of `digits`, and says where they end.
#[inline(always)]
fn digits_from(text: &[u8], mut at: usize, mut digits: u64) -> (u64, usize) {
    while let Some(eight) = text.get(at..).and_then(<[u8]>::first_chunk) {
        let (value, count) = leading_digits(*eight);
        digits = digits.wrapping_mul(TENS[count]).wrapping_add(value);
        at += count;
        if count < 8 {
            return (digits, at);
        }
    }
    while let Some(digit @ b'0'..=b'9') = text.get(at) {
        digits = digits
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'));
        at += 1;
    }
    (digits, at)
}

const TENS: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// The value of the digits that eight bytes begin with, and how many they are.
#[inline(always)]
fn leading_digits(eight: [u8; 8]) -> (u64, usize) {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let bytes = u64::from_le_bytes(eight) ^ ZEROS;
    // The high bit of every byte that is no digit; bytes behind the first such may be wrong.
    let others = (bytes | bytes.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() / 8;
    // Zeros in front of the digits, in place of what follows them.
    let bytes = bytes.checked_shl(64 - 8 * count).unwrap_or(0);
    let pairs = bytes.wrapping_mul(10).wrapping_add(bytes >> 8);
    let outer = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let inner = ((pairs >> 16) & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    (outer.wrapping_add(inner) >> 32, count as usize)
}

macro_rules! integers {
    ($($number:ty),*) => {
        $(impl Number for $number {
            #[inline]
            fn read(text: &[u8]) -> Option<(Self, usize)> {
                let is_negative = text.first() == Some(&b'-');
                let start = usize::from(is_negative);
                let (digits, length) = whole(text, start)?;
                if let Some(b'.' | b'e' | b'E') = text.get(length) {
                    return None;
                }
                let value = if length - start > EXACT {
                    slowly(&text[..length])?
                } else if is_negative {
                    Self::try_from(0_i64.checked_sub_unsigned(digits)?).ok()?
                } else {
                    Self::try_from(digits).ok()?
                };
                Some((value, length))
            }
        })*
    };
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

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

macro_rules! floats {
    ($($number:ty: $exactly:ident),*) => {
        $(impl Number for $number {
            #[inline(always)]
            fn read(text: &[u8]) -> Option<(Self, usize)> {
                let decimal = decimal(text)?;
                let value = match $exactly(&decimal) {
                    Some(value) if decimal.is_negative => -value,
                    Some(value) => value,
                    None => slowly(&text[..decimal.length])?,
                };
                value.is_finite().then_some((value, decimal.length))
            }
        })*
    };
}

floats!(f32: f32_exactly, f64: f64_exactly);

#[cold]
fn slowly<T: FromStr>(number: &[u8]) -> Option<T> {
    std::str::from_utf8(number).ok()?.parse().ok()
}

/// The nearest number but for the sign, where digits and power are numbers themselves, so that one operation rounds once.
#[inline(always)]
fn f64_exactly(decimal: &Decimal) -> Option<f64> {
    let place = usize::try_from(decimal.exponent.unsigned_abs()).ok()?;
    let power = POWERS.get(place)?;
    if decimal.count > EXACT || decimal.digits > 1 << f64::MANTISSA_DIGITS {
        return None;
    }
    let digits = decimal.digits.cast_signed() as f64;
    Some(if decimal.exponent < 0 {
        digits / power
    } else {
        digits * power
    })
}

/// The nearest number but for the sign, where an `f64` that is nearly it is enough to tell.
#[inline(always)]
fn f32_exactly(decimal: &Decimal) -> Option<f32> {
    let place = usize::try_from(decimal.exponent.unsigned_abs()).ok()?;
    let powers = if decimal.exponent < 0 {
        &TENTHS
    } else {
        &POWERS
    };
    let power = powers.get(place)?;
    if decimal.count > EXACT {
        return None;
    }
    // Three roundings at most: four units in the last place away from what is written, or less.
    let wide = i64::try_from(decimal.digits).ok()? as f64 * power;
    // The part below an f32's last place. Half of one is where roundings up and down meet.
    let part = wide.to_bits() & ((1 << 29) - 1);
    let is_sure = part.abs_diff(1 << 28) > 4 && wide >= f64::from(f32::MIN_POSITIVE);
    (is_sure || decimal.digits == 0).then_some(wide as f32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same_as_std<T: Number + FromStr + PartialEq + std::fmt::Debug>(
        text: &str,
        bits: impl Fn(T) -> u64,
    ) -> Result<(), TestCaseError> {
        for after in ["", ",", "]  ]}]}      ", " ,123456789"] {
            let read = T::read(format!("{text}{after}").as_bytes());
            let (value, length) = read.ok_or_else(|| TestCaseError::fail(text.to_owned()))?;
            let expected = text.parse().unwrap_or_else(|_| panic!("{text}"));
            prop_assert_eq!(bits(value), bits(expected), "{}", text);
            prop_assert_eq!(length, text.len());
        }
        Ok(())
    }

    fn f32_like_std(text: &str) -> Result<(), TestCaseError> {
        same_as_std::<f32>(text, |value| value.to_bits().into())
    }

    fn f64_like_std(text: &str) -> Result<(), TestCaseError> {
        same_as_std::<f64>(text, f64::to_bits)
    }

    #[test]
    fn hard_numbers_are_rounded_once() {
        for text in [
            "0",
            "-0",
            "0.0",
            "-0.000",
            "0e5",
            "16777217",
            "16777219",
            "33554433.0",
            "33554435.000000000",
            "16777217.00000000000000000001",
            "9007199254740993",
            "9007199254740993.0",
            "1.17549435e-38",
            "1.1754942e-38",
            "1e-45",
            "7e-46",
            "7.006492321624085e-46",
            "3.4028234e38",
            "3.4028235677973365e38",
            "0.1",
            "123456789012345678",
            "1234567890123456789",
            "12345678901234567890",
            "0.00000000000000000001",
            "1e22",
            "1e23",
            "1.0e-22",
            "100000000000000000000000",
            "8.5899346e9",
            "8589934592.5",
            "0.3",
            "2.5e-1",
            "4.35",
            "1.00000017881393432617187499",
            "1.00000017881393432617187500",
            "1.00000017881393432617187501",
            "1.000000178813934326",
            "1.000000059604644775",
            "1.0000000596046447754",
            "1.0000000596046447753",
        ] {
            f32_like_std(text).unwrap();
            f64_like_std(text).unwrap();
        }
    }

    #[test]
    fn numbers_are_those_of_json() {
        for text in [
            "", "-", "+1", ".5", "01", "-01", "00", "1.", "1.e1", "1e", "1e+", "-.5", "e1", "a",
            "NaN", "inf",
        ] {
            assert!(f64::read(text.as_bytes()).is_none(), "{text}");
            assert!(
                f32::read(format!("{text} ,    ").as_bytes()).is_none(),
                "{text}"
            );
            assert!(length(text.as_bytes()).is_none(), "{text}");
        }
        for text in ["1e39", "-1e39", "3.4028236e38", "1e99999999999999999999"] {
            assert!(f32::read(text.as_bytes()).is_none(), "{text}");
            assert_eq!(length(text.as_bytes()), Some(text.len()));
        }
        assert!(f64::read(b"1e309").is_none());
        for text in ["1.0", "1e0", "1E2", "256", "-1", "99999999999999999999"] {
            assert!(u8::read(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(u8::read(b"-0"), Some((0, 2)));
        assert_eq!(u64::read(b"18446744073709551615]"), Some((u64::MAX, 20)));
        assert!(u64::read(b"18446744073709551616]").is_none());
        assert_eq!(i64::read(b"-9223372036854775808]"), Some((i64::MIN, 20)));
    }

    proptest! {
        #[test]
        fn written_floats_are_read(value in any::<f32>().prop_filter("JSON", |x| x.is_finite())) {
            f32_like_std(&value.to_string())?;
            f32_like_std(&format!("{value:e}"))?;
            f32_like_std(&f64::from(value).to_string())?;
        }

        #[test]
        fn written_doubles_are_read(value in any::<f64>().prop_filter("JSON", |x| x.is_finite())) {
            f64_like_std(&value.to_string())?;
            f64_like_std(&format!("{value:e}"))?;
        }

        #[test]
        fn decimals_are_rounded_once(text in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?") {
            f64_like_std(&text)?;
            if text.parse::<f32>().unwrap().is_finite() {
                f32_like_std(&text)?;
            }
        }

        /// The middle between two neighbours, and a little beside it.
        #[test]
        fn middles_are_rounded_once(bits in 0_u32..0x7f7f_ffff, beside in -3_i64..=3, places in 0_usize..30) {
            let (low, high) = (f32::from_bits(bits), f32::from_bits(bits + 1));
            let middle = (f64::from(low) + f64::from(high)) / 2.0;
            let near = f64::from_bits(middle.to_bits().saturating_add_signed(beside));
            f32_like_std(&near.to_string())?;
            f32_like_std(&format!("{near:.places$e}"))?;
            f32_like_std(&format!("{near:.places$}"))?;
        }

        #[test]
        fn integers_are_read(value: i64, small in -300_i64..300) {
            same_as_std::<i64>(&value.to_string(), i64::cast_unsigned)?;
            same_as_std::<u64>(&value.cast_unsigned().to_string(), |value| value)?;
            let text = small.to_string();
            prop_assert_eq!(i8::read(text.as_bytes()).map(|read| read.0), small.try_into().ok());
            prop_assert_eq!(u8::read(text.as_bytes()).map(|read| read.0), small.try_into().ok());
        }
    }
}
