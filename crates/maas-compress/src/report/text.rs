//! Reports for people: as text for a terminal, and as Markdown.

use std::fmt::{self, Write};

use maas_core::grouped;
use maas_nn::Arithmetic;

use super::{LayerReport, OutputChange, Report};
use crate::Latency;
use crate::table::{Rows, aligned, markdown};

impl Report {
    /// The report as Markdown: two tables, what left the network, and the remarks.
    ///
    /// See [`Report`] for an example.
    pub fn to_markdown(&self) -> String {
        let mut text = markdown(&self.totals());
        text.push('\n');
        text.push_str(&markdown(&self.layer_rows()));
        for line in self.lines() {
            let _ = write!(text, "\n- {line}");
        }
        text
    }

    /// What left the network, and the remarks.
    fn lines(&self) -> Vec<String> {
        let left = self.shrunk.iter().flat_map(|shrunk| &shrunk.changes);
        let mut lines: Vec<String> = left.map(ToString::to_string).collect();
        lines.extend(self.remarks());
        lines
    }

    fn totals(&self) -> Rows {
        let nonzeros_before = self.weights_before - self.zeros_before;
        let row = |name: &str, before: String, after: String, remark: String| {
            vec![name.to_owned(), before, after, remark]
        };
        let calls = match self.target_rows {
            1 => "a call of one row".to_owned(),
            rows => format!("a call of {rows} rows"),
        };
        vec![
            row("", "before".into(), "after".into(), String::new()),
            row(
                "weights that are not zero",
                grouped(nonzeros_before as u64),
                grouped(self.nonzeros() as u64),
                times(nonzeros_before as f64, self.nonzeros() as f64, "fewer"),
            ),
            row(
                "bytes of the file",
                grouped(self.bytes_before as u64),
                grouped(self.bytes_after as u64),
                times(self.bytes_before as f64, self.bytes_after as f64, "smaller"),
            ),
            row(
                &calls,
                self.latency_before.to_string(),
                self.latency_after.to_string(),
                times(
                    seconds(self.latency_before),
                    seconds(self.latency_after),
                    "faster",
                ),
            ),
            row(
                &self.metric,
                format!("{:.5}", self.metric_before),
                format!("{:.5}", self.metric_after),
                self.interval_after.map_or_else(String::new, |interval| {
                    format!("{:.5} to {:.5} with 95 %", interval.low, interval.high)
                }),
            ),
        ]
    }

    fn layer_rows(&self) -> Rows {
        let header = [
            "layer",
            "shape",
            "criterion",
            "zeros",
            "bits",
            "bytes",
            "kernel",
            "before",
            "after",
            "signal to noise",
        ];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        rows.extend(self.layers.iter().map(layer_row));
        rows
    }
}

/// For a terminal.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        aligned(f, &self.totals())?;
        writeln!(f)?;
        aligned(f, &self.layer_rows())?;
        let lines = self.lines();
        if !lines.is_empty() {
            writeln!(f)?;
        }
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn layer_row(layer: &LayerReport) -> Vec<String> {
    let shape = |[inputs, units]: [usize; 2]| format!("{inputs} × {units}");
    let shapes = match layer.shape_after {
        None => format!("{}, gone", shape(layer.shape_before)),
        Some(after) if after == layer.shape_before => shape(after),
        Some(after) => format!("{} to {}", shape(layer.shape_before), shape(after)),
    };
    let arithmetic = match layer.arithmetic {
        Arithmetic::Int8 { .. } => "int8",
        Arithmetic::Bf16 => "bf16",
        _ => "f32",
    };
    let kernel = match &layer.choice {
        Some(choice) => format!("{} {arithmetic}", choice.chosen),
        None => String::new(),
    };
    vec![
        layer.layer.clone(),
        shapes,
        layer.criterion.clone().unwrap_or_default(),
        format!("{:.1} %", 100.0 * layer.sparsity()),
        layer.bits.to_string(),
        format!(
            "{} to {}",
            grouped(layer.bytes_before as u64),
            grouped(layer.bytes_after as u64)
        ),
        kernel,
        layer.latency_before.to_string(),
        layer
            .latency_after
            .map_or_else(String::new, |latency| latency.to_string()),
        match layer.output {
            OutputChange::Unchanged => "unchanged".to_owned(),
            OutputChange::SignalToNoise(decibels) => format!("{decibels:.1} dB"),
            OutputChange::Reshaped => String::new(),
        },
    ]
}

fn times(before: f64, after: f64, word: &str) -> String {
    match after {
        0.0 => "none left".to_owned(),
        _ => format!("{:.1} times {word}", before / after),
    }
}

fn seconds(latency: Latency) -> f64 {
    latency.median.as_secs_f64()
}
