use std::any::Any;
use std::fmt::Debug;

use maas_kernels::{Compute, Kernels, Parallelism};
use serde_json::Value;

use crate::{Error, Network, Role};

/// One link of an optimiser: a small in-place change of the direction in which parameters are moved.
///
/// A step of training runs blocks of the flat parameter buffer through all links of a chain: `update` enters as
/// ∇J(θ), each link changes it in place, and at the end θ ← θ − α·update. So a chain, however long, makes one pass
/// over memory. A link keeps its numbers in `buffers()` buffers of the parameters' length, which start at zero, and in
/// `scalars()` numbers beside them; a link holds nothing that changes, so that saving these saves all.
///
/// ```
/// use maas_nn::{Block, Step, Transform};
///
/// /// u = g + decay · θ, for weights only.
/// #[derive(Debug)]
/// struct Decay(f32);
///
/// impl Transform for Decay {
///     fn apply(&self, step: &Step, block: &mut Block<'_>) {
///         if block.role == maas_nn::Role::Weight {
///             step.kernels.axpy(self.0, block.parameters, block.update);
///         }
///     }
/// }
/// ```
pub trait Transform: Any + Send + Sync + Debug {
    /// What it is called in errors and in a chain's identity: the name of its type unless told otherwise.
    fn name(&self) -> &str {
        let path = std::any::type_name::<Self>();
        let path = path.split('<').next().unwrap_or(path);
        path.rsplit("::").next().unwrap_or(path)
    }

    /// Its numbers, which together with its name tell it from other links: state that one chain has written is
    /// refused by a chain whose links have other names or numbers.
    fn config(&self) -> Value {
        Value::Null
    }

    /// Whether its numbers make sense; asked before the first step.
    ///
    /// # Errors
    /// [`Error::Setting`] when one does not.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// How many buffers of the parameters' length it keeps between steps.
    fn buffers(&self) -> usize {
        0
    }

    /// How many numbers it keeps between steps beside its buffers. They start at zero, [`begin`](Transform::begin)
    /// moves them on, and blocks find them in [`Block::scalars`].
    fn scalars(&self) -> usize {
        0
    }

    /// Gives the buffers other values than zero before the first step: `block.parameters` are what training starts
    /// from. `block.update` is not looked at.
    fn start(&self, block: &mut Block<'_>) {
        let _ = block;
    }

    /// Called once a step before any block, to move the scalars on.
    fn begin(&self, step: &Step, scalars: &mut [f64]) {
        let _ = (step, scalars);
    }

    /// Over what [`reduce`](Transform::reduce) is taken; it is only called where this is not
    /// [`Reduces::Nothing`], the default.
    fn reduces(&self) -> Reduces {
        Reduces::Nothing
    }

    /// A number taken over the direction as the links before left it, such as its norm; `apply` finds it in
    /// [`Block::reduction`]. Frozen segments and masked weights are zero in the gradient, as is the padding between
    /// segments.
    ///
    /// A link that reduces and stands first costs one pass that reads the gradient; behind links that change the
    /// direction it makes them a pass of their own.
    fn reduce(&self, step: &Step, update: &[f32]) -> f32 {
        let _ = (step, update);
        0.0
    }

    /// What it does at all, so that nothing is run in vain.
    fn acts(&self) -> Acts {
        Acts::Everywhere
    }

