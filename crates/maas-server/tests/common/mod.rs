//! Models for the tests, and HTTP by hand.
#![allow(clippy::unwrap_used, dead_code)]

pub(crate) mod authority;
pub(crate) mod child;
pub(crate) mod frames;
pub(crate) mod http2;
pub(crate) mod log;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use maas_core::{DType, Error, FnModel, Model, Outputs, Signature, TensorSpec, TensorView};
use maas_server::{RunningServer, Server};
use maas_service::LocalModel;
use serde_json::Value;

/// y is the sum of a row of x; `before` runs first.
pub(crate) fn sums(before: impl Fn(&[f32]) + Send + Sync + 'static) -> impl Model {
    let (x, y) = (
        TensorSpec::rows("x", DType::Fp32, &[2]),
        TensorSpec::rows("y", DType::Fp32, &[1]),
    );
    let signature = Signature::new(x, y).unwrap();
    FnModel::new(
        signature,
        move |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            let x = inputs[0].as_slice::<f32>()?;
            before(x);
            let mut y = outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), 1])?;
            for (y, row) in y.as_mut_slice::<f32>()?.iter_mut().zip(x.chunks_exact(2)) {
                *y = row.iter().sum();
            }
            Ok::<(), Error>(())
        },
    )
}

/// y is this number for each row, whatever x is; `before` runs first.
pub(crate) fn number(y: f32, before: impl Fn() + Send + Sync + 'static) -> LocalModel {
    let (x, out) = (
        TensorSpec::rows("x", DType::Fp32, &[2]),
        TensorSpec::rows("y", DType::Fp32, &[1]),
    );
    LocalModel::new(FnModel::new(
        Signature::new(x, out).unwrap(),
        move |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            before();
            let mut numbers = outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), 1])?;
            numbers.as_mut_slice::<f32>()?.fill(y);
            Ok::<(), Error>(())
        },
    ))
}

/// Gives back what it is given: rows of two elements.
pub(crate) fn echo(dtype: DType) -> LocalModel {
    let (x, y) = (
        TensorSpec::rows("in", dtype, &[2]),
        TensorSpec::rows("out", dtype, &[2]),
    );
    LocalModel::new(FnModel::new(
        Signature::new(x, y).unwrap(),
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]),
    ))
}

pub(crate) fn start(server: Server) -> RunningServer {
    server.bind("127.0.0.1:0").run_in_background().unwrap()
}

/// One connection, kept alive.
pub(crate) struct Http(BufReader<TcpStream>);

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What `{"error": ..}` says, which must be all that the body is.
    pub(crate) fn error(&self) -> String {
        let json = self.json();
        assert_eq!(
            json.as_object().map(serde_json::Map::len),
            Some(1),
            "{self:?}"
        );
        json["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{self:?}"))
            .to_owned()
    }

    /// The JSON text of an answer, and the bytes after it.
    pub(crate) fn split(&self) -> (Value, &[u8]) {
        let length = self.header("inference-header-content-length").unwrap();
        let (json, binary) = self.bytes.split_at(length.parse().unwrap());
        (serde_json::from_slice(json).unwrap(), binary)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Http {
    pub(crate) fn to(server: &RunningServer) -> Self {
        Self::at(server.addr())
    }

    pub(crate) fn at(address: SocketAddr) -> Self {
        Self::try_at(address).unwrap()
    }

    /// As [`at`](Self::at), where nobody may listen.
    pub(crate) fn try_at(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.try_send(text).unwrap();
    }

    /// As [`send`](Self::send), to a server that may not take it.
    pub(crate) fn try_send(&mut self, text: &str) -> std::io::Result<()> {
        self.0.get_mut().write_all(text.as_bytes())
    }

    /// The next answer, or `None` when the server has closed the connection.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        let line = |stream: &mut BufReader<TcpStream>| {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            (!line.is_empty()).then(|| line.trim_end().to_owned())
        };
        let status = line(&mut self.0)?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let header = line(&mut self.0)?;
            let Some((name, value)) = header.split_once(": ") else {
                break;
            };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut reply = Reply {
            status,
            headers,
            body: String::new(),
            bytes: Vec::new(),
        };
        let length = reply
            .header("content-length")
            .map_or(0, |length| length.parse().unwrap());
        reply.bytes = vec![0; length];
        self.0.read_exact(&mut reply.bytes).ok()?;
        reply.body = String::from_utf8_lossy(&reply.bytes).into_owned();
        Some(reply)
    }

    pub(crate) fn ask(&mut self, verb: &str, path: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        self.send(&format!(
            "{verb} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ));
        self.reply()
            .unwrap_or_else(|| panic!("no answer to {verb} {path} {body}"))
    }

    /// Sends `json` and `binary` after it, with the length of `json` in the header.
    pub(crate) fn infer_binary(&mut self, model: &str, json: &str, binary: &[u8]) -> Reply {
        let header = format!("Inference-Header-Content-Length: {}\r\n", json.len());
        let body = [json.as_bytes(), binary].concat();
        self.post(&format!("/v2/models/{model}/infer"), &header, &body)
    }

    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> Reply {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        let message = [head.as_bytes(), body].concat();
        self.0.get_mut().write_all(&message).unwrap();
        self.reply()
            .unwrap_or_else(|| panic!("no answer to a body for {path}"))
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        self.reply()
            .unwrap_or_else(|| panic!("no answer to {path}"))
    }

    pub(crate) fn post_json(&mut self, path: &str, body: &str) -> Reply {
        self.ask("POST", path, "", body)
    }

    pub(crate) fn infer(&mut self, model: &str, body: &str) -> Reply {
        self.ask("POST", &format!("/v2/models/{model}/infer"), "", body)
    }
}

/// Holds models back until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn pass(&self) {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(open, |open| !*open).unwrap());
    }
}

pub(crate) fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(10), "waited for 10 s");
        std::thread::sleep(Duration::from_millis(1));
    }
}
