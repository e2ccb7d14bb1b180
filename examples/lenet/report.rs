//! What the example takes and what it tells: options, figures, where files go.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use maas::core::Outputs;
use maas::prelude::*;
use serde::Serialize;

/// What was asked for on the command line.
#[derive(Debug)]
pub(crate) struct Options {
    folder: PathBuf,
    pub(crate) seed: Seed,
    /// The share of weights that are to be zero.
    pub(crate) sparsity: f64,
    /// End with one JSON object.
    pub(crate) json: bool,
}

impl Options {
    pub(crate) fn from_arguments() -> Result<Self> {
        let (mut folder, mut seed, mut sparsity, mut json) = (None, Seed(7), 0.985, false);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--data" => folder = arguments.next().map(PathBuf::from),
                "--seed" => {
                    let number = arguments.next().context("--seed needs a number")?;
                    seed = Seed(number.parse().context("--seed needs a number")?);
                }
                "--sparsity" => {
                    let share = arguments.next().context("--sparsity needs a share")?;
                    sparsity = share.parse().context("--sparsity needs a share")?;
                }
                "--json" => json = true,
                other => bail!(
                    "unknown argument {other:?}; there are --data DIR, --seed N, --sparsity S and --json"
                ),
            }
        }
        Ok(Self {
            folder: folder.with_context(|| format!("--data DIR is missing\n{WHERE}"))?,
            seed,
            sparsity,
            json,
        })
    }

    /// Images and labels of `train` or `t10k`, gzipped or not.
    pub(crate) fn read(&self, part: &str) -> Result<Dataset> {
        let find = |name: &str| -> Result<PathBuf> {
            let path = self.folder.join(name);
            let gzipped = self.folder.join(format!("{name}.gz"));
            let found = [path, gzipped].into_iter().find(|path| Path::exists(path));
            let missing = || format!("{} lacks {name}\n{WHERE}", self.folder.display());
            found.with_context(missing)
        };
        let images = find(&format!("{part}-images-idx3-ubyte"))?;
        let labels = find(&format!("{part}-labels-idx1-ubyte"))?;
        Ok(Dataset::from_idx_among(images, labels, 10)?)
    }
}

/// Everything measured in this run. Metrics are errors on the test digits, in per cent.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) metric_dense: f64,
    pub(crate) metric_teacher: f64,
    pub(crate) metric_compressed: f64,
    pub(crate) weights: usize,
    pub(crate) nonzero_weights: usize,
    pub(crate) bytes_dense: u64,
    pub(crate) bytes_compressed: u64,
    pub(crate) latency_us_dense: f64,
    pub(crate) latency_us_compressed: f64,
    pub(crate) seconds: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_all = 100.0 * self.nonzero_weights as f64 / self.weights as f64;
        let smaller = self.bytes_dense as f64 / self.bytes_compressed as f64;
        writeln!(f, "error on the test digits")?;
        writeln!(f, "  dense                {:.2} %", self.metric_dense)?;
        writeln!(f, "  dense, the teacher   {:.2} %", self.metric_teacher)?;
        writeln!(f, "  compressed           {:.2} %", self.metric_compressed)?;
        writeln!(
            f,
            "weights                {} of {}, {of_all:.2} %",
            self.nonzero_weights, self.weights
        )?;
        writeln!(
            f,
            "file                   {} bytes dense, {} compressed: {smaller:.1} times smaller",
            self.bytes_dense, self.bytes_compressed
        )?;
        writeln!(
            f,
            "latency of a digit     {:.1} µs dense, {:.1} µs compressed",
            self.latency_us_dense, self.latency_us_compressed
        )?;
        write!(f, "all in                 {:.0} s", self.seconds)
    }
}

/// How many bytes the file has that `save` writes.
pub(crate) fn saved(name: &str, save: impl FnOnce(&Path) -> Result<()>) -> Result<u64> {
    let folder = PathBuf::from("target/lenet");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    save(&path)?;
    Ok(std::fs::metadata(&path)?.len())
}

/// The median time of an answer for one digit, in microseconds, on one thread.
pub(crate) fn latency(model: &impl Model, digits: &Dataset) -> Result<f64> {
    let mut context = Context::of(model, 1)?;
    let mut outputs = Outputs::new();
    let mut times = Vec::new();
    for digit in digits.x().rows().into_iter().take(2000) {
        let shape = [1, 28, 28];
        let pixels = digit.as_slice().context("rows lie in one piece")?;
        let input = TensorView::from_slice(&shape, pixels)?;
        let start = Instant::now();
        model.predict(&[input], &mut outputs, &mut context)?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2].as_secs_f64() * 1e6)
}

const WHERE: &str = "\
The MNIST digits are four files: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
t10k-labels-idx1-ubyte, each gzipped or not. They were made by Y. LeCun, C. Cortes and C. Burges,
and many places keep copies: search for the file names.";
