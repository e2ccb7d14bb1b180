//! What holds for any bytes that come as a message: for the fuzz targets, and for messages that are changed at random.
#![allow(dead_code, unreachable_pub)]

use bytes::Bytes;
use maas_core::{DType, Dimension, Signature, TensorSpec};
use maas_server::inside::{
    Encoding, read_raw_request, read_request, read_response, write_request, write_response,
};

/// What is read as text is written, and read again with the same bits.
pub fn json(text: &[u8]) {
    let text = Bytes::copy_from_slice(text);
    if let Ok(request) = read_request(&text, None) {
        let (body, length) = write_request(&request, Encoding::Json).expect("it came as JSON");
        assert_eq!(length, None);
        assert_eq!(read_request(&body.into(), None), Ok(request));
    }
    if let Ok(response) = read_response(&text, None) {
        let (body, length) =
            write_response(&response, Encoding::Binary).expect("bytes can be written");
        assert_eq!(read_response(&body.into(), length), Ok(response));
    }
}

/// So is what is read as text with bytes behind it, whatever is said to be the length of the text.
pub fn text_and_bytes(body: &Bytes, text: usize) {
    if let Ok(request) = read_request(body, Some(text)) {
        let (body, length) =
            write_request(&request, Encoding::Binary).expect("bytes can be written");
        assert_eq!(read_request(&body.into(), length), Ok(request));
    }
}

/// Bytes alone have the shape of the model's input, or are refused. Of the lengths 255 is a free one, and 254 the largest.
pub fn bytes_alone(bytes: &[u8], dtype: u8, lengths: &[u8]) {
    let dtype = DType::ALL[usize::from(dtype) % DType::ALL.len()];
    let row = lengths.iter().take(5).map(|&length| match length {
        255 => Dimension::Free,
        254 => Dimension::Fixed(usize::MAX),
        length => Dimension::Fixed(length.into()),
    });
    let dimensions: Vec<Dimension> = std::iter::once(Dimension::Free).chain(row).collect();
    let spec = TensorSpec::new("x", dtype, dimensions).expect("it has a name and a batch");
    let signature = Signature::new(vec![spec.clone()], vec![]).expect("one name");
    if let Ok(request) = read_raw_request(Bytes::copy_from_slice(bytes), &signature) {
        let tensor = request.inputs[0].tensor.view();
        spec.check(&tensor).expect("the shape is the model's");
    }
}
