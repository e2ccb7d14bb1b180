//! One number, digits eight at a time.

/// ± digits · 10^exponent.
pub(super) struct Decimal {
    pub(super) is_negative: bool,
    /// Wrong where there are more than [`EXACT`].
    pub(super) digits: u64,
    /// How many, zeros in front included.
    pub(super) count: usize,
    pub(super) exponent: i64,
    pub(super) length: usize,
}

/// As many digits always fit.
pub(super) const EXACT: usize = 19;

/// The number that a text begins with.
// Inlined, so that it never lies in memory.
#[inline(always)]
pub(super) fn decimal(text: &[u8]) -> Option<Decimal> {
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
pub(super) fn whole(text: &[u8], start: usize) -> Option<(u64, usize)> {
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
    (value_of(bytes), count as usize)
}

/// The number that eight digits are, the first of them in the lowest byte.
#[inline(always)]
pub(super) fn value_of(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let outer = (pairs & 0xff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let inner = ((pairs >> 16) & 0xff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    outer.wrapping_add(inner) >> 32
}
