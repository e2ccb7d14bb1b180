//! What the example tells.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Serialize;

/// Everything measured of one network. Metrics are errors on the test digits, in per cent.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) sparsity: f64,
    pub(crate) metric_dense: f64,
    pub(crate) metric_teacher: f64,
    pub(crate) metric_validation: f64,
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

/// Where a file of this name goes.
pub(crate) fn path(name: &str) -> Result<PathBuf> {
    let folder = PathBuf::from("target/lenet");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

/// How many bytes a file has.
pub(crate) fn bytes(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path)?.len())
}
