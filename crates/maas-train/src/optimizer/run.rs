use maas_kernels::{Buffer, Compute, Kernels, Parallelism};
use maas_nn::{Network, Reduces, Step};

use super::average::Average;
use super::blocks::{GROUPS, Groups, Part, Stretch};
use super::bound::{Bound, passes};
use super::joined::Joined;
use super::pass::Pass;
use super::rates::Rates;
use super::state::{OptimizerState, Shape, chain_text, gather, network_text, scatter};
use crate::{Chain, EpochRecord, Error, Figure, Goal, Horizon};

/// A chain at work on one network: the links' buffers and the number of steps taken.
///
/// A [`Trainer`](crate::Trainer) makes its own; this is for loops of your own. Segments that are frozen
/// stay as they are, and masked weights stay zero. Which ones these are is read from the network when the optimiser is
/// made; [`take_masks`](Optimizer::take_masks) reads the masks anew.
///
/// ```
/// use maas_core::Seed;
/// use maas_nn::Sequential;
/// use maas_train::{Optimizer, Sgd};
///
/// let mut network = Sequential::rows(1).dense(1).build(Seed(7))?;
/// network.parameters_mut()[0] = 2.0;
/// let mut optimizer = Optimizer::new(Sgd::new(0.1), &network)?;
/// let mut gradient = vec![0.0; network.parameters().len()];
/// gradient[0] = 5.0;
/// optimizer.step(&mut network, &mut gradient)?;
/// assert_eq!(network.parameters()[0], 1.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer {
    chain: Chain,
    links: Vec<Bound>,
    /// The links of each pass.
    passes: Vec<std::ops::Range<usize>>,
    joined: Option<Joined>,
    rates: Rates,
    /// The links' buffers: for each block those of the first link, then those of the second, and so on.
    state: Buffer,
    /// Buffers of all links together.
    buffers: usize,
    scalars: Vec<f64>,
    parts: Vec<Part>,
    groups: Groups,
    length: usize,
    /// For each part those of all links.
    reductions: Vec<f32>,
    /// The names and shapes of the network's segments.
    network: String,
    steps: u64,
    compute: Compute,
}

impl Optimizer {
    /// The chain with fresh buffers, for this network.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Optimizer, Sgd}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// assert!(Optimizer::new(Sgd::new(0.1), &network).is_ok());
    /// assert!(Optimizer::new(Sgd::new(-0.1), &network).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::LearningRate`], [`Error::Span`], [`Error::UnknownSetting`] and [`Error::Coefficient`] when a number of
    /// the chain makes no sense; [`Error::Pattern`] when a pattern of the chain fits no parameter.
    pub fn new(chain: impl Into<Chain>, network: &Network) -> Result<Self, Error> {
        let chain = chain.into();
        chain.check()?;
        let (rates, treated) = Rates::new(&chain, network.segments())?;
        let length = network.parameters().len();
        let links = Bound::all(&chain);
        let passes = passes(&links);
        let buffers = links.last().map_or(0, |link| link.buffers.end);
        let scalars = links.last().map_or(0, |link| link.scalars.end);
        let parts = network
            .segments()
            .iter()
            .zip(network.masks())
            .zip(treated)
            .map(|((segment, mask), treated)| Part {
                range: segment.range.clone(),
                role: segment.role,
                trainable: segment.trainable && !treated.frozen,
                mask: mask.cloned(),
                rate: treated.rate,
            })
            .collect::<Vec<_>>();
        Ok(Self {
            joined: Joined::of(&links).filter(|_| passes.len() == 1),
            passes,
            rates,
            state: Buffer::zeroed(length * buffers),
            buffers,
            scalars: vec![0.0; scalars],
            groups: Groups::new(&parts),
            reductions: vec![0.0; links.len() * parts.len()],
            parts,
            length,
            network: network_text(network.segments()),
            steps: 0,
            compute: Compute::default(),
            links,
            chain,
        })
    }

