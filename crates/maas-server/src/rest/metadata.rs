//! What server and models say of themselves.

use axum::Json;
use axum::extract::State;
use maas_core::{DType, TensorSpec};
use maas_service::Readiness;
use serde_json::{Value, json};

use super::{Names, Refusal, Shelves, split};
use crate::hub::{is_batched, max_batch_size};
use crate::shared::{EXTENSIONS, Unready};

pub(super) async fn server(State(shared): Shelves) -> Json<Value> {
    Json(
        json!({ "name": shared.name, "version": env!("CARGO_PKG_VERSION"), "extensions": EXTENSIONS }),
    )
}

pub(super) async fn models(State(shared): Shelves) -> Json<Value> {
    Json(json!({ "models": shared.models.names() }))
}

pub(super) async fn model(State(shared): Shelves, names: Names) -> Result<Json<Value>, Refusal> {
    let (model, version) = split(names)?;
    let hosted = shared.models.find(&model)?;
    let description = hosted.status(version.as_deref())?.description;
    let statuses = hosted.statuses();
    let versions: Vec<&str> = statuses
        .iter()
        .rev()
        .map(|status| &*status.version)
        .collect();
    let mut metadata = json!({
        "name": model,
        "versions": versions,
        "platform": description.platform,
        "inputs": tensors(description.signature.inputs()),
        "outputs": tensors(description.signature.outputs()),
    });
    if !description.properties.is_empty() {
        metadata["properties"] = json!(description.properties);
    }
    Ok(Json(metadata))
}

pub(crate) fn tensors(specs: &[TensorSpec]) -> Vec<Value> {
    let tensor = |spec: &TensorSpec| json!({ "name": spec.name(), "datatype": spec.dtype().name(), "shape": spec.shape() });
    specs.iter().map(tensor).collect()
}

/// The model's configuration as far as it has one: the form is Triton's.
pub(super) async fn config(State(shared): Shelves, names: Names) -> Result<Json<Value>, Refusal> {
    let (model, version) = split(names)?;
    let hosted = shared.models.find(&model)?;
    let status = hosted.status(version.as_deref())?;
    let signature = &status.description.signature;
    let is_batched = is_batched(signature);
    let tensors = |specs: &[TensorSpec]| -> Vec<Value> {
        let tensor = |spec: &TensorSpec| {
            let dims = if is_batched {
                spec.row_shape()
            } else {
                spec.shape()
            };
            json!({ "name": spec.name(), "data_type": data_type(spec.dtype()), "dims": dims })
        };
        specs.iter().map(tensor).collect()
    };
    Ok(Json(json!({
        "name": model,
        "platform": status.description.platform,
        "backend": "maas",
        "max_batch_size": max_batch_size(&status.description),
        "input": tensors(signature.inputs()),
        "output": tensors(signature.outputs()),
    })))
}

fn data_type(dtype: DType) -> String {
    match dtype {
        DType::Bytes => "TYPE_STRING".to_owned(),
        dtype => format!("TYPE_{}", dtype.name()),
    }
}

pub(super) async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

pub(super) async fn ready(State(shared): Shelves) -> Result<Json<Value>, Refusal> {
    match shared.unready() {
        None => Ok(Json(json!({ "ready": true }))),
        Some(reason) => Err(reason.into()),
    }
}

pub(super) async fn model_ready(
    State(shared): Shelves,
    names: Names,
) -> Result<Json<Value>, Refusal> {
    let (model, version) = split(names)?;
    let status = shared.models.find(&model)?.status(version.as_deref())?;
    if shared.is_draining() {
        return Err(Unready::Draining.into());
    }
    match status.readiness {
        Readiness::Ready => Ok(Json(json!({ "name": model, "ready": true }))),
        readiness => Err(Unready::Model(model.into(), readiness).into()),
    }
}
