//! Many numbers, found all at once.

use wide::u8x16;

use super::Number;
use super::decimal::value_of;

/// Bytes that are looked at together.
const BLOCK: usize = 64;
/// Bytes in front of them, so that eight can be read that end where a number has its first.
const FRONT: usize = 8;
/// A block and what is in front of it.
type Window = [u8; FRONT + BLOCK];

/// Reads numbers that follow each other from `at` on, with nothing but commas and spaces between them, and says how many and
/// where the last one ends. There are none where the first is no number of this type, is not read quickly, or stands
/// too near to the text's beginning or end.
pub(in crate::wire::json) fn run<T: Number>(
    text: &[u8],
    at: usize,
    values: &mut [T],
) -> (usize, usize) {
    let rest = at.checked_sub(FRONT).and_then(|from| text.get(from..));
    let Some(window) = rest.and_then(<[u8]>::first_chunk) else {
        return (0, at);
    };
    let (count, length) = within(window, values);
    (count, at + length)
}

/// Where the numbers of a block are that nothing is wrong with but, perhaps, more than one point: a bit for each byte, that of
/// the first one lowest.
struct Numbers {
    /// Their first bytes, and perhaps those of others behind them.
    starts: u64,
    /// The bytes behind their last ones.
    ends: u64,
    points: u64,
    minuses: u64,
}

impl Numbers {
    #[inline(always)]
    fn of(window: &Window) -> Self {
        let are = |byte| bits(window, |bytes| bytes.simd_eq(u8x16::splat(byte)));
        let digits = bits(window, |bytes| {
            let digits = bytes - u8x16::splat(b'0');
            digits.simd_eq(digits.min(u8x16::splat(9)))
        });
        let (points, minuses, commas) = (are(b'.'), are(b'-'), are(b','));
        let numbers = digits | points | minuses;
        let starts = numbers & !(numbers << 1);
        let ends = !numbers & (numbers << 1);
        let before_digits = digits >> 1;
        let mut others = !(numbers | commas) & !ends;
        if others != 0 {
            others &= !are(b' ');
        }
        let firsts = (starts & digits) | ((starts & minuses) << 1);
        let mut leading_zeros = firsts & before_digits;
        if leading_zeros != 0 {
            leading_zeros &= are(b'0');
        }
        let wrong = others
            | leading_zeros
            | (commas & !ends)
            | (minuses & !(starts & before_digits))
            | (points & !((digits << 1) & before_digits));
        // A number that no comma follows may be the last one.
        let stops = wrong | (ends & !commas);
        let stop = stops & stops.wrapping_neg();
        let is_whole = window
            .get(FRONT + first(stop))
            .is_some_and(|byte| b"] \n\r\t".contains(byte));
        let whole = if is_whole { stop } else { 0 };
        Self {
            starts,
            ends: ends & (stop.wrapping_sub(1) | whole),
            points,
            minuses,
        }
    }
}

/// A bit for each byte of the block of which this holds.
#[inline(always)]
fn bits(window: &Window, holds: impl Fn(u8x16) -> u8x16) -> u64 {
    let (pieces, _) = window[FRONT..].as_chunks();
    let mut bits = 0;
    for (i, piece) in pieces.iter().enumerate() {
        bits |= u64::from(holds(u8x16::new(*piece)).to_bitmask()) << (16 * i);
    }
    bits
}

/// Reads numbers that begin where the block does: how many, and where in the block the last one ends.
#[inline(always)]
fn within<T: Number>(window: &Window, values: &mut [T]) -> (usize, usize) {
    let Numbers {
        mut starts,
        mut ends,
        mut points,
        minuses,
    } = Numbers::of(window);
    let (mut count, mut length) = (0, 0);
    for value in values {
        if ends == 0 {
            break;
        }
        let (start, end) = (first(starts), first(ends));
        let point = first(points);
        let has_point = point < end;
        let places = if has_point { end - 1 - point } else { 0 };
        if has_point {
            points = without_first(points);
        }
        if first(points) < end {
            break;
        }
        let is_negative = (minuses >> start) & 1 == 1;
        let characters = end - start - usize::from(is_negative);
        let Some(digits) = digits(window, FRONT + end, characters, has_point, places) else {
            break;
        };
        let Some(number) = T::nearest(is_negative, digits, -(places as i64)) else {
            break;
        };
        *value = number;
        count += 1;
        length = end;
        starts = without_first(starts);
        ends = without_first(ends);
    }
    (count, length)
}

/// The digits of the number that ends before `end`, if they fit.
#[inline(always)]
fn digits(
    window: &Window,
    end: usize,
    characters: usize,
    has_point: bool,
    places: usize,
) -> Option<u64> {
    let count = characters - usize::from(has_point);
    // Those before the point are read as if they stood one place on, where the point is.
    let word = |words: usize, keep: u64, all: u64| {
        let end = end - 8 * words;
        let behind = eight(window, end);
        let before = eight(window, end - usize::from(has_point));
        value_of((((behind ^ before) & keep) ^ before) & all)
    };
    if characters <= 8 {
        return Some(word(0, LAST[places][0], LAST[count][0]));
    }
    let (keep, all) = (LAST.get(places)?, LAST.get(count)?);
    let mut digits = word(0, keep[0], all[0]) + word(1, keep[1], all[1]) * 10_u64.pow(8);
    if count > 16 {
        digits += word(2, keep[2], all[2]) * 10_u64.pow(16);
    }
    Some(digits)
}

#[inline(always)]
fn eight(window: &Window, end: usize) -> u64 {
    let bytes = window[end - 8..end].first_chunk();
    u64::from_le_bytes(*bytes.expect("eight are eight"))
}

#[inline(always)]
fn first(bits: u64) -> usize {
    bits.trailing_zeros() as usize
}

#[inline(always)]
fn without_first(bits: u64) -> u64 {
    bits & bits.wrapping_sub(1)
}

/// As many digits fit.
const MOST: usize = 19;

/// What makes the last digits of up to 24 characters their values, and zeros of the others. The last eight come first.
static LAST: [[u64; 3]; MOST + 1] = {
    let mut last = [[0; 3]; MOST + 1];
    let mut digits = 1;
    while digits <= MOST {
        last[digits] = last[digits - 1];
        last[digits][(digits - 1) / 8] |= 0x0f << (56 - 8 * ((digits - 1) % 8));
        digits += 1;
    }
    last
};