    /// Use this set of kernels; every set gives the same bits.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Optimizer, Sgd}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// let optimizer = Optimizer::new(Sgd::new(0.1), &network)?.kernels(maas_kernels::Kernels::portable());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn kernels(mut self, kernels: Kernels) -> Self {
        self.compute.kernels = kernels;
        self
    }

    /// Use at most this many threads; any number gives the same bits.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_kernels::Parallelism, maas_nn::Sequential, maas_train::{Optimizer, Sgd}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// let optimizer = Optimizer::new(Sgd::new(0.1), &network)?.parallelism(Parallelism::available());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn parallelism(mut self, parallelism: Parallelism) -> Self {
        self.compute.parallelism = parallelism;
        self
    }

    /// Steps taken so far.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Optimizer, Sgd}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// assert_eq!(Optimizer::new(Sgd::new(0.1), &network)?.steps(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Tell how many steps there will be, which rates with spans in epochs or shares of the run need.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Horizon, LearningRate, Optimizer, Sgd}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// let rate = LearningRate::linear(1.0, 0.0);
    /// let optimizer = Optimizer::new(Sgd::new(rate), &network)?.horizon(Horizon::new(10, 100));
    /// assert_eq!(optimizer.learning_rate()?, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn horizon(mut self, horizon: Horizon) -> Self {
        self.rates.horizon = horizon;
        self
    }

    /// The chain's rate in the next step.
    ///
    /// # Errors
    /// As [`LearningRate::at`](crate::LearningRate::at).
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Optimizer, Sgd}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// assert_eq!(Optimizer::new(Sgd::new(0.1), &network)?.learning_rate()?, 0.1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn learning_rate(&self) -> Result<f32, Error> {
        self.rates.first_at(self.steps + 1)
    }

    /// Tell the figure of one more epoch, for rates that are lowered on a plateau; the loss of validation data, if
    /// there are any. To be called once an epoch. What [`Plateau::monitor`](crate::Plateau::monitor) names is the trainer's
    /// business.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{LearningRate, Optimizer, Plateau, Sgd}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// let rate = LearningRate::constant(1.0).on_plateau(Plateau::default().factor(0.5).patience(1));
    /// let mut optimizer = Optimizer::new(Sgd::new(rate), &network)?;
    /// optimizer.observe(3.0);
    /// optimizer.observe(3.0);
    /// assert_eq!(optimizer.learning_rate()?, 0.5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn observe(&mut self, figure: f32) {
        self.rates.observe(figure.into());
    }

    /// One more epoch of a trainer.
    pub(crate) fn observe_epoch(&mut self, record: &EpochRecord) {
        self.rates.observe_epoch(record);
    }

    /// Looks up which way figures are better that rates go by.
    pub(crate) fn settle(
        &mut self,
        goal_of: impl Fn(&Figure) -> Result<Goal, Error>,
    ) -> Result<(), Error> {
        self.rates.settle(goal_of)
    }

    /// Everything that is kept between steps, as a copy.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Adam, Optimizer}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// let optimizer = Optimizer::new(Adam::new(0.1), &network)?;
    /// assert_eq!(optimizer.state().values.len(), 2 * network.parameters().len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn state(&self) -> OptimizerState {
        OptimizerState {
            chain: chain_text(&self.chain),
            network: self.network.clone(),
            steps: self.steps,
            values: gather(&self.groups, self.length, self.all_buffers(), &self.state),
            scalars: self
                .scalars
                .iter()
                .copied()
                .chain(self.rates.numbers())
                .collect(),
        }
    }

    /// Go on from this state with the same bits. Learning rates are not part of it, except for what plateaus made of
    /// them: one may go on at another rate.
    ///
    /// # Errors
    /// [`Error::OptimizerState`] when the state was made by other links or groups, or for another network; nothing is
    /// then changed.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Adam, Optimizer}};
    /// let mut network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// let mut optimizer = Optimizer::new(Adam::new(0.1), &network)?;
    /// optimizer.step(&mut network, &mut vec![0.5; 32])?;
    ///
    /// let mut other = Optimizer::new(Adam::new(0.1), &network)?;
    /// other.restore(&optimizer.state())?;
    /// assert_eq!(other.steps(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore(&mut self, state: &OptimizerState) -> Result<(), Error> {
        state.check(&Shape {
            chain: chain_text(&self.chain),
            network: self.network.clone(),
            values: self.length * self.buffers,
            scalars: self.scalars.len() + self.rates.count(),
        })?;
        let all = self.all_buffers();
        scatter(
            &self.groups,
            self.length,
            all,
            &state.values,
            &mut self.state,
        );
        let (scalars, numbers) = state.scalars.split_at(self.scalars.len());
        self.scalars.copy_from_slice(scalars);
        self.rates.restore(numbers);
        self.steps = state.steps;
        Ok(())
    }

    /// Takes over the masks of the network, after some were set: what is masked is zero from the next step on, and at once
    /// in the buffers of all links, so that no moment or average of it is left.
    ///
    /// Where a link of the chain masks weights, a step does so by itself.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::{Mask, Sequential}, maas_train::{Optimizer, Sgd}};
    /// let mut network = Sequential::rows(2).dense(1).build(Seed(7))?;
    /// let mut optimizer = Optimizer::new(Sgd::new(0.1).momentum(0.9), &network)?;
    /// optimizer.step(&mut network, &mut vec![0.5; 32])?;
    ///
    /// network.set_mask("dense.kernel", Mask::from_fn(2, |index| index == 0))?;
    /// optimizer.take_masks(&network)?;
    /// assert_eq!(optimizer.state().values[1], 0.0);
    /// optimizer.step(&mut network, &mut vec![0.5; 32])?;
    /// assert_eq!(network.parameters()[1], 0.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::GradientShape`] when the network is of another length than the one that the optimiser was made for;
    /// nothing is then changed.
    pub fn take_masks(&mut self, network: &Network) -> Result<(), Error> {
        self.check_length(network.parameters().len())?;
        for (part, mask) in self.parts.iter_mut().zip(network.masks()) {
            part.mask = mask.cloned();
        }
        for place in &self.groups.blocks {
            let part = &self.parts[place.part];
            let (len, buffers) = (place.range.len(), self.buffers);
            let words = part.mask.as_ref().map(maas_nn::Mask::words);
            let (Some(words), true) = (words, buffers > 0) else {
                continue;
            };
            let first = (place.range.start - part.range.start) / 64;
            let words = &words[first..][..len.div_ceil(64)];
            let state = &mut self.state[place.range.start * buffers..][..len * buffers];
            for buffer in state.chunks_exact_mut(len) {
                self.compute.kernels.apply_mask(buffer, words);
            }
        }
        Ok(())
    }

    /// Parameters that predict better than the present ones, where a link of the chain keeps some and a step has been
    /// taken; those of the last link that does.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_nn::Sequential, maas_train::{Adam, Optimizer}};
    /// let network = Sequential::rows(1).dense(1).build(Seed(7))?;
    /// assert!(Optimizer::new(Adam::new(0.1), &network)?.average().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn average(&self) -> Option<Average<'_>> {
        if self.steps == 0 {
            return None;
        }
        let kept = |link: &Bound| Some(link.buffers.start + link.link.averages()?);
        let buffer = self.links.iter().rev().find_map(kept)?;
        Some(Average {
            state: &self.state,
            buffers: self.buffers,
            buffer,
            groups: &self.groups,
            parts: &self.parts,
            length: self.length,
        })
    }

    /// One step: θ ← θ − α·u, where u is what the links make of the gradient, which has the layout of
    /// [`Network::parameters`]. The gradient is used up as workspace.
    ///
    /// # Errors
    ///
    /// What [`LearningRate::at`](crate::LearningRate::at) reports, and [`Error::GradientShape`] when gradient or network
    /// are of another length than the network that the optimiser was made for; nothing is then changed.
    /// [`Error::Network`] when a link that masks or rounds behind the step cannot; the step is then taken.
    pub fn step(&mut self, network: &mut Network, gradient: &mut [f32]) -> Result<(), Error> {
        self.check_length(gradient.len())?;
        self.check_length(network.parameters().len())?;
        let number = self.steps + 1;
        self.rates.go_to(number)?;
        let step = Step::new(number, 0.0, self.compute.kernels);
        let step = self
            .rates
            .put(0, step)
            .parallelism(self.compute.parallelism);
        self.hide(gradient);
        for link in &self.links {
            link.link
                .begin(&step, &mut self.scalars[link.scalars.clone()]);
        }
        if number == 1 {
            self.pass(step, None, network, gradient);
        }
        for pass in 0..self.passes.len() {
            self.reduce(&step, pass, gradient);
            self.pass(step, Some(pass), network, gradient);
        }
        self.steps = number;
        self.revise(&step, network)
    }

    /// Lets the links change the network as a whole that want to behind this step.
    fn revise(&mut self, step: &Step, network: &mut Network) -> Result<(), Error> {
        for number in 0..self.links.len() {
            let Bound { link, buffers, .. } = &self.links[number];
            if link.revises(step) {
                let own = (buffers.clone(), self.buffers);
                let mut values = gather(&self.groups, self.length, own.clone(), &self.state);
                link.revise(step, &mut values, network)?;
                scatter(&self.groups, self.length, own, &values, &mut self.state);
                self.take_masks(network)?;
            }
        }
        Ok(())
    }

    /// The buffers of all links, and how many there are.
    fn all_buffers(&self) -> (std::ops::Range<usize>, usize) {
        (0..self.buffers, self.buffers)
    }

    fn check_length(&self, found: usize) -> Result<(), Error> {
        if found == self.length {
            return Ok(());
        }
        Err(Error::GradientShape {
            expected: vec![self.length],
            found: vec![found],
        })
    }

    /// What the links of a pass want to know of the direction before it.
    fn reduce(&mut self, step: &Step, pass: usize, update: &[f32]) {
        let count = self.links.len();
        for number in self.passes[pass].clone() {
            let link = &self.links[number];
            match link.reduces {
                Reduces::Network => {
                    let reduction = link.link.reduce(step, update);
                    for part in self.reductions.chunks_exact_mut(count) {
                        part[number] = reduction;
                    }
                }
                Reduces::Segments => {
                    let parts = self.reductions.chunks_exact_mut(count).zip(&self.parts);
                    for (reductions, part) in parts.filter(|(_, part)| part.trainable) {
                        let step = self.rates.put(part.rate, *step);
                        reductions[number] = link.link.reduce(&step, &update[part.range.clone()]);
                    }
                }
                _ => {}
            }
        }
    }

    /// One pass over all blocks, or without a number the one that gives buffers their first values.
    fn pass(
        &mut self,
        step: Step,
        number: Option<usize>,
        network: &mut Network,
        update: &mut [f32],
    ) {
        let pass = Pass {
            step,
            links: &self.links,
            joined: self.joined.as_ref(),
            turn: number.map_or(0..0, |number| self.passes[number].clone()),
            last: number == Some(self.passes.len() - 1),
            reductions: &self.reductions,
            scalars: &self.scalars,
            rates: &self.rates,
            parts: &self.parts,
        };
        let stretch = Stretch {
            groups: &self.groups.groups,
            blocks: &self.groups.blocks,
            start: 0,
            theta: network.parameters_mut(),
            update,
            state: &mut self.state,
            buffers: self.buffers,
        };
        self.compute.split(stretch, GROUPS, |stretch| match number {
            None => pass.start(stretch),
            Some(_) => pass.run(stretch),
        });
    }

    /// Zero in the gradient what must not move.
    fn hide(&self, gradient: &mut [f32]) {
        for part in &self.parts {
            if !part.trainable {
                gradient[part.range.clone()].fill(0.0);
            } else if let Some(mask) = &part.mask {
                self.compute
                    .kernels
                    .apply_mask(&mut gradient[part.range.clone()], mask.words());
            }
        }
    }
}
