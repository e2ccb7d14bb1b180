//! What zeros cost and what they bring: accuracy, bytes and latency of a network for the digits, over its sparsity.
//!
//! `cargo run --release --example sparsity_curve`, with `-- --json` for one JSON object as the last line and `--seed N` for
//! another start. The curves are drawn into `target/sparsity_curve/sparsity.svg`.

#![allow(clippy::print_stdout)]

use std::path::Path;

use anyhow::Result;
use maas::compress::{Latency, Magnitude, Pruner, Target};
use maas::prelude::*;
use maas_chart::{Chart, Series, page};
use serde_json::json;

#[path = "shared/digits.rs"]
mod digits;
#[path = "shared/options.rs"]
mod options;

const SPARSITIES: [f64; 6] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.98];

/// Rows of the calls that are timed.
const ROWS: [usize; 2] = [1, 64];

/// What was measured at a sparsity.
struct Measured {
    sparsity: f64,
    accuracy: f64,
    bytes: usize,
    /// Microseconds of a call of so many rows, all layers dense.
    dense: [f64; 2],
    /// The same, compiled.
    compiled: [f64; 2],
}

fn main() -> Result<()> {
    let (seed, as_json, []) = options::options([])?;
    let (train, test) = digits::data()?;
    #[rustfmt::skip]
    let mut network = Sequential::new(train.features())
        .dense(300).relu().dense(100).relu().dense(10).softmax()
        .build(seed)?;
    let trainer = Trainer::new(
        Adam::new(LearningRate::cosine(1e-3)),
        CategoricalCrossEntropy,
    )
    .epochs(20)
    .batch_size(32)
    .seed(seed)
    .progress(Progress::Quiet);
    trainer.fit(&mut network, &train)?;

    // Each from the one before: to so many zeros, and fine-tuned under their mask.
    let mut curve = Vec::new();
    println!("zeros   accuracy     bytes    1 row: dense  compiled    64 rows: dense  compiled");
    for sparsity in SPARSITIES {
        if sparsity > 0.0 {
            Compressor::new(Pruner::new(Magnitude, sparsity))
                .fine_tune(|network| trainer.fit(network, &train))
                .run(&mut network, &test)?;
        }
        let measured = measure(&network, sparsity, &test)?;
        println!(
            "{:>3.0} %    {:>6.2} %   {:>7}        {:>6.2} µs {:>6.2} µs         {:>6.1} µs {:>6.1} µs",
            100.0 * measured.sparsity,
            100.0 * measured.accuracy,
            measured.bytes,
            measured.dense[0],
            measured.compiled[0],
            measured.dense[1],
            measured.compiled[1],
        );
        curve.push(measured);
    }

    let path = Path::new("target/sparsity_curve/sparsity.svg");
    std::fs::create_dir_all("target/sparsity_curve")?;
    std::fs::write(path, draw(&curve))?;
    println!("curves in {}", path.display());
    if as_json {
        let all = |figure: fn(&Measured) -> f64| curve.iter().map(figure).collect::<Vec<_>>();
        println!(
            "{}",
            json!({
                "sparsity": all(|at| at.sparsity),
                "accuracy": all(|at| at.accuracy),
                "bytes": all(|at| at.bytes as f64),
                "latency_us_dense_1": all(|at| at.dense[0]),
                "latency_us_compiled_1": all(|at| at.compiled[0]),
                "latency_us_dense_64": all(|at| at.dense[1]),
                "latency_us_compiled_64": all(|at| at.compiled[1]),
                "svg": path,
            })
        );
    }
    Ok(())
}

/// The least of some medians: other work on the machine makes them longer, never shorter.
fn measure(network: &Network, sparsity: f64, test: &Dataset) -> Result<Measured> {
    let plain = CompressedNetwork::new(network.clone())?;
    let (mut dense, mut compiled) = ([f64::INFINITY; 2], [f64::INFINITY; 2]);
    for (at, rows) in ROWS.into_iter().enumerate() {
        let target = Target::rows(rows);
        let fast = CompressedNetwork::compile_on(network.clone(), &target, test)?;
        for _ in 0..5 {
            let times = Latency::compare([&plain, &fast], &target, test)?;
            let [before, after] = times.map(|time| time.median.as_secs_f64() * 1e6);
            dense[at] = dense[at].min(before);
            compiled[at] = compiled[at].min(after);
        }
    }
    Ok(Measured {
        sparsity,
        accuracy: confusion_matrix(network, test)?.accuracy(),
        bytes: plain.to_bytes()?.len(),
        dense,
        compiled,
    })
}

fn draw(curve: &[Measured]) -> String {
    let series = |name: &str, colour: &str, figure: &dyn Fn(&Measured) -> f64| {
        let points = curve.iter().map(|at| (100.0 * at.sparsity, figure(at)));
        Series::new(name, colour, points.collect::<Vec<_>>())
    };
    let chart = |title: &str, unit: &str| Chart::new(title, "zeros in %", unit);
    let latency = |which: usize, title: &str| {
        chart(title, "microseconds")
            .series(series("all layers dense", ORANGE, &|at| at.dense[which]))
            .series(series("compiled", BLUE, &|at| at.compiled[which]))
    };
    page(
        "Zeros: what they cost and bring",
        "digits, 64-300-100-10, fine-tuned at each step",
        &[
            chart("Accuracy", "% of the test rows")
                .series(series("compressed", BLUE, &|at| 100.0 * at.accuracy)),
            chart("Size of the file", "kilobytes")
                .series(series("compressed", BLUE, &|at| at.bytes as f64 / 1e3)),
            latency(0, "A call of one row"),
            latency(1, "A call of 64 rows"),
        ],
    )
}

const BLUE: &str = "#1f6fb4";
const ORANGE: &str = "#d9602b";
