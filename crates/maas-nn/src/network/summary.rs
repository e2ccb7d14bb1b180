use std::fmt;

use maas_core::grouped;

use super::Network;
use crate::{LayerSpec, Source};

/// What a network consists of and costs, as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// One row a layer.
    pub rows: Vec<SummaryRow>,
    /// Parameters that training changes.
    pub trainable: usize,
    /// Parameters that training leaves alone, and state.
    pub non_trainable: usize,
    /// Floating-point operations of a prediction, for one row.
    pub flops: u64,
    /// Bytes of values that a prediction reads and writes for one row, weights aside.
    pub bytes: u64,
}

/// A layer's line in a [`Summary`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SummaryRow {
    /// The layer's name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Whether training leaves it alone.
    pub frozen: bool,
    /// The shape of a row of its output.
    pub output: Vec<usize>,
    /// Its parameters and state.
    pub parameters: usize,
    /// Floating-point operations for one row: a multiplication and an addition count as two, an activation as one.
    pub flops: u64,
    /// Bytes of values read and written for one row.
    pub bytes: u64,
}

impl Network {
    /// What the network consists of and costs. Print it.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(10).dense(64).relu().dense(1).build(Seed(7))?;
    /// let summary = network.summary();
    /// assert_eq!(summary.trainable, 10 * 64 + 64 + 64 + 1);
    /// println!("{summary}");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn summary(&self) -> Summary {
        let architecture = &self.architecture;
        let layout = &architecture.layout;
        let elements = |ranges: &[std::ops::Range<usize>]| {
            ranges.iter().map(std::ops::Range::len).sum::<usize>()
        };
        let nodes = architecture
            .spec
            .nodes
            .iter()
            .zip(&architecture.plans)
            .enumerate();
        let rows: Vec<SummaryRow> = nodes
            .map(|(index, (node, plan))| {
                let bytes = |source: Source| {
                    (architecture.row_type(source).width() * size_of::<f32>()) as u64
                };
                let ends = node.inputs.iter().copied().chain([Source::Node(index)]);
                let moved = match node.layer {
                    LayerSpec::Flatten | LayerSpec::Reshape { .. } => 0,
                    _ => ends.map(bytes).fold(0, u64::saturating_add),
                };
                SummaryRow {
                    name: node.name.clone(),
                    kind: node.layer.kind().to_owned(),
                    frozen: node.frozen,
                    output: plan.output.clone(),
                    parameters: elements(&layout.parameters_of[index])
                        + elements(&layout.state_of[index]),
                    flops: plan.flops,
                    bytes: moved,
                }
            })
            .collect();
        let trainable = layout.segments.iter().filter(|segment| segment.trainable);
        let trainable = trainable.map(|segment| segment.range.len()).sum();
        let all: usize = rows.iter().map(|row| row.parameters).sum();
        let total =
            |cost: fn(&SummaryRow) -> u64| rows.iter().map(cost).fold(0, u64::saturating_add);
        let (flops, bytes) = (total(|row| row.flops), total(|row| row.bytes));
        Summary {
            rows,
            trainable,
            non_trainable: all - trainable,
            flops,
            bytes,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADINGS: [&str; 5] = [
            "Layer (type)",
            "Output shape",
            "Param #",
            "FLOPs / row",
            "Bytes / row",
        ];
        let cells: Vec<[String; 5]> = self.rows.iter().map(SummaryRow::cells).collect();
        let mut widths = HEADINGS.map(str::len);
        for row in &cells {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let rule =
            |f: &mut fmt::Formatter<'_>, left: char, middle: char, right: char, line: char| {
                for (index, &width) in widths.iter().enumerate() {
                    write!(f, "{}", if index == 0 { left } else { middle })?;
                    (0..width + 2).try_for_each(|_| write!(f, "{line}"))?;
                }
                writeln!(f, "{right}")
            };
        let line = |f: &mut fmt::Formatter<'_>, cells: &[&str; 5], bar: char| {
            for (index, (cell, &width)) in cells.iter().zip(&widths).enumerate() {
                if index < 2 {
                    write!(f, "{bar} {cell:<width$} ")?;
                } else {
                    write!(f, "{bar} {cell:>width$} ")?;
                }
            }
            writeln!(f, "{bar}")
        };
        rule(f, '┏', '┳', '┓', '━')?;
        line(f, &HEADINGS, '┃')?;
        rule(f, '┡', '╇', '┩', '━')?;
        for (index, row) in cells.iter().enumerate() {
            if index > 0 {
                rule(f, '├', '┼', '┤', '─')?;
            }
            line(f, &row.each_ref().map(String::as_str), '│')?;
        }
        rule(f, '└', '┴', '┘', '─')?;
        let total = self.trainable + self.non_trainable;
        writeln!(
            f,
            " Total params: {} ({})",
            grouped(total as u64),
            size(total)
        )?;
        writeln!(
            f,
            " Trainable params: {} ({})",
            grouped(self.trainable as u64),
            size(self.trainable)
        )?;
        writeln!(
            f,
            " Non-trainable params: {} ({})",
            grouped(self.non_trainable as u64),
            size(self.non_trainable)
        )?;
        write!(
            f,
            " Per row: {} FLOPs, {} bytes",
            grouped(self.flops),
            grouped(self.bytes)
        )
    }
}

impl SummaryRow {
    fn cells(&self) -> [String; 5] {
        let frozen = if self.frozen { ", frozen" } else { "" };
        let output: Vec<String> = std::iter::once("None".to_owned())
            .chain(self.output.iter().map(ToString::to_string))
            .collect();
        [
            format!("{} ({}{frozen})", self.name, self.kind),
            format!("({})", output.join(", ")),
            grouped(self.parameters as u64),
            grouped(self.flops),
            grouped(self.bytes),
        ]
    }
}

fn size(parameters: usize) -> String {
    let bytes = (parameters * size_of::<f32>()) as f64;
    match bytes {
        _ if bytes < 1024.0 => format!("{bytes:.2} B"),
        _ if bytes < 1024.0 * 1024.0 => format!("{:.2} KB", bytes / 1024.0),
        _ => format!("{:.2} MB", bytes / (1024.0 * 1024.0)),
    }
}
