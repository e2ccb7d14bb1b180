//! From gradient to request in one file: train a network on the Wine Quality data, prune it, serve it from three replicas, ask it over HTTP.
//!
//! `cargo run --release --example quickstart`, with `-- --serve` to keep the server up, with `-- --json` for one JSON object as the last line.

mod story;

use std::time::Instant;

use anyhow::Result;
use maas::prelude::*;
use story::{Figures, Options};

fn main() -> Result<()> {
    let options = Options::from_arguments()?;
    let folder = story::output_folder()?;

    // The data: 1,599 wines, eleven measurements each, and a grade.
    let wines = Dataset::from_csv(story::data("winequality-red.csv"))?.target("quality")?;
    let data = wines.split([0.7, 0.15, 0.15], Seed(7))?;

    // Train: θ ← θ − α ∇J(θ).
    let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError)
        .epochs(10)
        .batch_size(32)
        .seed(Seed(7))
        .validation(&data.validation)
        .metric(RootMeanSquaredError)
        .progress(options.progress());
    let mut network = Sequential::new(data.train.features())
        .normalize(&data.train)
        .dense(128).relu()
        .dense(64).relu()
        .dense(32).relu()
        .dense(1)
        .build(Seed(7))?;
    println!("{}", network.summary());
    let start = Instant::now();
    let history = trainer.fit(&mut network, &data.train)?;
    let train_seconds = start.elapsed().as_secs_f64();
    history.save_svg(folder.join("training.svg"))?;

    // What it has to beat: the mean, and a linear model from the same trainer.
    let mut linear = Sequential::new(data.train.features()).normalize(&data.train).dense(1).build(Seed(7))?;
    trainer.fit(&mut linear, &data.train)?;
    let rmse_dense = story::rmse(&network, &data.test)?;
    network.save(folder.join("wine.safetensors"))?;

    // Compress: w ← w − λ sign(w), until 90 % of the weights are zero, then fine-tuned.
    let (compact, report) = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .fine_tune(|network| trainer.fit(network, &data.train))
        .run(&mut network, &data.validation)?;
    compact.save(folder.join("wine.maas"))?;
    println!("{report}");

    // Serve: next ← (current + 1) mod 3.
    let rmse_compressed = story::rmse(&compact, &data.test)?;
    let replicas = Arc::new(Replicas::of(compact, 3).balanced_by(RoundRobin::new(3)));
    let server = Server::new().model("wine", Arc::clone(&replicas)).bind(options.address()).spawn_blocking()?;

    // Ask: 300 predictions over HTTP, one wine each.
    let client = Client::connect(server.url())?;
    let mut latencies = Vec::new();
    for row in (0..data.test.rows()).cycle().take(300) {
        let start = Instant::now();
        client.predict("wine", data.test.x().row(row))?;
        latencies.push(start.elapsed());
    }
    Ok(())
}
