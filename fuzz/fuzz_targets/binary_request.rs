//! Inference requests with bytes after their JSON text, and without any text: the first byte says of which kind, the
//! second how much the length of the text is off.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/maas-server/tests/common/laws.rs"]
mod laws;

fuzz_target!(|input: (u8, i8, &[u8], &[u8])| {
    let (kind, off, text, bytes) = input;
    if kind & 1 == 0 {
        let length = text.len().saturating_add_signed(off.into());
        laws::text_and_bytes(&[text, bytes].concat().into(), length);
    } else {
        laws::bytes_alone(bytes, kind >> 1, text);
    }
});
