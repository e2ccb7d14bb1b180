//! What an architecture is lowered to.

use std::ops::Range;
use std::sync::Arc;

use maas_kernels::{Activation, Tables};

use crate::Layer;
use crate::layer::{LayerPlan, RowType};
use crate::pass::{Inputs, ValueRef};

/// Steps in the order in which they run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// How many of the steps come before the head.
    pub(crate) head_steps: usize,
    pub(crate) inputs: Vec<ValueRef>,
    pub(crate) head: ValueRef,
    pub(crate) output: ValueRef,
    /// Numbers a row that each slot of values holds.
    pub(crate) value_widths: Vec<usize>,
    /// Numbers a row that each slot of gradients holds.
    pub(crate) gradient_widths: Vec<usize>,
    pub(crate) head_gradient: Option<usize>,
    pub(crate) input_gradients: Vec<Option<usize>>,
    /// Steps by rows whose parameters learn, in the order of the parameters.
    pub(super) learned: Vec<Learned>,
}

/// Where the gradients by a step's parameters lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Learned {
    pub(super) step: usize,
    pub(super) range: Range<usize>,
    /// Parts of the range, and the length of what must not be cut in each.
    pub(super) cuts: Vec<(Range<usize>, usize)>,
}

impl Learned {
    pub(super) fn overlaps(&self, range: &Range<usize>) -> bool {
        self.range.start < range.end && range.start < self.range.end
    }
}

/// One call of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) layer: Arc<dyn Layer>,
    /// The node whose parameters, state and number it has.
    pub(crate) node: usize,
    pub(crate) plan: LayerPlan,
    /// Numbers of all its parameters.
    pub(super) parameters: usize,
    pub(crate) types: Vec<RowType>,
    pub(crate) inputs: Vec<ValueRef>,
    pub(crate) output: ValueRef,
    /// The slot with the gradient by the output, where the step takes part in backward passes.
    pub(crate) output_gradient: Option<usize>,
    pub(crate) input_gradients: Vec<Flow>,
    /// What a dense layer applies to its sums.
    pub(super) activation: Activation,
    /// The activation of the dense layer before, with whose derivative the step multiplies the gradient by its input.
    pub(super) derives: Option<Activation>,
    /// Whether the step behind has done so: the gradient is by the sums, before the activation.
    pub(super) derived: bool,
    /// Values by number, before slots are given out.
    pub(super) sources: Vec<usize>,
}

impl Step {
    /// Multiply-adds for one row.
    pub(super) fn work(&self) -> usize {
        usize::try_from(self.plan.flops / 2).unwrap_or(usize::MAX)
    }

    /// The values it takes, of some rows.
    pub(super) fn inputs_in<'a>(
        &'a self,
        floats: &'a Tables<'a, f32>,
        ids: &'a Tables<'a, i32>,
    ) -> Inputs<'a> {
        Inputs {
            floats,
            ids,
            sources: &self.inputs,
            types: &self.types,
        }
    }

    /// Workspace for so many rows.
    pub(super) fn scratch(&self, rows: usize) -> usize {
        rows * self.plan.scratch.per_row + self.plan.scratch.fixed
    }
}

/// What becomes of the gradient by an input of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Nobody asks for it.
    Skip,
    /// It is the first: it overwrites the slot.
    Write(usize),
    /// A later step has written the slot: it is added.
    Add(usize),
}

impl Flow {
    /// Where the gradient lies after the step.
    pub(super) fn slot(self) -> Option<usize> {
        match self {
            Self::Skip => None,
            Self::Write(slot) | Self::Add(slot) => Some(slot),
        }
    }
}
