//! Handwritten digits of 8 × 8 pixels: a network of 64-128-64-10 learns them in thirty epochs, and a confusion matrix shows
//! which it takes for which.
//!
//! `cargo run --release --example digits`, with `-- --json` for one JSON object as the last line and `--seed N` for another
//! start.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use anyhow::Result;
use maas::prelude::*;
use serde_json::json;

#[path = "shared/digits.rs"]
mod digits;
#[path = "shared/options.rs"]
mod options;

fn main() -> Result<()> {
    let (seed, as_json, []) = options::options([])?;
    let (train, test) = digits::data()?;

    #[rustfmt::skip]
    let mut network = Sequential::new(train.features())
        .dense(128).relu().dense(64).relu().dense(10).softmax()
        .build(seed)?;
    let rate = LearningRate::cosine(2e-3);
    let trainer = Trainer::new(Adam::new(rate), CategoricalCrossEntropy)
        .epochs(30)
        .batch_size(32)
        .seed(seed)
        .metric(Accuracy);
    let start = Instant::now();
    trainer.fit(&mut network, &train)?;
    let train_seconds = start.elapsed().as_secs_f64();

    let matrix = confusion_matrix(&network, &test)?;
    println!("{matrix}\n\n{}", matrix.report());
    let test_accuracy = matrix.accuracy();
    println!(
        "test accuracy {:.2} %, trained in {train_seconds:.2} s",
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
