//! An arithmetic coder of bits: the same functions write a file and read it.

mod decoder;
mod encoder;
mod interval;

pub(super) use decoder::Decoder;
pub(super) use encoder::Encoder;

/// Takes bits one after the other, to write them or to find out what was written.
///
/// A model is one function for both ways: a writer gives the bits to code and gets them back, a reader gives anything
/// and gets the bits of the file.
pub(super) trait Coder {
    /// A bit that is 1 with probability `one` / 65536, where 0 < `one` < 65536.
    fn bit(&mut self, one: u32, bit: bool) -> bool;

    /// A number of `bits` ≤ 16 bits, all of them equally likely.
    fn even(&mut self, bits: u32, number: u32) -> u32;

    /// A number of up to 32 bits, all of them equally likely: the low ones first.
    fn number(&mut self, bits: u32, number: u32) -> u32 {
        let low = bits.min(16);
        let part = self.even(low, number & ((1 << low) - 1));
        if bits == low {
            return part;
        }
        part | self.even(bits - low, number >> low) << low
    }

    /// A number below 2³², in 5 bits for its length and as many more.
    fn length(&mut self, number: u32) -> u32 {
        // The leading one is not coded; 0 and 1 take a bit each.
        let bits = self.even(5, (u32::BITS - number.leading_zeros()).saturating_sub(1));
        match bits {
            0 => self.even(1, number),
            _ => (1 << bits) | self.number(bits, number & ((1 << bits) - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Item {
        Bit(u32, bool),
        Even(u32, u32),
        Number(u32, u32),
        Length(u32),
    }

    fn item() -> impl Strategy<Value = Item> {
        prop_oneof![
            (1_u32..65536, any::<bool>()).prop_map(|(one, bit)| Item::Bit(one, bit)),
            (prop::sample::select(vec![1, 65535]), any::<bool>())
                .prop_map(|(one, bit)| Item::Bit(one, bit)),
            (0_u32..=16, any::<u32>())
                .prop_map(|(bits, number)| Item::Even(bits, number & ((1 << bits) - 1))),
            (0_u32..=32, any::<u32>()).prop_map(|(bits, number)| Item::Number(
                bits,
                number & (u32::MAX >> (32 - bits.max(1))) & bits.min(1).wrapping_neg()
            )),
            any::<u32>().prop_map(Item::Length),
            (0_u32..5).prop_map(Item::Length),
        ]
    }

    fn run(coder: &mut impl Coder, item: &Item, blank: bool) -> Item {
        let number = |number: u32| if blank { 0 } else { number };
        match *item {
            Item::Bit(one, bit) => Item::Bit(one, coder.bit(one, bit && !blank)),
            Item::Even(bits, n) => Item::Even(bits, coder.even(bits, number(n))),
            Item::Number(bits, n) => Item::Number(bits, coder.number(bits, number(n))),
            Item::Length(n) => Item::Length(coder.length(number(n))),
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_was_written(items in prop::collection::vec(item(), 0..200)) {
            let mut encoder = Encoder::new();
            for item in &items {
                run(&mut encoder, item, false);
            }
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            for item in &items {
                prop_assert_eq!(format!("{item:?}"), format!("{:?}", run(&mut decoder, item, true)));
            }
            prop_assert_eq!(decoder.finish(), Some(bytes.len()));
        }

        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..100), items in prop::collection::vec(item(), 0..200)) {
            let mut decoder = Decoder::new(&bytes);
            for item in &items {
                run(&mut decoder, item, true);
            }
            decoder.finish();
        }

        #[test]
        fn a_rare_bit_costs_its_logarithm(one in 1_u32..65536) {
            let mut encoder = Encoder::new();
            (0..8000).for_each(|_| { encoder.bit(one, true); });
            let bits = (encoder.finish().len() * 8) as f64;
            let expected = 8000.0 * -(f64::from(one) / 65536.0).log2();
            prop_assert!((bits - expected).abs() < 24.0 + expected * 1e-3, "{bits} for {expected}");
        }
    }
}
