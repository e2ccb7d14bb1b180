//! Files as services.

use std::ffi::OsStr;
use std::path::Path;

use maas_compress::CompressedNetwork;
use maas_nn::Network;
use maas_server::SourceError;
use maas_service::{BoxService, LocalModel, Replicas};

use crate::arguments::Serving;

/// The model in a file, by the file's extension.
pub(crate) fn load(path: &Path, serving: &Serving) -> Result<BoxService, SourceError> {
    let model = match path.extension().and_then(OsStr::to_str) {
        Some("safetensors") => LocalModel::new(Network::load(path)?),
        Some("maas") => LocalModel::new(CompressedNetwork::load(path)?),
        other => {
            let found = other.unwrap_or("none");
            return Err(format!(
                "expected a file `.safetensors` or `.maas`, found the extension `{found}`"
            )
            .into());
        }
    };
    let model = model
        .max_rows(serving.max_rows.get())
        .batching(serving.batching());
    Ok(match serving.replicas.get() {
        1 => BoxService::new(model),
        replicas => BoxService::new(Replicas::of(model, replicas).balanced_by(serving.policy())),
    })
}
