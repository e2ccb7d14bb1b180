//! A trainer that is watched: a metric, a callback in every place of a batch, and the progress bar. That losses and
//! gradients are finite is checked always.

use std::error::Error;
use std::time::Instant;

use maas_train::{AbsoluteError, Accuracy, Callback, Flow, Progress, Trainer, Training};

use crate::workloads::{Task, Workload};

/// Follows the loss as a smoothed mean, step by step.
#[derive(Debug, Default)]
struct Follow {
    smoothed: f64,
    steps: u64,
}

impl Callback for Follow {
    fn batch_begin(
        &mut self,
        _training: &Training<'_>,
    ) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        self.steps += 1;
        Ok(Flow::Continue)
    }

    fn batch_end(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        let loss = f64::from(training.loss.unwrap_or_default());
        self.smoothed += 0.01 * (loss - self.smoothed);
        Ok(Flow::Continue)
    }
}

fn metric<'a>(workload: &Workload, trainer: Trainer<'a>) -> Trainer<'a> {
    match workload.task {
        Task::Regression => trainer.metric(AbsoluteError),
        Task::Classification => trainer.metric(Accuracy),
    }
}

/// With all of them.
pub(crate) fn all<'a>(workload: &Workload) -> Trainer<'a> {
    metric(workload, workload.trainer())
        .callback(Follow::default())
        .progress(Progress::Auto)
}

/// Prints what each of them costs, in turns; the bar is drawn where standard error is a terminal.
pub(crate) fn costs(workload: &Workload, rounds: usize) -> Result<(), Box<dyn Error>> {
    let trainers = [
        ("nothing", workload.trainer()),
        ("nothing, again", workload.trainer()),
        ("metric", metric(workload, workload.trainer())),
        ("callback", workload.trainer().callback(Follow::default())),
        ("bar", workload.trainer().progress(Progress::Auto)),
        ("all", all(workload)),
    ];
    let data = workload.data();
    let mut seconds = trainers.each_ref().map(|_| Vec::new());
    for round in 0..rounds {
        for turn in 0..trainers.len() {
            let index = (round + turn) % trainers.len();
            let mut network = workload.network(&data);
            let start = Instant::now();
            trainers[index].1.fit(&mut network, &data)?;
            seconds[index].push(start.elapsed().as_secs_f64());
        }
    }
    let bare = seconds[0].clone();
    println!("| | median s | least s | median of the ratios |\n| --- | --- | --- | --- |");
    for ((name, _), seconds) in trainers.iter().zip(&seconds) {
        let ratios = seconds.iter().zip(&bare).map(|(with, bare)| with / bare);
        println!(
            "| {name} | {:.5} | {:.5} | {:.4} |",
            median(seconds.iter().copied()),
            seconds.iter().copied().fold(f64::INFINITY, f64::min),
            median(ratios)
        );
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
