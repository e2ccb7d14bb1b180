//! Text, byte by byte, as one goes on who has read others of its kind.

use std::sync::LazyLock;

use super::coder::Coder;
use super::model::Mixture;

/// Texts that a model has read before its first one, each on a line of its own.
const PRIMER: &str = include_str!("primer.txt");

/// Codes a text, which has no byte 0; gives up behind `limit` bytes and one more.
pub(super) fn text(coder: &mut impl Coder, text: &str, limit: usize) -> Vec<u8> {
    let mut model = PRIMED.clone();
    let mut bytes = Vec::new();
    let mut given = text.bytes();
    while bytes.len() <= limit {
        match model.byte(coder, given.next().unwrap_or(END)) {
            END => break,
            byte => bytes.push(byte),
        }
    }
    bytes
}

static PRIMED: LazyLock<Model> = LazyLock::new(|| {
    let mut model = Model::new();
    for byte in PRIMER.bytes() {
        model.byte(&mut Known, if byte == b'\n' { END } else { byte });
    }
    model
});

/// Ends a text.
const END: u8 = 0;

/// How many bytes back the contexts look.
const ORDERS: [u32; 5] = [1, 2, 3, 5, 8];

/// Contexts of each order, by the high bits of their hash.
const HASH_BITS: u32 = 16;

#[derive(Clone)]
struct Model {
    mixture: Mixture<{ ORDERS.len() }>,
    /// The last bytes, the latest one lowest.
    past: u64,
}

impl Model {
    fn new() -> Self {
        Self {
            mixture: Mixture::new([1 << HASH_BITS; ORDERS.len()]),
            past: 0,
        }
    }

    fn byte(&mut self, coder: &mut impl Coder, byte: u8) -> u8 {
        let pasts = ORDERS.map(|order| self.past << (u64::BITS - 8 * order));
        let mut node = 1;
        for at in (0..8).rev() {
            let contexts = pasts.map(|past| hash(past, node));
            let bit = self.mixture.bit(coder, contexts, byte >> at & 1 == 1);
            node = node << 1 | u64::from(bit);
        }
        self.past = self.past << 8 | (node & 0xff);
        node as u8
    }
}

fn hash(past: u64, node: u64) -> usize {
    let mixed = past.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ node;
    (mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> (u64::BITS - HASH_BITS)) as usize
}

/// Gives back what is known beforehand.
struct Known;

impl Coder for Known {
    fn bit(&mut self, _: u32, bit: bool) -> bool {
        bit
    }

    fn even(&mut self, _: u32, number: u32) -> u32 {
        number
    }
}
