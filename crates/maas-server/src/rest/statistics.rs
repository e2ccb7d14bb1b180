//! What became of requests: the protocol's extension `statistics`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::{Names, Refusal, Shelves, split};
use crate::hub::{Hosted, Read};

pub(super) async fn all(State(shared): Shelves) -> Json<Value> {
    let models = shared.models.all();
    let entries = models.iter().flat_map(|hosted| of_all_versions(hosted));
    Json(json!({ "model_stats": entries.collect::<Vec<_>>() }))
}

pub(super) async fn model(State(shared): Shelves, names: Names) -> Result<Json<Value>, Refusal> {
    let (model, version) = split(names)?;
    let hosted = shared.models.find(&model)?;
    let entries: Vec<Value> = match version {
        None => of_all_versions(&hosted).collect(),
        Some(version) => {
            let version = hosted.status(Some(&version))?.version;
            of_version(&hosted, &version).into_iter().collect()
        }
    };
    Ok(Json(json!({ "model_stats": entries })))
}

fn of_all_versions(hosted: &Hosted) -> impl Iterator<Item = Value> {
    let statuses = hosted.statuses().into_iter().rev();
    statuses.filter_map(|status| of_version(hosted, &status.version))
}

fn of_version(hosted: &Hosted, version: &str) -> Option<Value> {
    let read = hosted.read(version)?;
    Some(json!({
        "name": &*hosted.name,
        "version": version,
        "last_inference": read.last,
        "inference_count": read.rows,
        "execution_count": read.executions(),
        "inference_stats": inference(&read),
        "response_stats": Map::new(),
        "batch_stats": batches(&read),
        "memory_usage": [],
    }))
}

fn inference(read: &Read) -> Value {
    json!({
        "success": duration(read.succeeded()),
        "fail": duration(read.failed()),
        "queue": duration((read.queue.count(), read.queue.sum)),
        "compute_input": duration((0, Duration::ZERO)),
        "compute_infer": duration((read.compute.count(), read.compute.sum)),
        "compute_output": duration((0, Duration::ZERO)),
        "cache_hit": duration((0, Duration::ZERO)),
        "cache_miss": duration((0, Duration::ZERO)),
    })
}

fn batches(read: &Read) -> Vec<Value> {
    let nothing = duration((0, Duration::ZERO));
    let batches = read.batches.iter().map(|of_size| {
        json!({
            "batch_size": of_size.rows,
            "compute_input": nothing,
            "compute_infer": duration((of_size.batches, of_size.compute)),
            "compute_output": nothing,
        })
    });
    batches.collect()
}

fn duration((count, sum): (u64, Duration)) -> Value {
    json!({ "count": count, "ns": u64::try_from(sum.as_nanos()).unwrap_or(u64::MAX) })
}
