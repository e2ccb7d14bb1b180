use maas_nn::Segment;
use serde::{Deserialize, Serialize};

/// Among which weights those of the least score are looked for: the sparsity is exact in each scope.
///
/// ```
/// use maas_compress::{Magnitude, Prune, Pruner, Scope};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(4).dense(3).relu().dense(1).build(Seed(7))?;
/// Pruner::new(Magnitude, 0.5).scope(Scope::Output).prune(&mut network)?;
/// for output in network.segment("dense.kernel")?.columns() {
///     assert_eq!(output.iter().filter(|&&weight| weight == 0.0).count(), 2);
/// }
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// All weights of the network together.
    #[default]
    Network,
    /// Each kernel by itself.
    Layer,
    /// Each output of each kernel, which is one of its columns; of a vector, such as a bias, all of it.
    Output,
}

/// What is pruned as one.
///
/// ```
/// use maas_compress::{Grain, Magnitude, Prune, Pruner};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(4).dense(8).relu().dense(1).build(Seed(7))?;
/// Pruner::new(Magnitude, 0.25).grain(Grain::Neuron).prune(&mut network)?;
/// let kernel = network.segment("dense.kernel")?;
/// let silent = kernel.columns().into_iter().filter(|neuron| neuron.iter().all(|&weight| weight == 0.0));
/// assert_eq!(silent.count(), 2);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Grain {
    /// A weight.
    #[default]
    Element,
    /// A rectangle of weights, smaller at the edges of a kernel. The sparsity is one of rectangles; with [`Scope::Output`]
    /// those are compared that lie in the same columns.
    Block {
        /// Inputs.
        rows: usize,
        /// Outputs.
        columns: usize,
    },
    /// A weight, and the same number of them in every run of `of` inputs of an output: N:M sparsity, such as 2:4 with a
    /// sparsity of ½ and runs of 4. A shorter run at the end keeps no more than the others. Runs are looked at one by
    /// one, whatever the scope.
    Group {
        /// Weights of a run.
        of: usize,
    },
    /// An output of a dense layer whose outputs go to other dense layers: its column of weights and its bias. Its score is
    /// the mean over its weights and those that take it up. The sparsity is one of neurons. The last layer, whose outputs
    /// are the network's, is not looked at.
    Neuron,
}

/// A segment as a matrix: the last axis are outputs; a vector is one output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Grid {
    pub(super) fn of(segment: &Segment) -> Self {
        let columns = match &segment.shape[..] {
            [.., _, columns] => *columns,
            _ => 1,
        };
        Self {
            rows: segment.range.len().checked_div(columns).unwrap_or(0),
            columns,
        }
    }

    /// How many units of this grain there are.
    pub(super) fn units(self, grain: Grain) -> usize {
        match grain {
            Grain::Element | Grain::Group { .. } => self.rows * self.columns,
            Grain::Block { rows, columns } => {
                self.rows.div_ceil(rows) * self.columns.div_ceil(columns)
            }
            Grain::Neuron => self.columns,
        }
    }

    /// The unit that an element belongs to.
    pub(super) fn unit(self, grain: Grain, element: usize) -> usize {
        let (row, column) = (element / self.columns, element % self.columns);
        match grain {
            Grain::Element | Grain::Group { .. } => element,
            Grain::Block { rows, columns } => {
                row / rows * self.columns.div_ceil(columns) + column / columns
            }
            Grain::Neuron => column,
        }
    }

    /// Which units of the segment are compared with each other, in the scope of an output.
    pub(super) fn output(self, grain: Grain, unit: usize) -> usize {
        match grain {
            Grain::Element | Grain::Neuron => unit % self.columns,
            Grain::Block { columns, .. } => unit % self.columns.div_ceil(columns),
            Grain::Group { of } => {
                let (row, column) = (unit / self.columns, unit % self.columns);
                column * self.rows.div_ceil(of) + row / of
            }
        }
    }
}
