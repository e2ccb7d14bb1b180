//! Asks a model on a server: what it takes and gives, and a prediction.
//!
//! `cargo run --release --example client` starts a server to ask; `-- --url http://HOST:PORT --model NAME` asks another one that
//! speaks the Open Inference Protocol: ours, Triton, KServe or MLServer.

#![allow(clippy::print_stdout)]

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use maas::ndarray::Array2;
use maas::prelude::*;
use maas::service::Priority;

fn main() -> Result<()> {
    let (mut url, mut model) = (None, "wine".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments
            .next()
            .with_context(|| format!("{argument} needs a value"))?;
        match argument.as_str() {
            "--url" => url = Some(value),
            "--model" => model = value,
            other => bail!("{other} is not known: expected --url and --model"),
        }
    }
    match url {
        Some(url) => ask(&url, &model),
        None => {
            let network = Sequential::new(vec![TensorSpec::rows("x", DType::Fp32, &[11])]);
            let network = network.dense(32).relu().dense(1).build(Seed(7))?;
            let server = Server::new().model(&*model, Replicas::of(network, 3));
            let server = server.bind("127.0.0.1:0").run_in_background()?;
            ask(&server.url(), &model)?;
            Ok(server.shutdown_blocking()?)
        }
    }
}

fn ask(url: &str, model: &str) -> Result<()> {
    // The short way: rows of numbers, blocking.
    let client = Client::new(url)?;
    println!("{url} is ready: {}", client.is_ready()?);
    let description = client.describe(model)?;
    let signature = &description.signature;
    println!("`{model}`, of the kind {}", description.platform);
    for (way, specs) in [
        ("takes", signature.inputs()),
        ("gives", signature.outputs()),
    ] {
        for spec in specs {
            println!(
                "  {way} {} {} {:?}",
                spec.name(),
                spec.dtype(),
                spec.shape()
            );
        }
    }
    let columns = signature.inputs()[0]
        .row_elements()
        .context("rows of a free length")?;
    let rows = Array2::from_shape_fn((2, columns), |(row, column)| (row + column) as f32 / 10.0);
    let response = client.infer(model, rows.view())?;
    println!(
        "predicts {:?}, replica {:?}",
        response.rows()?,
        response.replica
    );

    // The same as a service: it can stand in a pool, behind limits and caches, and tasks can await it.
    let remote = RemoteModel::at(url, model)
        .timeout(Duration::from_secs(5))
        .connect_blocking()?;
    let request = InferRequest::of_rows(&remote.describe().signature, rows.view())?;
    let request = request
        .id("1")
        .within(Duration::from_secs(1))
        .priority(Priority::High);
    let response = remote.infer_blocking(request)?;
    println!(
        "request {:?} was answered by version {:?}",
        response.id, response.version
    );
    Ok(())
}
