use std::fmt;

use maas_core::grouped;
use serde::{Deserialize, Serialize};

/// What compressing a network has changed, all of it measured.
///
/// ```text
///                                 before      after
/// weights that are not zero       11,680      1,168    10.0 times fewer
/// bytes of the file               50,812      8,612     5.9 times smaller
/// root mean squared error        0.61170    0.61305
/// ```
///
/// ```
/// use maas_compress::{Compressor, SoftThreshold};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::ones((8, 4)).view(), Array2::ones((8, 1)).view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
/// let (_, report) = Compressor::new(SoftThreshold::to_sparsity(0.9)).run(&mut network, &data)?;
/// assert_eq!((report.weights, report.nonzeros()), (320, 32));
/// assert!(report.compression() > 1.0);
/// assert!(report.to_string().contains("10.0 times fewer"));
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// How many weights the network has.
    pub weights: usize,
    /// How many of them were zero before.
    pub zeros_before: usize,
    /// How many of them are zero now.
    pub zeros_after: usize,
    /// The λ of the threshold, where there was one.
    pub lambda: Option<f32>,
    /// Bytes of the network's own file, dense, before.
    pub bytes_before: usize,
    /// Bytes of the compressed network's file.
    pub bytes_after: usize,
    /// What the metric is called.
    pub metric: String,
    /// The metric of the network before.
    pub metric_before: f64,
    /// The metric of the compressed network.
    pub metric_after: f64,
}

impl Report {
    /// How many weights are not zero now.
    ///
    /// See the type for an example.
    pub fn nonzeros(&self) -> usize {
        self.weights - self.zeros_after
    }

    /// How many times smaller the file is.
    ///
    /// See the type for an example.
    pub fn compression(&self) -> f64 {
        self.bytes_before as f64 / self.bytes_after as f64
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fewer = |before: usize, after: usize, word: &str| match after {
            0 => "none left".to_owned(),
            _ => format!("{:.1} times {word}", before as f64 / after as f64),
        };
        let nonzeros_before = self.weights - self.zeros_before;
        let width = self
            .metric
            .chars()
            .count()
            .max("weights that are not zero".len());
        let row =
            |f: &mut fmt::Formatter<'_>, name: &str, before: &str, after: &str, remark: &str| {
                let line = format!("{name:<width$} {before:>12} {after:>12}   {remark}");
                writeln!(f, "{}", line.trim_end())
            };
        row(f, "", "before", "after", "")?;
        row(
            f,
            "weights that are not zero",
            &grouped(nonzeros_before as u64),
            &grouped(self.nonzeros() as u64),
            &fewer(nonzeros_before, self.nonzeros(), "fewer"),
        )?;
        row(
            f,
            "bytes of the file",
            &grouped(self.bytes_before as u64),
            &grouped(self.bytes_after as u64),
            &fewer(self.bytes_before, self.bytes_after, "smaller"),
        )?;
        row(
            f,
            &self.metric,
            &format!("{:.5}", self.metric_before),
            &format!("{:.5}", self.metric_after),
            "",
        )
    }
}
