//! Numbers in JSON text.

mod decimal;
mod nearest;
mod run;
#[cfg(test)]
mod tests;

use std::str::FromStr;

use maas_core::Element;

use decimal::{EXACT, decimal, whole};
use nearest::{nearest_f32, nearest_f64};
pub(super) use run::run;

/// A number that is written in JSON.
pub(in crate::wire) trait Number: Element + Copy {
    /// The number that a text begins with, and its length; `None` where there is none of this type.
    fn read(text: &[u8]) -> Option<(Self, usize)>;

    /// The number nearest to ± digits · 10^exponent, where that is quickly told and of this type.
    fn nearest(is_negative: bool, digits: u64, exponent: i64) -> Option<Self>;
}

/// The length of the number that a text begins with.
pub(super) fn length(text: &[u8]) -> Option<usize> {
    decimal(text).map(|decimal| decimal.length)
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
                } else {
                    Self::nearest(is_negative, digits, 0)?
                };
                Some((value, length))
            }

            #[inline(always)]
            fn nearest(is_negative: bool, digits: u64, exponent: i64) -> Option<Self> {
                if exponent != 0 {
                    return None;
                }
                if is_negative {
                    return Self::try_from(0_i64.checked_sub_unsigned(digits)?).ok();
                }
                Self::try_from(digits).ok()
            }
        })*
    };
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! floats {
    ($($number:ty: $nearest:ident),*) => {
        $(impl Number for $number {
            #[inline(always)]
            fn read(text: &[u8]) -> Option<(Self, usize)> {
                let decimal = decimal(text)?;
                let quick = if decimal.count > EXACT {
                    None
                } else {
                    Self::nearest(decimal.is_negative, decimal.digits, decimal.exponent)
                };
                let value = match quick {
                    Some(value) => value,
                    None => slowly(&text[..decimal.length])?,
                };
                value.is_finite().then_some((value, decimal.length))
            }

            #[inline(always)]
            fn nearest(is_negative: bool, digits: u64, exponent: i64) -> Option<Self> {
                // A branch would be taken as often as not.
                let sign = if is_negative { -1.0 } else { 1.0 };
                Some(<$number>::copysign($nearest(digits, exponent)?, sign))
            }
        })*
    };
}

floats!(f32: nearest_f32, f64: nearest_f64);

#[cold]
fn slowly<T: FromStr>(number: &[u8]) -> Option<T> {
    std::str::from_utf8(number).ok()?.parse().ok()
}
