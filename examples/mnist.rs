//! MNIST: a network of 784-300-100-10 learns handwritten digits from the four IDX files, in ten epochs at a falling rate.
//!
//! `cargo run --release --example mnist -- --data DIR`, with `--json` for one JSON object as the last line and
//! `--seed N` for another start.

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use maas::prelude::*;
use serde_json::json;

fn main() -> Result<()> {
    let options = Options::from_arguments()?;
    let (train, test) = (options.read("train")?, options.read("t10k")?);

    #[rustfmt::skip]
    let mut network = Sequential::new(train.features())
        .flatten()
        .dense(300).relu().dense(100).relu().dense(10).softmax()
        .build(options.seed)?;
    println!("{}", network.summary());
    let rate = LearningRate::linear(1e-3, 0.0);
    let trainer = Trainer::new(Adam::new(rate), CategoricalCrossEntropy)
        .epochs(10)
        .batch_size(32)
        .seed(options.seed)
        .metric(Accuracy);
    let start = Instant::now();
    trainer.fit(&mut network, &train)?;
    let train_seconds = start.elapsed().as_secs_f64();

    let test_accuracy = trainer.evaluate(&network, &test)?.metrics["accuracy"];
    println!(
        "test accuracy {:.2} %, trained in {train_seconds:.1} s",
        100.0 * test_accuracy
    );
    if options.json {
        println!(
            "{}",
            json!({ "test_accuracy": test_accuracy, "train_seconds": train_seconds })
        );
    }
    Ok(())
}

/// What was asked for on the command line.
struct Options {
    folder: PathBuf,
    seed: Seed,
    json: bool,
}

impl Options {
    fn from_arguments() -> Result<Self> {
        let (mut folder, mut seed, mut json) = (None, Seed(7), false);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--data" => folder = arguments.next().map(PathBuf::from),
                "--seed" => {
                    let number = arguments.next().context("--seed needs a number")?;
                    seed = Seed(number.parse().context("--seed needs a number")?);
                }
                "--json" => json = true,
                other => {
                    bail!("unknown argument {other:?}; there are --data DIR, --seed N and --json")
                }
            }
        }
        Ok(Self {
            folder: folder.with_context(|| format!("--data DIR is missing\n{WHERE}"))?,
            seed,
            json,
        })
    }

    /// Images and labels of `train` or `t10k`, gzipped or not.
    fn read(&self, part: &str) -> Result<Dataset> {
        let find = |name: &str| -> Result<PathBuf> {
            let path = self.folder.join(name);
            let gzipped = self.folder.join(format!("{name}.gz"));
            let found = [path, gzipped].into_iter().find(|path| Path::exists(path));
            found.with_context(|| {
                format!(
                    "{} has neither {name} nor {name}.gz\n{WHERE}",
                    self.folder.display()
                )
            })
        };
        let images = find(&format!("{part}-images-idx3-ubyte"))?;
        let labels = find(&format!("{part}-labels-idx1-ubyte"))?;
        Ok(Dataset::from_idx_among(images, labels, 10)?)
    }
}

const WHERE: &str = "\
The MNIST digits are four files: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
t10k-labels-idx1-ubyte, each gzipped or not. They were made by Y. LeCun, C. Cortes and C. Burges,
and many places keep copies: search for the file names. Fashion-MNIST, from
https://github.com/zalandoresearch/fashion-mnist, has files of the same names and is read in the same way.";
