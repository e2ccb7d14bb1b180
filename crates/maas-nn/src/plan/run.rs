//! Passes over a plan's steps.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use maas_kernels::Buffer;

use super::lower::Flow;
use super::memory::Memory;
use super::{Plan, Purpose};
use crate::pass::{Backward, Forward, Gradients, Inputs, Mode, Slices, SlicesMut, Value};
use crate::{Error, Network};

impl Plan {
    /// Runs the first `rows` rows of the inputs through the whole network.
    ///
    /// # Errors
    /// [`Error::Rows`] for more rows than the plan holds, [`Error::ForeignNetwork`] for a network of another
    /// architecture, [`Error::Purpose`] for training on a plan for answers, and whatever a layer reports.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.set_input(0, 2, Values::F32(&[0.0; 4]))?;
    /// plan.forward(2, &network, Mode::Infer)?;
    /// assert_eq!(plan.output().len(), 2);
    /// assert!(plan.forward(5, &network, Mode::Infer).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn forward(&mut self, rows: usize, network: &Network, mode: Mode) -> Result<(), Error> {
        self.forward_head(rows, network, mode)?;
        self.forward_tail(network)
    }

    /// Runs the first `rows` rows of the inputs up to the head: what training needs.
    ///
    /// # Errors
    /// As for [`forward`](Plan::forward).
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.forward_head(2, &network, Mode::train(Seed(7), 0))?;
    /// assert_eq!(plan.head_output().len(), 2);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn forward_head(
        &mut self,
        rows: usize,
        network: &Network,
        mode: Mode,
    ) -> Result<(), Error> {
        self.check_rows(rows)?;
        self.check_network(network)?;
        let trains = matches!(mode, Mode::Train { .. });
        if trains && self.options.purpose == Purpose::Infer {
            return Err(Error::Purpose);
        }
        (self.ran, self.finished) = (None, 0);
        if trains && !self.memory.next_state.is_empty() {
            self.memory.next_state.copy_from_slice(&network.state);
        }
        self.run(0..self.program.head_steps, rows, network, mode)?;
        self.ran = Some((rows, mode));
        Ok(())
    }

    /// Runs the rest of the network after [`forward_head`](Plan::forward_head): the last layer that training leaves
    /// out.
    ///
    /// # Errors
    /// [`Error::NoForward`] when nothing came before; otherwise as for [`forward`](Plan::forward).
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.forward_head(2, &network, Mode::train(Seed(7), 0))?;
    /// plan.forward_tail(&network)?;
    /// assert_eq!(plan.output().len(), 2);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn forward_tail(&mut self, network: &Network) -> Result<(), Error> {
        self.check_network(network)?;
        let (rows, mode) = self.ran.ok_or(Error::NoForward { rows: 0 })?;
        self.run(
            self.program.head_steps..self.program.steps.len(),
            rows,
            network,
            mode,
        )?;
        self.finished = rows;
        Ok(())
    }

    /// From the gradient by the head's output, which stands in [`head_gradient_mut`](Plan::head_gradient_mut), to
    /// the gradient by the parameters. The head's gradient is used up.
    ///
    /// # Errors
    /// [`Error::Purpose`] on a plan for answers, [`Error::NoForward`] when the last forward pass was over another
    /// number of rows, and whatever a layer reports.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.set_input(0, 1, Values::F32(&[2.0, 3.0]))?;
    /// plan.forward_head(1, &network, Mode::train(Seed(7), 0))?;
    /// plan.head_gradient_mut()[0] = 1.0;
    /// plan.backward(1, &network)?;
    /// assert_eq!(plan.gradient()[..2], [2.0, 3.0]); // the gradient of x·W by W is x
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn backward(&mut self, rows: usize, network: &Network) -> Result<(), Error> {
        let mode = self.check_backward(rows, network)?;
        for index in (0..self.program.head_steps).rev() {
            self.step_back(index, rows, network, mode)?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        steps: Range<usize>,
        rows: usize,
        network: &Network,
        mode: Mode,
    ) -> Result<(), Error> {
        let Self {
            architecture,
            program,
            memory,
            options,
            ..
        } = self;
        let Memory {
            values,
            saved,
            next_state,
            scratch,
            ..
        } = memory;
        for index in steps {
            let step = &program.steps[index];
            let layout = &architecture.layout;
            let moves_state = matches!(mode, Mode::Train { .. }) && !next_state.is_empty();
            let mut output = take(&mut values[step.output.slot]);
            let result = step.layer.forward(&mut Forward {
                rows,
                mode,
                layer: step.node as u32,
                training: architecture.training(step.node),
                inputs: Inputs {
                    values,
                    sources: &step.inputs,
                    types: &step.types,
                    rows,
                },
                output: &mut output[..rows * step.output.width],
                parameters: Slices {
                    data: &network.parameters,
                    ranges: &layout.parameters_of[step.node],
                },
                state: Slices {
                    data: &network.state,
                    ranges: &layout.state_of[step.node],
                },
                next_state: SlicesMut {
                    data: next_state,
                    ranges: if moves_state {
                        &layout.state_of[step.node]
                    } else {
                        &[]
                    },
                },
                saved: saved[index].rows(rows, step.plan.saved, options.purpose),
                scratch: &mut scratch[..rows * step.plan.scratch.per_row + step.plan.scratch.fixed],
                compute: options.compute,
            });
            values[step.output.slot] = Value::F32(output);
            result.map_err(|error| error.in_layer(&architecture.spec.nodes[step.node].name))?;
        }
        Ok(())
    }

    pub(super) fn step_back(
        &mut self,
        index: usize,
        rows: usize,
        network: &Network,
        mode: Mode,
    ) -> Result<(), Error> {
        let Self {
            architecture,
            program,
            memory,
            options,
            ..
        } = self;
        let Memory {
            values,
            saved,
            gradients,
            spares,
            staged,
            gradient,
            scratch,
            ..
        } = memory;
        let step = &program.steps[index];
        let Some(slot) = step.output_gradient else {
            return Ok(());
        };
        let layout = &architecture.layout;
        let mut output_gradient = mem::take(&mut gradients[slot]);
        for (position, (&flow, staged)) in step.input_gradients.iter().zip(&mut *staged).enumerate()
        {
            staged.width = step.inputs[position].width;
            staged.wanted = flow != Flow::Skip;
            match flow {
                Flow::Skip => {}
                Flow::Write(slot) => staged.buffer = mem::take(&mut gradients[slot]),
                Flow::Add(_) => staged.buffer = mem::take(&mut spares[position]),
            }
        }
        let result = step.layer.backward(&mut Backward {
            rows,
            mode,
            layer: step.node as u32,
            training: architecture.training(step.node),
            inputs: Inputs {
                values,
                sources: &step.inputs,
                types: &step.types,
                rows,
            },
            output: &numbers(&values[step.output.slot])[..rows * step.output.width],
            output_gradient: &mut output_gradient[..rows * step.output.width],
            input_gradients: Gradients {
                staged: &mut staged[..step.inputs.len()],
                rows,
            },
            parameters: Slices {
                data: &network.parameters,
                ranges: &layout.parameters_of[step.node],
            },
            parameter_gradients: SlicesMut {
                data: gradient,
                ranges: &layout.parameters_of[step.node],
            },
            state: Slices {
                data: &network.state,
                ranges: &layout.state_of[step.node],
            },
            saved: saved[index].rows(rows, step.plan.saved, options.purpose),
            scratch: &mut scratch[..rows * step.plan.scratch.per_row + step.plan.scratch.fixed],
            compute: options.compute,
        });
        gradients[slot] = output_gradient;
        for range in &layout.frozen_of[step.node] {
            gradient[range.clone()].fill(0.0);
        }
        for (position, (&flow, staged)) in step.input_gradients.iter().zip(&mut *staged).enumerate()
        {
            match flow {
                Flow::Skip => {}
                Flow::Write(slot) => gradients[slot] = mem::take(&mut staged.buffer),
                Flow::Add(slot) => {
                    let elements = rows * step.inputs[position].width;
                    spares[position] = mem::take(&mut staged.buffer);
                    // A failed layer leaves no gradient to add.
                    if result.is_ok() {
                        let (part, sum) = (
                            &spares[position][..elements],
                            &mut gradients[slot][..elements],
                        );
                        options.compute.kernels.add(part, sum);
                    }
                }
            }
        }
        result.map_err(|error| error.in_layer(&architecture.spec.nodes[step.node].name))
    }

    /// The mode of the forward pass that a backward pass over `rows` rows follows.
    pub(super) fn check_backward(&self, rows: usize, network: &Network) -> Result<Mode, Error> {
        if self.options.purpose == Purpose::Infer {
            return Err(Error::Purpose);
        }
        self.check_network(network)?;
        match self.ran {
            Some((ran, mode)) if ran == rows => Ok(mode),
            _ => Err(Error::NoForward { rows }),
        }
    }

    pub(super) fn check_network(&self, network: &Network) -> Result<(), Error> {
        let (own, other) = (&self.architecture, &network.architecture);
        if Arc::ptr_eq(own, other) || own.spec == other.spec {
            Ok(())
        } else {
            Err(Error::ForeignNetwork)
        }
    }
}

/// The memory of a value, which leaves no memory behind.
fn take(value: &mut Value) -> Buffer {
    match value {
        Value::F32(buffer) => mem::take(buffer),
        Value::I32(_) => unreachable!("steps write numbers"),
    }
}

fn numbers(value: &Value) -> &[f32] {
    match value {
        Value::F32(values) => values,
        Value::I32(_) => unreachable!("steps write numbers"),
    }
}
