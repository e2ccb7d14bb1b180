//! The same requests by serde_json, which keeps numbers as text, and the standard library's numbers.

use std::str::FromStr;

use bytes::Bytes;
use maas_core::{DType, Element, Tensor};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::read_request;

#[derive(Deserialize)]
struct Request<'a> {
    #[expect(dead_code, reason = "it must be a string")]
    id: Option<String>,
    #[serde(borrow)]
    inputs: Option<Vec<Input<'a>>>,
}

#[derive(Deserialize)]
struct Input<'a> {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// The names and tensors of a request, or `None` if it is not to be taken.
fn reference(text: &[u8]) -> Option<Vec<(String, Tensor)>> {
    // serde_json looks at strings that nobody wants less closely.
    std::str::from_utf8(text).ok()?;
    serde_json::from_slice::<IgnoredAny>(text).ok()?;
    let request: Request<'_> = serde_json::from_slice(text).ok()?;
    let inputs = request.inputs.filter(|inputs| !inputs.is_empty())?;
    inputs
        .into_iter()
        .map(|input| {
            let dtype: DType = input.datatype.parse().ok()?;
            let data = input.data?.get();
            let mut elements = Vec::new();
            data.starts_with('[')
                .then(|| flatten(data, &mut elements))?;
            Some((input.name, tensor(dtype, &input.shape, &elements)?))
        })
        .collect()
}

fn flatten<'a>(data: &'a str, elements: &mut Vec<&'a str>) {
    if data.starts_with('[') {
        let inner: Vec<&RawValue> = serde_json::from_str(data).unwrap();
        inner.iter().for_each(|raw| flatten(raw.get(), elements));
    } else {
        elements.push(data);
    }
}

fn tensor(dtype: DType, shape: &[usize], elements: &[&str]) -> Option<Tensor> {
    match dtype {
        DType::Fp32 => numbers::<f32>(shape, elements).filter(|tensor| {
            tensor
                .as_slice::<f32>()
                .unwrap()
                .iter()
                .all(|x| x.is_finite())
        }),
        DType::Fp64 => numbers::<f64>(shape, elements).filter(|tensor| {
            tensor
                .as_slice::<f64>()
                .unwrap()
                .iter()
                .all(|x| x.is_finite())
        }),
        DType::Int8 => integers::<i8>(shape, elements),
        DType::Int16 => integers::<i16>(shape, elements),
        DType::Int32 => integers::<i32>(shape, elements),
        DType::Int64 => integers::<i64>(shape, elements),
        DType::UInt8 => integers::<u8>(shape, elements),
        DType::UInt16 => integers::<u16>(shape, elements),
        DType::UInt32 => integers::<u32>(shape, elements),
        DType::UInt64 => integers::<u64>(shape, elements),
        DType::Bool => {
            let value = |&text: &&str| match text {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            };
            let values: Option<Vec<bool>> = elements.iter().map(value).collect();
            Tensor::from_bools(shape, &values?).ok()
        }
        DType::Bytes => {
            let string = |text: &&str| serde_json::from_str::<String>(text).ok();
            let strings: Option<Vec<String>> = elements.iter().map(string).collect();
            Tensor::strings(shape, &strings?).ok()
        }
        _ => None,
    }
}

fn numbers<T: Element + FromStr>(shape: &[usize], elements: &[&str]) -> Option<Tensor> {
    let number = |text: &&str| {
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        is_number.then(|| text.parse().ok())?
    };
    let values: Option<Vec<T>> = elements.iter().map(number).collect();
    Tensor::from_slice(shape, &values?).ok()
}

/// JSON's integers are the standard library's, but for `-0`.
fn integers<T: Element + FromStr>(shape: &[usize], elements: &[&str]) -> Option<Tensor> {
    let zeros: Vec<&str> = elements
        .iter()
        .map(|&text| if text == "-0" { "0" } else { text })
        .collect();
    numbers::<T>(shape, &zeros)
}

