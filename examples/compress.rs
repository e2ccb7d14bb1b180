//! From a trained network to a smaller and faster one, within a budget of one percentage point of accuracy.
//!
//! `cargo run --release --example compress`, with `-- --json` for one JSON object as the last line and `--seed N` for
//! another start; with `--data DIR` for LeNet-300-100 on MNIST in place of the small digits. The sensitivity of each layer
//! is drawn into `target/compress/sensitivity.svg`, sizes against accuracy into `size.svg` beside it.

#![allow(clippy::print_stdout)]

use anyhow::Result;
use maas::compress::{BudgetSearch, CompressedNetwork, Level, Sensitivity};
use maas::prelude::*;
use serde_json::json;

#[path = "shared/digits.rs"]
mod digits;
#[path = "shared/mnist.rs"]
mod mnist;
#[path = "shared/options.rs"]
mod options;

/// A percentage point.
const BUDGET: f64 = 0.01;

fn main() -> Result<()> {
    let (seed, as_json, [folder]) = options::options(["--data"])?;
    let (units, epochs, (rest, test)) = match folder {
        Some(_) => ([300, 100], 8, mnist::data(folder)?),
        None => ([128, 64], 30, digits::data()?),
    };
    let (train, validation) = rest.stratified_split_off(0.2, seed)?;

    #[rustfmt::skip]
    let mut network = Sequential::new(train.features())
        .flatten()
        .dense(units[0]).relu().dense(units[1]).relu().dense(10).softmax()
        .build(seed)?;
    let trainer = || {
        Trainer::new(
            Adam::new(LearningRate::cosine(2e-3)),
            CategoricalCrossEntropy,
        )
        .epochs(epochs)
        .batch_size(32)
        .seed(seed)
        .progress(Progress::Quiet)
    };
    trainer().fit(&mut network, &train)?;
    let dense = network.clone();

    let levels = [0.5, 0.8, 0.9, 0.95].map(Level::Sparsity);
    let levels = [&levels[..], &[Level::Codebook(16), Level::Int8]].concat();
    let sensitivity = Sensitivity::scan(&network, &validation, &levels)?;
    println!("{sensitivity}");
    let folder = std::path::Path::new("target/compress");
    std::fs::create_dir_all(folder)?;
    sensitivity.save_svg(folder.join("sensitivity.svg"))?;

    let tune = |network: &mut Network| trainer().fit(network, &train);
    let search = || BudgetSearch::within(BUDGET).fine_tune(tune);
    let alike = search().alike().run(&mut dense.clone(), &validation)?;
    let each = search().run(&mut dense.clone(), &validation)?;
    let found = search()
        .units([0.0, 0.5, 0.7])
        .run(&mut network, &validation)?;
    found.report.trade_off.save_svg(folder.join("size.svg"))?;
    println!("{}", found.plan);
    println!("{}", found.report);
    for (name, other) in [("all layers alike", alike), ("each for itself", each)] {
        println!(
            "with all units, {name}: {} bytes, {:.1} times smaller",
            other.report.bytes_after,
            other.report.compression()
        );
    }

    let path = folder.join("compressed.maas");
    found.network.save(&path)?;
    let served = CompressedNetwork::load(&path)?;
    let before = accuracy(&dense, &test)?;
    let after = accuracy(served.network(), &test)?;
    println!(
        "on the test rows: {:.2} % before, {:.2} % after",
        100.0 * before,
        100.0 * after
    );
    if as_json {
        let report = &found.report;
        println!(
            "{}",
            json!({
                "metric_dense": before,
                "metric_compressed": after,
                "weights": report.weights,
                "nonzero_weights": report.nonzeros(),
                "bytes_dense": report.bytes_before,
                "bytes_compressed": std::fs::metadata(&path)?.len(),
                "latency_us_dense": report.latency_before.median.as_secs_f64() * 1e6,
                "latency_us_compressed": report.latency_after.median.as_secs_f64() * 1e6,
            })
        );
    }
    Ok(())
}

fn accuracy(network: &Network, data: &Dataset) -> Result<f64> {
    Ok(confusion_matrix(network, data)?.accuracy())
}
