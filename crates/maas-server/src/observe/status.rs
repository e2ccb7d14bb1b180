//! The server's state and figures as the status page reads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use maas_schedule::{EjectedCounts, HealthState};
use maas_service::{MemberReport, Readiness};
use serde_json::{Value, json};

use super::insides::{ejected, is_available};
use super::metrics::{Figures, versions};
use crate::hub::{BOUNDS, Durations, Outcome, Read};
use crate::rest::tensors;
use crate::shared::{Shared, Unready};

/// `GET /status`.
pub(super) async fn status(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let mut models: Vec<Value> = Vec::new();
    for of in versions(&shared.models) {
        let version = version(&of);
        match models.last_mut() {
            Some(model) if model["name"] == *of.model => {
                if let Some(versions) = model["versions"].as_array_mut() {
                    versions.push(version);
                }
            }
            _ => models.push(json!({ "name": &*of.model, "versions": [version] })),
        }
    }
    let status = json!({
        "name": shared.name,
        "version": env!("CARGO_PKG_VERSION"),
        "state": state(&shared),
        "uptime_seconds": shared.traffic.uptime().as_secs(),
        "connections": shared.traffic.connections(),
        "bounds_seconds": BOUNDS.map(|bound| bound as f64 / 1e9),
        "models": models,
    });
    ([(CACHE_CONTROL, "no-store")], Json(status))
}

fn state(shared: &Shared) -> &'static str {
    match shared.unready() {
        None => "ready",
        Some(Unready::Draining) => "draining",
        Some(Unready::Starting) => "loading",
        Some(Unready::Model(..)) => "not ready",
    }
}

fn version(of: &Figures) -> Value {
    let (status, read) = (&of.status, &of.read);
    let signature = &status.description.signature;
    let batches = read.batches.iter();
    let batches = batches.map(|of_size| json!({ "rows": of_size.rows, "count": of_size.batches }));
    json!({
        "version": &*status.version,
        "platform": status.description.platform,
        "properties": status.description.properties,
        "inputs": tensors(signature.inputs()),
        "outputs": tensors(signature.outputs()),
        "weight": status.weight,
        "labels": status.labels.iter().map(|label| &**label).collect::<Vec<_>>(),
        "shadow": status.shadow,
        "readiness": readiness(status.readiness),
        "in_flight": status.in_flight,
        "ok": read.succeeded().0,
        "failed": read.failed().0,
        "outcomes": outcomes(read),
        "rows": read.rows,
        "executions": read.executions(),
        "latency": durations(&read.latency()),
        "queue": durations(&read.queue),
        "compute": durations(&read.compute),
        "batches": batches.collect::<Vec<_>>(),
        "replicas": of.report.members.iter().map(replica).collect::<Vec<_>>(),
    })
}

fn readiness(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Ready => "ready",
        Readiness::Loading => "loading",
        Readiness::Draining => "draining",
        Readiness::Overloaded { .. } => "overloaded",
        _ => "down",
    }
}

fn replica(member: &MemberReport) -> Value {
    let health = match member.status.health {
        _ if !member.readiness.is_ready() => readiness(member.readiness),
        Some(HealthState::Unhealthy) => "unhealthy",
        Some(HealthState::Ejected { .. }) => "ejected",
        Some(HealthState::Probation) => "on probation",
        Some(HealthState::SlowStart { .. }) => "starting slowly",
        _ => "ready",
    };
    json!({
        "name": member.status.name,
        "health": health,
        "available": is_available(member),
        "in_flight": member.status.in_flight,
        "served": member.status.served,
        "failed": member.status.failed,
        "ejected": member.status.ejected.as_ref().map_or_else(BTreeMap::new, counted),
    })
}

/// How often the member was ejected for each reason that it ever was.
fn counted(counts: &EjectedCounts) -> BTreeMap<&'static str, u64> {
    let reasons = ejected(counts).into_iter();
    reasons.filter(|&(_, count)| count > 0).collect()
}

/// How often requests ended in each way that any ended in.
fn outcomes(read: &Read) -> BTreeMap<&'static str, u64> {
    let mut outcomes = BTreeMap::new();
    for way in &read.protocols {
        for (&count, (_, outcome)) in way.counts.iter().zip(Outcome::ALL) {
            if count > 0 {
                *outcomes.entry(outcome).or_default() += count;
            }
        }
    }
    outcomes
}

fn durations(durations: &Durations) -> Value {
    let quantile = |share| {
        durations
            .quantile(share)
            .map(|duration| duration.as_secs_f64())
    };
    json!({
        "count": durations.count(),
        "sum_seconds": durations.sum.as_secs_f64(),
        "p50_seconds": quantile(0.5),
        "p99_seconds": quantile(0.99),
        "buckets": durations.buckets,
    })
}
