//! What `/metrics` says, read as Prometheus does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Gate, Http, start, sums, wait_until};
use maas_schedule::HealthRules;
use maas_server::{Models, Server};
use maas_service::{Balanced, LocalModel, Replicas};
use serde_json::json;

const ROWS: &str = r#"{"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2,3,4]}]}"#;
const WRONG: &str = r#"{"inputs":[{"name":"z","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

/// Samples by their name and labels as they stand in the text, and the types of families.
struct Scrape {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
}

impl Scrape {
    fn of(http: &mut Http) -> Self {
        let reply = http.get("/metrics");
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, Some("text/plain; version=0.0.4; charset=utf-8"))
        );
        Self::parse(&reply.body)
    }

    fn parse(text: &str) -> Self {
        let (mut samples, mut types) = (BTreeMap::new(), BTreeMap::new());
        let mut family = String::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("# ") {
                let [keyword, name, rest] = comment.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                    panic!("a comment without a text: {line}");
                };
                if keyword == "TYPE" {
                    assert!(
                        types.insert(name.to_owned(), rest.to_owned()).is_none(),
                        "{line} twice"
                    );
                    name.clone_into(&mut family);
                }
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let suffix = name
                .strip_prefix(family.as_str())
                .unwrap_or_else(|| panic!("{line} is not of {family}"));
            let suffixes: &[&str] = match types[&family].as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(suffixes.contains(&suffix), "{line}");
            let before = samples.insert(series.to_owned(), value.parse().unwrap());
            assert!(before.is_none(), "{line} twice");
        }
        Self { samples, types }
    }

    fn value(&self, series: &str) -> f64 {
        *self
            .samples
            .get(series)
            .unwrap_or_else(|| panic!("no {series} in {:#?}", self.samples))
    }

    /// The counts of a histogram's buckets, in order.
    fn buckets(&self, series: &str) -> Vec<f64> {
        let prefix = format!("{},le=\"", series.trim_end_matches('}'));
        let bound =
            |key: &str| -> f64 { key[prefix.len()..].trim_end_matches("\"}").parse().unwrap() };
        let mut buckets: Vec<_> = self
            .samples
            .iter()
            .filter(|(key, _)| key.starts_with(&prefix))
            .map(|(key, count)| (bound(key), *count))
            .collect();
        buckets.sort_by(|a, b| a.partial_cmp(b).unwrap());
        buckets.into_iter().map(|(_, count)| count).collect()
    }
}

