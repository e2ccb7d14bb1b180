//! The program `maas-server`, as its users start it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::{self, JoinHandle};

use common::authority::Authority;
use common::{Http, wait_until};
use maas_core::{DType, Seed, TensorSpec};
use maas_nn::Sequential;
use maas_server::{Client, ClientTls};
use maas_service::ServeError;
use serde_json::json;

const ROW: &str = r#"{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#;

struct Program {
    process: Child,
    address: SocketAddr,
    /// What it logged until it served.
    log: Vec<String>,
    /// What it logged from then on.
    rest: Option<JoinHandle<Vec<String>>>,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_maas-server"));
    command.args(arguments).env("MAAS_LOG_FORMAT", "json");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        Self::spawn(command(arguments).args(["--address", "127.0.0.1:0"]))
    }

    fn spawn(command: &mut Command) -> Self {
        Self::spawn_until("ready", command)
    }

    /// Starts it, and waits for this message.
    fn spawn_until(until: &str, command: &mut Command) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let mut log = Vec::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("{log:?}")).unwrap();
            log.push(line.clone());
            let line: serde_json::Value = serde_json::from_str(&line).unwrap();
            if line["fields"]["message"] == until {
                let url = line["fields"]["url"].as_str().unwrap();
                break url.split("://").nth(1).unwrap().parse().unwrap();
            }
        };
        let rest = thread::spawn(move || lines.map_while(Result::ok).collect());
        Self {
            process,
            address,
            log,
            rest: Some(rest),
        }
    }

    fn http(&self) -> Http {
        Http::at(self.address)
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    fn end(mut self) -> ExitStatus {
        self.signal("TERM");
        self.ends()
    }

    fn ends(&mut self) -> ExitStatus {
        let process = RefCell::new(&mut self.process);
        let status = Cell::new(None);
        wait_until(|| {
            status.set(process.borrow_mut().try_wait().unwrap());
            status.get().is_some()
        });
        status.get().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A network of three inputs in a file.
fn save(path: &Path, seed: u64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let inputs = vec![TensorSpec::rows("x", DType::Fp32, &[3])];
    let network = Sequential::new(inputs).dense(1).build(Seed(seed)).unwrap();
    network.save(path).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn it_teaches_and_says_what_is_wrong() {
    let help = run(&["--help"]);
    let help = String::from_utf8(help.stdout).unwrap();
    for told in [
        "maas-server --model wine=wine.maas",
        "MAAS_MODELS",
        "--connection-age",
        "least-loaded",
        "Examples:",
    ] {
        assert!(help.contains(told), "{told}: {help}");
    }
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("keys");
    fs::write(&empty, "# NAME SCOPE SECRET\n\n").unwrap();
    for (arguments, told) in [
        (
            &["--models", ".", "--keys", text(&empty)][..],
            "has no keys",
        ),
        (
            &["--models", ".", "--log", "maas_server=loud"],
            "TARGET=LEVEL",
        ),
        (&["--models", ".", "--address", "8000"], "HOST:PORT"),
        (
            &[
                "--models",
                ".",
                "--tls-certificate",
                "Cargo.toml",
                "--tls-key",
                "Cargo.toml",
            ],
            "TLS by Cargo.toml, Cargo.toml: no certificate can be read",
        ),
        (&[][..], "--model <NAME=PATH>"),
        (&["--model", "wine"], "expected NAME=PATH"),
        (&["--model", "wine=nowhere.maas"], "nowhere.maas"),
        (&["--models", "nowhere"], "nowhere is no folder"),
        (
            &["--model", "wine=Cargo.toml"],
            "found the extension `toml`",
        ),
        (&["--models", "nowhere", "--versions", "old,"], "latest:N"),
        (
            &["--models", ".", "--drain-delay", "soon"],
            "number of seconds",
        ),
        (
            &["--models", ".", "--tls-key", "k.pem"],
            "--tls-certificate",
        ),
    ] {
        let output = run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
}

#[test]
fn a_file_is_served_and_a_signal_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.safetensors");
    save(&file, 1);
    let model = format!("wine={}", text(&file));
    let program = Program::start(&[
        "--model",
        &model,
        "--replicas",
        "2",
        "--policy",
        "least-loaded",
    ]);
    let mut http = program.http();
    assert_eq!(http.infer("wine", ROW).status, 200);
    let config = http.get("/v2/models/wine/config").json();
    assert_eq!(config["max_batch_size"], 1024);
    let replicas = &http.get("/status").json()["models"][0]["versions"][0]["replicas"];
    assert_eq!(replicas.as_array().unwrap().len(), 2);
    assert!(program.end().success());
}

#[test]
fn the_environment_says_the_same_as_flags() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (
        folder.path().join("one.safetensors"),
        folder.path().join("two.safetensors"),
    );
    save(&one, 1);
    save(&two, 2);
    let program = Program::spawn(
        command(&[])
            .env("MAAS_MODEL", format!("a={},b:7={}", text(&one), text(&two)))
            .env("MAAS_ADDRESS", "127.0.0.1:0")
            .env("MAAS_MAX_ROWS", "2"),
    );
    let mut http = program.http();
    assert_eq!(http.get("/v2/models/b/versions/7").status, 200);
    let rows =
        r#"{"inputs":[{"name":"x","shape":[3,3],"datatype":"FP32","data":[1,2,3,4,5,6,7,8,9]}]}"#;
    let reply = http.infer("a", rows);
    assert_eq!(
        (reply.status, reply.error().contains("at most 2 rows")),
        (400, true)
    );
    assert!(program.end().success());
}

#[test]
fn a_folder_is_served_by_the_policy_of_versions_and_loads_what_comes() {
    let folder = tempfile::tempdir().unwrap();
    for version in [1, 2, 3] {
        save(
            &folder.path().join(format!("wine/{version}.safetensors")),
            version,
        );
    }
    save(&folder.path().join("digits.safetensors"), 4);
    for broken in ["broken.maas", "torn.safetensors", "notes.txt"] {
        fs::write(folder.path().join(broken), "no model").unwrap();
    }
    let mut program = Program::start(&["--models", text(folder.path()), "--versions", "latest:2"]);
    for broken in ["broken", "torn", "notes"] {
        let told = format!("model `{broken}`, version `1`, cannot be loaded: ");
        let lines = program.log.iter().filter(|line| line.contains(&told));
        assert_eq!(lines.count(), 1, "{broken}: {:?}", program.log);
    }
    let mut http = program.http();
    let versions = |http: &mut Http| http.get("/v2/models/wine").json()["versions"].clone();
    assert_eq!(versions(&mut http), json!(["2", "3"]));
    assert_eq!(http.get("/v2/models/digits/ready").status, 200);
    save(&folder.path().join("wine/4.safetensors"), 5);
    let loaded = http.post_json("/v2/repository/models/wine/load", "{}");
    assert_eq!(loaded.status, 200);
    assert_eq!(versions(&mut http), json!(["3", "4"]));
    let unloaded = http.post_json("/v2/repository/models/digits/unload", "{}");
    assert_eq!(unloaded.status, 200);
    assert_eq!(http.get("/v2/models/digits/ready").status, 404);
    fs::write(folder.path().join("late.maas"), "no model").unwrap();
    let refused = http.post_json("/v2/repository/models/late/load", "{}");
    assert_eq!(refused.status, 500);
    program.signal("TERM");
    assert!(program.ends().success());
    let lines = program.rest.take().unwrap().join().unwrap();
    assert!(
        lines.iter().any(|line| line.contains("model `late`")),
        "{lines:?}"
    );
}

/// Has the program's certificate signed.
fn certify(folder: &Path, authority: &Authority) {
    let (certificate, secret) = authority.sign("127.0.0.1");
    fs::write(folder.join("server.pem"), certificate).unwrap();
    fs::write(folder.join("server.key"), secret).unwrap();
}

/// A model behind the folder's certificate.
fn start_with_tls(folder: &Path, more: &[&str]) -> Program {
    let file = |name: &str| text(&folder.join(name)).to_owned();
    save(&folder.join("a.safetensors"), 1);
    let model = format!("wine={}", file("a.safetensors"));
    let (chain, key) = (file("server.pem"), file("server.key"));
    let arguments = [
        "--model",
        &model,
        "--tls-certificate",
        &chain,
        "--tls-key",
        &key,
    ];
    Program::start(&[&arguments[..], more].concat())
}

#[test]
fn keys_and_certificates_come_from_files_and_a_new_certificate_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    fs::write(
        &keys,
        "# who may ask\nshop infer sesame\n\noperator admin barley 10\n",
    )
    .unwrap();
    let (old, new) = (Authority::new(), Authority::new());
    certify(folder.path(), &old);
    let program = start_with_tls(folder.path(), &["--keys", text(&keys)]);
    let client = |authority: &Authority| {
        let tls = ClientTls::authorities(&authority.pem).unwrap();
        let client = Client::new(format!("https://{}", program.address)).unwrap();
        client.tls(tls)
    };
    let error = client(&old).describe("wine").unwrap_err();
    assert!(
        matches!(error, ServeError::Refused { status: 401, .. }),
        "{error:?}"
    );
    for key in ["sesame", "barley"] {
        let known = client(&old).key(key).unwrap();
        // A few requests at once are within the rate.
        for _ in 0..3 {
            let asked = known.infer("wine", ndarray::array![[1.0, 2.0, 3.0]].view());
            assert!(asked.is_ok(), "{asked:?}");
        }
    }
    certify(folder.path(), &new);
    wait_until(|| client(&new).is_live().is_ok());
    assert!(matches!(
        client(&old).is_live(),
        Err(ServeError::Untrusted { .. })
    ));
    assert!(program.end().success());
}

#[test]
fn who_signs_for_clients_may_change_while_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let clients = folder.path().join("clients.pem");
    let (authority, old, new) = (Authority::new(), Authority::new(), Authority::new());
    certify(folder.path(), &authority);
    fs::write(&clients, &old.pem).unwrap();
    let program = start_with_tls(folder.path(), &["--tls-clients", text(&clients)]);
    let is_welcome = |signer: &Authority| {
        let (chain, key) = signer.sign("shop");
        let tls = ClientTls::authorities(&authority.pem).unwrap();
        let tls = tls.identity(chain, key).unwrap();
        let client = Client::new(format!("https://{}", program.address)).unwrap();
        client.tls(tls).is_live().is_ok()
    };
    assert!(is_welcome(&old) && !is_welcome(&new));
    fs::write(&clients, &new.pem).unwrap();
    wait_until(|| is_welcome(&new));
    assert!(!is_welcome(&old));
    assert!(program.end().success());
}

