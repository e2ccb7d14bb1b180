//! One step of a pass.

use maas_kernels::{Compute, Parallelism};

use super::cut::Grain;
use super::options::Purpose;
use super::part::{Part, Whole};
use super::program::{Flow, Program, Step};
use crate::network::architecture::Architecture;
use crate::pass::{Backward, Forward, Gradients, Mode, ParameterPass, Parts, Slices, SlicesMut};
use crate::{Error, Network, Packed, ProductPrecision};

/// What all steps of a pass have in common.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) architecture: &'a Architecture,
    pub(super) program: &'a Program,
    pub(super) network: &'a Network,
    pub(super) purpose: Purpose,
    pub(super) compute: Compute,
    pub(super) precision: ProductPrecision,
    pub(super) grain: Grain,
    pub(super) mode: Mode,
    /// By node.
    pub(super) packed: &'a [Option<Packed>],
}

impl<'a> Context<'a> {
    /// What a thread computes with that shares its work with no other.
    pub(super) fn alone(self) -> Compute {
        Compute {
            parallelism: Parallelism::single(),
            ..self.compute
        }
    }

    /// `whole` is there for steps that do not work by rows.
    pub(super) fn forward(
        self,
        index: usize,
        part: &mut Part<'_>,
        whole: Option<&mut Whole<'_>>,
        compute: Compute,
    ) -> Result<(), Error> {
        let step = &self.program.steps[index];
        let rows = part.values.rows();
        let moves = matches!(self.mode, Mode::Train { .. });
        let (fixed, scratch, next_state) = match whole {
            None => {
                let scratch = part.scratch.get_mut(0, step.plan.scratch.per_row);
                (&mut [][..], scratch, &mut [][..])
            }
            Some(whole) => (
                &mut whole.fixed[index][..],
                &mut whole.scratch[..step.scratch(rows.len())],
                &mut *whole.next_state,
            ),
        };
        let (output, others) = part.values.lend(step.output.slot, step.output.width);
        let state_of = &self.architecture.layout.state_of[step.node][..];
        let result = step.layer.forward(&mut Forward {
            rows: rows.len(),
            mode: self.mode.at_row(rows.start),
            layer: step.node as u32,
            training: self.architecture.training(step.node),
            inputs: step.inputs_in(&others, &part.ids),
            output,
            parameters: self.parameters_of(step),
            state: self.state_of(step),
            next_state: SlicesMut {
                ranges: if moves && !next_state.is_empty() {
                    state_of
                } else {
                    &[]
                },
                data: next_state,
            },
            saved: part.saved.of(index, step.plan.saved, self.purpose, fixed),
            scratch,
            compute,
            precision: self.precision,
            packed: self.packed.get(step.node).and_then(Option::as_ref),
        });
        result.map_err(|error| self.named(step, error.at_row(rows.start)))
    }

    /// `whole` is there for steps that do not work by rows.
    pub(super) fn backward(
        self,
        index: usize,
        part: &mut Part<'_>,
        whole: Option<&mut Whole<'_>>,
        compute: Compute,
    ) -> Result<(), Error> {
        let step = &self.program.steps[index];
        let Some(slot) = step.output_gradient else {
            return Ok(());
        };
        let rows = part.values.rows();
        let layout = &self.architecture.layout;
        let (fixed, scratch, parameter_gradients) = match whole {
            None => {
                let scratch = part.scratch.get_mut(0, step.plan.scratch.per_row);
                let none = SlicesMut {
                    data: &mut [],
                    ranges: &[],
                };
                (&mut [][..], scratch, none)
            }
            Some(whole) => (
                &mut whole.fixed[index][..],
                &mut whole.scratch[..step.scratch(rows.len())],
                SlicesMut {
                    data: &mut *whole.gradient,
                    ranges: &layout.parameters_of[step.node],
                },
            ),
        };
        let (output_gradient, gradients) = part.gradients.lend(slot, step.output.width);
        let result = step.layer.backward(&mut Backward {
            rows: rows.len(),
            mode: self.mode.at_row(rows.start),
            layer: step.node as u32,
            training: self.architecture.training(step.node),
            inputs: step.inputs_in(&part.values, &part.ids),
            output: part.values.get(step.output.slot, step.output.width),
            output_gradient,
            derived: step.derived,
            derives: step.derives,
            input_gradients: Gradients {
                flows: &step.input_gradients,
                inputs: &step.inputs,
                gradients,
                spares: part.spares.reborrow(),
            },
            parameters: self.parameters_of(step),
            parameter_gradients,
            state: self.state_of(step),
            saved: part.saved.of(index, step.plan.saved, self.purpose, fixed),
            scratch,
            compute,
            precision: self.precision,
        });
        result.map_err(|error| self.named(step, error.at_row(rows.start)))?;
        for (position, (&flow, input)) in step.input_gradients.iter().zip(&step.inputs).enumerate()
        {
            if let Flow::Add(slot) = flow {
                let sum = part.gradients.get_mut(slot, input.width);
                compute
                    .kernels
                    .add(part.spares.get(position, input.width), sum);
            }
        }
        Ok(())
    }

    /// Backwards over all rows; those by the parameters of a step that works by rows only where they are asked for.
    pub(super) fn step_back(
        self,
        index: usize,
        part: &mut Part<'_>,
        whole: &mut Whole<'_>,
        parameters: bool,
    ) -> Result<(), Error> {
        let step = &self.program.steps[index];
        if !step.plan.by_rows {
            self.backward(index, part, Some(whole), self.compute)?;
        } else {
            self.backward(index, part, None, self.compute)?;
            if !parameters {
                return Ok(());
            }
            if self.architecture.layout.learns(step.node) {
                self.parameters(index, part, (0, whole.gradient), self.compute)?;
            }
        }
        self.clear_frozen(index, (0, whole.gradient));
        Ok(())
    }

    /// The gradients by the parameters of a step that works by rows, or what of them lies in a part of the network's
    /// gradient that begins at `start`.
    pub(super) fn parameters(
        self,
        index: usize,
        part: &Part<'_>,
        (start, gradient): (usize, &mut [f32]),
        compute: Compute,
    ) -> Result<(), Error> {
        let step = &self.program.steps[index];
        let Some(slot) = step.output_gradient else {
            return Ok(());
        };
        let rows = part.values.rows();
        let result = step.layer.parameter_gradients(&mut ParameterPass {
            rows: rows.len(),
            mode: self.mode,
            layer: step.node as u32,
            inputs: step.inputs_in(&part.values, &part.ids),
            output: part.values.get(step.output.slot, step.output.width),
            output_gradient: part.gradients.get(slot, step.output.width),
            parameters: self.parameters_of(step),
            gradients: Parts {
                data: gradient,
                start,
                ranges: &self.architecture.layout.parameters_of[step.node],
            },
            state: self.state_of(step),
            saved: part.saved.kept(index, step.plan.saved),
            compute,
            precision: self.precision,
        });
        result.map_err(|error| self.named(step, error))
    }

    fn parameters_of(self, step: &Step) -> Slices<'a> {
        Slices {
            data: &self.network.parameters,
            ranges: &self.architecture.layout.parameters_of[step.node],
        }
    }

    fn state_of(self, step: &Step) -> Slices<'a> {
        Slices {
            data: &self.network.state,
            ranges: &self.architecture.layout.state_of[step.node],
        }
    }

    fn named(self, step: &Step, error: Error) -> Error {
        error.in_layer(&self.architecture.spec.nodes[step.node].name)
    }
}
