//! MNIST: a network of 784-300-100-10 learns handwritten digits from the four IDX files, in ten epochs at a falling rate.
//!
//! `cargo run --release --example mnist -- --data DIR`, with `--json` for one JSON object as the last line and
//! `--seed N` for another start.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use anyhow::Result;
use maas::prelude::*;
use serde_json::json;

#[path = "shared/mnist.rs"]
mod mnist;
#[path = "shared/options.rs"]
mod options;

fn main() -> Result<()> {
    let (seed, as_json, [folder]) = options::options(["--data"])?;
    let (train, test) = mnist::data(folder)?;

    #[rustfmt::skip]
    let mut network = Sequential::new(train.features())
        .flatten()
        .dense(300).relu().dense(100).relu().dense(10).softmax()
        .build(seed)?;
    println!("{}", network.summary());
    let rate = LearningRate::linear(1e-3, 0.0);
    let trainer = Trainer::new(Adam::new(rate), CategoricalCrossEntropy)
        .epochs(10)
        .batch_size(32)
        .seed(seed)
        .metric(Accuracy);
    let start = Instant::now();
    trainer.fit(&mut network, &train)?;
    let train_seconds = start.elapsed().as_secs_f64();

    let test_accuracy = trainer.evaluate(&network, &test)?.metrics["accuracy"];
    println!(
        "test accuracy {:.2} %, trained in {train_seconds:.1} s",
        100.0 * test_accuracy
    );
    if as_json {
        println!(
            "{}",
            json!({ "test_accuracy": test_accuracy, "train_seconds": train_seconds })
        );
    }
    Ok(())
}
