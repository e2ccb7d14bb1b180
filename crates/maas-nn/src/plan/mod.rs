//! Plans: an architecture lowered to steps with all memory made.

pub(crate) mod lower;
mod options;
mod place;
mod run;
mod slots;

use std::fmt;
use std::sync::Arc;

use maas_core::Values;
use maas_kernels::{Buffer, Compute};

pub use options::{Head, InputGradients, PlanOptions, Purpose};

use crate::layer::{Updates, ValueType};
use crate::network::architecture::Architecture;
use crate::network::layout::{allocate, reserve};
use crate::pass::{Mode, Staged, Value, ValueRef};
use crate::{Error, Network};
use lower::{Flow, Program};

/// A network's architecture, lowered for at most so many rows a pass, with every buffer that passes need.
///
/// A plan holds no parameters: it runs any network of the architecture it was made for, and several plans run one
/// network at once. Fewer rows than the most run on prefixes of the same buffers. After it is made, passes allocate
/// nothing.
///
/// ```
/// use maas_core::{Seed, Values};
/// use maas_nn::{Loss, LossBatch, MeanSquaredError, Mode, Plan, PlanOptions, Sequential, Targets};
///
/// let mut network = Sequential::rows(2).dense(8).tanh().dense(1).build(Seed(7))?;
/// let mut plan = Plan::new(&network, PlanOptions::train(4))?;
/// let x = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
/// let y = [0.0, 1.0, 1.0, 0.0];
///
/// let mut losses = Vec::new();
/// for step in 0..200 {
///     plan.set_input(0, 4, Values::F32(&x))?;
///     plan.forward(4, &network, Mode::train(Seed(7), step))?;
///     let (predictions, gradient) = plan.head(4);
///     let batch = LossBatch::new(predictions, Targets::Values(&y), 4)?;
///     losses.push(MeanSquaredError.evaluate(&batch, Some(gradient))?);
///     plan.backward(4, &network)?;
///     for (theta, g) in network.parameters_mut().iter_mut().zip(plan.gradient()) {
///         *theta -= 0.3 * g; // θ ← θ − α ∇J(θ)
///     }
/// }
/// assert!(losses[199] < 0.1 * losses[0]);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone)]
pub struct Plan {
    architecture: Arc<Architecture>,
    options: PlanOptions,
    program: Program,
    values: Vec<Value>,
    saved: Vec<SavedBuffers>,
    gradients: Vec<Buffer>,
    spares: Vec<Buffer>,
    staged: Vec<Staged>,
    gradient: Buffer,
    next_state: Buffer,
    scratch: Buffer,
    /// The rows and the mode of the last forward pass up to the head.
    ran: Option<(usize, Mode)>,
    /// The rows for which the output is there.
    finished: usize,
}

#[derive(Clone, Debug, Default)]
struct SavedBuffers {
    f32: Buffer,
    u8: Vec<u8>,
    i32: Vec<i32>,
    fixed: Buffer,
}

