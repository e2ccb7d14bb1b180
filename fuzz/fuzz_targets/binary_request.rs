//! Inference requests with bytes after their JSON text, and without any text: the first byte says of which kind, the
//! second how much the length of the text is off.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use maas_core::{DType, Dimension, Signature, TensorSpec};
use maas_server::inside::{Encoding, read_raw_request, read_request, write_request};

fuzz_target!(|input: (u8, i8, &[u8], &[u8])| {
    let (kind, off, text, bytes) = input;
    if kind & 1 == 0 {
        let length = text.len().saturating_add_signed(off.into());
        let body = Bytes::from([text, bytes].concat());
        if let Ok(request) = read_request(&body, Some(length)) {
            let (body, length) = write_request(&request, Encoding::Binary).expect("bytes can be written");
            assert_eq!(read_request(&body.into(), length), Ok(request));
        }
        return;
    }
    let dtype = DType::ALL[usize::from(kind >> 1) % DType::ALL.len()];
    let row = text.iter().take(5).map(|&length| match length {
        255 => Dimension::Free,
        254 => Dimension::Fixed(usize::MAX),
        length => Dimension::Fixed(length.into()),
    });
    let dimensions: Vec<Dimension> = std::iter::once(Dimension::Free).chain(row).collect();
    let spec = TensorSpec::new("x", dtype, dimensions).expect("it has a name and a batch");
    let signature = Signature::new(vec![spec.clone()], vec![]).expect("one name");
    if let Ok(request) = read_raw_request(Bytes::copy_from_slice(bytes), &signature) {
        spec.check(&request.inputs[0].tensor.view()).expect("the shape is the model's");
    }
});
