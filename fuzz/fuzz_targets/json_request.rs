//! Inference requests and responses as JSON text.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/maas-server/tests/common/laws.rs"]
mod laws;

fuzz_target!(|text: &[u8]| laws::json(text));