#[test]
fn requests_are_counted_by_version_protocol_and_outcome() {
    let server = start(Server::new().model("sums", LocalModel::new(sums(|_| {}))));
    let mut http = Http::to(&server);
    for body in [ROWS, ROWS, WRONG] {
        http.infer("sums", body);
    }
    http.get("/nowhere");
    let scrape = Scrape::of(&mut http);
    let of = r#"model="sums",version="1""#;
    for (series, expected) in [
        (
            format!(r#"maas_requests_total{{{of},protocol="http",outcome="ok"}}"#),
            2.0,
        ),
        (
            format!(r#"maas_requests_total{{{of},protocol="http",outcome="invalid"}}"#),
            1.0,
        ),
        (
            format!(r#"maas_request_duration_seconds_count{{{of},protocol="http",result="ok"}}"#),
            2.0,
        ),
        (
            format!(
                r#"maas_request_duration_seconds_count{{{of},protocol="http",result="failed"}}"#
            ),
            1.0,
        ),
        (format!("maas_rows_total{{{of}}}"), 4.0),
        (format!("maas_batch_rows_sum{{{of}}}"), 4.0),
        (format!("maas_batch_rows_count{{{of}}}"), 2.0),
        (format!("maas_requests_in_flight{{{of}}}"), 0.0),
        (format!("maas_model_ready{{{of}}}"), 1.0),
        (format!("maas_model_weight{{{of}}}"), 1.0),
        (format!(r#"maas_model_info{{{of},platform="maas"}}"#), 1.0),
        (r#"maas_http_responses_total{status="200"}"#.to_owned(), 2.0),
        (r#"maas_http_responses_total{status="400"}"#.to_owned(), 1.0),
        (r#"maas_http_responses_total{status="404"}"#.to_owned(), 1.0),
        ("maas_connections".to_owned(), 1.0),
        (format!("nv_inference_request_success{{{of}}}"), 2.0),
        (
            format!(r#"nv_inference_request_failure{{{of},reason="OTHER"}}"#),
            1.0,
        ),
        (format!("nv_inference_count{{{of}}}"), 4.0),
        (format!("nv_inference_exec_count{{{of}}}"), 2.0),
    ] {
        assert!(
            (scrape.value(&series) - expected).abs() < 1e-9,
            "{series}: {}",
            scrape.value(&series)
        );
    }
    assert_eq!(scrape.types["maas_requests_total"], "counter");
    server.shutdown_blocking().unwrap();
}

#[test]
fn buckets_add_up_to_the_count() {
    let server = start(Server::new().model("sums", LocalModel::new(sums(|_| {}))));
    let mut http = Http::to(&server);
    for _ in 0..20 {
        http.infer("sums", ROWS);
    }
    let scrape = Scrape::of(&mut http);
    let of = r#"model="sums",version="1""#;
    let protocol = r#",protocol="http",result="ok""#;
    for (name, labels) in [
        ("maas_request_duration_seconds", format!("{of}{protocol}")),
        ("maas_queue_wait_seconds", of.to_owned()),
        ("maas_compute_seconds", of.to_owned()),
        ("maas_batch_rows", of.to_owned()),
    ] {
        let buckets = scrape.buckets(&format!("{name}_bucket{{{labels}}}"));
        assert!(buckets.is_sorted(), "{name}: {buckets:?}");
        let count = scrape.value(&format!("{name}_count{{{labels}}}"));
        assert_eq!(buckets.last(), Some(&count), "{name}");
        assert_eq!(count, 20.0, "{name}");
    }
    let two_rows = scrape.value(&format!(r#"maas_batch_rows_bucket{{{of},le="2"}}"#));
    let one_row = scrape.value(&format!(r#"maas_batch_rows_bucket{{{of},le="1"}}"#));
    assert_eq!((one_row, two_rows), (0.0, 20.0));
    server.shutdown_blocking().unwrap();
}

#[test]
fn names_may_be_any_text() {
    let server = start(Server::new().model_version(
        "a\"b\\c\nd",
        "{x=\"1\"} 2",
        LocalModel::new(sums(|_| {})),
    ));
    let scrape = Scrape::of(&mut Http::to(&server));
    let series = r#"maas_rows_total{model="a\"b\\c\nd",version="{x=\"1\"} 2"}"#;
    assert_eq!(scrape.value(series), 0.0);
    server.shutdown_blocking().unwrap();
}

#[test]
fn requests_under_way_and_versions_that_go_are_seen() {
    let gate = Gate::default();
    let held = gate.clone();
    let service = Arc::new(LocalModel::new(sums(move |_| held.pass())));
    let models = Models::new();
    models.add("sums", "1", Arc::clone(&service)).unwrap();
    models
        .add("other", "7", LocalModel::new(sums(|_| {})))
        .unwrap();
    let server = start(Server::new().models(models.clone()));
    let mut asking = Http::to(&server);
    let length = ROWS.len();
    asking.send(&format!(
        "POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{ROWS}"
    ));
    wait_until(|| service.in_flight() == 1);
    let mut http = Http::to(&server);
    let scrape = Scrape::of(&mut http);
    assert_eq!(
        scrape.value(r#"maas_requests_in_flight{model="sums",version="1"}"#),
        1.0
    );
    assert_eq!(scrape.value("maas_connections"), 2.0);
    gate.open();
    assert_eq!(asking.reply().unwrap().status, 200);
    models.remove("other").unwrap();
    let scrape = Scrape::of(&mut http);
    assert!(!scrape.samples.keys().any(|series| series.contains("other")));
    server.shutdown_blocking().unwrap();
}

#[test]
fn what_waits_in_queues_is_told_by_tritons_name() {
    let (gate, runs) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
    let (held, counted) = (gate.clone(), Arc::clone(&runs));
    let model = LocalModel::new(sums(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        held.pass();
    }));
    let model = model.queued().workers(NonZeroUsize::MIN);
    let server = start(Server::new().model("sums", Replicas::of(model, 1)));
    let length = ROWS.len();
    let asked = |is_there: &dyn Fn() -> bool| {
        let mut http = Http::to(&server);
        http.send(&format!(
            "POST /v2/models/sums/infer HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{ROWS}"
        ));
        wait_until(is_there);
        http
    };
    let pending = || {
        let name = r#"nv_inference_pending_request_count{model="sums",version="1"}"#;
        Scrape::of(&mut Http::to(&server)).value(name)
    };
    let running = asked(&|| runs.load(Ordering::SeqCst) == 1);
    assert_eq!(pending(), 0.0);
    let waiting = asked(&|| pending() == 1.0);
    gate.open();
    for mut http in [running, waiting] {
        assert_eq!(http.reply().unwrap().status, 200);
    }
    assert_eq!(pending(), 0.0);
    server.shutdown_blocking().unwrap();
}

#[test]
fn pools_and_queues_tell_of_their_insides() {
    let queued = LocalModel::new(sums(|_| {})).queued();
    let pool = Arc::new(Replicas::of(queued, 2));
    let server = start(Server::new().model("sums", Arc::clone(&pool)));
    let mut http = Http::to(&server);
    for _ in 0..4 {
        http.infer("sums", ROWS);
    }
    pool.kill(1).unwrap();
    let scrape = Scrape::of(&mut http);
    let of = |replica: u8| format!(r#"model="sums",version="1",replica="{replica}""#);
    for (replica, available) in [(0, 1.0), (1, 0.0)] {
        let of = of(replica);
        assert_eq!(
            scrape.value(&format!("maas_replica_available{{{of}}}")),
            available
        );
        assert_eq!(scrape.value(&format!("maas_replica_ejected{{{of}}}")), 0.0);
        let served = format!(r#"maas_replica_requests_total{{{of},result="ok"}}"#);
        assert_eq!(scrape.value(&served), 2.0);
    }
    let closed = |reason: &str| {
        let of = of(0);
        scrape.value(&format!(
            r#"maas_batches_closed_total{{{of},reason="{reason}"}}"#
        ))
    };
    let reasons = [
        "full",
        "delay",
        "worker_free",
        "shape_changed",
        "closing",
        "deadline",
    ];
    assert_eq!(reasons.map(closed).iter().sum::<f64>(), 2.0);
    assert_eq!(scrape.value(&format!("maas_queue_rows{{{}}}", of(0))), 0.0);
    let pending = r#"nv_inference_pending_request_count{model="sums",version="1"}"#;
    assert_eq!(scrape.value(pending), 0.0);
    let replicas = &http.get("/status").json()["models"][0]["versions"][0]["replicas"];
    assert_eq!(
        (&replicas[0]["health"], &replicas[0]["served"]),
        (&json!("ready"), &json!(2))
    );
    assert_eq!(
        (&replicas[1]["health"], &replicas[1]["available"]),
        (&json!("down"), &json!(false))
    );
    server.shutdown_blocking().unwrap();
}

#[test]
fn why_members_of_pools_are_ejected_is_counted() {
    let failing = || {
        LocalModel::new(sums(|row| {
            assert!(row[0] < 1e6, "too much for this model");
        }))
    };
    let rules = HealthRules::default().consecutive_failures(2);
    let pool = Balanced::over([failing(), failing()]).unwrap();
    let server = start(Server::new().model("sums", pool.watched_by(rules)));
    let mut http = Http::to(&server);
    for _ in 0..4 {
        http.infer(
            "sums",
            r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[2e6,1]}]}"#,
        );
    }
    let scrape = Scrape::of(&mut http);
    let ejected = |reason: &str| -> f64 {
        let value = |replica: u8| {
            scrape.value(&format!(
                r#"maas_replica_ejections_total{{model="sums",version="1",replica="{replica}",reason="{reason}"}}"#
            ))
        };
        value(0) + value(1)
    };
    // One of two may be.
    assert_eq!(ejected("consecutive_failures"), 1.0);
    for reason in ["failure_share", "outlier", "trial", "probes"] {
        assert_eq!(ejected(reason), 0.0, "{reason}");
    }
    let replicas = &http.get("/status").json()["models"][0]["versions"][0]["replicas"];
    let told = [&replicas[0]["ejected"], &replicas[1]["ejected"]];
    assert!(
        told.contains(&&json!({ "consecutive_failures": 1 })) && told.contains(&&json!({})),
        "{replicas}"
    );
    server.shutdown_blocking().unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_is_described() {
    let server = start(Server::new());
    let scrape = Scrape::of(&mut Http::to(&server));
    assert!(scrape.value("process_resident_memory_bytes") > 1e6);
    assert!(scrape.value("process_cpu_seconds_total") >= 0.0);
    assert!(scrape.value("process_open_fds") > 3.0);
    assert!(scrape.value("process_max_fds") >= scrape.value("process_open_fds"));
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let age = now - scrape.value("process_start_time_seconds");
    assert!((-2.0..3600.0).contains(&age), "{age}");
    server.shutdown_blocking().unwrap();
}
