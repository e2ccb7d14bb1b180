//! Models that come, go, are loaded and counted while the server runs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use common::{Http, sums};
use maas_server::{Error, Folder, ModelState, Models, Server, Source, SourceError, VersionPolicy};
use maas_service::{BoxService, LocalModel, Shadow};
use serde_json::{Value, json};

const ROW: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

fn summing() -> LocalModel {
    LocalModel::new(sums(|_| {}))
}

fn asked_version(http: &mut Http, path: &str) -> Value {
    http.post_json(path, ROW).json()["model_version"].clone()
}

#[test]
fn versions_come_and_go_while_the_server_runs() {
    let models = Models::new();
    models.add("sums", "1", summing()).unwrap();
    let server = Server::new()
        .models(models.clone())
        .bind("127.0.0.1:0")
        .run_in_background()
        .unwrap();
    let mut http = Http::to(&server);
    assert_eq!(asked_version(&mut http, "/v2/models/sums/infer"), "1");
    models.add("sums", "2", summing()).unwrap();
    assert_eq!(asked_version(&mut http, "/v2/models/sums/infer"), "2");
    models.label("sums", "stable", "1").unwrap();
    assert_eq!(
        asked_version(&mut http, "/v2/models/sums/versions/stable/infer"),
        "1"
    );
    models.weigh("sums", [("1", 3), ("2", 1)]).unwrap();
    let mut answers = BTreeMap::new();
    for _ in 0..40 {
        *answers
            .entry(asked_version(&mut http, "/v2/models/sums/infer").to_string())
            .or_insert(0) += 1;
    }
    assert_eq!(answers.into_values().collect::<Vec<_>>(), [30, 10]);
    models.add("sums", "3", summing()).unwrap();
    assert_ne!(
        asked_version(&mut http, "/v2/models/sums/infer"),
        "3",
        "weights were given by hand"
    );
    models.shadow("sums", Shadow::of("3")).unwrap();
    models.unshadow("sums").unwrap();
    models.unlabel("sums", "stable").unwrap();
    models.weigh("sums", [("2", 1)]).unwrap();
    models.remove_version("sums", "1").unwrap().wait();
    assert_eq!(
        http.post_json("/v2/models/sums/versions/1/infer", ROW)
            .status,
        404
    );
    assert_eq!(
        http.get("/v2/models/sums").json()["versions"],
        json!(["2", "3"])
    );
    assert_eq!(http.get("/v2/models").json(), json!({"models": ["sums"]}));
    models
        .remove("sums")
        .unwrap()
        .into_iter()
        .for_each(|(_, retired)| retired.wait());
    assert_eq!(http.post_json("/v2/models/sums/infer", ROW).status, 404);
    server.shutdown_blocking().unwrap();
}

#[test]
fn requests_are_counted_by_version() {
    let server = Server::new()
        .model("sums", summing())
        .bind("127.0.0.1:0")
        .run_in_background()
        .unwrap();
    let mut http = Http::to(&server);
    for _ in 0..3 {
        assert_eq!(http.post_json("/v2/models/sums/infer", ROW).status, 200);
    }
    let wrong = ROW.replace("\"x\"", "\"z\"");
    assert_eq!(http.post_json("/v2/models/sums/infer", &wrong).status, 400);
    for path in [
        "/v2/models/stats",
        "/v2/models/sums/stats",
        "/v2/models/sums/versions/1/stats",
    ] {
        let stats = http.get(path).json()["model_stats"][0].clone();
        assert_eq!(
            (&stats["name"], &stats["version"]),
            (&json!("sums"), &json!("1"))
        );
        assert_eq!(stats["inference_count"], 3);
        assert_eq!(stats["execution_count"], 3);
        assert_eq!(stats["inference_stats"]["success"]["count"], 3);
        assert_eq!(stats["inference_stats"]["fail"]["count"], 1);
        assert!(
            stats["inference_stats"]["compute_infer"]["ns"]
                .as_u64()
                .unwrap()
                > 0
        );
        assert_eq!(stats["batch_stats"][0]["batch_size"], 1);
        assert!(stats["last_inference"].as_u64().unwrap() > 1_700_000_000_000);
    }
    assert_eq!(http.get("/v2/models/beer/stats").status, 404);
    server.shutdown_blocking().unwrap();
}

