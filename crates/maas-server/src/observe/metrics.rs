//! The server's figures as Prometheus reads them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use maas_service::{Report, Service, VersionStatus};

use super::exposition::{Exposition, Kind, Labels};
use super::{insides, process, triton};
use crate::Models;
use crate::hub::{BOUNDS, Durations, OfSize, Outcome, Read};
use crate::shared::Shared;

/// Rows of a batch: the bounds of buckets.
const BATCH_ROWS: [usize; 13] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 65536];

/// A version of a model and what it had counted.
pub(super) struct Figures {
    pub(super) model: Arc<str>,
    pub(super) status: VersionStatus,
    pub(super) read: Read,
    pub(super) report: Report,
}

/// `GET /metrics`.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let mut exposition = Exposition::default();
    let versions = versions(&shared.models);
    info(&mut exposition, &versions);
    requests(&mut exposition, &versions);
    work(&mut exposition, &versions);
    insides::insides(&mut exposition, &versions);
    traffic(&mut exposition, &shared);
    triton::compatible(&mut exposition, &versions);
    process::process(&mut exposition);
    (
        [(CONTENT_TYPE, Exposition::CONTENT_TYPE)],
        exposition.into_text(),
    )
}

pub(super) fn versions(models: &Models) -> Vec<Figures> {
    let all = models.all();
    let versions = all.iter().flat_map(|hosted| {
        let figures = |status: VersionStatus| {
            let measured = hosted.versions.service(&status.version)?;
            Some(Figures {
                model: Arc::clone(&hosted.name),
                status,
                read: measured.statistics.read(),
                report: measured.report(),
            })
        };
        hosted.statuses().into_iter().filter_map(figures)
    });
    versions.collect()
}

impl Figures {
    pub(super) fn labels(&self) -> [(&'static str, &str); 2] {
        [("model", &self.model), ("version", &self.status.version)]
    }
}

fn info(exposition: &mut Exposition, versions: &[Figures]) {
    let mut family = exposition.family(
        "maas_model_info",
        Kind::Gauge,
        "1 for each version of a model that is served.",
    );
    for of in versions {
        let [model, version] = of.labels();
        let platform = ("platform", &*of.status.description.platform);
        family.sample(&[model, version, platform], 1);
    }
    gauge(
        exposition,
        "maas_model_ready",
        "Whether a version takes requests.",
        versions,
        |of| usize::from(of.status.readiness.is_ready()),
    );
    gauge(
        exposition,
        "maas_model_weight",
        "How much a version serves of the requests that ask for none, beside the others.",
        versions,
        |of| of.status.weight as usize,
    );
    gauge(
        exposition,
        "maas_requests_in_flight",
        "Requests that have begun and not ended.",
        versions,
        |of| of.status.in_flight,
    );
}

fn gauge(
    exposition: &mut Exposition,
    name: &str,
    help: &str,
    versions: &[Figures],
    value: impl Fn(&Figures) -> usize,
) {
    let mut family = exposition.family(name, Kind::Gauge, help);
    for of in versions {
        family.sample(&of.labels(), value(of));
    }
}

fn requests(exposition: &mut Exposition, versions: &[Figures]) {
    let mut family = exposition.family(
        "maas_requests_total",
        Kind::Counter,
        "Requests that have ended, by the way that they came and how they ended.",
    );
    for of in versions {
        let [model, version] = of.labels();
        for way in &of.read.protocols {
            for (&count, (_, outcome)) in way.counts.iter().zip(Outcome::ALL) {
                if count > 0 {
                    let protocol = ("protocol", way.protocol.name());
                    family.sample(&[model, version, protocol, ("outcome", outcome)], count);
                }
            }
        }
    }
    let mut family = exposition.family(
        "maas_request_duration_seconds",
        Kind::Histogram,
        "How long requests took from when they were read to when their answer was there.",
    );
    for of in versions {
        let [model, version] = of.labels();
        for way in &of.read.protocols {
            let protocol = ("protocol", way.protocol.name());
            for (result, durations) in [("ok", &way.succeeded), ("failed", &way.failed)] {
                if durations.count() > 0 {
                    let labels = [model, version, protocol, ("result", result)];
                    put(&mut family, &labels, durations);
                }
            }
        }
    }
}

fn work(exposition: &mut Exposition, versions: &[Figures]) {
    let mut durations = |name, help, which: fn(&Read) -> &Durations| {
        let mut family = exposition.family(name, Kind::Histogram, help);
        for of in versions {
            put(&mut family, &of.labels(), which(&of.read));
        }
    };
    durations(
        "maas_queue_wait_seconds",
        "How long answered requests waited until the model ran.",
        |read| &read.queue,
    );
    durations(
        "maas_compute_seconds",
        "How long the model ran for the batch that an answered request was in.",
        |read| &read.compute,
    );
    let mut family = exposition.family(
        "maas_batch_rows",
        Kind::Histogram,
        "Rows that the model ran at once; of more than 64 the next power of two.",
    );
    for of in versions {
        let (buckets, beyond) = batch_buckets(&of.read.batches);
        family.histogram(&of.labels(), buckets, beyond, of.read.rows as f64);
    }
    let mut family = exposition.family(
        "maas_rows_total",
        Kind::Counter,
        "Rows of requests that were answered.",
    );
    for of in versions {
        family.sample(&of.labels(), of.read.rows);
    }
}

fn put(family: &mut super::exposition::Family<'_>, labels: &Labels<'_>, durations: &Durations) {
    let seconds = BOUNDS.iter().map(|&bound| bound as f64 / 1e9);
    let buckets = seconds.zip(durations.buckets);
    let beyond = durations.buckets[BOUNDS.len()];
    family.histogram(labels, buckets, beyond, durations.sum.as_secs_f64());
}

/// Batches by the buckets' bounds, and those beyond the last.
fn batch_buckets(batches: &[OfSize]) -> (Vec<(f64, u64)>, u64) {
    let mut buckets = BATCH_ROWS.map(|bound| (bound as f64, 0)).to_vec();
    let mut beyond = 0;
    for of_size in batches {
        let bucket = BATCH_ROWS.partition_point(|&bound| bound < of_size.rows);
        let count = buckets
            .get_mut(bucket)
            .map_or(&mut beyond, |(_, count)| count);
        *count += of_size.batches;
    }
    (buckets, beyond)
}

fn traffic(exposition: &mut Exposition, shared: &Shared) {
    let connections = shared.traffic.connections();
    exposition
        .family(
            "maas_connections",
            Kind::Gauge,
            "Connections that are open.",
        )
        .sample(&[], connections);
    let mut family = exposition.family(
        "maas_http_responses_total",
        Kind::Counter,
        "Answers by their HTTP status, those to requests that reached no model included.",
    );
    for (status, count) in shared.traffic.responses() {
        family.sample(&[("status", &status.to_string())], count);
    }
}
