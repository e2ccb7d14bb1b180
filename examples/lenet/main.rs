//! LeNet-300-100 on MNIST, made as small as it goes: trained, pruned under a teacher's eye, its weights brought
//! to sixteen values a layer, and written to a file, with the proof on the test digits.
//!
//! `cargo run --release --example lenet -- --data DIR`, with `--json` for the figures as JSON behind them, `--seed N` for
//! another start, `--budget POINTS` for how many percentage points more errors than the dense network's are allowed (none
//! unless told), and `--sparsity S,S,...` for other shares of zeros to try. A run takes some minutes.

#![allow(clippy::print_stdout)]

mod augmentation;
mod report;
mod student;
mod teacher;

#[path = "../shared/mnist.rs"]
mod mnist;
#[path = "../shared/options.rs"]
mod options;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use maas::compress::{Latency, Target};
use maas::prelude::*;
use report::Figures;
use teacher::Teacher;

/// The shares of zeros that are tried, until the error on the validation digits is within the budget.
const SPARSITIES: &str = "0.99,0.985,0.98,0.97,0.95";

fn main() -> Result<()> {
    let (seed, as_json, [folder, budget, sparsities]) =
        options::options(["--data", "--budget", "--sparsity"])?;
    let budget: f64 =
        (budget.as_deref().unwrap_or("0").parse()).context("--budget needs points")?;
    let sparsities = sparsities.as_deref().unwrap_or(SPARSITIES).split(',');
    let sparsities: Vec<f64> = (sparsities.map(str::parse).collect::<Result<_, _>>())
        .context("--sparsity needs shares of zeros")?;
    let start = Instant::now();
    let (digits, test) = mnist::data(folder)?;
    // What choices were made by, the sparsity above all; the test digits are looked at in the end.
    let (train, validation) = digits.split_off(1.0 / 12.0, Seed(0))?;
    let error = |network: &Network, data: &Dataset| -> Result<f64> {
        Ok(100.0 * (1.0 - confusion_matrix(network, data)?.accuracy()))
    };
    let say = |stage: &str, network: &Network| -> Result<f64> {
        let found = error(network, &validation)?;
        println!(
            "{stage:<18} validation error {found:.2} %, after {:.0} s",
            start.elapsed().as_secs_f64()
        );
        Ok(found)
    };
    let trainer = |rate: LearningRate| {
        Trainer::new(Adam::new(rate), CategoricalCrossEntropy)
            .seed(seed)
            .progress(Progress::Quiet)
    };

    // What it has to beat: the network as everybody trains it.
    let mut dense = lenet(&train, seed)?;
    trainer(LearningRate::linear(1e-3, 0.0))
        .epochs(12)
        .batch_size(64)
        .fit(&mut dense, &train)?;
    let allowed = say("dense", &dense)? + budget;

    // The teacher: the same network, having seen the digits moved and turned.
    let mut network = lenet(&train, seed)?;
    trainer(LearningRate::cosine(2e-3))
        .epochs(30)
        .batch_size(128)
        .augment(augmentation::moved(1.0))
        .fit(&mut network, &train)?;
    say("teacher", &network)?;
    let teacher = Teacher::new(&network, &train)?;

    let one = Target::default();
    let compiled = CompressedNetwork::compile_on(dense.clone(), &one, &validation)?;
    let path = report::path("dense.safetensors")?;
    dense.save(&path)?;
    let bytes_dense = report::bytes(&path)?;
    let (mut chosen, mut least) = (None, f64::INFINITY);
    for sparsity in sparsities {
        let student = student::student(&teacher, sparsity, seed)?;
        let error = say(&format!("{:.2} % zeros", 100.0 * sparsity), &student)?;
        if error <= allowed {
            chosen = Some((sparsity, student, error));
            break;
        }
        least = least.min(error);
    }
    let Some((sparsity, student, metric_validation)) = chosen else {
        bail!(
            "the error on the validation digits is to be {allowed:.2} % at most, and was {least:.2} %"
        );
    };
    let compressed = CompressedNetwork::compile_on(student, &one, &validation)?;
    let path = report::path("lenet.maas")?;
    compressed.save(&path)?;
    let served = CompressedNetwork::load(&path)?;
    let latencies = Latency::compare([&compiled, &compressed], &one, &validation)?;
    let [before, after] = latencies.map(|latency| latency.median.as_secs_f64() * 1e6);
    let figures = Figures {
        sparsity,
        metric_dense: error(&dense, &test)?,
        metric_teacher: error(teacher.network(), &test)?,
        metric_validation,
        metric_compressed: error(served.network(), &test)?,
        weights: compiled.pruned().weights,
        nonzero_weights: served.pruned().weights - served.pruned().zeros,
        bytes_dense,
        bytes_compressed: report::bytes(&path)?,
        latency_us_dense: before,
        latency_us_compressed: after,
        seconds: start.elapsed().as_secs_f64(),
    };
    println!("{figures}");
    if as_json {
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
