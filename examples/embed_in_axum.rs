//! The protocol's paths inside an application of one's own: beside its other paths, behind its own middleware.
//!
//! `cargo run --release --example embed_in_axum`

#![allow(clippy::print_stdout)]

#[path = "shared/wine.rs"]
mod wine;

use anyhow::{Result, ensure};
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{Router, get};
use maas::prelude::*;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let data = wine::data()?.split([0.7, 0.15, 0.15], Seed(7))?;
    let mut network = wine::network(&data.train)?;
    wine::trainer().epochs(2).fit(&mut network, &data.train)?;

    let models = Server::new().model("wine", Replicas::of(network, 2));
    let app = Router::new()
        .route("/hello", get(async || "a page of the application's own"))
        .merge(models.router()?)
        .layer(middleware::from_fn(signed));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });

    let asked = url.clone();
    let row = data
        .test
        .x()
        .row(0)
        .insert_axis(maas::ndarray::Axis(0))
        .to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        Client::new(asked)?
            .infer("wine", row.view())
            .map_err(anyhow::Error::from)
    });
    let answer = answer.await??;
    println!(
        "{url} says {:.2}, replica {}",
        answer.rows()?,
        answer.replica.as_deref().unwrap_or("?")
    );
    ensure!(answer.rows()?.len() == 1, "one row has one grade");
    serving.abort();
    Ok(())
}

/// Middleware of the application, around the models' paths as around its own.
async fn signed(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert("x-cellar", HeaderValue::from_static("north"));
    response
}
