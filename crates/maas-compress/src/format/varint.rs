//! Numbers of 64 bits in one to ten bytes, seven bits each, lowest first (LEB128).

/// Appends a number.
pub(super) fn write(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// How many bytes a number takes.
pub(super) fn length(number: u64) -> usize {
    let bits = (u64::BITS - number.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

/// Why a number cannot be read.
#[derive(Debug, PartialEq)]
pub(super) enum Fault {
    /// The bytes end inside it.
    Truncated,
    /// It has more than 64 bits, or a byte more than it needs.
    Malformed,
}

/// Takes a number off the front.
pub(super) fn read(bytes: &mut &[u8]) -> Result<u64, Fault> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or(Fault::Truncated)?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if part << shift >> shift != part || (byte == 0 && shift > 0) {
            return Err(Fault::Malformed);
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Fault::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_round_trip(number: u64, shift in 0_u32..64) {
            let number = number >> shift;
            let mut bytes = Vec::new();
            write(number, &mut bytes);
            prop_assert_eq!(bytes.len(), length(number));
            let mut rest = bytes.as_slice();
            prop_assert_eq!(read(&mut rest), Ok(number));
            prop_assert!(rest.is_empty());
            for cut in 0..bytes.len() {
                prop_assert_eq!(read(&mut &bytes[..cut]), Err(Fault::Truncated));
            }
        }

        #[test]
        fn what_is_read_is_what_would_be_written(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut rest = bytes.as_slice();
            if let Ok(number) = read(&mut rest) {
                let mut again = Vec::new();
                write(number, &mut again);
                prop_assert_eq!(&again[..], &bytes[..bytes.len() - rest.len()]);
            }
        }
    }

    #[test]
    fn no_number_has_two_forms() {
        assert_eq!(read(&mut &[0x80, 0x00][..]), Err(Fault::Malformed));
        assert_eq!(read(&mut &[0xff; 11][..]), Err(Fault::Malformed));
        let largest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(read(&mut &largest[..]), Ok(u64::MAX));
    }
}