/// An element of the type, most of the time.
fn element(dtype: DType) -> BoxedStrategy<String> {
    let good = match dtype {
        DType::Fp32 | DType::Fp64 => prop_oneof![
            "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?",
            any::<f32>()
                .prop_filter("JSON", |x| x.is_finite())
                .prop_map(|x| x.to_string()),
            "-?[0-9]\\.[0-9]{6}",
        ]
        .boxed(),
        DType::Bool => prop_oneof![Just("true"), Just("false"), Just("1"), Just("0")]
            .prop_map(str::to_owned)
            .boxed(),
        DType::Bytes => prop_oneof![
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            "\"([a-z ü\\[\\],]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4})*\"",
        ]
        .boxed(),
        _ => prop_oneof!["-?[0-9]{1,3}", any::<u64>().prop_map(|x| x.to_string())].boxed(),
    };
    let odd = proptest::sample::select(vec![
        "null",
        "1.",
        "01",
        "-",
        "-0",
        "NaN",
        "{\"a\":[1]}",
        "\"x\"",
        "1e400",
        "[]",
        "true",
        "tru",
        "1e",
        "\"\\x\"",
        "\"\\ud800\"",
        "+1",
        ".5",
        "",
        "1 1",
    ]);
    prop_oneof![30 => good, 1 => odd.prop_map(str::to_owned)].boxed()
}

fn tensor_text() -> impl Strategy<Value = String> {
    let dtypes = [
        DType::Fp32,
        DType::Fp64,
        DType::Int8,
        DType::UInt64,
        DType::Bool,
        DType::Bytes,
    ];
    proptest::sample::select(dtypes.to_vec())
        .prop_flat_map(|dtype| {
            let rows =
                proptest::collection::vec(proptest::collection::vec(element(dtype), 2), 0..5);
            (Just(dtype), rows, 0_usize..10, any::<u8>(), 0_usize..24)
        })
        .prop_map(|(dtype, rows, miscount, style, order)| {
            let count = if miscount == 0 {
                rows.len() + 1
            } else {
                rows.len()
            };
            let comma = if style & 1 == 0 { "," } else { " ,\n\t" };
            let row = |row: &Vec<String>| match style & 6 {
                0 => row.join(comma),
                2 => format!("[{}]", row.join(comma)),
                4 => format!("[[[ {} ]]]", row.join(comma)),
                _ => format!("[{}],[]", row.join(comma)),
            };
            let data: Vec<String> = rows.iter().map(row).collect();
            let mut members = vec![
                format!(
                    "\"name\":\"x{}\"",
                    if style & 8 == 0 { "" } else { "\\u00fc" }
                ),
                format!("\"shape\":[{count}, 2]"),
                format!("\"datatype\":\"{dtype}\""),
                format!("\"data\" : [{}]", data.join(comma)),
            ];
            if style & 16 != 0 {
                members.push(r#""else":{"a":[{},[1,"\"]"],null],"b":-1.5e3}"#.to_owned());
            }
            // Any order: its number in the factorial system.
            let mut rest = order;
            for place in (1..4).rev() {
                members.swap(place, rest % (place + 1));
                rest /= place + 1;
            }
            format!("{{{}}}", members.join(","))
        })
}

fn request_text() -> impl Strategy<Value = Vec<u8>> {
    let mutation = proptest::option::weighted(
        0.5,
        (
            any::<prop::sample::Index>(),
            proptest::sample::select(b"[]{}\",:0-.eE \\un\xff1t\x00".to_vec()),
            0..3,
        ),
    );
    (proptest::collection::vec(tensor_text(), 1..4), mutation).prop_map(|(tensors, mutation)| {
        let mut text = format!(
            r#" {{"id":"a","inputs":[{}] , "more":[1.5]}} "#,
            tensors.join(",")
        )
        .into_bytes();
        if let Some((place, byte, kind)) = mutation {
            let place = place.index(text.len());
            match kind {
                0 => text[place] = byte,
                1 => text.insert(place, byte),
                _ => drop(text.remove(place)),
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn requests_are_those_of_serde_json(text in request_text()) {
        let shown = String::from_utf8_lossy(&text).into_owned();
        let expected = reference(&text);
        match read_request(&Bytes::from(text), None) {
            Ok((request, _)) => {
                let inputs = request.inputs.iter().map(|input| (input.name.to_string(), (*input.tensor).clone()));
                prop_assert_eq!(Some(inputs.collect::<Vec<_>>()), expected, "{}", shown);
            }
            Err(rejection) => prop_assert!(expected.is_none(), "{}: {:?}", shown, rejection),
        }
    }
}
