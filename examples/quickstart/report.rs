//! What the quickstart takes and what it tells: options, figures, where files go.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use maas::prelude::*;
use serde::Serialize;

/// What was asked for on the command line.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Keep the server up.
    pub(crate) serve: bool,
    /// End with one JSON object.
    pub(crate) json: bool,
}

impl Options {
    pub(crate) fn from_arguments() -> Result<Self> {
        let mut options = Self::default();
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--serve" => options.serve = true,
                "--json" => options.json = true,
                other => bail!("unknown argument {other:?}; there are --serve and --json"),
            }
        }
        Ok(options)
    }
}

/// Everything measured in this run.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) rmse_mean_baseline: f64,
    pub(crate) rmse_linear: f64,
    pub(crate) rmse_dense: f64,
    pub(crate) rmse_compressed: f64,
    pub(crate) weights: usize,
    pub(crate) nonzero_weights: usize,
    pub(crate) bytes_dense: u64,
    pub(crate) bytes_compressed: u64,
    pub(crate) train_seconds: f64,
    pub(crate) requests: usize,
    pub(crate) requests_per_replica: Vec<u64>,
    pub(crate) latency_ms_p50: f64,
    pub(crate) latency_ms_p99: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "error on the test rows (RMSE of the grade, lower is better)"
        )?;
        writeln!(
            f,
            "  mean of the training rows   {:.4}",
            self.rmse_mean_baseline
        )?;
        writeln!(f, "  linear model                {:.4}", self.rmse_linear)?;
        writeln!(
            f,
            "  network                     {:.4}   trained in {:.2} s",
            self.rmse_dense, self.train_seconds
        )?;
        writeln!(
            f,
            "  compressed network          {:.4}   {} of {} weights",
            self.rmse_compressed, self.nonzero_weights, self.weights
        )?;
        writeln!(
            f,
            "file                          {} bytes dense, {} compressed: {:.1} times smaller",
            self.bytes_dense,
            self.bytes_compressed,
            self.bytes_dense as f64 / self.bytes_compressed as f64
        )?;
        writeln!(
            f,
            "requests over HTTP            {}, by replica {:?}",
            self.requests, self.requests_per_replica
        )?;
        write!(
            f,
            "latency                       {:.3} ms median, {:.3} ms p99",
            self.latency_ms_p50, self.latency_ms_p99
        )
    }
}

/// A file of the examples' data.
pub(crate) fn data(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/data")).join(name)
}

/// Where the run leaves its files.
pub(crate) fn output_folder() -> Result<PathBuf> {
    let folder = PathBuf::from("target/quickstart");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The `quantile` (0 to 1) of some durations, in milliseconds.
pub(crate) fn quantile_ms(durations: &mut [Duration], quantile: f64) -> f64 {
    durations.sort_unstable();
    let index = (quantile * (durations.len() - 1) as f64).round() as usize;
    durations[index].as_secs_f64() * 1e3
}

/// The root mean squared error of a network's answers on some rows.
pub(crate) fn rmse(network: &Network, data: &Dataset) -> Result<f64> {
    let answers = network.predict(data.x())?;
    Ok(root_mean_square(
        answers
            .iter()
            .zip(data.y())
            .map(|(answer, grade)| answer - grade),
    ))
}

/// The root mean squared error of answering every row with the mean of the training rows.
pub(crate) fn rmse_of_mean(train: &Dataset, test: &Dataset) -> f64 {
    let mean = train.y().mean().unwrap_or_default();
    root_mean_square(test.y().iter().map(|grade| mean - grade))
}

fn root_mean_square(differences: impl ExactSizeIterator<Item = f32>) -> f64 {
    let rows = differences.len() as f64;
    (differences
        .map(|difference| f64::from(difference).powi(2))
        .sum::<f64>()
        / rows)
        .sqrt()
}

/// A line to paste into a shell.
pub(crate) fn print_curl(url: &str, wines: &Dataset) {
    let row: Vec<String> = wines.x().row(0).iter().map(f32::to_string).collect();
    println!(
        "ask it, and stop it with Ctrl-C:\n\ncurl -s {url}/v2/models/wine/infer -d \
         '{{\"inputs\":[{{\"name\":\"x\",\"shape\":[1,{}],\"datatype\":\"FP32\",\"data\":[{}]}}]}}'",
        row.len(),
        row.join(",")
    );
}
