//! LeNet-300-100 on MNIST, made as small as it goes: trained, pruned under a teacher's eye, its weights brought
//! to sixteen values a layer, and written to a file, with the proof on the test digits.
//!
//! `cargo run --release --example lenet -- --data DIR`, with `--json` for one JSON object as the last line, `--seed N`
//! for another start and `--sparsity S` for another share of zeros. A run takes some minutes.

#![allow(clippy::print_stdout)]

mod digits;
mod palette;
mod report;
mod sensitivity;
mod teacher;

use std::time::Instant;

use anyhow::Result;
use maas::compress::{GradualPruning, Pruner, Ramp, Target};
use maas::prelude::*;
use report::{Figures, Options};
use sensitivity::Sensitivity;
use teacher::Distillation;

/// Epochs over which weights leave, and those in which the rest settle.
const RAMP: usize = 20;
const SETTLE: usize = 20;

/// Rows of a step, and steps between two rounds of pruning.
const BATCH: usize = 128;
const EVERY: usize = 50;

/// Values a layer's weights have at the end, and its biases.
const VALUES: usize = 16;

fn main() -> Result<()> {
    let options = Options::from_arguments()?;
    let start = Instant::now();
    let (digits, test) = (options.read("train")?, options.read("t10k")?);
    // What choices were made by, the sparsity above all; the test digits are looked at in the end.
    let (train, validation) = digits.split_off(1.0 / 12.0, Seed(0))?;
    let error = |network: &Network, data: &Dataset| -> Result<f64> {
        Ok(100.0 * (1.0 - confusion_matrix(network, data)?.accuracy()))
    };
    let say = |stage: &str, network: &Network| -> Result<()> {
        println!(
            "{stage:<11} validation error {:.2} %",
            error(network, &validation)?
        );
        Ok(())
    };

    // What it has to beat: the network as everybody trains it.
    let mut dense = lenet(&train, options.seed)?;
    let rate = LearningRate::linear(1e-3, 0.0);
    trainer(adam(rate), CategoricalCrossEntropy, options.seed)
        .epochs(12)
        .batch_size(64)
        .fit(&mut dense, &train)?;
    say("dense", &dense)?;

    // The teacher: the same network, having seen the digits moved and turned.
    let mut network = lenet(&train, options.seed)?;
    let rate = LearningRate::cosine(2e-3);
    trainer(adam(rate), CategoricalCrossEntropy, options.seed)
        .epochs(30)
        .augment(digits::moved(1.0))
        .fit(&mut network, &train)?;
    say("teacher", &network)?;
    let error_teacher = error(&network, &test)?;
    let lesson = teacher::lesson(&network, &train)?;
    let student = |chain: Chain, stage: u64| {
        trainer(chain, Distillation, options.seed.derive(stage)).augment(digits::moved(0.6))
    };

    // Prune: the least felt weights leave, many in the first epochs and few in the last (Zhu & Gupta, 2017).
    let steps = train.rows().div_ceil(BATCH) * RAMP;
    let pruner = Pruner::new(Sensitivity, options.sparsity);
    let pruning = GradualPruning::new(pruner, Ramp::cubic(steps / EVERY)).every(EVERY as u64);
    let chain = Chain::new(2e-3).then(pruning).then(ScaleByAdam::default());
    student(chain, 1).epochs(RAMP).fit(&mut network, &lesson)?;
    student(adam(LearningRate::cosine(2e-3)), 2)
        .epochs(SETTLE)
        .fit(&mut network, &lesson)?;
    say("pruned", &network)?;

    // Quantise: the largest weights of each segment take a value of its palette, and the others make up for it.
    let palettes = palette::of(&network, VALUES);
    for (round, share) in [(0, 0.5), (1, 0.75), (2, 0.9), (3, 1.0)] {
        palette::round(&mut network, &palettes, share);
        if share < 1.0 {
            let hold = palette::Hold::new(&palettes);
            let chain = adam(LearningRate::linear(5e-4, 5e-5)).then(hold);
            student(chain, 3 + round)
                .epochs(2)
                .fit(&mut network, &lesson)?;
        }
    }
    say("quantised", &network)?;

    let compressed = CompressedNetwork::compile_on(network, &Target::default(), &validation)?;
    let pruned = compressed.pruned();
    let figures = Figures {
        metric_dense: error(&dense, &test)?,
        metric_teacher: error_teacher,
        metric_compressed: error(compressed.network(), &test)?,
        weights: pruned.weights,
        nonzero_weights: pruned.weights - pruned.zeros,
        bytes_dense: report::saved("dense.safetensors", |path| Ok(dense.save(path)?))?,
        bytes_compressed: report::saved("lenet.maas", |path| Ok(compressed.save(path)?))?,
        latency_us_dense: report::latency(&dense, &test)?,
        latency_us_compressed: report::latency(&compressed, &test)?,
        seconds: start.elapsed().as_secs_f64(),
    };
    println!("{figures}");
    if options.json {
        println!("{}", serde_json::to_string(&figures)?);
    }
    Ok(())
}

fn lenet(data: &Dataset, seed: Seed) -> Result<Network, maas::nn::Error> {
    #[rustfmt::skip]
    let network = Sequential::new(data.features())
        .flatten()
        .dense(300).relu().dense(100).relu().dense(10).softmax()
        .build(seed)?;
    Ok(network)
}

fn adam(rate: impl Into<LearningRate>) -> Chain {
    Adam::new(rate).into()
}

fn trainer(chain: Chain, loss: impl Loss + 'static, seed: Seed) -> Trainer<'static> {
    Trainer::new(chain, loss)
        .batch_size(BATCH)
        .seed(seed)
        .progress(Progress::Quiet)
}
