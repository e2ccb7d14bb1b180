//! The servers that are compared.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use maas_core::{DType, Seed, TensorSpec};
use maas_nn::{Network, Sequential};
use maas_server::Server;
use maas_service::LocalModel;
use tokio::net::TcpListener;

use crate::bodies::{COLUMNS, Form};
use crate::rows::{PlainLoop, Rows};
use crate::{bare, handler};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// hyper alone, over HTTP/1: the body is read, a fixed answer sent.
    Echo,
    /// A handler around the same model, as one would write it with axum and serde, or with tonic.
    Handler,
    /// The same around a plain loop, as one would write the model.
    Loop,
    /// Ours, with all that it checks and counts.
    Ours,
    /// Ours, where the measured cost of a row says which requests wait for a worker.
    OursMeasured,
    /// Ours, with requests waiting for a worker and run together.
    OursQueued,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Echo,
        Self::Handler,
        Self::Loop,
        Self::Ours,
        Self::OursMeasured,
        Self::OursQueued,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "hyper echo",
            Self::Handler => "handler, same model",
            Self::Loop => "handler, plain loop",
            Self::Ours => "maas",
            Self::OursMeasured => "maas, by measured cost",
            Self::OursQueued => "maas, queued",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name() == name)
            .expect("a server's name")
    }

    pub(crate) fn takes(self, form: Form) -> bool {
        form != Form::Grpc || self != Self::Echo
    }
}

/// Serves until the input ends.
pub(crate) fn run(kind: Kind, rows: usize, form: Form) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let address = match kind {
            Kind::Echo => echo(rows).await,
            Kind::Handler => handle(form, LocalModel::new(network()).inline()).await,
            Kind::Loop => handle(form, PlainLoop::of(&network())).await,
            Kind::Ours => ours(LocalModel::new(network()).inline()).await,
            Kind::OursMeasured => ours(LocalModel::new(network())).await,
            Kind::OursQueued => ours(LocalModel::new(network()).queued()).await,
        };
        println!("{address}");
        std::io::stdout().flush().expect("somebody reads it");
        let wait = || std::io::stdin().read_to_end(&mut Vec::new());
        let _ = tokio::task::spawn_blocking(wait).await;
    });
}

/// 32-128-64-32-1.
fn network() -> Network {
    let spec = TensorSpec::rows("x", DType::Fp32, &[COLUMNS]);
    let layers = Sequential::new(vec![spec])
        .dense(128)
        .relu()
        .dense(64)
        .relu()
        .dense(32)
        .relu()
        .dense(1);
    layers.build(Seed(7)).expect("the layers fit together")
}

async fn handle(form: Form, model: impl Rows) -> SocketAddr {
    match form {
        Form::Grpc => bare::serve(model),
        _ => handler::serve(form, model).await,
    }
}

async fn ours(model: LocalModel) -> SocketAddr {
    let server = Server::new().model("mlp", model).bind("127.0.0.1:0");
    let running = server.spawn().await.expect("a free port");
    let address = running.addr();
    // It serves until the process ends.
    std::mem::forget(running);
    address
}

async fn echo(rows: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    // As long as the model's answer.
    let answer = Bytes::from(vec![b'7'; 100 + 12 * rows]);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            stream.set_nodelay(true).expect("a socket");
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = answer.clone();
                    async move {
                        let _body = request.into_body().collect().await.expect("a body");
                        Ok::<_, Infallible>(Response::new(Full::new(answer)))
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}