#[test]
fn the_configuration_says_what_a_client_may_send() {
    let server = Server::new()
        .model("sums", summing().max_rows(7))
        .bind("127.0.0.1:0")
        .run_in_background()
        .unwrap();
    let config = Http::to(&server).get("/v2/models/sums/config").json();
    assert_eq!(
        config["input"],
        json!([{"name": "x", "data_type": "TYPE_FP32", "dims": [2]}])
    );
    assert_eq!(config["max_batch_size"], 7);
    server.shutdown_blocking().unwrap();
}

/// A shelf of versions, whose models fail to load while `broken`.
#[derive(Clone, Debug, Default)]
struct Shelf {
    versions: Arc<Mutex<Vec<String>>>,
    broken: Arc<AtomicBool>,
}

impl Source for Shelf {
    fn models(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec!["sums".to_owned()])
    }

    fn versions(&self, model: &str) -> Result<Vec<String>, SourceError> {
        let versions = self.versions.lock().unwrap().clone();
        Ok(if model == "sums" {
            versions
        } else {
            Vec::new()
        })
    }

    fn load(&self, _model: &str, version: &str) -> Result<BoxService, SourceError> {
        if self.broken.load(Ordering::Acquire) {
            return Err("the disk is on fire".into());
        }
        assert_ne!(version, "13", "nobody loads that");
        Ok(BoxService::new(summing()))
    }
}

fn state(index: &Value, version: &str) -> String {
    let entries = index.as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["version"] == version);
    entry.map_or("none".to_owned(), |entry| {
        entry["state"].as_str().unwrap().to_owned()
    })
}

#[test]
fn a_policy_that_names_no_version_says_which_there_are() {
    let shelf = Shelf::default();
    shelf.versions.lock().unwrap().push("1".to_owned());
    let models = Models::from(shelf);
    models.policy("sums", VersionPolicy::Specific(vec!["7".to_owned()]));
    assert_eq!(
        models.load("sums").unwrap_err().to_string(),
        "the source has no version of model `sums` that is to be served: it has 1"
    );
}

#[test]
fn a_folder_has_one_file_for_a_version() {
    let folder = tempfile::tempdir().unwrap();
    let file = |path: &str| std::fs::write(folder.path().join(path), "").unwrap();
    std::fs::create_dir(folder.path().join("wine")).unwrap();
    for path in ["wine/1.a", "wine/2.a", "digits.a", ".hidden"] {
        file(path);
    }
    let source = Folder::new(folder.path(), |_| Ok(BoxService::new(summing())));
    assert_eq!(source.models().unwrap(), ["digits", "wine"]);
    assert_eq!(source.versions("wine").unwrap(), ["1", "2"]);
    assert_eq!(source.versions("digits").unwrap(), ["1"]);
    for (path, model, name) in [("wine/2.b", "wine", "2"), ("digits.b", "digits", "digits")] {
        file(path);
        assert_eq!(
            source.versions(model).unwrap_err().to_string(),
            format!("more than one file is called `{name}`")
        );
    }
}

/// Versions come while somebody says how requests are shared.
#[test]
fn weights_that_are_given_stay() {
    let models = Models::new();
    for number in 0..200 {
        let name = number.to_string();
        models.add(name.clone(), "1", summing()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| models.add(name.clone(), "2", summing()).unwrap());
            models.weigh(&name, [("1", 1)]).unwrap();
        });
    }
    let server = common::start(Server::new().models(models));
    let status = Http::to(&server).get("/status").json();
    for model in status["models"].as_array().unwrap() {
        let versions = model["versions"].as_array().unwrap().iter();
        let weights: Vec<_> = versions.map(|version| version["weight"].clone()).collect();
        assert_eq!(weights, [0, 1], "{model}");
    }
    server.shutdown_blocking().unwrap();
}

