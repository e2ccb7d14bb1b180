//! Numbers of a small range, such as places in a palette: their leading bits as they are likely.

use super::coder::Coder;
use super::model::Mixture;

/// A coder of numbers below 2^`bits` that belong to columns.
#[derive(Debug)]
pub(super) struct Symbols {
    mixture: Mixture<3>,
    /// Leading bits, which are learnt.
    leading: u32,
    /// The other bits, which are taken as even.
    rest: u32,
    /// The leading bits of the last number of each column.
    last: Vec<usize>,
}

/// Contexts that know the column; where there are more, they share.
const SHARED: usize = 1 << 16;

impl Symbols {
    /// Learns at most so many leading bits.
    pub(super) fn new(bits: u32, leading: u32, columns: usize) -> Self {
        let leading = bits.min(leading);
        let own = 1 << leading;
        Self {
            mixture: Mixture::new([own, own << leading.div_ceil(2), (columns * own).min(SHARED)]),
            leading,
            rest: bits - leading,
            last: vec![0; columns],
        }
    }

    #[inline]
    pub(super) fn code(&mut self, coder: &mut impl Coder, column: usize, number: u32) -> u32 {
        // Ascending numbers: the first half of the bits says about how large the last one was.
        let last = self.last[column] >> (self.leading / 2);
        let leading = number >> self.rest;
        let mut node = 1;
        for at in (0..self.leading).rev() {
            let contexts = [
                node,
                last << self.leading | node,
                (column << self.leading | node) % SHARED,
            ];
            let bit = self.mixture.bit(coder, contexts, leading >> at & 1 == 1);
            node = node << 1 | usize::from(bit);
        }
        self.last[column] = node - (1 << self.leading);
        let leading = self.last[column] as u32;
        leading << self.rest | coder.number(self.rest, number & ((1 << self.rest) - 1))
    }
}