    /// Changes `block.update` in place.
    fn apply(&self, step: &Step, block: &mut Block<'_>);

    /// Changes `block.parameters` after the step θ ← θ − α·update: where proximal maps stand.
    fn after(&self, step: &Step, block: &mut Block<'_>) {
        let _ = (step, block);
    }

    /// Where this is the last link that changes the direction: [`apply`](Transform::apply) and θ ← θ − α·update in
    /// one, with the same bits. [`Fused::Unsupported`], the default, leaves the block untouched, and the two are run
    /// one by one.
    fn step_fused(&self, step: &Step, block: &mut Block<'_>) -> Fused {
        let _ = (step, block);
        Fused::Unsupported
    }

    /// Which of its buffers holds a form of the parameters that is better to predict with, such as their average.
    fn averages(&self) -> Option<usize> {
        None
    }

    /// Whether it changes the network as a whole after this step.
    fn revises(&self, step: &Step) -> bool {
        let _ = step;
        false
    }

    /// Masks or rounds weights after a step for which [`revises`](Transform::revises) says so. `buffers` are the link's own, one
    /// after another, each in the layout of [`Network::parameters`]; those of what the chain freezes are zero, whatever is
    /// written into them.
    ///
    /// The optimiser then takes over the network's masks, and what is masked is zero in the buffers of all links.
    ///
    /// # Errors
    /// Whatever keeps it from that; the network has then to be as it was.
    fn revise(&self, step: &Step, buffers: &mut [f32], network: &mut Network) -> Result<(), Error> {
        let _ = (step, buffers, network);
        Ok(())
    }
}

/// Over what a link reduces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reduces {
    /// It does not.
    Nothing,
    /// One number for the whole network.
    Network,
    /// One number for each segment, taken over the segment's part of the direction.
    Segments,
}

/// Where a link acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acts {
    /// In [`Transform::apply`] and in [`Transform::after`].
    Everywhere,
    /// In [`Transform::apply`] only.
    BeforeStep,
    /// In [`Transform::after`] only.
    AfterStep,
}

/// Whether a link moved the parameters itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fused {
    /// The parameters are moved.
    Done,
    /// Nothing was changed.
    Unsupported,
}

/// What is the same for all blocks of a step.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The step's number, from 1.
    pub number: u64,
    /// α of this step.
    pub learning_rate: f32,
    /// α of the last step before it that had one above 0; in the first step, α.
    pub last_learning_rate: f32,
    /// Kernels to use.
    pub kernels: Kernels,
    /// Threads that a reduction may use. Blocks have one each.
    pub parallelism: Parallelism,
}

impl Step {
    /// Step `number`, from 1.
    ///
    /// ```
    /// use maas_nn::{Kernels, Step};
    /// assert_eq!(Step::new(1, 0.1, Kernels::best()).number, 1);
    /// ```
    #[must_use]
    pub fn new(number: u64, learning_rate: f32, kernels: Kernels) -> Self {
        Self {
            number,
            learning_rate,
            last_learning_rate: learning_rate,
            kernels,
            parallelism: Parallelism::single(),
        }
    }

    /// The same step on at most so many threads.
    ///
    /// ```
    /// use maas_nn::{Kernels, Parallelism, Step};
    /// let step = Step::new(1, 0.1, Kernels::best()).parallelism(Parallelism::available());
    /// assert_eq!(step.compute().sum_squares(&[3.0, 4.0]), 25.0);
    /// ```
    #[must_use]
    pub fn parallelism(self, parallelism: Parallelism) -> Self {
        Self {
            parallelism,
            ..self
        }
    }

    /// The same step at another rate, after one at the rate `last`.
    ///
    /// ```
    /// use maas_nn::{Kernels, Step};
    /// assert_eq!(Step::new(1, 0.1, Kernels::best()).rate(0.5, 1.0).learning_rate, 0.5);
    /// ```
    #[must_use]
    pub fn rate(self, learning_rate: f32, last: f32) -> Self {
        Self {
            learning_rate,
            last_learning_rate: last,
            ..self
        }
    }

    /// With what reductions are computed.
    ///
    /// ```
    /// use maas_nn::{Kernels, Step};
    /// assert_eq!(Step::new(1, 0.1, Kernels::best()).compute().parallelism.get(), 1);
    /// ```
    #[must_use]
    pub fn compute(&self) -> Compute {
        Compute {
            kernels: self.kernels,
            parallelism: self.parallelism,
        }
    }
}

