use super::Coder;
use super::interval::Interval;

/// Writes bits.
#[derive(Clone, Debug)]
pub(in crate::format) struct Encoder {
    interval: Interval,
    bytes: Vec<u8>,
}

impl Encoder {
    pub(in crate::format) fn new() -> Self {
        Self {
            interval: Interval::new(),
            bytes: Vec::new(),
        }
    }

    /// How many bytes are certain so far.
    pub(in crate::format) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// All bytes, which must be followed by nothing or by zeros.
    pub(in crate::format) fn finish(mut self) -> Vec<u8> {
        let (end, bytes) = self.interval.ending();
        self.bytes.extend_from_slice(&end.to_be_bytes()[..bytes]);
        self.bytes
    }

    #[inline]
    fn flush(&mut self) {
        while let Some(byte) = self.interval.shift() {
            self.bytes.push(byte);
        }
    }
}

impl Coder for Encoder {
    #[inline]
    fn bit(&mut self, one: u32, bit: bool) -> bool {
        self.interval.narrow(self.interval.split(one), bit);
        self.flush();
        bit
    }

    #[inline]
    fn even(&mut self, bits: u32, number: u32) -> u32 {
        match self.interval.step(bits) {
            0 => (0..bits).for_each(|at| {
                self.bit(1 << 15, number >> at & 1 == 1);
            }),
            step => self.interval.part(bits, step, u64::from(number)),
        }
        self.flush();
        number
    }
}
