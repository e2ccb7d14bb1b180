//! The values of a tensor in typed fields.

use maas_core::{DType, Shape, Tensor};

use super::proto::InferTensorContents;

/// The tensor of this type and shape. Values in another field than the type's are refused.
pub(super) fn read(
    dtype: DType,
    shape: Shape,
    contents: &InferTensorContents,
) -> Result<Tensor, String> {
    let field = field(dtype).ok_or_else(|| {
        format!("{dtype} cannot be sent in typed fields: it needs `raw_input_contents`")
    })?;
    if let Some((other, found)) = lengths(contents)
        .into_iter()
        .find(|&(name, length)| name != field && length > 0)
    {
        return Err(format!(
            "the values of {dtype} stand in `{field}`, found {found} in `{other}`"
        ));
    }
    let tensor = match dtype {
        DType::Bool => Tensor::from_bools(shape, &contents.bool_contents),
        DType::Int8 => Tensor::from_slice(shape, &narrow::<_, i8>(dtype, &contents.int_contents)?),
        DType::Int16 => {
            Tensor::from_slice(shape, &narrow::<_, i16>(dtype, &contents.int_contents)?)
        }
        DType::Int32 => Tensor::from_slice(shape, &contents.int_contents),
        DType::Int64 => Tensor::from_slice(shape, &contents.int64_contents),
        DType::UInt8 => {
            Tensor::from_slice(shape, &narrow::<_, u8>(dtype, &contents.uint_contents)?)
        }
        DType::UInt16 => {
            Tensor::from_slice(shape, &narrow::<_, u16>(dtype, &contents.uint_contents)?)
        }
        DType::UInt32 => Tensor::from_slice(shape, &contents.uint_contents),
        DType::UInt64 => Tensor::from_slice(shape, &contents.uint64_contents),
        DType::Fp32 => Tensor::from_slice(shape, &contents.fp32_contents),
        DType::Fp64 => Tensor::from_slice(shape, &contents.fp64_contents),
        _ => Tensor::strings(shape, &contents.bytes_contents),
    };
    tensor.map_err(|error| error.to_string())
}

/// The tensor's values in their field; `None` for the types that have none.
pub(super) fn write(tensor: &Tensor) -> Option<InferTensorContents> {
    let mut contents = InferTensorContents::default();
    let view = tensor.view();
    match tensor.dtype() {
        DType::Bool => contents.bool_contents = view.as_bools().ok()?.collect(),
        DType::Int8 => contents.int_contents = widen(view.as_slice::<i8>().ok()?),
        DType::Int16 => contents.int_contents = widen(view.as_slice::<i16>().ok()?),
        DType::Int32 => contents.int_contents = view.as_slice::<i32>().ok()?.to_vec(),
        DType::Int64 => contents.int64_contents = view.as_slice::<i64>().ok()?.to_vec(),
        DType::UInt8 => contents.uint_contents = widen(view.as_slice::<u8>().ok()?),
        DType::UInt16 => contents.uint_contents = widen(view.as_slice::<u16>().ok()?),
        DType::UInt32 => contents.uint_contents = view.as_slice::<u32>().ok()?.to_vec(),
        DType::UInt64 => contents.uint64_contents = view.as_slice::<u64>().ok()?.to_vec(),
        DType::Fp32 => contents.fp32_contents = view.as_slice::<f32>().ok()?.to_vec(),
        DType::Fp64 => contents.fp64_contents = view.as_slice::<f64>().ok()?.to_vec(),
        DType::Bytes => {
            let strings = view.as_strings().ok()?;
            contents.bytes_contents = strings.map(bytes::Bytes::copy_from_slice).collect();
        }
        _ => return None,
    }
    Some(contents)
}

/// Whether the type's values can stand in a field.
pub(super) fn has_field(dtype: DType) -> bool {
    field(dtype).is_some()
}

fn field(dtype: DType) -> Option<&'static str> {
    Some(match dtype {
        DType::Bool => "bool_contents",
        DType::Int8 | DType::Int16 | DType::Int32 => "int_contents",
        DType::Int64 => "int64_contents",
        DType::UInt8 | DType::UInt16 | DType::UInt32 => "uint_contents",
        DType::UInt64 => "uint64_contents",
        DType::Fp32 => "fp32_contents",
        DType::Fp64 => "fp64_contents",
        DType::Bytes => "bytes_contents",
        _ => return None,
    })
}

fn lengths(contents: &InferTensorContents) -> [(&'static str, usize); 8] {
    [
        ("bool_contents", contents.bool_contents.len()),
        ("int_contents", contents.int_contents.len()),
        ("int64_contents", contents.int64_contents.len()),
        ("uint_contents", contents.uint_contents.len()),
        ("uint64_contents", contents.uint64_contents.len()),
        ("fp32_contents", contents.fp32_contents.len()),
        ("fp64_contents", contents.fp64_contents.len()),
        ("bytes_contents", contents.bytes_contents.len()),
    ]
}

fn narrow<Wide, Narrow>(dtype: DType, values: &[Wide]) -> Result<Vec<Narrow>, String>
where
    Wide: Copy + std::fmt::Display,
    Narrow: TryFrom<Wide>,
{
    let narrow = |(element, &value)| {
        Narrow::try_from(value)
            .map_err(|_| format!("element {element} is not of type {dtype}: found {value}"))
    };
    values.iter().enumerate().map(narrow).collect()
}

fn widen<Narrow: Copy, Wide: From<Narrow>>(values: &[Narrow]) -> Vec<Wide> {
    values.iter().copied().map(Wide::from).collect()
}