/// A cache-sized part of one segment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Block<'a> {
    /// θ.
    pub parameters: &'a mut [f32],
    /// The direction: ∇J(θ) at first.
    pub update: &'a mut [f32],
    /// The link's own numbers.
    pub state: BlockState<'a>,
    /// What the segment is for.
    pub role: Role,
    /// What [`Transform::reduce`] returned.
    pub reduction: f32,
    /// The link's own scalars.
    pub scalars: &'a [f64],
}

impl<'a> Block<'a> {
    /// A block of equally many parameters, directions and numbers of state.
    ///
    /// ```
    /// use maas_nn::{Block, BlockState, Role};
    /// let (mut theta, mut update) = ([1.0], [0.5]);
    /// let block = Block::new(&mut theta, &mut update, BlockState::new(&mut [], 1), Role::Weight, 0.0);
    /// assert_eq!(block.update, [0.5]);
    /// ```
    #[must_use]
    pub fn new(
        parameters: &'a mut [f32],
        update: &'a mut [f32],
        state: BlockState<'a>,
        role: Role,
        reduction: f32,
    ) -> Self {
        Self {
            parameters,
            update,
            state,
            role,
            reduction,
            scalars: &[],
        }
    }

    /// The block with these scalars.
    ///
    /// ```
    /// use maas_nn::{Block, BlockState, Role};
    /// let (mut theta, mut update) = ([1.0], [0.5]);
    /// let block = Block::new(&mut theta, &mut update, BlockState::new(&mut [], 1), Role::Weight, 0.0).scalars(&[0.9]);
    /// assert_eq!(block.scalars, [0.9]);
    /// ```
    #[must_use]
    pub fn scalars(self, scalars: &'a [f64]) -> Self {
        Self { scalars, ..self }
    }
}

/// The part of a link's buffers that belongs to a block.
#[derive(Debug)]
pub struct BlockState<'a> {
    data: &'a mut [f32],
    len: usize,
}

impl<'a> BlockState<'a> {
    /// Parts of `len` floats, one after another.
    ///
    /// ```
    /// use maas_nn::BlockState;
    /// let mut data = [1.0, 2.0, 3.0, 4.0];
    /// let mut state = BlockState::new(&mut data, 2);
    /// assert_eq!(state.get(1), [3.0, 4.0]);
    /// ```
    #[must_use]
    pub fn new(data: &'a mut [f32], len: usize) -> Self {
        Self { data, len }
    }

    /// Buffer `index` of the block.
    ///
    /// # Panics
    /// When the link keeps fewer.
    ///
    /// ```
    /// # use maas_nn::BlockState;
    /// let mut data = [0.0; 4];
    /// BlockState::new(&mut data, 2).get(0).fill(1.0);
    /// assert_eq!(data, [1.0, 1.0, 0.0, 0.0]);
    /// ```
    pub fn get(&mut self, index: usize) -> &mut [f32] {
        &mut self.data[index * self.len..][..self.len]
    }

    /// All buffers of the block, one after another.
    ///
    /// ```
    /// # use maas_nn::BlockState;
    /// let mut data = [0.0; 4];
    /// assert_eq!(BlockState::new(&mut data, 2).all().len(), 4);
    /// ```
    pub fn all(&mut self) -> &mut [f32] {
        self.data
    }

    /// Several buffers of the block at once.
    ///
    /// # Panics
    /// When the link keeps fewer, or an index is there twice.
    ///
    /// ```
    /// # use maas_nn::BlockState;
    /// let mut data = [0.0, 1.0];
    /// let mut state = BlockState::new(&mut data, 1);
    /// let [m, v] = state.many([0, 1]);
    /// m.copy_from_slice(v);
    /// assert_eq!(data, [1.0, 1.0]);
    /// ```
    pub fn many<const N: usize>(&mut self, indices: [usize; N]) -> [&mut [f32]; N] {
        let ranges = indices.map(|index| index * self.len..(index + 1) * self.len);
        self.data
            .get_disjoint_mut(ranges)
            .expect("the link keeps these buffers, and asks for none twice")
    }
}
