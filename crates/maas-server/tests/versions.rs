//! Labels, shares and shadows, as clients of REST see them while they are changed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use common::{Gate, Http, number, start, wait_until};
use maas_server::{Models, Server};
use maas_service::Shadow;

const ROW: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

/// Versions whose answers are their names.
fn models<const N: usize>(versions: [u8; N]) -> Models {
    let models = Models::new();
    for version in versions {
        let answers = number(f32::from(version), || ());
        models.add("m", version.to_string(), answers).unwrap();
    }
    models
}

/// The version that has answered, which is the one that the answer names.
fn answered_by(http: &mut Http, path: &str) -> String {
    let reply = http.post_json(path, ROW);
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    let version = answer["model_version"].as_str().unwrap().to_owned();
    let number = &answer["outputs"][0]["data"][0];
    assert_eq!(number.as_f64().unwrap().to_string(), version);
    version
}

#[test]
fn a_label_moves_under_load_and_no_request_fails() {
    let models = models([1, 2, 3]);
    models.label("m", "stable", "1").unwrap();
    let server = start(Server::new().models(models.clone()));
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let path = "/v2/models/m/versions/stable/infer";
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut http = Http::to(&server);
                while !is_over.load(Ordering::Relaxed) {
                    answered_by(&mut http, path);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut http = Http::to(&server);
        for version in ["2", "3", "1"].repeat(30) {
            let seen = answered.load(Ordering::Relaxed);
            models.label("m", "stable", version).unwrap();
            // Who asks after it has moved is answered by where it points.
            assert_eq!(answered_by(&mut http, path), version);
            wait_until(|| answered.load(Ordering::Relaxed) > seen);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    models.unlabel("m", "stable").unwrap();
    assert_eq!(Http::to(&server).post_json(path, ROW).status, 404);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_version_comes_before_a_label_of_its_name() {
    let models = models([1, 2]);
    models.label("m", "2", "1").unwrap();
    let server = start(Server::new().models(models.clone()));
    let mut http = Http::to(&server);
    assert_eq!(answered_by(&mut http, "/v2/models/m/versions/2/infer"), "2");
    models.weigh("m", [("1", 1)]).unwrap();
    models.remove_version("m", "2").unwrap().wait();
    assert_eq!(answered_by(&mut http, "/v2/models/m/versions/2/infer"), "1");
    server.shutdown_blocking().unwrap();
}

#[test]
fn requests_are_divided_by_weight_however_many_ask_at_once() {
    let models = models([1, 2, 3]);
    let server = start(Server::new().models(models.clone()));
    for weights in [[6, 3, 1], [1, 0, 9], [0, 5, 5]] {
        let names = ["1", "2", "3"];
        models.weigh("m", names.into_iter().zip(weights)).unwrap();
        let askers = 5;
        let shares = thread::scope(|scope| {
            let ask = || {
                let mut http = Http::to(&server);
                let ask = |_| answered_by(&mut http, "/v2/models/m/infer");
                (0..20).map(ask).collect::<Vec<_>>()
            };
            let asking: Vec<_> = (0..askers).map(|_| scope.spawn(ask)).collect();
            let mut shares = BTreeMap::<String, u32>::new();
            for version in asking.into_iter().flat_map(|asker| asker.join().unwrap()) {
                *shares.entry(version).or_default() += 1;
            }
            shares
        });
        for (name, weight) in names.into_iter().zip(weights) {
            let share = shares.get(name).copied().unwrap_or(0);
            assert!(share.abs_diff(10 * weight) <= 1, "{weights:?}: {shares:?}");
            assert!(weight > 0 || share == 0, "{weights:?}: {shares:?}");
        }
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn weights_change_under_load_and_no_request_fails() {
    let models = models([1, 2]);
    let server = start(Server::new().models(models.clone()));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut http = Http::to(&server);
                while !is_over.load(Ordering::Relaxed) {
                    answered_by(&mut http, "/v2/models/m/infer");
                }
            });
        }
        let mut http = Http::to(&server);
        for _ in 0..30 {
            for (one, two) in [(0, 1), (1, 1), (1, 0)] {
                models.weigh("m", [("1", one), ("2", two)]).unwrap();
                let version = answered_by(&mut http, "/v2/models/m/infer");
                assert!(one > 0 || version == "2");
                assert!(two > 0 || version == "1");
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_shadow_gets_its_share_and_whatever_it_does_nobody_sees() {
    let (failed, gate) = (Arc::new(AtomicUsize::new(0)), Gate::default());
    let models = models([1]);
    models.weigh("m", [("1", 1)]).unwrap();
    let panicking = number(2.0, || panic!("a secret of the shadow"));
    models.add("m", "2", panicking).unwrap();
    let held = gate.clone();
    models
        .add("m", "3", number(3.0, move || held.pass()))
        .unwrap();
    let server = start(Server::new().models(models.clone()));
    let mut http = Http::to(&server);
    let mut ask = || assert_eq!(answered_by(&mut http, "/v2/models/m/infer"), "1");

    let counted = Arc::clone(&failed);
    let half = Shadow::of("2").share(0.5).compare(move |compared| {
        assert_eq!(compared.answer.version.as_deref(), Some("1"));
        counted.fetch_add(usize::from(compared.shadow.is_err()), Ordering::SeqCst);
    });
    models.shadow("m", half).unwrap();
    (0..40).for_each(|_| ask());
    wait_until(|| failed.load(Ordering::SeqCst) == 20);

    let compared = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&compared);
    let stuck = Shadow::of("3").at_most(2).compare(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    models.shadow("m", stuck).unwrap();
    (0..40).for_each(|_| ask());
    assert_eq!(compared.load(Ordering::SeqCst), 0);
    gate.open();
    wait_until(|| compared.load(Ordering::SeqCst) == 2);

    // Who asks for the shadow itself is answered by it.
    models.unshadow("m").unwrap();
    let reply = http.post_json("/v2/models/m/versions/2/infer", ROW);
    assert_eq!((reply.status, &*reply.error()), (500, "the model panicked"));
    server.shutdown_blocking().unwrap();
}
