//! Numbers of single precision: exponents and signs as they are likely, the mantissas' bits as they are.

use super::coder::Coder;
use super::model::Mixture;

/// Bits of a mantissa.
pub(super) const MANTISSA: u32 = 23;

/// How many bits of their mantissas the numbers need: 7 where they are bf16, 10 or fewer where they are of half precision.
pub(super) fn precision(numbers: &[f32]) -> u32 {
    let needed = |number: &f32| MANTISSA - (number.to_bits() | 1 << MANTISSA).trailing_zeros();
    numbers.iter().map(needed).max().unwrap_or(0)
}

/// Codes numbers, with so many bits of their mantissas.
pub(super) fn floats(coder: &mut impl Coder, numbers: &mut [f32], precision: u32) {
    let mut mixture = Mixture::new([1 << 9]);
    let unused = MANTISSA - precision;
    for number in numbers {
        // The sign last: it is the least likely to tell anything.
        let bits = number.to_bits().rotate_left(1);
        let top = bits >> (MANTISSA + 1) << 1 | bits & 1;
        let mut node = 1;
        for at in (0..9).rev() {
            node = node << 1 | usize::from(mixture.bit(coder, [node], top >> at & 1 == 1));
        }
        let top = node as u32 & 0x1ff;
        let mantissa = coder.number(
            precision,
            number.to_bits() >> unused & ((1 << precision) - 1),
        );
        let bits = top >> 1 << (MANTISSA + 1) | mantissa << (unused + 1) | top & 1;
        *number = f32::from_bits(bits.rotate_right(1));
    }
}
