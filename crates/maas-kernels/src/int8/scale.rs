//! What a code stands for: the scale of a column of weights, and of a row of inputs.

use super::InputScale;

/// The largest code; the smallest is its negative.
pub(super) const MOST: f32 = 127.0;

/// Magnitudes below count as zero: their scale would be subnormal.
const TINY: f32 = MOST * f32::MIN_POSITIVE;

/// The scale of a column whose largest magnitude is this finite number.
pub(super) fn of_column(largest: f32) -> f32 {
    if largest < TINY {
        return 1.0;
    }
    let bits = ((largest / MOST).to_bits() + LOW_BITS) & !LOW_BITS;
    let scale = f32::from_bits(bits);
    if (MOST * scale).is_finite() {
        scale
    } else {
        f32::from_bits(bits - (LOW_BITS + 1))
    }
}

/// Whether a scale has at most sixteen significant bits and multiplies every code exactly.
pub(super) fn is_exact(scale: f32) -> bool {
    scale.is_sign_positive()
        && scale.is_normal()
        && scale.to_bits() & LOW_BITS == 0
        && (MOST * scale).is_finite()
}

/// What a row of inputs is multiplied with on the way to its codes, and its codes on the way back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Factors {
    pub(super) to_codes: f32,
    /// NaN where an element is not finite.
    pub(super) scale: f32,
}

impl InputScale {
    /// Of a row with this largest magnitude, whose elements are all finite or not.
    pub(super) fn factors(self, largest: f32, finite: bool) -> Factors {
        let (to_codes, scale) = match self {
            _ if !finite => (0.0, f32::NAN),
            Self::PerRow if largest < TINY => (0.0, 0.0),
            Self::PerRow => (MOST / largest, largest / MOST),
            Self::Fixed(scale) => (1.0 / scale, scale),
        };
        Factors { to_codes, scale }
    }

    #[track_caller]
    pub(super) fn check(self) {
        if let Self::Fixed(scale) = self {
            assert!(
                scale.is_normal() && scale > 0.0,
                "an input scale of {scale} is not a positive normal number"
            );
        }
    }
}

/// The nearest code to a quotient, ties to even; 0 for NaN.
pub(super) fn nearest(quotient: f32) -> i8 {
    quotient.clamp(-MOST, MOST).round_ties_even() as i8
}

/// Bits of a mantissa beyond sixteen significant ones.
const LOW_BITS: u32 = 0xff;
