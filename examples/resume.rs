//! Training that is killed and gone on with ends with the same bits as training that is not.
//!
//! `cargo run --release --example resume` trains once without a break; then a process of its own trains the same network
//! and is killed in the middle of a step, without warning; then the last checkpoint is taken up here.

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, abort};

use anyhow::{Result, ensure};
use maas::prelude::*;

const STEPS: u64 = 517;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--die-in", folder] => die(Path::new(folder)),
        _ => compare(),
    }
}

fn compare() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("maas-resume-{}", std::process::id()));
    let data = data()?;

    let mut straight = network(&data)?;
    trainer(&data).fit(&mut straight, &data.train)?;
    println!("without a break       {:016x}", straight.fingerprint());

    let status = Command::new(std::env::current_exe()?)
        .arg("--die-in")
        .arg(&folder)
        .status()?;
    println!("a process was killed  {status}");
    ensure!(!status.success(), "it was to be killed");

    let mut resumed = network(&data)?;
    let history = trainer(&data).resume(&mut resumed, &data.train, &folder)?;
    println!(
        "gone on with          {:016x}, {} epochs in all",
        resumed.fingerprint(),
        history.epochs.len()
    );
    std::fs::remove_dir_all(&folder)?;
    ensure!(
        resumed.fingerprint() == straight.fingerprint(),
        "the bits differ"
    );
    println!("same bits");
    Ok(())
}

/// Writes a checkpoint every fifty steps, until the process is gone.
fn die(folder: &Path) -> Result<()> {
    let data = data()?;
    let trainer = trainer(&data)
        .checkpoints(Checkpoints::new(folder).every_steps(50))
        .on(Event::BatchBegin, |training| {
            if training.steps_taken == STEPS {
                abort();
            }
        });
    trainer.fit(&mut network(&data)?, &data.train)?;
    Ok(())
}

fn data() -> Result<maas::data::Split> {
    let csv: PathBuf = [env!("CARGO_MANIFEST_DIR"), "data", "winequality-red.csv"]
        .iter()
        .collect();
    let wines = Dataset::from_csv(csv)?.target("quality")?;
    Ok(wines.split([0.7, 0.15, 0.15], Seed(7))?)
}

fn network(data: &maas::data::Split) -> Result<Network> {
    #[rustfmt::skip]
    let network = Sequential::new(data.features())
        .normalize(&data.train)
        .dense(64).relu().dropout(0.1).dense(32).relu().dense(1)
        .build(Seed(7))?;
    Ok(network)
}

/// A rate that falls over the run, early stopping, a metric: all of it goes on where it was.
fn trainer(data: &maas::data::Split) -> Trainer<'_> {
    Trainer::new(Adam::new(LearningRate::cosine(3e-3)), MeanSquaredError)
        .epochs(30)
        .batch_size(32)
        .seed(Seed(7))
        .validation(&data.validation)
        .metric(RootMeanSquaredError)
        .early_stopping(EarlyStopping::new(8))
        .progress(Progress::Quiet)
}
