//! Twenty networks with settings that are drawn by a seed, trained on all cores at once; the best one is looked at again.
//!
//! `cargo run --release --example search`

#![allow(clippy::print_stdout)]

use std::path::PathBuf;

use anyhow::{Context, Result};
use maas::prelude::*;

fn main() -> Result<()> {
    let csv: PathBuf = [env!("CARGO_MANIFEST_DIR"), "data", "winequality-red.csv"]
        .iter()
        .collect();
    let wines = Dataset::from_csv(csv)?.target("quality")?;
    let data = wines.split([0.7, 0.15, 0.15], Seed(7))?;
    let build = |units: usize, dropout: f64, seed: Seed| {
        Sequential::new(data.features())
            .normalize(&data.train)
            .dense(units)
            .relu()
            .dropout(dropout as f32)
            .dense(1)
            .build(seed)
    };
    let trainer = |rate: f64, seed: Seed| {
        Trainer::new(Adam::new(rate as f32), MeanSquaredError)
            .epochs(30)
            .seed(seed)
            .validation(&data.validation)
            .early_stopping(EarlyStopping::new(5))
            .metric(RootMeanSquaredError)
            .progress(Progress::Quiet)
    };

    let results = Search::random(20, Seed(7))
        .log_range("rate", 1e-4, 3e-2)
        .choice("units", [16, 32, 64, 128])
        .range("dropout", 0.0, 0.4)
        .run(|trial| {
            let mut network = build(trial.whole("units")?, trial.number("dropout")?, trial.seed)?;
            let trainer = trainer(trial.number("rate")?, trial.seed);
            trainer.fit(&mut network, &data.train)?;
            let evaluation = trainer.evaluate(&network, &data.validation)?;
            Ok(evaluation.metrics["root_mean_squared_error"])
        })?;
    println!("{results}\n");

    let best = results.best().context("every trial failed")?;
    println!(
        "the best of {} trials is number {}, with a validation error of {:.4} grades",
        results.trials.len(),
        best.number,
        best.figure().context("the best has a figure")?
    );
    Ok(())
}
