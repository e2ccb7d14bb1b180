//! Three tables: settings are chosen by cross-validation on the training rows alone, then ten networks of different seeds are
//! tested on rows that nothing has looked at.
//!
//! `cargo run --release --example tables`

#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use maas::data::{Csv, Scores, Target};
use maas::nn::Error as NetworkError;
use maas::prelude::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

struct Task {
    file: &'static str,
    target: &'static str,
    /// All columns where there are none.
    columns: &'static [&'static str],
    metric: &'static str,
    units: &'static [usize],
}

const TASKS: [Task; 3] = [
    Task {
        file: "winequality-red",
        target: "quality",
        columns: &[],
        metric: "root_mean_squared_error",
        units: &[128, 64, 32],
    },
    Task {
        file: "breast-cancer",
        target: "diagnosis",
        columns: &[],
        metric: "accuracy",
        units: &[32, 16],
    },
    Task {
        file: "penguins",
        target: "species",
        columns: &[
            "bill_length_mm",
            "bill_depth_mm",
            "flipper_length_mm",
            "body_mass_g",
        ],
        metric: "accuracy",
        units: &[32, 16],
    },
];

#[derive(Clone, Copy, Debug)]
struct Settings {
    epochs: usize,
    dropout: f32,
}

fn main() -> Result<()> {
    for task in &TASKS {
        let (train, test) = task.data()?;
        let mut best: Option<(Settings, f64)> = None;
        for epochs in [10, 20, 40] {
            for dropout in [0.0, 0.1, 0.3] {
                let settings = Settings { epochs, dropout };
                let score = task.cross_validate(settings, &train)?.mean();
                if best.is_none_or(|(_, best)| score < best) {
                    best = Some((settings, score));
                }
            }
        }
        let (settings, _) = best.context("settings were tried")?;
        let scores = (0..10)
            .map(|seed| {
                let mut network = task.network(settings, &train, Seed(seed))?;
                let trainer = task.trainer(settings, Seed(seed));
                trainer.fit(&mut network, &train)?;
                Ok(trainer.evaluate(&network, &test)?.metrics[task.metric])
            })
            .collect::<Result<Scores>>()?;
        println!("{}: {} {scores} with {settings:?}", task.file, task.metric);
    }
    Ok(())
}

impl Task {
    /// The complete rows to learn from, and those to test with.
    fn data(&self) -> Result<(Dataset, Dataset)> {
        let path = format!("{DATA}/{}.csv", self.file);
        let text = std::fs::read_to_string(&path)?;
        let table = Csv::new().read_from(text.as_bytes())?;
        let test = std::fs::read_to_string(format!("{DATA}/{}.test.txt", self.file))?;
        let test = test
            .lines()
            .map(str::parse)
            .collect::<Result<BTreeSet<usize>, _>>()?;
        let complete = |row: &usize| {
            text.lines()
                .nth(row + 1)
                .is_some_and(|line| !line.contains("NA"))
        };
        let train: Vec<usize> = (0..table.rows())
            .filter(|row| !test.contains(row))
            .filter(complete)
            .collect();
        let test: Vec<usize> = test.into_iter().collect();
        let part = |rows: &[usize]| {
            let part = table.select(rows)?;
            if self.columns.is_empty() {
                return Ok(part);
            }
            let mut names = self.columns.to_vec();
            names.push(self.target);
            part.columns(&names)
        };
        let (train, test) = (part(&train)?, part(&test)?);
        let target = match self.metric {
            "accuracy" => Target::classes(self.target),
            _ => Target::values(&[self.target]),
        };
        let encoding = train.encoding(target)?;
        Ok((encoding.apply(&train)?, encoding.apply(&test)?))
    }

    fn network(
        &self,
        settings: Settings,
        train: &Dataset,
        seed: Seed,
    ) -> Result<Network, NetworkError> {
        let mut network = Sequential::new(train.features()).normalize(train);
        for &units in self.units {
            network = network.dense(units).relu();
            if settings.dropout > 0.0 {
                network = network.dropout(settings.dropout);
            }
        }
        match train.labels() {
            Some(_) => network
                .dense(train.class_labels().map_or(2, <[String]>::len))
                .softmax(),
            None => network.dense(1),
        }
        .build(seed)
    }

    fn trainer<'a>(&self, settings: Settings, seed: Seed) -> Trainer<'a> {
        let adam = Adam::new(LearningRate::cosine(2e-3));
        let trainer = match self.metric {
            "accuracy" => Trainer::new(adam, CategoricalCrossEntropy).metric(Accuracy),
            _ => Trainer::new(adam, MeanSquaredError).metric(RootMeanSquaredError),
        };
        trainer
            .epochs(settings.epochs)
            .batch_size(32)
            .seed(seed)
            .progress(Progress::Quiet)
    }

    /// The loss over the folds, which tells more about few rows than an accuracy does.
    fn cross_validate(&self, settings: Settings, train: &Dataset) -> Result<Scores> {
        let folds = train.folds(5, Seed(1))?;
        let trainer = self.trainer(settings, Seed(1));
        let scores =
            trainer.cross_validate(folds, |train| self.network(settings, train, Seed(1)))?;
        Ok(scores.loss())
    }
}
