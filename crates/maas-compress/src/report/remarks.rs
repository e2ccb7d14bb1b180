//! What did not pay, in plain words.

use maas_core::grouped;
use maas_nn::{Arithmetic, Representation};

use super::{LayerReport, Report};

impl Report {
    /// A line for whatever did not pay: a layer that stays dense or got slower, units that could not leave, a layer that is not
    /// dense, a whole that is not faster or smaller.
    ///
    /// ```
    /// use maas_compress::{Compressor, HardThreshold};
    /// use maas_core::Seed;
    /// use maas_data::Dataset;
    /// use maas_nn::Sequential;
    /// use ndarray::Array2;
    ///
    /// let data = Dataset::new(Array2::ones((8, 64)).view(), Array2::ones((8, 1)).view()).unwrap();
    /// let mut network = Sequential::new(data.features()).dense(64).relu().dense(1).build(Seed(7))?;
    /// let (_, report) = Compressor::new(HardThreshold::to_sparsity(0.1)).run(&mut network, &data)?;
    /// for remark in report.remarks() {
    ///     println!("{remark}");
    /// }
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks: Vec<String> = self.layers.iter().filter_map(stays_dense).collect();
        remarks.extend(self.layers.iter().filter_map(slower));
        remarks.extend(self.others.iter().map(|other| {
            format!(
                "{} is no dense layer, but {}: its {} parameters take {} bytes",
                other.layer,
                other.kind,
                grouped(other.parameters as u64),
                grouped(other.bytes as u64)
            )
        }));
        let stays = self.shrunk.iter().flat_map(|shrunk| &shrunk.obstacles);
        remarks.extend(stays.map(ToString::to_string));
        if self.latency_after.median >= self.latency_before.median {
            remarks.push(format!(
                "the whole is not faster: {} before, {} after",
                self.latency_before, self.latency_after
            ));
        }
        if self.bytes_after >= self.bytes_before {
            remarks.push("the file is not smaller".to_owned());
        }
        remarks
    }
}

fn stays_dense(report: &LayerReport) -> Option<String> {
    let choice = report.choice.as_ref()?;
    let mut candidates = choice.candidates.iter();
    let sparse = candidates.find(|one| one.representation == Representation::Sparse)?;
    if choice.chosen == Representation::Sparse || report.sparsity() == 0.0 {
        return None;
    }
    Some(format!(
        "{} stays dense: with {:.0} % zeros a call takes {} dense and {} sparse",
        report.layer,
        100.0 * report.sparsity(),
        choice.measured().latency,
        sparse.latency,
    ))
}

fn slower(report: &LayerReport) -> Option<String> {
    let after = report.latency_after?;
    if after.median <= report.latency_before.median.mul_f64(NOISE) {
        return None;
    }
    let arithmetic = match report.arithmetic {
        Arithmetic::Int8 { .. } => " in eight bits",
        Arithmetic::Bf16 => " in bf16",
        _ => "",
    };
    Some(format!(
        "{} is slower{arithmetic}: {} before, {after} after",
        report.layer, report.latency_before
    ))
}

/// What two times of the same work differ by.
const NOISE: f64 = 1.05;
