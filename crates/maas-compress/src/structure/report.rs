use maas_nn::{Network, SummaryRow};
use serde::{Deserialize, Serialize};

use super::tensor::last;

/// What shrinking a network has changed: the layers before and after, what has left and why, what had to stay and why.
///
/// ```text
/// layer     units before    after  parameters before      after
/// dense                4        2                 16          8
/// relu                 4        2
/// dense_1              1        1                  5          3
/// all                                             21         11
/// `dense`: 1 unit without influence left
/// `dense`: 1 unit of constant value left, now in the bias of `dense_1`
/// ```
///
/// ```
/// use maas_compress::shrink;
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(4).dense(8).relu().dense(1).build(Seed(7))?;
/// network.segment_mut("dense_1.kernel")?.iter_mut().skip(3).for_each(|weight| *weight = 0.0);
/// let (_, report) = shrink(&network)?;
/// assert_eq!((report.layers[0].units_before, report.layers[0].units_after), (8, Some(3)));
/// assert_eq!((report.parameters_before(), report.parameters_after()), (49, 19));
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShrinkReport {
    /// The layers of the network before.
    pub layers: Vec<LayerSize>,
    /// What has been done, in this order.
    pub changes: Vec<Change>,
    /// What would have been done, and what was in the way.
    pub obstacles: Vec<Obstacle>,
    /// Floating-point operations of a prediction, for one row, before.
    pub flops_before: u64,
    /// Floating-point operations of a prediction, for one row, of the network that is left.
    pub flops_after: u64,
}

/// A layer before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerSize {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Units, or other numbers on the last axis of its output, before.
    pub units_before: usize,
    /// Units that are left; none where the layer has left.
    pub units_after: Option<usize>,
    /// Parameters and state before.
    pub parameters_before: usize,
    /// Parameters and state that are left.
    pub parameters_after: usize,
}

/// Something that was done to a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Units left because no layer has a weight for them.
    Dead {
        /// Their layer.
        layer: String,
        /// How many.
        units: usize,
    },
    /// Units left that were the same for all inputs; biases have what they contributed.
    Constant {
        /// Their layer.
        layer: String,
        /// How many.
        units: usize,
        /// The layers with those biases.
        into: Vec<String>,
    },
    /// A unit of a layer that must have one has lost its weights, since no layer has a weight for it.
    Emptied {
        /// Its layer.
        layer: String,
        /// How many.
        units: usize,
    },
    /// A layer left that scales and shifts feature by feature: dense layers do it now.
    Folded {
        /// The layer that left.
        layer: String,
        /// The dense layers.
        into: Vec<String>,
    },
    /// A dense layer got a bias.
    Bias {
        /// The layer.
        layer: String,
    },
    /// A layer left that gives what it takes.
    Identity {
        /// The layer.
        layer: String,
    },
    /// A sum no longer takes zeros, or a product no longer takes ones.
    Neutral {
        /// The layer.
        layer: String,
        /// How many such inputs it had.
        inputs: usize,
    },
    /// A layer left on which the output does not depend.
    Unread {
        /// The layer.
        layer: String,
    },
}

/// Something that could not be done to a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Obstacle {
    /// The layer or the input that stays as it is.
    pub layer: String,
    /// How many of its units could have left.
    pub units: usize,
    /// What was in the way.
    pub reason: Reason,
}

/// Why something stays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It is an input of this name, or added to one: what a network takes does not change.
    Input(String),
    /// It is what the network gives.
    Output,
    /// The layer of this name needs all features of what it takes and gives.
    Layer(String),
    /// A layer has one unit at least.
    Last,
    /// Neither what comes before nor all that comes behind is a dense layer of its own in single precision.
    Neighbours,
    /// The dense layers would need more parameters than the layer has.
    Larger,
    /// Numbers would be too large.
    Overflow,
}

impl ShrinkReport {
    pub(super) fn new(
        before: &Network,
        after: &Network,
        changes: Vec<Change>,
        obstacles: Vec<Obstacle>,
    ) -> Self {
        let (before, after) = (before.summary(), after.summary());
        let units = |row: &SummaryRow| last(&row.output);
        let layers = before.rows.iter().map(|row| {
            let left = after.rows.iter().find(|left| left.name == row.name);
            LayerSize {
                name: row.name.clone(),
                kind: row.kind.clone(),
                units_before: units(row),
                units_after: left.map(units),
                parameters_before: row.parameters,
                parameters_after: left.map_or(0, |left| left.parameters),
            }
        });
        Self {
            layers: layers.collect(),
            changes,
            obstacles,
            flops_before: before.flops,
            flops_after: after.flops,
        }
    }

    /// Parameters and state before.
    ///
    /// See the type for an example.
    pub fn parameters_before(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.parameters_before)
            .sum()
    }

    /// Parameters and state that are left.
    ///
    /// See the type for an example.
    pub fn parameters_after(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters_after).sum()
    }
}

/// What has been done so far; the same of one layer is told once.
pub(super) fn tell(changes: &mut Vec<Change>, change: Change) {
    for told in &mut *changes {
        match (told, &change) {
            (
                Change::Dead { layer, units },
                Change::Dead {
                    layer: same,
                    units: more,
                },
            )
            | (
                Change::Emptied { layer, units },
                Change::Emptied {
                    layer: same,
                    units: more,
                },
            )
            | (
                Change::Neutral {
                    layer,
                    inputs: units,
                },
                Change::Neutral {
                    layer: same,
                    inputs: more,
                },
            ) if layer == same => {
                *units += more;
                return;
            }
            (
                Change::Constant { layer, units, into },
                Change::Constant {
                    layer: same,
                    units: more,
                    into: also,
                },
            ) if layer == same => {
                *units += more;
                into.extend(
                    also.iter()
                        .filter(|name| !into.contains(name))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
                return;
            }
            _ => {}
        }
    }
    changes.push(change);
}
