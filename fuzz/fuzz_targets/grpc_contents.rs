//! A request of gRPC is read or refused, and what was read comes back the same in both forms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use maas_server::inside::there_and_back;

fuzz_target!(|message: &[u8]| {
    let _ = there_and_back(message);
});
