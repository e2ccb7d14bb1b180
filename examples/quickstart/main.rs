//! From gradient to request: train a network on the Wine Quality data, prune it, serve it from three replicas, ask it over HTTP.
//!
//! `cargo run --release --example quickstart` (without `--release` the profiles of the workspace keep numeric code optimised), with `-- --serve` to keep the server up and `-- --json` for one JSON object as the last line.

#![allow(clippy::print_stdout)]

mod report;

use std::time::Instant;

use anyhow::{Context, Result};
use maas::ndarray::Axis;
use maas::prelude::*;
use report::{Figures, Options, quantile_ms};

fn main() -> Result<()> {
    let options = Options::from_arguments()?;
    let folder = report::output_folder()?;
    let curve = folder.join("training.svg");

    // The data: 1,599 wines with eleven measurements each, and the grade to predict.
    let wines = Dataset::from_csv(report::data("winequality-red.csv"))?.target("quality")?;
    let data = wines.split([0.7, 0.15, 0.15], Seed(7))?;

    // Train: θ ← θ − α ∇J(θ). The network standardises its rows itself, and answers in grades.
    #[rustfmt::skip]
    let mut network = Sequential::new(data.features())
        .normalize(&data.train)
        .dense(128).relu().dense(64).relu().dense(32).relu().dense(1)
        .build(Seed(7))?;
    println!("{}", network.summary());
    let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError)
        .epochs(10)
        .batch_size(32)
        .seed(Seed(7))
        .validation(&data.validation)
        .metric(RootMeanSquaredError);
    let start = Instant::now();
    let history = trainer.fit(&mut network, &data.train)?;
    let train_seconds = start.elapsed().as_secs_f64();
    history.save_svg(&curve)?;
    network.save(folder.join("wine.safetensors"))?;

    // What it has to beat: a linear model, from the same trainer.
    let mut linear = Sequential::new(data.features())
        .normalize(&data.train)
        .dense(1)
        .build(Seed(7))?;
    trainer
        .clone()
        .progress(Progress::Quiet)
        .epochs(50)
        .fit(&mut linear, &data.train)?;

    // Compress: w ← w − λ sign(w), until 90 % of the weights are zero, then fine-tuned under the mask, then compiled: each
    // layer in the form that answers fastest on this machine, which the file keeps.
    let rmse_dense = report::rmse(&network, &data.test)?;
    let (compact, compression) = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .fine_tune(|network| trainer.fit(network, &data.train))
        .run(&mut network, &data.validation)?;
    compact.save(folder.join("wine.maas"))?;
    println!("{compression}");

    // Serve the file: next ← (current + 1) mod 3.
    let served = CompressedNetwork::load(folder.join("wine.maas"))?;
    let rmse_compressed = report::rmse(served.network(), &data.test)?;
    let replicas = Replicas::of(served, 3).balanced_by(RoundRobin::new(3));
    let server = Server::new()
        .model("wine", replicas)
        .bind("127.0.0.1:0")
        .run_in_background()?;

    // Ask: one wine a request, over HTTP.
    let client = Client::new(server.url())?;
    let mut requests_per_replica = vec![0; 3];
    let mut latencies = Vec::new();
    let rows = data.test.x();
    for row in (0..rows.nrows()).cycle().take(300) {
        let start = Instant::now();
        let answer = client.infer("wine", rows.row(row).insert_axis(Axis(0)))?;
        latencies.push(start.elapsed());
        let replica = answer.replica.context("the reply names its replica")?;
        requests_per_replica[replica.parse::<usize>()?] += 1;
    }

    let figures = Figures {
        rmse_mean_baseline: report::rmse_of_mean(&data.train, &data.test),
        rmse_linear: report::rmse(&linear, &data.test)?,
        rmse_dense,
        rmse_compressed,
        weights: compression.weights,
        nonzero_weights: compression.nonzeros(),
        bytes_dense: std::fs::metadata(folder.join("wine.safetensors"))?.len(),
        bytes_compressed: std::fs::metadata(folder.join("wine.maas"))?.len(),
        train_seconds,
        requests: latencies.len(),
        requests_per_replica,
        latency_ms_p50: quantile_ms(&mut latencies, 0.5),
        latency_ms_p99: quantile_ms(&mut latencies, 0.99),
    };
    println!(
        "{figures}\ntraining curve                {}",
        curve.display()
    );
    if options.serve {
        report::print_curl(&server.url(), &data.test);
    }
    if options.json {
        println!("{}", serde_json::to_string(&figures)?);
    }
    if options.serve {
        server.wait_blocking()?;
    } else {
        server.shutdown_blocking()?;
    }
    Ok(())
}
