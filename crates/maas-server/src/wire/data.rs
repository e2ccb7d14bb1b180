//! The values of a tensor, from JSON text straight into the tensor.

use std::borrow::Cow;
use std::fmt::Display;

use maas_core::{DType, Shape, Tensor};

use super::json::{Number, Scanner, Stop, found};

/// Reads a JSON array, which may be nested in any way, as the values of a tensor of this type and shape.
///
/// Memory is taken for as many elements as the text could hold, whatever the shape says.
pub(super) fn tensor(
    dtype: DType,
    shape: Shape,
    scanner: &mut Scanner<'_>,
) -> Result<Tensor, Stop> {
    if scanner.peek() != Some(b'[') {
        let other = found(scanner.value()?);
        return Err(format!("`data` must be an array, found {other}").into());
    }
    let elements = shape
        .elements()
        .ok_or_else(|| format!("shape {shape} has too many elements"))?;
    if elements > scanner.rest().len() {
        let found = count(scanner)?;
        return Err(count_error(&shape, elements, found));
    }
    match dtype {
        DType::Int8 => numbers::<i8>(shape, scanner),
        DType::Int16 => numbers::<i16>(shape, scanner),
        DType::Int32 => numbers::<i32>(shape, scanner),
        DType::Int64 => numbers::<i64>(shape, scanner),
        DType::UInt8 => numbers::<u8>(shape, scanner),
        DType::UInt16 => numbers::<u16>(shape, scanner),
        DType::UInt32 => numbers::<u32>(shape, scanner),
        DType::UInt64 => numbers::<u64>(shape, scanner),
        DType::Fp32 => numbers::<f32>(shape, scanner),
        DType::Fp64 => numbers::<f64>(shape, scanner),
        DType::Bool => {
            let values = collect(&shape, elements, scanner, boolean)?;
            Tensor::from_bools(shape, &values).map_err(|error| error.to_string().into())
        }
        DType::Bytes => {
            let values = collect(&shape, elements, scanner, text)?;
            Tensor::strings(shape, &values).map_err(|error| error.to_string().into())
        }
        other => Err(format!("{other} cannot be sent as JSON: it needs binary tensor data").into()),
    }
}

/// Goes on behind a value that may be such an array, and says how many elements it has.
pub(super) fn count(scanner: &mut Scanner<'_>) -> Result<usize, Stop> {
    if scanner.peek() == Some(b'[') {
        scanner.elements(|scanner, _| scanner.skip().map(|()| 1))
    } else {
        scanner.skip().map(|()| 1)
    }
}

/// A look that finds fewer numbers at once was not worth it.
const FEW: usize = 2;
/// After such a look as many are read one by one.
const SINGLY: usize = 8;

fn numbers<T: Number>(shape: Shape, scanner: &mut Scanner<'_>) -> Result<Tensor, Stop> {
    let mut tensor = Tensor::zeros(T::DTYPE, shape).map_err(|error| error.to_string())?;
    let values = tensor
        .as_mut_slice::<T>()
        .map_err(|error| error.to_string())?;
    let mut singly = 0;
    let found = scanner.elements(|scanner, element| {
        let values = values.get_mut(element..).unwrap_or_default();
        if singly == 0 {
            let count = scanner.numbers(values);
            if count < FEW {
                singly = SINGLY;
            }
            if count > 0 {
                return Ok(count);
            }
        } else {
            singly -= 1;
        }
        let Some(value) = values.first_mut() else {
            return scanner.skip().map(|()| 1);
        };
        let (number, length) =
            T::read(scanner.rest()).ok_or_else(|| element_error(T::DTYPE, element, scanner))?;
        *value = number;
        scanner.advance(length);
        Ok(1)
    })?;
    if found == tensor.elements() {
        Ok(tensor)
    } else {
        Err(count_error(tensor.shape(), tensor.elements(), found))
    }
}

fn collect<'a, T>(
    shape: &Shape,
    elements: usize,
    scanner: &mut Scanner<'a>,
    read: impl Fn(&mut Scanner<'a>, usize) -> Result<T, Stop>,
) -> Result<Vec<T>, Stop> {
    let mut values = Vec::new();
    let found = scanner.elements(|scanner, element| {
        if element < elements {
            values.push(read(scanner, element)?);
        } else {
            scanner.skip()?;
        }
        Ok(1)
    })?;
    if found == elements {
        Ok(values)
    } else {
        Err(count_error(shape, elements, found))
    }
}

fn boolean(scanner: &mut Scanner<'_>, element: usize) -> Result<bool, Stop> {
    let before = scanner.clone();
    match scanner.value()? {
        b"true" | b"1" => Ok(true),
        b"false" | b"0" => Ok(false),
        _ => Err(element_error(DType::Bool, element, &before)),
    }
}

fn text<'a>(scanner: &mut Scanner<'a>, element: usize) -> Result<Cow<'a, [u8]>, Stop> {
    if scanner.peek() != Some(b'"') {
        return Err(element_error(DType::Bytes, element, scanner));
    }
    Ok(match scanner.string("a string")? {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

#[cold]
fn count_error(shape: &Shape, expected: impl Display, found: impl Display) -> Stop {
    format!("shape {shape} has {expected} elements, found {found}").into()
}

/// That the next value is not one of this type, or none at all.
#[cold]
fn element_error(dtype: DType, element: usize, scanner: &Scanner<'_>) -> Stop {
    match scanner.clone().value() {
        Ok(text) => format!(
            "element {element} is not of type {dtype}: found {}",
            found(text)
        )
        .into(),
        Err(stop) => stop,
    }
}
