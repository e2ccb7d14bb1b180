use std::sync::Arc;

use bytes::Bytes;
use maas_core::{DType, Tensor};
use maas_service::{InferRequest, InferResponse, NamedTensor};
use proptest::prelude::*;

use super::{dtype, read_request};
use crate::wire::form::Encoding;
use crate::wire::{Form, Message, read, write};

/// A tensor that JSON can carry, if `text` says so and its type lets it.
fn tensor(dtype: DType, text: Encoding) -> BoxedStrategy<Tensor> {
    let shape = || proptest::collection::vec(0_usize..4, 0..4);
    let elements = |shape: &[usize]| shape.iter().product::<usize>();
    match dtype {
        DType::Bytes => shape()
            .prop_flat_map(move |shape| {
                let count = elements(&shape);
                let string = match text {
                    Encoding::Json => any::<String>().prop_map(String::into_bytes).boxed(),
                    Encoding::Binary => any::<Vec<u8>>().boxed(),
                };
                (Just(shape), proptest::collection::vec(string, count))
            })
            .prop_map(|(shape, strings)| Tensor::strings(shape, &strings).unwrap())
            .boxed(),
        _ => shape()
            .prop_flat_map(move |shape| {
                let bytes = elements(&shape) * dtype.size().unwrap();
                (Just(shape), proptest::collection::vec(any::<u8>(), bytes))
            })
            .prop_map(move |(shape, mut bytes)| {
                if dtype == DType::Bool {
                    bytes.iter_mut().for_each(|byte| *byte &= 1);
                }
                let tensor = Tensor::from_bytes(dtype, shape, &bytes).unwrap();
                if text == Encoding::Json {
                    finite(tensor)
                } else {
                    tensor
                }
            })
            .boxed(),
    }
}

/// JSON has no infinity and no NaN.
fn finite(mut tensor: Tensor) -> Tensor {
    if let Ok(values) = tensor.as_mut_slice::<f32>() {
        values
            .iter_mut()
            .filter(|x| !x.is_finite())
            .for_each(|x| *x = -0.0);
    }
    if let Ok(values) = tensor.as_mut_slice::<f64>() {
        values
            .iter_mut()
            .filter(|x| !x.is_finite())
            .for_each(|x| *x = 1e-310);
    }
    tensor
}

fn encoding(dtype: DType) -> impl Strategy<Value = Encoding> {
    let any = prop_oneof![Just(Encoding::Json), Just(Encoding::Binary)];
    any.prop_map(move |encoding| match dtype {
        DType::Fp16 | DType::Bf16 => Encoding::Binary,
        _ => encoding,
    })
}

/// Tensors and how they are written.
fn tensors() -> impl Strategy<Value = Vec<(Tensor, Encoding)>> {
    let one = dtype()
        .prop_flat_map(|dtype| encoding(dtype).prop_map(move |encoding| (dtype, encoding)))
        .prop_flat_map(|(dtype, encoding)| (tensor(dtype, encoding), Just(encoding)));
    proptest::collection::vec(one, 1..5)
}

fn named(tensors: Vec<(Tensor, Encoding)>) -> (Vec<NamedTensor>, Form) {
    let mut form = Form::json();
    let tensors = tensors
        .into_iter()
        .enumerate()
        .map(|(index, (tensor, encoding))| {
            let name: Arc<str> = format!("tensor \"{index}\"").into();
            form.set(Arc::clone(&name), encoding);
            NamedTensor::new(name, tensor)
        });
    (tensors.collect(), form.clone())
}

/// The message at any place in memory.
fn moved(message: Message, by: usize) -> (Bytes, Option<usize>) {
    let text = message.header_length();
    let moved = [vec![0; by], message.into_bytes()].concat();
    (Bytes::from(moved).slice(by..), text)
}

proptest! {
    #[test]
    fn requests_come_back(tensors in tensors(), by in 0_usize..8, id: Option<String>, wanted: Vec<String>, number: f64) {
        let (inputs, form) = named(tensors);
        let mut request = InferRequest::new("m").parameter("flag", true).parameter("text", "\u{1}ü");
        if number.is_finite() {
            request = request.parameter("number", number).parameter("whole", u64::MAX);
        }
        request.inputs = inputs;
        request.id = id;
        for output in wanted {
            request = request.output(output);
        }
        let (body, text) = moved(write::request(&request, &form).unwrap(), by);
        let (read, form) = read_request(&body, text).unwrap();
        prop_assert_eq!(read, request);
        prop_assert_eq!(form, Form::json());
    }

    #[test]
    fn responses_come_back(tensors in tensors(), by in 0_usize..8, id: Option<String>, version: Option<String>) {
        let (outputs, form) = named(tensors);
        let mut response = InferResponse::to(&InferRequest::new("m"));
        response.outputs = outputs;
        response.id = id;
        response.version = version.map(Into::into);
        let (body, text) = moved(write::response(&response, &form).unwrap(), by);
        prop_assert_eq!(read::response(&body, text).unwrap(), response);
    }

    #[test]
    fn a_request_in_bytes_asks_for_bytes(tensor in tensor(DType::Fp16, Encoding::Binary), by in 0_usize..8) {
        let request = InferRequest::new("m").input("x", tensor);
        let message = write::request(&request, &Form::binary()).unwrap();
        prop_assert!(message.header_length().is_some_and(|text| text.is_multiple_of(8)));
        let (body, text) = moved(message, by);
        prop_assert_eq!(read_request(&body, text).unwrap(), (request, Form::binary()));
    }

    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>, text: Option<u8>) {
        let body = Bytes::from(body);
        let text = text.map(usize::from);
        let _ = read_request(&body, text);
        let _ = read::response(&body, text);
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(tensors in tensors(), place: prop::sample::Index, byte: u8, cut: prop::sample::Index, text in -3_isize..3) {
        let (inputs, form) = named(tensors);
        let mut request = InferRequest::new("m");
        request.inputs = inputs;
        let message = write::request(&request, &form).unwrap();
        let length = message.header_length().map(|length| length.saturating_add_signed(text));
        let mut body = message.into_bytes();
        let place = place.index(body.len());
        body[place] = byte;
        body.truncate(cut.index(2 * body.len()));
        let _ = read_request(&Bytes::from(body), length);
    }
}
