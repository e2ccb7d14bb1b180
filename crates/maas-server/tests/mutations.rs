//! Good messages that are changed at random: the laws of the fuzz targets, without a fuzzer. `PROPTEST_CASES` has it try more.

#[path = "common/laws.rs"]
mod laws;

use proptest::prelude::*;
use proptest::sample::Index;

const TEXTS: [&str; 5] = [
    r#"{"id":"7","parameters":{"a":[1,{"b":null}],"timeout":5},"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2.5e-3,-0.0,16777217]}],"outputs":[{"name":"y","parameters":{"binary_data":true}}]}"#,
    r#"{"inputs":[{"name":"x","datatype":"BYTES","shape":[2],"data":["aé\u0041\ud83d\ude00",""]},{"data":[[true],[false]],"name":"b","datatype":"BOOL","shape":[2,1]}]}"#,
    r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"INT64","data":[-9223372036854775808,9223372036854775807]},{"name":"z","shape":[1,1],"datatype":"UINT64","data":[18446744073709551615]}]}"#,
    r#"{"model_name":"m","model_version":"1","id":"7","outputs":[{"name":"y","shape":[1,2],"datatype":"FP64","data":[0.1,1e308]}]}"#,
    r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP16","parameters":{"binary_data_size":4}},{"name":"s","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}]}"#,
];

/// What stands in messages, and what should not.
const WORDS: [&[u8]; 16] = [
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\"",
    b"-",
    b"e999",
    b"0",
    b"null",
    b"NaN",
    b"18446744073709551616",
    b"\"shape\":[0]",
    b"\\ud800",
    b"\xff",
];

#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Word(Index, usize),
    Cut(Index, usize),
    Twice(Index, usize),
}

impl Change {
    fn apply(&self, message: &mut Vec<u8>) {
        let range = |place: &Index, length: usize| {
            let start = place.index(message.len() + 1);
            start..message.len().min(start + length)
        };
        match self {
            Self::Byte(place, byte) => {
                let place = range(place, 1);
                message.splice(place, [*byte]);
            }
            Self::Word(place, word) => {
                let place = range(place, 0);
                message.splice(place, WORDS[*word].iter().copied());
            }
            Self::Cut(place, length) => {
                let place = range(place, *length);
                message.drain(place);
            }
            Self::Twice(place, length) => {
                let place = range(place, *length);
                let again = message[place.clone()].to_vec();
                message.splice(place.start..place.start, again);
            }
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(place, byte)| Change::Byte(place, byte)),
        (any::<Index>(), 0..WORDS.len()).prop_map(|(place, word)| Change::Word(place, word)),
        (any::<Index>(), 1..20_usize).prop_map(|(place, length)| Change::Cut(place, length)),
        (any::<Index>(), 1..40_usize).prop_map(|(place, length)| Change::Twice(place, length)),
    ];
    prop::collection::vec(change, 0..6)
}

fn changed(message: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut message = message.to_vec();
    changes.iter().for_each(|change| change.apply(&mut message));
    message
}

proptest! {
    #[test]
    fn texts(seed in 0..TEXTS.len(), changes in changes()) {
        laws::json(&changed(TEXTS[seed].as_bytes(), &changes));
    }

    #[test]
    fn texts_with_bytes(
        seed in 0..TEXTS.len(),
        changes in changes(),
        off in -3_isize..4,
        tail in prop::collection::vec(any::<u8>(), 0..16),
    ) {
        let text = changed(TEXTS[seed].as_bytes(), &changes);
        let length = text.len().saturating_add_signed(off);
        laws::text_and_bytes(&[&text[..], &tail].concat().into(), length);
        // As long as it should be, with two numbers and a string of two bytes.
        let whole = [&text[..], &[0, 60, 0, 188, 2, 0, 0, 0, b'a', b'b']].concat();
        laws::text_and_bytes(&whole.into(), text.len());
    }

    #[test]
    fn bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        dtype: u8,
        lengths in prop::collection::vec(prop_oneof![0..9_u8, Just(254), Just(255)], 0..6),
    ) {
        laws::bytes_alone(&bytes, dtype, &lengths);
    }
}

#[cfg(feature = "grpc")]
mod grpc {
    use maas_server::inside::there_and_back;

    use super::*;

    /// `inputs` of one tensor `x` of two numbers, and their bytes: by the fields' numbers.
    const RAW: &[u8] =
        b"\x0a\x01m\x1a\x017\x2a\x0d\x0a\x01x\x12\x04FP32\x1a\x02\x01\x02\x3a\x08\0\0\x80\x3f\0\0\0\x40";
    const TYPED: &[u8] =
        b"\x0a\x01m\x2a\x19\x0a\x01x\x12\x04FP32\x1a\x02\x01\x02\x2a\x0a\x32\x08\0\0\x80\x3f\0\0\0\x40";

    #[test]
    fn the_seeds_are_good() {
        for seed in [RAW, TYPED] {
            there_and_back(seed).expect("a good message");
        }
    }

    proptest! {
        #[test]
        fn messages(is_raw: bool, changes in changes()) {
            let _ = there_and_back(&changed(if is_raw { RAW } else { TYPED }, &changes));
        }
    }
}
