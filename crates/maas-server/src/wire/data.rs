//! The values of a tensor, from JSON text straight into the tensor.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use maas_core::{DType, Element, Shape, Tensor};

/// Reads `json`, a JSON array that may be nested in any way, as the values of a tensor of this type and shape.
///
/// The text has been through a JSON parser, so only its meaning is checked here. Memory is taken for as many elements
/// as the text could hold, whatever the shape says.
pub(crate) fn tensor(dtype: DType, shape: Shape, json: &str) -> Result<Tensor, String> {
    if !json.starts_with('[') {
        return Err(format!(
            "`data` must be an array, found {}",
            shortened(json)
        ));
    }
    let elements = shape
        .elements()
        .ok_or_else(|| format!("shape {shape} has too many elements"))?;
    if elements > json.len() {
        return Err(count_error(&shape, elements, Tokens(json).count()));
    }
    match dtype {
        DType::Int8 => numbers::<i8>(dtype, shape, json),
        DType::Int16 => numbers::<i16>(dtype, shape, json),
        DType::Int32 => numbers::<i32>(dtype, shape, json),
        DType::Int64 => numbers::<i64>(dtype, shape, json),
        DType::UInt8 => numbers::<u8>(dtype, shape, json),
        DType::UInt16 => numbers::<u16>(dtype, shape, json),
        DType::UInt32 => numbers::<u32>(dtype, shape, json),
        DType::UInt64 => numbers::<u64>(dtype, shape, json),
        DType::Fp32 => numbers::<f32>(dtype, shape, json),
        DType::Fp64 => numbers::<f64>(dtype, shape, json),
        DType::Bool => {
            let values = collect(&shape, elements, json, boolean)?;
            Tensor::from_bools(shape, &values).map_err(|error| error.to_string())
        }
        DType::Bytes => {
            let values = collect(&shape, elements, json, text)?;
            Tensor::strings(shape, &values).map_err(|error| error.to_string())
        }
        other => Err(format!(
            "{other} cannot be sent as JSON: it needs binary tensor data"
        )),
    }
}

fn numbers<T: Number>(dtype: DType, shape: Shape, json: &str) -> Result<Tensor, String> {
    let mut tensor = Tensor::zeros(dtype, shape).map_err(|error| error.to_string())?;
    let shape = tensor.shape().clone();
    let values = tensor
        .as_mut_slice::<T>()
        .map_err(|error| error.to_string())?;
    let mut tokens = Tokens(json);
    for (element, value) in values.iter_mut().enumerate() {
        let token = tokens
            .next()
            .ok_or_else(|| count_error(&shape, shape.elements().unwrap_or(0), element))?;
        *value = T::read(token).ok_or_else(|| element_error(dtype, element, token))?;
    }
    match tokens.count() {
        0 => Ok(tensor),
        more => Err(count_error(
            &shape,
            tensor.elements(),
            tensor.elements() + more,
        )),
    }
}

fn collect<'a, T>(
    shape: &Shape,
    elements: usize,
    json: &'a str,
    read: impl Fn(&'a str, usize) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let found = Tokens(json).count();
    if found != elements {
        return Err(count_error(shape, elements, found));
    }
    Tokens(json)
        .enumerate()
        .map(|(element, token)| read(token, element))
        .collect()
}

fn boolean(token: &str, element: usize) -> Result<bool, String> {
    match token {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => Err(element_error(DType::Bool, element, other)),
    }
}

fn text(token: &str, element: usize) -> Result<Cow<'_, [u8]>, String> {
    match token
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain.as_bytes())),
        Some(_) => match serde_json::from_str::<String>(token) {
            Ok(text) => Ok(Cow::Owned(text.into_bytes())),
            Err(error) => Err(error.to_string()),
        },
        None => Err(element_error(DType::Bytes, element, token)),
    }
}

/// A number that is written in JSON.
trait Number: Element {
    fn read(token: &str) -> Option<Self>
    where
        Self: Sized;
}

macro_rules! numbers {
    ($read:ident: $($number:ty),*) => {
        $(impl Number for $number {
            fn read(token: &str) -> Option<Self> {
                $read(token)
            }
        })*
    };
}

numbers!(integer: i8, i16, i32, i64, u8, u16, u32, u64);

/// JSON's integers are Rust's, but for `-0`, which is nothing but 0.
fn integer<T: FromStr + Default>(token: &str) -> Option<T> {
    token
        .parse()
        .ok()
        .or_else(|| (token == "-0").then(T::default))
}

impl Number for f32 {
    fn read(token: &str) -> Option<Self> {
        starts_a_number(token)
            .then(|| token.parse().ok())?
            .filter(|value: &Self| value.is_finite())
    }
}

impl Number for f64 {
    fn read(token: &str) -> Option<Self> {
        starts_a_number(token)
            .then(|| token.parse().ok())?
            .filter(|value: &Self| value.is_finite())
    }
}

/// Rust reads `nan` and `inf` as well, JSON does not have them.
fn starts_a_number(token: &str) -> bool {
    token.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

/// The elements of an array as they are written, whatever the nesting.
struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let between = |byte: &u8| matches!(byte, b'[' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t');
        let bytes = self.0.as_bytes();
        let start = bytes.iter().position(|byte| !between(byte))?;
        let rest = &bytes[start..];
        let length = match rest[0] {
            b'"' => string_length(rest),
            _ => rest.iter().position(between).unwrap_or(rest.len()),
        };
        let token = &self.0[start..start + length];
        self.0 = &self.0[start + length..];
        Some(token)
    }
}

/// Where the string ends that `bytes` begin with, both quotes included.
fn string_length(bytes: &[u8]) -> usize {
    let mut escaped = false;
    let close = bytes.iter().skip(1).position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    close.map_or(bytes.len(), |position| position + 2)
}

fn count_error(shape: &Shape, expected: impl Display, found: impl Display) -> String {
    format!("shape {shape} has {expected} elements, found {found}")
}

fn element_error(dtype: DType, element: usize, token: &str) -> String {
    format!(
        "element {element} is not of type {dtype}: found {}",
        shortened(token)
    )
}

fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => Cow::Owned(format!("{}...", &text[..end])),
        None => Cow::Borrowed(text),
    }
}
