//! Inference requests and responses as JSON text. What is read is written, and read again with the same bits.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use maas_server::inside::{Encoding, read_request, read_response, write_request, write_response};

fuzz_target!(|text: &[u8]| {
    let text = Bytes::copy_from_slice(text);
    if let Ok(request) = read_request(&text, None) {
        let (body, length) = write_request(&request, Encoding::Json).expect("it came as JSON");
        assert_eq!(length, None);
        assert_eq!(read_request(&body.into(), None), Ok(request));
    }
    if let Ok(response) = read_response(&text, None) {
        let (body, length) = write_response(&response, Encoding::Binary).expect("bytes can be written");
        assert_eq!(read_response(&body.into(), length), Ok(response));
    }
});
