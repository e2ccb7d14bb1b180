/// The numbers of 64 bits that are still possible, from `low` to `high`: the state that a writer and a reader share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) low: u64,
    pub(super) high: u64,
}

impl Interval {
    pub(super) fn new() -> Self {
        Self {
            low: 0,
            high: u64::MAX,
        }
    }

    /// The last number of the part that belongs to the bit 1.
    #[inline]
    pub(super) fn split(&self, one: u32) -> u64 {
        self.low + ((self.high - self.low) >> 16) * u64::from(one)
    }

    #[inline]
    pub(super) fn narrow(&mut self, split: u64, bit: bool) {
        if bit {
            self.high = split;
        } else {
            self.low = split + 1;
        }
    }

    /// How many numbers each of 2^`bits` equal parts has; the last has what is left, too. 0 where it is too short.
    #[inline]
    pub(super) fn step(&self, bits: u32) -> u64 {
        (self.high - self.low) >> bits
    }

    #[inline]
    pub(super) fn part(&mut self, bits: u32, step: u64, part: u64) {
        self.low += step * part;
        if part + 1 < 1 << bits {
            self.high = self.low + step - 1;
        }
    }

    /// Takes off the first byte, once it is certain.
    #[inline]
    pub(super) fn shift(&mut self) -> Option<u8> {
        if (self.low ^ self.high) >> 56 != 0 {
            return None;
        }
        let byte = (self.low >> 56) as u8;
        self.low <<= 8;
        self.high = self.high << 8 | 0xff;
        Some(byte)
    }

    /// The fewest bytes that lie in the interval, whatever zeros follow.
    pub(super) fn ending(&self) -> (u64, usize) {
        let rounded = |bytes: usize| {
            let rest = u64::MAX.checked_shr(8 * bytes as u32).unwrap_or(0);
            Some(self.low.checked_add(rest)? & !rest)
        };
        (0..8)
            .find_map(|bytes| Some((rounded(bytes).filter(|&end| end <= self.high)?, bytes)))
            .unwrap_or((self.low, 8))
    }
}
