use maas_kernels::{Buffer, Compute, Kernels, Parallelism};
use maas_nn::{Network, Step};

use super::blocks::{GROUPS, Groups, Part, Stretch};
use super::pass::Pass;
use crate::{Chain, Error};

/// A chain at work on one network: the links' buffers and the number of steps taken.
///
/// A [`Trainer`](crate::Trainer) makes its own; this is for loops of your own. Segments that are frozen
/// stay as they are, and masked weights stay zero. Which ones these are is read from the network when the optimiser is
/// made.
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
    /// The links' buffers: for each block those of the first link, then those of the second, and so on.
    state: Buffer,
    /// Buffers of all links together.
    buffers: usize,
    parts: Vec<Part>,
    groups: Groups,
    length: usize,
    reductions: Vec<f32>,
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
    /// [`Error::LearningRate`] and [`Error::Coefficient`] when a number of the chain makes no sense.
    pub fn new(chain: impl Into<Chain>, network: &Network) -> Result<Self, Error> {
        let chain = chain.into();
        chain.check()?;
        let length = network.parameters().len();
        let buffers = chain.links().iter().map(|link| link.buffers()).sum();
        let parts = network
            .segments()
            .iter()
            .zip(network.masks())
            .map(|(segment, mask)| Part {
                range: segment.range.clone(),
                role: segment.role,
                trainable: segment.trainable,
                mask: mask.cloned(),
            })
            .collect::<Vec<_>>();
        let groups = Groups::new(&parts);
        let reductions = vec![0.0; chain.links().len()];
        Ok(Self {
            chain,
            state: Buffer::zeroed(length * buffers),
            buffers,
            parts,
            groups,
            length,
            reductions,
            steps: 0,
            compute: Compute::default(),
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

    /// One step: θ ← θ − α·u, where u is what the links make of the gradient, which has the layout of
    /// [`Network::parameters`]. The gradient is used up as workspace.
    ///
    /// # Errors
    ///
    /// [`Error::LearningRate`], and [`Error::GradientShape`] when gradient or network are of another length than the
    /// network that the optimiser was made for; nothing is then changed.
    pub fn step(&mut self, network: &mut Network, gradient: &mut [f32]) -> Result<(), Error> {
        for found in [gradient.len(), network.parameters().len()] {
            if found != self.length {
                return Err(Error::GradientShape {
                    expected: vec![self.length],
                    found: vec![found],
                });
            }
        }
        let number = self.steps + 1;
        let step = Step::new(number, self.chain.rate().at(number)?, self.compute.kernels);
        self.hide(gradient);
        for (reduction, link) in self.reductions.iter_mut().zip(self.chain.links()) {
            *reduction = link.reduce(&step, gradient);
        }
        let pass = Pass {
            step,
            links: self.chain.links(),
            reductions: &self.reductions,
            parts: &self.parts,
        };
        let stretch = Stretch {
            groups: &self.groups.groups,
            blocks: &self.groups.blocks,
            start: 0,
            theta: network.parameters_mut(),
            update: gradient,
            state: &mut self.state,
            buffers: self.buffers,
        };
        self.compute
            .split(stretch, GROUPS, |stretch| pass.run(stretch));
        self.steps = number;
        Ok(())
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
