//! A folder in which some models are broken: the others are served, and each that is not is named.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::{Http, start, sums};
use maas_server::{Error, Folder, ModelState, Models, Server, SourceError, VersionPolicy};
use maas_service::{BoxService, LocalModel};

const ROW: &str = r#"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#;

/// A file says what is wrong with it.
fn load(path: &Path) -> Result<BoxService, SourceError> {
    match fs::read_to_string(path)?.as_str() {
        "good" => Ok(BoxService::new(LocalModel::new(sums(|_| {})))),
        "panics" => panic!("a secret of the source"),
        wrong => Err(wrong.into()),
    }
}

fn models(files: &[(&str, &str)]) -> (tempfile::TempDir, Models) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let models = Models::from(Folder::new(folder.path(), load));
    (folder, models)
}

/// Model, version and cause of each that is not loaded.
fn causes(error: Error) -> Vec<[String; 3]> {
    let cause = |error| match error {
        Error::Load {
            model,
            version,
            source,
        } => [model, version, source.to_string()],
        other => panic!("{other}"),
    };
    error.into_each().into_iter().map(cause).collect()
}

#[test]
fn every_broken_model_is_told_and_the_others_are_served() {
    let (_folder, models) = models(&[
        ("torn.bin", "it is torn"),
        ("good.bin", "good"),
        ("mad.bin", "panics"),
        ("old.bin", "it is too old"),
        ("twice.bin", "good"),
        ("twice.txt", "good"),
    ]);
    let error = models.load_all().unwrap_err();
    let text = error.to_string();
    for told in [
        "model `torn`, version `1`, cannot be loaded: it is torn; ",
        "model `old`",
    ] {
        assert!(text.contains(told), "{text}");
    }
    let mad = ["mad", "1", "the source panicked"].map(str::to_owned);
    let old = ["old", "1", "it is too old"].map(str::to_owned);
    let torn = ["torn", "1", "it is torn"].map(str::to_owned);
    let twice = ["twice", "", "more than one file is called `twice`"].map(str::to_owned);
    assert_eq!(causes(error), [mad, old, torn, twice]);

    let index = models.index();
    let ready = index
        .iter()
        .filter(|entry| entry.state == ModelState::Ready);
    assert_eq!(
        ready.map(|entry| &*entry.name).collect::<Vec<_>>(),
        ["good"]
    );
    let server = start(Server::new().models(models));
    assert_eq!(Http::to(&server).infer("good", ROW).status, 200);
    server.shutdown_blocking().unwrap();
}

#[test]
fn a_broken_version_keeps_no_other_from_being_loaded() {
    let (folder, models) = models(&[
        ("wine/1.bin", "good"),
        ("wine/2.bin", "it is torn"),
        ("wine/3.bin", "good"),
        ("wine/4.bin", "it is too old"),
    ]);
    models.policy("wine", VersionPolicy::All);
    let old = ["wine", "4", "it is too old"].map(str::to_owned);
    let torn = ["wine", "2", "it is torn"].map(str::to_owned);
    assert_eq!(
        causes(models.load("wine").unwrap_err()),
        [old, torn.clone()]
    );
    let server = start(Server::new().models(models.clone()));
    let mut http = Http::to(&server);
    let versions = |http: &mut Http| http.get("/v2/models/wine").json()["versions"].clone();
    assert_eq!(versions(&mut http), serde_json::json!(["1", "3"]));

    // What was there goes on until all that is wanted is there.
    models.policy("wine", VersionPolicy::Latest(3));
    fs::write(folder.path().join("wine/4.bin"), "good").unwrap();
    let error = models.load("wine").unwrap_err();
    assert!(matches!(error, Error::Load { .. }), "one is itself");
    assert_eq!(causes(error), [torn]);
    assert_eq!(versions(&mut http), serde_json::json!(["1", "3", "4"]));
    fs::write(folder.path().join("wine/2.bin"), "good").unwrap();
    models.load("wine").unwrap();
    assert_eq!(versions(&mut http), serde_json::json!(["2", "3", "4"]));
    server.shutdown_blocking().unwrap();
}

#[test]
fn what_the_system_keeps_in_a_folder_is_no_model() {
    let (_folder, models) = models(&[
        ("good.bin", "good"),
        ("lost+found/1/old.bin", "it is of a repair"),
        ("..data/1/old.bin", "it is of a mount"),
    ]);
    models.load_all().unwrap();
    let index = models.index();
    let names: Vec<&str> = index.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["good"]);
}
