use super::Coder;
use super::interval::Interval;

/// Reads bits. Behind the last byte there are zeros.
#[derive(Debug)]
pub(in crate::format) struct Decoder<'a> {
    interval: Interval,
    /// The number of the interval that the bytes spell.
    number: u64,
    bytes: &'a [u8],
    /// How many bytes have gone into `number`.
    taken: usize,
}

impl<'a> Decoder<'a> {
    pub(in crate::format) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self {
            interval: Interval::new(),
            number: 0,
            bytes,
            taken: 0,
        };
        (0..8).for_each(|_| decoder.take());
        decoder
    }

    /// How many bytes a writer would have needed for what was read so far; none where the bytes are not a writer's.
    pub(in crate::format) fn finish(&self) -> Option<usize> {
        let (end, bytes) = self.interval.ending();
        (end == self.number).then_some(self.taken - 8 + bytes)
    }

    /// Whether more has been read than there is.
    pub(in crate::format) fn is_exhausted(&self) -> bool {
        self.taken > self.bytes.len() + 8
    }

    #[inline]
    fn take(&mut self) {
        let byte = self.bytes.get(self.taken).copied().unwrap_or(0);
        self.number = self.number << 8 | u64::from(byte);
        self.taken += 1;
    }

    #[inline]
    fn flush(&mut self) {
        while self.interval.shift().is_some() {
            self.take();
        }
    }
}

impl Coder for Decoder<'_> {
    #[inline]
    fn bit(&mut self, one: u32, _: bool) -> bool {
        let split = self.interval.split(one);
        let bit = self.number <= split;
        self.interval.narrow(split, bit);
        self.flush();
        bit
    }

    #[inline]
    fn even(&mut self, bits: u32, _: u32) -> u32 {
        let number = match self.interval.step(bits) {
            0 => (0..bits).fold(0, |number, at| {
                number | u32::from(self.bit(1 << 15, false)) << at
            }),
            step => {
                let part = ((self.number - self.interval.low) / step).min((1 << bits) - 1);
                self.interval.part(bits, step, part);
                part as u32
            }
        };
        self.flush();
        number
    }
}
