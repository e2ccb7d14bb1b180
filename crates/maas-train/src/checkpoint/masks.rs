//! Masks as bytes: for each segment 0, or 1 and its bits.

use maas_nn::{Mask, Network};

pub(crate) fn to_bytes<'a>(masks: impl Iterator<Item = Option<&'a Mask>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mask in masks {
        bytes.push(u8::from(mask.is_some()));
        bytes.extend(mask.map(Mask::to_bytes).unwrap_or_default());
    }
    bytes
}

/// None when these are not the bytes of masks for this network.
pub(crate) fn of_bytes(network: &Network, mut bytes: &[u8]) -> Option<Vec<Option<Mask>>> {
    let mut masks = Vec::with_capacity(network.segments().len());
    for segment in network.segments() {
        let (&masked, rest) = bytes.split_first()?;
        bytes = rest;
        masks.push(match masked {
            0 => None,
            1 => {
                let len = segment.range.len();
                let (bits, rest) = bytes.split_at_checked(len.div_ceil(8))?;
                bytes = rest;
                Some(Mask::from_bytes(bits, len).ok()?)
            }
            _ => return None,
        });
    }
    bytes.is_empty().then_some(masks)
}

#[cfg(test)]
mod tests {
    use maas_core::Seed;
    use maas_nn::Sequential;

    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        let mut network = Sequential::rows(3)
            .dense(5)
            .dense(1)
            .build(Seed(1))
            .unwrap();
        let mask = Mask::from_fn(15, |index| index % 4 != 1);
        network.set_mask("dense.kernel", mask).unwrap();
        let bytes = to_bytes(network.masks());
        let masks = of_bytes(&network, &bytes).unwrap();
        assert!(masks.iter().map(Option::as_ref).eq(network.masks()));
        for wrong in [&bytes[1..], &bytes[..2], &[&bytes[..], &[0]].concat()] {
            assert_eq!(of_bytes(&network, wrong), None);
        }
    }
}
