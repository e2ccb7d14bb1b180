//! What servers say of their models.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use maas_core::{DType, Dimension, Signature, TensorSpec};
use maas_service::{Description, ServeError};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub(super) platform: String,
    pub(super) inputs: Vec<TensorMetadata>,
    pub(super) outputs: Vec<TensorMetadata>,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub(super) struct TensorMetadata {
    pub(super) name: String,
    pub(super) datatype: DType,
    pub(super) shape: Vec<Dimension>,
}

/// What a server says of itself.
#[derive(Deserialize)]
pub(super) struct ServerMetadata {
    #[serde(default)]
    pub(super) extensions: Vec<String>,
}

impl Metadata {
    pub(super) fn into_description(self) -> Result<Arc<Description>, ServeError> {
        let signature = Signature::new(specs(self.inputs)?, specs(self.outputs)?);
        let mut description = Description::new(signature.map_err(bad_answer)?, self.platform);
        description.properties = self.properties;
        Ok(Arc::new(description))
    }
}

fn specs(tensors: Vec<TensorMetadata>) -> Result<Vec<TensorSpec>, ServeError> {
    let spec = |tensor: TensorMetadata| {
        TensorSpec::new(tensor.name, tensor.datatype, tensor.shape).map_err(bad_answer)
    };
    tensors.into_iter().map(spec).collect()
}

pub(super) fn bad_answer(error: impl Display) -> ServeError {
    ServeError::BadAnswer {
        reason: error.to_string(),
    }
}
