use std::fmt;

use maas_core::grouped;

use super::report::{Change, LayerSize, Obstacle, Reason, ShrinkReport};

impl fmt::Display for ShrinkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.layers.iter().map(|layer| layer.name.chars().count());
        let width = names.max().unwrap_or(0).max("layer".len());
        let columns = ["units before", "after", "parameters before", "after"];
        let [units, left, parameters, rest] = columns;
        writeln!(
            f,
            "{:<width$} {units:>14} {left:>8} {parameters:>18} {rest:>10}",
            "layer"
        )?;
        for layer in &self.layers {
            writeln!(f, "{:<width$} {layer}", layer.name)?;
        }
        let (before, after) = (self.parameters_before(), self.parameters_after());
        let (before, after) = (grouped(before as u64), grouped(after as u64));
        writeln!(f, "{:<width$} {:>23} {before:>18} {after:>10}", "all", "")?;
        for change in &self.changes {
            writeln!(f, "{change}")?;
        }
        for obstacle in &self.obstacles {
            writeln!(f, "{obstacle}")?;
        }
        Ok(())
    }
}

impl fmt::Display for LayerSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self
            .units_after
            .map_or("left".to_owned(), |units| units.to_string());
        write!(f, "{:>14} {after:>8}", self.units_before)?;
        match (self.parameters_before, self.parameters_after) {
            (0, 0) => Ok(()),
            (before, after) => {
                write!(
                    f,
                    " {:>18} {:>10}",
                    grouped(before as u64),
                    grouped(after as u64)
                )
            }
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dead { layer, units } => {
                write!(
                    f,
                    "`{layer}`: {} without influence left",
                    counted(*units, "unit")
                )
            }
            Self::Constant { layer, units, into } => {
                let units = counted(*units, "unit");
                write!(
                    f,
                    "`{layer}`: {units} of constant value left, now in the bias of {}",
                    quoted(into)
                )
            }
            Self::Emptied { layer, units } => {
                let units = counted(*units, "unit");
                write!(
                    f,
                    "`{layer}`: {units} without influence lost all weights, but a layer has one unit at least"
                )
            }
            Self::Folded { layer, into } => write!(f, "`{layer}` was folded into {}", quoted(into)),
            Self::Bias { layer } => write!(f, "`{layer}` has a bias now"),
            Self::Identity { layer } => write!(f, "`{layer}` gave what it took, and left"),
            Self::Neutral { layer, inputs } => {
                write!(
                    f,
                    "`{layer}`: {} without effect left",
                    counted(*inputs, "input")
                )
            }
            Self::Unread { layer } => write!(f, "`{layer}` was read by no layer, and left"),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            layer,
            units,
            reason,
        } = self;
        let units = counted(*units, "unit");
        match reason {
            Reason::Input(input) if input == layer => {
                write!(
                    f,
                    "`{layer}`: {units} without influence stay, as an input of the network"
                )
            }
            Reason::Input(input) => {
                write!(f, "`{layer}`: {units} stay, tied to the input `{input}`")
            }
            Reason::Output => write!(f, "`{layer}`: {units} stay, as the output of the network"),
            Reason::Layer(needs) => write!(
                f,
                "`{layer}`: {units} stay, since `{needs}` needs all of them"
            ),
            Reason::Last => write!(
                f,
                "`{layer}`: {units} without influence stay, since a layer has one at least"
            ),
            Reason::Neighbours => write!(
                f,
                "`{layer}` stays, between layers that cannot take it over"
            ),
            Reason::Larger => write!(f, "`{layer}` stays, since other layers would grow by more"),
            Reason::Overflow => write!(f, "`{layer}` stays, since numbers would be too large"),
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count as u64))
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
