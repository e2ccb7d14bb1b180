//! tower's own middleware around a pool of replicas, and the pool in an application of axum, asked over a real socket.
//!
//! `cargo run --release --example tower_middleware`
//!
//! 64 callers ask at once for a model that takes 5 ms on each of three replicas; six may wait or run, the others are told
//! to come back.

#![allow(clippy::print_stdout)]

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{Router, post};
use maas::core::{self, FnModel};
use maas::prelude::*;
use maas::service::{BoxService, FromTower};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;
use tower::{BoxError, ServiceBuilder};

const LIMIT: usize = 6;
const TIME: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<()> {
    // Around the pool stands tower, around tower nobody notices: it is a service like any other.
    let pool = FromTower::around(Replicas::of(slow_sums()?, 3), |pool| {
        ServiceBuilder::new()
            .map_err(in_our_terms)
            .load_shed()
            .concurrency_limit(LIMIT)
            .timeout(TIME)
            .service(pool)
    });

    let app = Router::new()
        .route("/sum", post(sum))
        .with_state(BoxService::new(pool));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    println!("one caller:   {}", ask(address, "[1, 2, 3]").await?);
    println!("a wrong row:  {}", ask(address, "[1, 2]").await?);

    let start = Instant::now();
    let callers: Vec<_> = (0..64)
        .map(|number| tokio::spawn(async move { ask(address, &format!("[{number}, 0, 0]")).await }))
        .collect();
    let (mut answered, mut sent_away) = (0, 0);
    for caller in callers {
        match caller.await??.starts_with("200") {
            true => answered += 1,
            false => sent_away += 1,
        }
    }
    let took = start.elapsed().as_millis();
    println!("64 at once:   {answered} answered, {sent_away} sent away, after {took} ms");
    Ok(())
}

/// What tower says, as an error that has a status and says when to come back.
fn in_our_terms(error: BoxError) -> BoxError {
    if error.is::<Overloaded>() {
        Box::new(ServeError::Limit {
            limit: LIMIT,
            retry_after: TIME,
        })
    } else if error.is::<Elapsed>() {
        Box::new(ServeError::Deadline { limit: TIME })
    } else {
        error
    }
}

/// `POST /sum` with a list of three numbers.
async fn sum(
    State(pool): State<BoxService>,
    Json(row): Json<Vec<f32>>,
) -> Result<Json<f32>, Refusal> {
    let row = Tensor::from_slice([1, row.len()], &row).map_err(ServeError::Input)?;
    let response = pool.infer(InferRequest::new("sum").input("x", row)).await?;
    Ok(Json(response.rows()?[[0, 0]]))
}

/// An error as an HTTP response.
struct Refusal(ServeError);

impl From<ServeError> for Refusal {
    fn from(error: ServeError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.kind().http_status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.0.to_string()).into_response();
        if let Some(time) = self.0.retry_after() {
            let seconds = time.as_secs_f64().ceil() as u64;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Asks over HTTP: the status and the body of the answer.
async fn ask(address: SocketAddr, body: &str) -> Result<String> {
    let mut connection = TcpStream::connect(address).await?;
    let head = format!(
        "POST /sum HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all((head + body).as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP response")?;
    let status = head.split(' ').nth(1).context("no status")?;
    Ok(format!("{status} {body}"))
}

/// A model: the sum of three columns, in its own time.
fn slow_sums() -> Result<impl Model> {
    let x = TensorSpec::rows("x", DType::Fp32, &[3]);
    let y = TensorSpec::rows("y", DType::Fp32, &[1]);
    Ok(FnModel::new(
        Signature::new(x, y)?,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            thread::sleep(Duration::from_millis(5));
            let x = inputs[0].as_slice::<f32>()?;
            let mut y = outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), 1])?;
            for (y, x) in y.as_mut_slice::<f32>()?.iter_mut().zip(x.chunks_exact(3)) {
                *y = x.iter().sum();
            }
            Ok::<(), core::Error>(())
        },
    ))
}
