use std::ops::Range;
use std::sync::Arc;

use maas_kernels::{Buffer, Kernels};
use maas_nn::{Block, BlockState, Fused, Mask, Network, Role, Step, Transform};

use crate::{Chain, Error};

/// Elements in a block: θ, update and two buffers of a link are 64 KiB, which stay in a core's second-level cache
/// while all links run over them. A multiple of 64, so that a block starts with a word of its mask.
const BLOCK: usize = 4096;

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
    /// The buffers of each link.
    buffers: Vec<Vec<Buffer>>,
    parts: Vec<Part>,
    length: usize,
    reductions: Vec<f32>,
    steps: u64,
    kernels: Kernels,
}

/// What is known of a segment.
#[derive(Clone, Debug)]
struct Part {
    range: Range<usize>,
    role: Role,
    trainable: bool,
    mask: Option<Mask>,
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
        let buffers_of = |link: &dyn Transform| {
            (0..link.buffers())
                .map(|_| Buffer::zeroed(length))
                .collect()
        };
        let buffers = chain
            .links()
            .iter()
            .map(|link| buffers_of(link.as_ref()))
            .collect();
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
            .collect();
        let reductions = vec![0.0; chain.links().len()];
        Ok(Self {
            chain,
            buffers,
            parts,
            length,
            reductions,
            steps: 0,
            kernels: Kernels::best(),
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
    pub fn kernels(self, kernels: Kernels) -> Self {
        Self { kernels, ..self }
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
        let step = Step::new(number, self.chain.rate().at(number)?, self.kernels);
        self.hide(gradient);
        for (reduction, link) in self.reductions.iter_mut().zip(self.chain.links()) {
            *reduction = link.reduce(&step, gradient);
        }
        let parameters = network.parameters_mut();
        for part in self.parts.iter().filter(|part| part.trainable) {
            for start in part.range.clone().step_by(BLOCK) {
                let range = start..part.range.end.min(start + BLOCK);
                let (theta, update) =
                    (&mut parameters[range.clone()], &mut gradient[range.clone()]);
                let mut links = Links {
                    links: self.chain.links(),
                    buffers: &mut self.buffers,
                    reductions: &self.reductions,
                    range,
                    role: part.role,
                };
                links.step(&step, theta, update);
                if let Some(mask) = &part.mask {
                    let words = (start - part.range.start) / 64..mask.words().len();
                    self.kernels
                        .apply_mask(theta, &mask.words()[words][..theta.len().div_ceil(64)]);
                }
            }
        }
        self.steps = number;
        Ok(())
    }

    /// Zero in the gradient what must not move.
    fn hide(&self, gradient: &mut [f32]) {
        for part in &self.parts {
            if !part.trainable {
                gradient[part.range.clone()].fill(0.0);
            } else if let Some(mask) = &part.mask {
                self.kernels
                    .apply_mask(&mut gradient[part.range.clone()], mask.words());
            }
        }
    }
}

/// The links of a chain with their buffers, about to work on a range of the parameters.
struct Links<'a> {
    links: &'a [Arc<dyn Transform>],
    buffers: &'a mut [Vec<Buffer>],
    reductions: &'a [f32],
    range: Range<usize>,
    role: Role,
}

impl Links<'_> {
    fn step(&mut self, step: &Step, theta: &mut [f32], update: &mut [f32]) {
        let mut fused = Fused::Unsupported;
        if self.links.len() == 1 {
            self.each(theta, update, |link, block| {
                fused = link.step_fused(step, block);
            });
        }
        if fused == Fused::Unsupported {
            self.each(theta, update, |link, block| link.apply(step, block));
            step.kernels
                .gradient_descent(theta, update, step.learning_rate);
        }
        self.each(theta, update, |link, block| link.after(step, block));
    }

    fn each(
        &mut self,
        theta: &mut [f32],
        update: &mut [f32],
        mut act: impl FnMut(&dyn Transform, &mut Block<'_>),
    ) {
        for ((link, buffers), &reduction) in self
            .links
            .iter()
            .zip(&mut *self.buffers)
            .zip(self.reductions)
        {
            let state = BlockState::new(buffers, self.range.clone());
            act(
                link.as_ref(),
                &mut Block::new(theta, update, state, self.role, reduction),
            );
        }
    }
}
