//! Any bytes are a network in a safetensors file or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maas_nn::Network;

fuzz_target!(|bytes: &[u8]| {
    let _ = Network::from_bytes(bytes);
});
