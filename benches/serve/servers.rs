//! The servers that are compared.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::routing::{Router, post};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use maas_core::{DType, Seed, TensorSpec};
use maas_nn::{Network, Segment, Sequential};
use maas_server::Server;
use maas_service::{LocalModel, Service};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::bodies::{COLUMNS, Form};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// hyper alone: the body is read, a fixed answer sent.
    Echo,
    /// axum and serde around the same model, as one would write it.
    Axum,
    /// The same around a plain loop, as one would write the model.
    AxumLoop,
    /// Ours, with all that it checks and counts.
    Ours,
    /// Ours, with requests waiting for a worker and run together.
    OursQueued,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Echo,
        Self::Axum,
        Self::AxumLoop,
        Self::Ours,
        Self::OursQueued,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Echo => "hyper echo",
            Self::Axum => "axum, same model",
            Self::AxumLoop => "axum, plain loop",
            Self::Ours => "maas",
            Self::OursQueued => "maas, queued",
        }
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.name() == name)
            .expect("a server's name")
    }

    pub(crate) fn takes(self, form: Form) -> bool {
        form == Form::Json || !matches!(self, Self::Axum | Self::AxumLoop)
    }
}

/// Serves until the input ends.
pub(crate) fn run(kind: Kind, rows: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let address = match kind {
            Kind::Echo => echo(rows).await,
            Kind::Axum => axum(Arc::new(LocalModel::new(network()).inline())).await,
            Kind::AxumLoop => axum(Arc::new(PlainLoop::of(&network()))).await,
            Kind::Ours => ours(LocalModel::new(network()).inline()).await,
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

/// What anybody would write.
async fn axum<M: Rows>(model: Arc<M>) -> SocketAddr {
    let app = Router::new()
        .route("/v2/models/mlp/infer", post(infer::<M>))
        .with_state(model);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it listens");
    tokio::spawn(async move {
        axum::serve(
            axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))),
            app,
        )
        .await
    });
    address
}

#[derive(Deserialize)]
struct Asked {
    inputs: Vec<Given>,
}

#[derive(Deserialize)]
struct Given {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    data: Vec<f32>,
}

#[derive(Serialize)]
struct Answer {
    model_name: &'static str,
    model_version: &'static str,
    outputs: [Output; 1],
}

#[derive(Serialize)]
struct Output {
    name: &'static str,
    datatype: &'static str,
    shape: [usize; 2],
    data: Vec<f32>,
}

async fn infer<M: Rows>(State(model): State<Arc<M>>, body: Bytes) -> Result<Json<Answer>, String> {
    let asked: Asked = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    let [given] = &asked.inputs[..] else {
        return Err("one input is expected".to_owned());
    };
    let right = given.name == "x"
        && given.datatype == "FP32"
        && given.shape.iter().product::<usize>() == given.data.len();
    if !right || given.shape.get(1) != Some(&COLUMNS) {
        return Err("the input does not fit".to_owned());
    }
    let rows = given.shape[0];
    let data = model.answer(rows, &given.data).await?;
    let output = Output {
        name: "y",
        datatype: "FP32",
        shape: [rows, 1],
        data,
    };
    Ok(Json(Answer {
        model_name: "mlp",
        model_version: "1",
        outputs: [output],
    }))
}

trait Rows: Send + Sync + 'static {
    fn answer(
        &self,
        rows: usize,
        values: &[f32],
    ) -> impl Future<Output = Result<Vec<f32>, String>> + Send;
}

impl Rows for LocalModel {
    async fn answer(&self, rows: usize, values: &[f32]) -> Result<Vec<f32>, String> {
        let rows =
            ArrayView2::from_shape((rows, COLUMNS), values).map_err(|error| error.to_string())?;
        let answer = self.predict(rows).map_err(|error| error.to_string())?;
        Ok(answer.into_raw_vec_and_offset().0)
    }
}

/// The network as three nested loops.
struct PlainLoop(Vec<Layer>);

struct Layer {
    /// Inputs × outputs.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl PlainLoop {
    fn of(network: &Network) -> Self {
        let values = |segment: &Segment| network.parameters()[segment.range.clone()].to_vec();
        let tensors: Vec<Vec<f32>> = network.segments().iter().map(values).collect();
        let layers = tensors.chunks(2).map(|pair| Layer {
            weights: pair[0].clone(),
            bias: pair[1].clone(),
        });
        Self(layers.collect())
    }

    fn row(&self, row: &[f32]) -> f32 {
        let mut values = row.to_vec();
        for (number, layer) in self.0.iter().enumerate() {
            let mut next = layer.bias.clone();
            for (value, weights) in values.iter().zip(layer.weights.chunks(next.len())) {
                for (next, weight) in next.iter_mut().zip(weights) {
                    *next += value * weight;
                }
            }
            if number + 1 < self.0.len() {
                next.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            values = next;
        }
        values[0]
    }
}

impl Rows for PlainLoop {
    async fn answer(&self, rows: usize, values: &[f32]) -> Result<Vec<f32>, String> {
        Ok(values
            .chunks(COLUMNS)
            .take(rows)
            .map(|row| self.row(row))
            .collect())
    }
}
