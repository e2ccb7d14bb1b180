//! What models say of themselves.

use maas_core::{DType, Dimension, TensorSpec};
use maas_service::{Description, VersionStatus};

use super::proto::model_metadata_response::TensorMetadata;
use super::proto::{DataType, ModelConfig, ModelInput, ModelMetadataResponse, ModelOutput};
use crate::hub::{is_batched, max_batch_size};

/// `versions` have the highest first.
pub(super) fn metadata(
    name: String,
    description: &Description,
    versions: &[VersionStatus],
) -> ModelMetadataResponse {
    let versions = versions.iter().rev();
    ModelMetadataResponse {
        name,
        versions: versions.map(|status| status.version.to_string()).collect(),
        platform: description.platform.clone(),
        inputs: tensors(description.signature.inputs()),
        outputs: tensors(description.signature.outputs()),
        properties: description.properties.clone(),
    }
}

fn tensors(specs: &[TensorSpec]) -> Vec<TensorMetadata> {
    let tensor = |spec: &TensorSpec| TensorMetadata {
        name: spec.name().to_owned(),
        datatype: spec.dtype().name().to_owned(),
        shape: lengths(spec.shape()),
    };
    specs.iter().map(tensor).collect()
}

pub(super) fn config(name: String, description: &Description) -> ModelConfig {
    let signature = &description.signature;
    let is_batched = is_batched(signature);
    let dims = |spec: &TensorSpec| {
        lengths(if is_batched {
            spec.row_shape()
        } else {
            spec.shape()
        })
    };
    let input = |spec: &TensorSpec| ModelInput {
        name: spec.name().to_owned(),
        data_type: data_type(spec.dtype()).into(),
        dims: dims(spec),
    };
    let output = |spec: &TensorSpec| ModelOutput {
        name: spec.name().to_owned(),
        data_type: data_type(spec.dtype()).into(),
        dims: dims(spec),
    };
    ModelConfig {
        name,
        platform: description.platform.clone(),
        max_batch_size: max_batch_size(description),
        input: signature.inputs().iter().map(input).collect(),
        output: signature.outputs().iter().map(output).collect(),
    }
}

fn lengths(dimensions: &[Dimension]) -> Vec<i64> {
    let length = |dimension: &Dimension| match dimension {
        Dimension::Free => -1,
        Dimension::Fixed(length) => i64::try_from(*length).unwrap_or(i64::MAX),
    };
    dimensions.iter().map(length).collect()
}

fn data_type(dtype: DType) -> DataType {
    match dtype {
        DType::Bool => DataType::TypeBool,
        DType::UInt8 => DataType::TypeUint8,
        DType::UInt16 => DataType::TypeUint16,
        DType::UInt32 => DataType::TypeUint32,
        DType::UInt64 => DataType::TypeUint64,
        DType::Int8 => DataType::TypeInt8,
        DType::Int16 => DataType::TypeInt16,
        DType::Int32 => DataType::TypeInt32,
        DType::Int64 => DataType::TypeInt64,
        DType::Fp16 => DataType::TypeFp16,
        DType::Bf16 => DataType::TypeBf16,
        DType::Fp32 => DataType::TypeFp32,
        DType::Fp64 => DataType::TypeFp64,
        DType::Bytes => DataType::TypeString,
        _ => DataType::TypeInvalid,
    }
}