#[test]
fn models_are_loaded_and_unloaded_on_demand() {
    let shelf = Shelf::default();
    shelf
        .versions
        .lock()
        .unwrap()
        .extend(["1", "2", "10"].map(str::to_owned));
    let models = Models::from(shelf.clone());
    let server = Server::new()
        .models(models.clone())
        .bind("127.0.0.1:0")
        .run_in_background()
        .unwrap();
    let mut http = Http::to(&server);
    let index = http.post_json("/v2/repository/index", "").json();
    assert_eq!(
        index,
        json!([{"name": "sums", "state": "UNAVAILABLE", "reason": "not loaded"}])
    );
    assert_eq!(
        http.post_json("/v2/repository/models/beer/load", "").status,
        404
    );
    assert_eq!(
        http.post_json("/v2/repository/models/sums/load", "").status,
        200
    );
    assert_eq!(asked_version(&mut http, "/v2/models/sums/infer"), "10");
    assert_eq!(
        http.get("/v2/models/sums").json()["versions"],
        json!(["10"])
    );

    models.policy("sums", VersionPolicy::Latest(2));
    assert_eq!(
        http.post_json("/v2/repository/main/models/sums/load", "{}")
            .status,
        200
    );
    assert_eq!(
        http.get("/v2/models/sums").json()["versions"],
        json!(["2", "10"])
    );
    models.label("sums", "stable", "2").unwrap();
    models.policy("sums", VersionPolicy::Specific(vec!["1".to_owned()]));
    assert_eq!(
        http.post_json("/v2/repository/models/sums/load", "").status,
        200
    );
    assert_eq!(
        http.get("/v2/models/sums").json()["versions"],
        json!(["1", "2"]),
        "a labelled version stays"
    );

    shelf.broken.store(true, Ordering::Release);
    let failed = http.post_json("/v2/repository/models/sums/load", "");
    assert_eq!(failed.status, 500);
    assert!(
        failed.json()["error"]
            .as_str()
            .unwrap()
            .contains("the disk is on fire")
    );
    assert_eq!(
        asked_version(&mut http, "/v2/models/sums/versions/1/infer"),
        "1",
        "what was there goes on"
    );
    shelf.broken.store(false, Ordering::Release);

    assert_eq!(
        http.post_json("/v2/repository/models/sums/unload", "")
            .status,
        200
    );
    assert_eq!(http.post_json("/v2/models/sums/infer", ROW).status, 404);
    let index = http.post_json("/v2/repository/index", "{}").json();
    assert_eq!(state(&index, "1"), "UNAVAILABLE");
    assert_eq!(
        http.post_json("/v2/repository/index", r#"{"ready":true}"#)
            .json(),
        json!([])
    );
    assert_eq!(http.post_json("/v2/repository/index", "[").status, 400);
    assert_eq!(
        http.post_json("/v2/repository/models/sums/unload", "")
            .status,
        404
    );
    assert_eq!(
        http.post_json("/v2/repository/models/sums/load", "").status,
        200
    );
    assert_eq!(
        state(&http.post_json("/v2/repository/index", "").json(), "1"),
        "READY"
    );
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_source_that_panics_fails_one_load() {
    let shelf = Shelf::default();
    shelf.versions.lock().unwrap().push("13".to_owned());
    let models = Models::from(shelf);
    let Err(Error::Load { source, .. }) = models.load("sums") else {
        panic!("it panics");
    };
    assert_eq!(source.to_string(), "the source panicked");
    let index = models.index();
    assert_eq!(
        (index[0].state, &*index[0].reason),
        (ModelState::Unavailable, "the source panicked")
    );
}

#[test]
fn no_request_fails_while_a_model_is_loaded_again_and_again() {
    let shelf = Shelf::default();
    shelf.versions.lock().unwrap().push("1".to_owned());
    let models = Models::from(shelf);
    models.load_all().unwrap();
    let server = Server::new()
        .models(models.clone())
        .bind("127.0.0.1:0")
        .run_in_background()
        .unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..2)
        .map(|_| {
            let (mut http, is_over) = (Http::to(&server), Arc::clone(&is_over));
            thread::spawn(move || {
                let mut asked = 0;
                while !is_over.load(Ordering::Acquire) {
                    assert_eq!(http.post_json("/v2/models/sums/infer", ROW).status, 200);
                    asked += 1;
                }
                asked
            })
        })
        .collect();
    for _ in 0..50 {
        models.load("sums").unwrap();
    }
    is_over.store(true, Ordering::Release);
    let asked: u64 = askers.into_iter().map(|asker| asker.join().unwrap()).sum();
    let stats = Http::to(&server).get("/v2/models/sums/stats").json();
    assert_eq!(
        stats["model_stats"][0]["inference_count"], asked,
        "counts go on over loads"
    );
    server.shutdown_blocking().unwrap();
}
