//! Requests and responses, there and back.

use bytes::Bytes;
use maas_core::{DType, Shape, Tensor};
use maas_service::{InferRequest, InferResponse, NamedTensor, Parameter, Parameters};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use prost::Message;

use super::contents;
use super::inside::{there_and_back, turned};
use super::proto::InferTensorContents;
use super::request::{self, Form};
use super::{client, response};

fn parameters() -> impl Strategy<Value = Parameters> {
    let parameter = prop_oneof![
        any::<bool>().prop_map(Parameter::from),
        any::<i64>().prop_map(Parameter::from),
        any::<u64>().prop_map(Parameter::from),
        (-1e300..1e300).prop_map(Parameter::from),
        ".{0,8}".prop_map(Parameter::from),
    ];
    btree_map("[a-z]{4,6}", parameter, 0..3).prop_map(|all| all.into_iter().collect())
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let dtype = select(DType::ALL.to_vec());
    (dtype, vec(0_usize..4, 0..4)).prop_flat_map(|(dtype, lengths)| {
        let count = lengths.iter().product::<usize>();
        let element = match dtype {
            DType::Bool => (0..2_u8).prop_map(|byte| vec![byte]).boxed(),
            _ => {
                let size = dtype.size().map_or(0..5, |size| size..size + 1);
                vec(any::<u8>(), size).boxed()
            }
        };
        vec(element, count).prop_map(move |elements| {
            let tensor = match dtype {
                DType::Bytes => Tensor::strings(&*lengths, &elements),
                _ => Tensor::from_bytes(dtype, &*lengths, &elements.concat()),
            };
            tensor.expect("as many elements as the shape has")
        })
    })
}

fn response() -> impl Strategy<Value = InferResponse> {
    let texts = (
        "[a-z/]{1,8}",
        proptest::option::of("[a-z0-9]{1,3}"),
        proptest::option::of(".{1,9}"),
    );
    let tensors = vec(("[a-z]{1,5}", tensor()), 1..4);
    (texts, parameters(), tensors).prop_map(|((model, version, id), parameters, tensors)| {
        let mut request = InferRequest::new(model);
        request.version = version.map(Into::into);
        request.id = id;
        let mut response = InferResponse::to(&request);
        response.parameters = parameters;
        let named = |(name, tensor): (String, Tensor)| NamedTensor::new(name, tensor);
        response.outputs = tensors.into_iter().map(named).collect();
        response
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        response in response(),
        form in select(vec![Form::Raw, Form::Typed]),
        offset in 0_usize..8,
    ) {
        let mut message = turned(response.clone(), form);
        // Where a message's bytes lie is left to chance.
        for raw in &mut message.raw_input_contents {
            *raw = Bytes::from([&[0; 8][..offset], &raw[..]].concat()).slice(offset..);
        }
        let (request, read) = request::read(&mut message, None).expect("it has just been written");
        let is_typed = response.outputs.iter().all(|named| contents::has_field(named.tensor.dtype()));
        prop_assert_eq!(read, if is_typed { form } else { Form::Raw });
        prop_assert_eq!(&request.model, &response.model);
        prop_assert_eq!(&request.version, &response.version);
        prop_assert_eq!(&request.id, &response.id);
        prop_assert_eq!(&request.inputs, &response.outputs);
        prop_assert_eq!(&request.parameters, &response.parameters);
    }

    #[test]
    fn any_contents_are_read_or_refused(
        dtype in select(DType::ALL.to_vec()),
        lengths in vec(0_usize..3, 0..3),
        int in vec(any::<i32>(), 0..5),
        uint in vec(any::<u32>(), 0..5),
        float in vec(any::<f32>(), 0..5),
    ) {
        let contents = InferTensorContents {
            int_contents: int,
            uint_contents: uint,
            fp32_contents: float,
            ..InferTensorContents::default()
        };
        if let Ok(tensor) = contents::read(dtype, Shape::from(&*lengths), &contents) {
            prop_assert_eq!(contents::write(&tensor), Some(contents));
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(response in response(), place in any::<prop::sample::Index>(), byte: u8) {
        let mut message = turned(response, Form::Raw).encode_to_vec();
        let place = place.index(message.len());
        message[place] = byte;
        let _ = there_and_back(&message);
    }
}

#[test]
fn raw_values_count_where_fields_have_none() {
    let tensor = Tensor::from_slice([1, 2], &[1.0_f32, 2.0]).expect("two elements");
    let mut response = InferResponse::to(&InferRequest::new("m"));
    response.outputs.push(NamedTensor::new("y", tensor));
    let mut message = response::write(response.clone(), Form::Raw);
    message.outputs[0].contents = Some(InferTensorContents::default());
    assert_eq!(
        client::read(message).map(|read| read.outputs),
        Ok(response.outputs)
    );
}

#[test]
fn raw_values_stay_where_they_are() {
    let tensor = Tensor::from_slice([1, 2], &[1.0_f32, 2.0]).expect("two elements");
    let mut response = InferResponse::to(&InferRequest::new("m"));
    response.outputs.push(NamedTensor::new("x", tensor));
    let place = response.outputs[0].tensor.bytes().as_ptr();
    let (request, _) = request::read(&mut turned(response, Form::Raw), None).expect("a request");
    assert_eq!(request.inputs[0].tensor.bytes().as_ptr(), place);
}
