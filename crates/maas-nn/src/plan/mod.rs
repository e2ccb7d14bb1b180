//! Plans: an architecture lowered to steps with all memory made.

mod cut;
mod derivatives;
mod finite;
mod gradients;
mod inputs;
pub(crate) mod lower;
mod memory;
mod options;
mod outputs;
mod parameters;
mod part;
mod place;
pub(crate) mod program;
mod run;
mod slots;
mod step;

use std::fmt;
use std::sync::Arc;

use maas_kernels::Compute;

pub use finite::NonFinite;
pub use inputs::ValuesMut;
pub use options::{Head, InputGradients, PlanOptions, Purpose};

use crate::network::architecture::Architecture;
use crate::pass::Mode;
use crate::{Error, Network, Packed};
use cut::Grain;
use memory::Memory;
use program::Program;

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
    memory: Memory,
    /// The rows and the mode of the last forward pass up to the head.
    ran: Option<(usize, Mode)>,
    /// The rows for which the output is there.
    finished: usize,
    /// Whether the gradient of the last backward pass is.
    finite: bool,
    grain: Grain,
    /// The parameters of steps that ask for it, packed for the last pass of a network that was not, by node.
    packed: Vec<Option<Packed>>,
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
        let memory = Memory::new(&architecture, &program, &options)?;
        Ok(Self {
            architecture,
            options,
            program,
            memory,
            ran: None,
            finished: 0,
            finite: true,
            grain: Grain::MEASURED,
            packed: Vec::new(),
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

    /// Cuts passes wherever that is possible, for laws to be seen at work.
    pub(crate) fn cut_finest(&mut self) {
        self.grain = Grain::FINEST;
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
