//! Passes over a plan's steps.

use std::ops::Range;
use std::sync::Arc;

use super::part::{Part, Whole};
use super::step::Context;
use super::{Plan, Purpose};
use crate::pass::{Mode, Slices};
use crate::{Error, Network, Packed, PackedNetwork, Representation};

/// What a pass reads: the parameters, and where they were packed before, what was made of them, by node.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    network: &'a Network,
    packed: Option<&'a [Option<Packed>]>,
}

impl<'a> From<&'a Network> for Weights<'a> {
    fn from(network: &'a Network) -> Self {
        Self {
            network,
            packed: None,
        }
    }
}

impl<'a> From<&'a PackedNetwork> for Weights<'a> {
    fn from(network: &'a PackedNetwork) -> Self {
        Self {
            network: network.network(),
            packed: Some(network.packed()),
        }
    }
}

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

    /// As [`forward`](Plan::forward) for answers, with parameters that were packed once for all passes.
    ///
    /// # Errors
    /// As for [`forward`](Plan::forward).
    ///
    /// ```
    /// # use maas_core::{Seed, Values};
    /// # use maas_nn::{PackedNetwork, Plan, PlanOptions, Representation, Sequential};
    /// # let network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// let packed = PackedNetwork::new(network, |_| Representation::Dense)?;
    /// let mut plan = Plan::new(packed.network(), PlanOptions::infer(4))?;
    /// plan.set_input(0, 2, Values::F32(&[0.0; 4]))?;
    /// plan.forward_packed(2, &packed)?;
    /// assert_eq!(plan.output(), [0.0; 2]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn forward_packed(&mut self, rows: usize, network: &PackedNetwork) -> Result<(), Error> {
        let weights = Weights::from(network);
        self.run_head(rows, weights, Mode::Infer)?;
        self.run_tail(weights)
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
        self.run_head(rows, network.into(), mode)
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
        self.run_tail(network.into())
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
        let (context, (mut part, mut whole), finite) = self.open(rows, network.into(), mode);
        let shared = context.is_shared(rows);
        let mut end = context.program.head_steps;
        while end > 0 {
            let cut = |&index: &usize| shared && context.cuts(index, rows);
            let start = end - (0..end).rev().take_while(cut).count();
            if start < end {
                let work = |part: &mut Part<'_>, compute| {
                    let mut steps = (start..end).rev();
                    steps.try_for_each(|index| context.backward(index, part, None, compute))
                };
                context.over_rows(start..end, part.reborrow(), work)?;
                end = start;
            } else {
                end -= 1;
                context.step_back(end, &mut part, &mut whole, !shared)?;
            }
        }
        *finite = if shared {
            context.all_parameters(&part, whole.gradient)?
        } else {
            let kernels = context.compute.kernels;
            kernels.squares_are_finite(whole.gradient, whole.gradient.len())
        };
        Ok(())
    }

    fn run_head(&mut self, rows: usize, weights: Weights<'_>, mode: Mode) -> Result<(), Error> {
        self.check_rows(rows)?;
        self.check_network(weights.network)?;
        let trains = matches!(mode, Mode::Train { .. });
        if trains && self.options.purpose == Purpose::Infer {
            return Err(Error::Purpose);
        }
        (self.ran, self.finished) = (None, 0);
        if trains && !self.memory.next_state.is_empty() {
            let state = &weights.network.state;
            self.memory.next_state.copy_from_slice(state);
        }
        if weights.packed.is_none() {
            self.pack(weights.network)?;
        }
        self.run(0..self.program.head_steps, rows, weights, mode)?;
        self.ran = Some((rows, mode));
        Ok(())
    }

    fn run_tail(&mut self, weights: Weights<'_>) -> Result<(), Error> {
        self.check_network(weights.network)?;
        let (rows, mode) = self.ran.ok_or(Error::NoForward { rows: 0 })?;
        let tail = self.program.head_steps..self.program.steps.len();
        self.run(tail, rows, weights, mode)?;
        self.finished = rows;
        Ok(())
    }

    /// Packs the parameters of the steps that ask for it.
    fn pack(&mut self, network: &Network) -> Result<(), Error> {
        let architecture = &self.architecture;
        for step in self.program.steps.iter().filter(|step| step.plan.packs) {
            self.packed.resize(architecture.layers.len(), None);
            let packed = &mut self.packed[step.node];
            let parameters = Slices {
                data: &network.parameters,
                ranges: &architecture.layout.parameters_of[step.node],
            };
            *packed = (step.layer)
                .pack(parameters, Representation::Dense, packed.take())
                .map_err(|error| error.in_layer(&architecture.spec.nodes[step.node].name))?;
        }
        Ok(())
    }

    fn run(
        &mut self,
        steps: Range<usize>,
        rows: usize,
        weights: Weights<'_>,
        mode: Mode,
    ) -> Result<(), Error> {
        let (context, (mut part, mut whole), _) = self.open(rows, weights, mode);
        let Range { mut start, end } = steps;
        let shared = context.is_shared(rows);
        while start < end {
            let cut = |&index: &usize| shared && context.cuts(index, rows);
            let stop = start + (start..end).take_while(cut).count();
            if start < stop {
                let work = |part: &mut Part<'_>, compute| {
                    let mut steps = start..stop;
                    steps.try_for_each(|index| context.forward(index, part, None, compute))
                };
                context.over_rows(start..stop, part.reborrow(), work)?;
                start = stop;
            } else {
                let by_rows = context.program.steps[start].plan.by_rows;
                let whole = (!by_rows).then_some(&mut whole);
                context.forward(start, &mut part, whole, context.compute)?;
                start += 1;
            }
        }
        Ok(())
    }

    /// What passes over the first `rows` rows work with and on, and where they say whether the gradient is finite.
    pub(super) fn open<'a>(
        &'a mut self,
        rows: usize,
        weights: Weights<'a>,
        mode: Mode,
    ) -> (Context<'a>, (Part<'a>, Whole<'a>), &'a mut bool) {
        let context = Context {
            architecture: &self.architecture,
            program: &self.program,
            network: weights.network,
            packed: weights.packed.unwrap_or(&self.packed),
            purpose: self.options.purpose,
            compute: self.options.compute,
            precision: self.options.precision,
            grain: self.grain,
            mode,
        };
        (context, self.memory.rows(rows), &mut self.finite)
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