/// A pipe that nobody writes into is a file that takes for ever to load.
#[cfg(unix)]
#[test]
fn it_is_live_while_it_loads_and_ends_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slow.safetensors");
    let made = Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    let model = format!("slow={}", text(&file));
    let arguments = ["--model", &model, "--address", "127.0.0.1:0"];
    let mut program = Program::spawn_until("serving", &mut command(&arguments));
    let mut http = program.http();
    assert_eq!(http.get("/v2/health/live").status, 200);
    let reply = http.get("/v2/health/ready");
    assert_eq!(
        (reply.status, reply.error().as_str()),
        (503, "the models are being loaded")
    );
    assert_eq!(http.get("/status").json()["state"], "loading");
    program.signal("TERM");
    assert!(program.ends().success());
}

#[test]
fn requests_are_logged_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.safetensors");
    save(&file, 1);
    let model = format!("wine={}", text(&file));
    for (flags, is_logged) in [(&[][..], false), (&["--log-requests"], true)] {
        let mut program = Program::start(&[&["--model", &model], flags].concat());
        assert_eq!(program.http().get("/v2/models/wine").status, 200);
        program.signal("TERM");
        program.ends();
        let lines = program.rest.take().unwrap().join().unwrap();
        let path = "/v2/models/wine";
        let logged = lines.iter().any(|line| line.contains(path));
        assert_eq!(logged, is_logged, "{lines:?}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.safetensors");
    save(&file, 1);
    let model = format!("wine={}", text(&file));
    let mut program = Program::start(&["--model", &model, "--drain-delay", "600"]);
    program.signal("TERM");
    wait_until(|| program.http().get("/v2/health/ready").status == 503);
    assert!(program.process.try_wait().unwrap().is_none());
    program.signal("TERM");
    program.ends();
}