/// An input of a plan, to write.
#[derive(Debug)]
#[non_exhaustive]
pub enum ValuesMut<'a> {
    /// Single-precision numbers.
    F32(&'a mut [f32]),
    /// Integers.
    I32(&'a mut [i32]),
}

impl Plan {
    /// Lowers the network's architecture and makes all buffers.
    ///
    /// # Errors
    /// [`Error::Rows`] for plans of no rows; [`Error::TooLarge`] or [`Error::OutOfMemory`] when the buffers do not
    /// fit into memory.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// assert!(Plan::new(&network, PlanOptions::infer(0)).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn new(network: &Network, options: PlanOptions) -> Result<Self, Error> {
        let max_rows = options.max_rows;
        if max_rows == 0 {
            return Err(Error::Rows {
                max_rows: 0,
                found: 0,
            });
        }
        let architecture = Arc::clone(&network.architecture);
        let program = lower::lower(&architecture, &options)?;
        let times = |width: usize| width.checked_mul(max_rows).ok_or(Error::TooLarge);
        let buffer = |width: usize| times(width).and_then(allocate);

        let mut values = Vec::with_capacity(program.value_widths.len());
        for (slot, &width) in program.value_widths.iter().enumerate() {
            let integers = program.inputs.iter().zip(&architecture.inputs);
            let integers = integers.filter(|(_, row)| row.value_type == ValueType::I32);
            values.push(if integers.clone().any(|(input, _)| input.slot == slot) {
                Value::I32(zeros(times(width)?)?)
            } else {
                Value::F32(buffer(width)?)
            });
        }
        let trains = options.purpose == Purpose::Train;
        let mut saved = Vec::with_capacity(program.steps.len());
        let mut scratch = 0;
        let mut spare_widths: Vec<usize> = Vec::new();
        let mut inputs = 0;
        for step in &program.steps {
            saved.push(if trains {
                SavedBuffers {
                    f32: buffer(step.plan.saved.f32)?,
                    u8: zeros(times(step.plan.saved.u8)?)?,
                    i32: zeros(times(step.plan.saved.i32)?)?,
                    fixed: allocate(step.plan.saved.fixed)?,
                }
            } else {
                SavedBuffers::default()
            });
            let need = times(step.plan.scratch.per_row)?.checked_add(step.plan.scratch.fixed);
            scratch = scratch.max(need.ok_or(Error::TooLarge)?);
            inputs = inputs.max(step.inputs.len());
            for (position, flow) in step.input_gradients.iter().enumerate() {
                if let Flow::Add(_) = flow {
                    spare_widths.resize(spare_widths.len().max(position + 1), 0);
                    spare_widths[position] =
                        spare_widths[position].max(step.inputs[position].width);
                }
            }
        }
        let layout = &architecture.layout;
        let runs = layout
            .state
            .iter()
            .any(|state| state.updates == Updates::InTraining);
        Ok(Self {
            values,
            saved,
            gradients: program
                .gradient_widths
                .iter()
                .map(|&width| buffer(width))
                .collect::<Result<_, _>>()?,
            spares: spare_widths
                .into_iter()
                .map(buffer)
                .collect::<Result<_, _>>()?,
            staged: vec![Staged::default(); inputs],
            gradient: allocate(if trains { layout.parameters_length } else { 0 })?,
            next_state: allocate(if trains && runs {
                layout.state_length
            } else {
                0
            })?,
            scratch: allocate(scratch)?,
            ran: None,
            finished: 0,
            architecture,
            options,
            program,
        })
    }

    /// What the plan was made for.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// assert_eq!(Plan::new(&network, PlanOptions::infer(8))?.options().max_rows, 8);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn options(&self) -> &PlanOptions {
        &self.options
    }

    /// Uses other kernels and threads from now on; the numbers are the same.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.set_compute(Compute::default());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn set_compute(&mut self, compute: Compute) {
        self.options.compute = compute;
    }

    /// Input `index` for all rows that the plan can hold, to write: row i starts at i · width.
    ///
    /// # Panics
    /// When the network has fewer inputs.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// if let ValuesMut::F32(rows) = plan.input_mut(0) {
    ///     rows[..2].copy_from_slice(&[0.5, 1.5]);
    /// }
    /// plan.forward(1, &network, Mode::Infer)?;
    /// assert_eq!(plan.output().len(), 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn input_mut(&mut self, index: usize) -> ValuesMut<'_> {
        let ValueRef { slot, width } = self.program.inputs[index];
        let length = self.options.max_rows * width;
        match &mut self.values[slot] {
            Value::F32(values) => ValuesMut::F32(&mut values[..length]),
            Value::I32(values) => ValuesMut::I32(&mut values[..length]),
        }
    }

    /// Copies `rows` rows into input `index`.
    ///
    /// # Errors
    /// [`Error::InputCount`] when the network has fewer inputs, [`Error::Rows`] for more rows than the plan holds,
    /// [`Error::Length`] or [`Error::ValueType`] when the values are not as many or not of the type that is needed.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.set_input(0, 2, Values::F32(&[1.0, 2.0, 3.0, 4.0]))?;
    /// assert!(plan.set_input(0, 2, Values::F32(&[1.0, 2.0, 3.0])).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn set_input(
        &mut self,
        index: usize,
        rows: usize,
        values: Values<'_>,
    ) -> Result<(), Error> {
        let Some(&ValueRef { slot, width }) = self.program.inputs.get(index) else {
            return Err(Error::InputCount {
                expected: self.program.inputs.len(),
                found: index + 1,
            });
        };
        self.check_rows(rows)?;
        if values.len() != rows * width {
            return Err(Error::Length {
                expected: rows * width,
                found: values.len(),
            });
        }
        match (&mut self.values[slot], values) {
            (Value::F32(own), Values::F32(values)) => own[..values.len()].copy_from_slice(values),
            (Value::I32(own), Values::I32(values)) => own[..values.len()].copy_from_slice(values),
            (Value::F32(_), _) => {
                return Err(Error::ValueType {
                    expected: ValueType::F32,
                    found: ValueType::I32,
                });
            }
            (Value::I32(_), _) => {
                return Err(Error::ValueType {
                    expected: ValueType::I32,
                    found: ValueType::F32,
                });
            }
        }
        Ok(())
    }

    /// What the last [`forward`](Plan::forward) gave: rows × [`Network::output_width`].
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.set_input(0, 2, Values::F32(&[0.0; 4]))?;
    /// plan.forward(2, &network, Mode::Infer)?;
    /// assert_eq!(plan.output(), [0.0, 0.0]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn output(&self) -> &[f32] {
        let ValueRef { slot, width } = self.program.output;
        &self.numbers(slot)[..self.finished * width]
    }

    /// What the last [`forward_head`](Plan::forward_head) gave: rows × [`head_width`](Plan::head_width).
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.forward_head(3, &network, Mode::train(Seed(7), 0))?;
    /// assert_eq!(plan.head_output().len(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head_output(&self) -> &[f32] {
        let ValueRef { slot, width } = self.program.head;
        &self.numbers(slot)[..self.ran.map_or(0, |(rows, _)| rows) * width]
    }

    /// Numbers a row at which backward passes start.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// assert_eq!(plan.head_width(), 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head_width(&self) -> usize {
        self.program.head.width
    }

    /// What the loss compares for `rows` rows, and where it writes its gradient: [`head_output`](Plan::head_output)
    /// and [`head_gradient_mut`](Plan::head_gradient_mut) at once.
    ///
    /// # Panics
    /// When the plan is not for training or holds fewer rows.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.forward_head(1, &network, Mode::train(Seed(7), 0))?;
    /// let (predictions, gradient) = plan.head(1);
    /// gradient[0] = predictions[0] - 1.0; // of ½ (p − 1)²
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head(&mut self, rows: usize) -> (&[f32], &mut [f32]) {
        let ValueRef { slot, width } = self.program.head;
        let gradient = self
            .program
            .head_gradient
            .expect("the plan is for training");
        let Value::F32(values) = &self.values[slot] else {
            unreachable!("a head holds numbers")
        };
        (
            &values[..rows * width],
            &mut self.gradients[gradient][..rows * width],
        )
    }

    /// The gradient of the loss by the head's output, to write before [`backward`](Plan::backward): for all rows
    /// that the plan can hold, row i starts at i · [`head_width`](Plan::head_width).
    ///
    /// # Panics
    /// When the plan is not for training.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.head_gradient_mut().fill(1.0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn head_gradient_mut(&mut self) -> &mut [f32] {
        let gradient = self
            .program
            .head_gradient
            .expect("the plan is for training");
        &mut self.gradients[gradient][..self.options.max_rows * self.program.head.width]
    }

    /// The gradient by all parameters, in the parameters' layout; padding is zero. Empty in a plan for answers.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// assert_eq!(plan.gradient().len(), network.parameters().len());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// [`gradient`](Plan::gradient), to change, as clipping does.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// plan.gradient_mut().iter_mut().for_each(|g| *g = g.clamp(-1.0, 1.0));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gradient_mut(&mut self) -> &mut [f32] {
        &mut self.gradient
    }

    /// The gradient by input `index` of the last [`backward`](Plan::backward) over `rows` rows, where the plan
    /// computes it.
    ///
    /// # Errors
    /// [`Error::Purpose`] when it does not; [`Error::Rows`] for more rows than the plan holds.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// let mut plan = Plan::new(&network, PlanOptions::train(1).input_gradients())?;
    /// plan.forward(1, &network, Mode::Infer)?;
    /// plan.head_gradient_mut().fill(1.0);
    /// plan.backward(1, &network)?;
    /// // The gradient of x·W by x is W.
    /// assert_eq!(Some(plan.input_gradient(0, 1)?), network.segment("dense.kernel")?.as_slice());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn input_gradient(&self, index: usize, rows: usize) -> Result<&[f32], Error> {
        self.check_rows(rows)?;
        let slot = self
            .program
            .input_gradients
            .get(index)
            .copied()
            .flatten()
            .ok_or(Error::Purpose)?;
        Ok(&self.gradients[slot][..rows * self.program.inputs[index].width])
    }

    /// The state after the last forward pass in training mode: running statistics moved on by one step. `None` where
    /// the network has none. [`Network::set_state`] takes it over.
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{Compute, Mode, Plan, PlanOptions, Sequential, ValuesMut};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// # let mut plan = Plan::new(&network, PlanOptions::train(4))?;
    /// assert_eq!(plan.next_state(), None);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn next_state(&self) -> Option<&[f32]> {
        (!self.next_state.is_empty()).then_some(&self.next_state)
    }

    fn numbers(&self, slot: usize) -> &[f32] {
        match &self.values[slot] {
            Value::F32(values) => values,
            Value::I32(_) => &[],
        }
    }

    fn check_rows(&self, rows: usize) -> Result<(), Error> {
        if rows <= self.options.max_rows {
            Ok(())
        } else {
            Err(Error::Rows {
                max_rows: self.options.max_rows,
                found: rows,
            })
        }
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("options", &self.options)
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

fn zeros<T: Clone + Default>(length: usize) -> Result<Vec<T>, Error> {
    reserve::<T>(length)?;
    Ok(vec![T::default(); length])
}
