//! Networks: an architecture with numbers.

pub(crate) mod architecture;
mod arithmetic;
mod fingerprint;
mod freeze;
pub(crate) mod layout;
mod mask;
mod model;
mod respecify;
mod summary;
mod up_to;

use std::fmt;
use std::sync::Arc;

use maas_core::{Moments, Seed, Signature};
use maas_kernels::Buffer;
use ndarray::{ArrayViewD, ArrayViewMutD};

pub use layout::{Segment, StateSegment};
pub use mask::Mask;
pub use summary::{Summary, SummaryRow};

use crate::{Error, Layer, Layers, NetworkSpec, Updates};
use architecture::Architecture;

/// An architecture with its parameters, state and masks.
///
/// All parameters lie in one flat buffer, in the order of the layers; gradients and an optimiser's numbers have the
/// same layout. Each parameter is a [`Segment`] of it with a name such as `dense.kernel`, starts on a multiple of 64
/// bytes, and is followed by zeros up to the next: whoever changes the buffer leaves these zeros alone.
///
/// ```
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let network = Sequential::rows(4).dense(3).relu().dense(1).build(Seed(7))?;
/// let names: Vec<&str> = network.segments().iter().map(|segment| segment.name.as_str()).collect();
/// assert_eq!(names, ["dense.kernel", "dense.bias", "dense_1.kernel", "dense_1.bias"]);
/// assert_eq!(network.segment("dense.kernel")?.shape(), [4, 3]);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone)]
pub struct Network {
    pub(crate) architecture: Arc<Architecture>,
    pub(crate) parameters: Buffer,
    pub(crate) state: Buffer,
    pub(crate) masks: Vec<Option<Mask>>,
}

impl Network {
    /// A network of this architecture, with parameters as the initialisers make them.
    ///
    /// # Errors
    /// When the architecture is not sound: no layers, shapes that do not fit, a layer kind that the table does not
    /// know, more elements than memory holds.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Layers, Network, Sequential};
    ///
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let again = Network::new(network.spec().clone(), &Layers::standard(), Seed(7))?;
    /// assert_eq!(again.parameters(), network.parameters());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn new(spec: NetworkSpec, layers: &Layers, seed: Seed) -> Result<Self, Error> {
        Self::initialized(spec, layers, &[], seed)
    }

    /// A network of this architecture whose parameters are all zero: for a reader of files, who has other numbers, and
    /// would let a file that nobody trusts choose how long its initialisers take.
    ///
    /// # Errors
    /// As for [`new`](Network::new).
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Layers, Network, Sequential};
    ///
    /// let network = Sequential::rows(4).dense(1).build(Seed(7))?;
    /// let zeros = Network::zeroed(network.spec().clone(), &Layers::standard())?;
    /// assert!(zeros.parameters().iter().all(|&w| w == 0.0));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn zeroed(spec: NetworkSpec, layers: &Layers) -> Result<Self, Error> {
        let architecture = Architecture::new(spec, layers, &[])?;
        let parameters = layout::allocate(architecture.layout.parameters_length)?;
        Self::with_parameters(architecture, parameters)
    }

    /// As [`Network::new`], with layers that need no table.
    pub(crate) fn initialized(
        spec: NetworkSpec,
        table: &Layers,
        at_hand: &[Option<Arc<dyn Layer>>],
        seed: Seed,
    ) -> Result<Self, Error> {
        let architecture = Architecture::new(spec, table, at_hand)?;
        let parameters = architecture.layout.initial_parameters(seed)?;
        Self::with_parameters(architecture, parameters)
    }

    fn with_parameters(architecture: Architecture, parameters: Buffer) -> Result<Self, Error> {
        let state = architecture.layout.initial_state()?;
        let masks = vec![None; architecture.layout.segments.len()];
        Ok(Self {
            architecture: Arc::new(architecture),
            parameters,
            state,
            masks,
        })
    }

    /// The architecture.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.spec().nodes[0].name, "dense");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn spec(&self) -> &NetworkSpec {
        &self.architecture.spec
    }

    /// What the network takes and gives.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.signature().inputs()[0].name(), "x");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn signature(&self) -> &Signature {
        &self.architecture.signature
    }

    /// Numbers a row of the output.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// assert_eq!(Sequential::rows(4).dense(3).build(Seed(7))?.output_width(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn output_width(&self) -> usize {
        self.architecture.output_width()
    }

    /// All parameters, with the zeros between segments.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.parameters().len(), 16 + 16); // 12 weights and 3 biases, padded
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// All parameters, to change; the zeros between segments must stay zero. Masks are not applied:
    /// see [`apply_masks`](Network::apply_masks).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// let bias = network.segments()[1].range.clone();
    /// network.parameters_mut()[bias].fill(0.5);
    /// assert_eq!(network.segment("dense.bias")?.sum(), 1.5);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// The parts of the buffer of parameters, in its order.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// let ranges: Vec<_> = network.segments().iter().map(|segment| segment.range.clone()).collect();
    /// assert_eq!(ranges, [0..12, 16..19]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn segments(&self) -> &[Segment] {
        &self.architecture.layout.segments
    }

    /// A parameter by its name, shaped.
    ///
    /// # Errors
    /// [`Error::UnknownSegment`].
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// let network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.segment("dense.bias")?.sum(), 0.0);
    /// assert!(network.segment("dense.scale").is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn segment(&self, name: &str) -> Result<ArrayViewD<'_, f32>, Error> {
        let segment = &self.segments()[self.segment_index(name)?];
        Ok(
            ArrayViewD::from_shape(&segment.shape[..], &self.parameters[segment.range.clone()])
                .expect("a segment has as many elements as its shape"),
        )
    }

    /// A parameter by its name, shaped, to change.
    ///
    /// # Errors
    /// [`Error::UnknownSegment`].
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// network.segment_mut("dense.bias")?.fill(1.0);
    /// assert_eq!(network.segment("dense.bias")?.sum(), 3.0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn segment_mut(&mut self, name: &str) -> Result<ArrayViewMutD<'_, f32>, Error> {
        let index = self.segment_index(name)?;
        let segment = &self.architecture.layout.segments[index];
        Ok(ArrayViewMutD::from_shape(
            &segment.shape[..],
            &mut self.parameters[segment.range.clone()],
        )
        .expect("a segment has as many elements as its shape"))
    }

    /// Numbers that are not trained: moments of the data, running statistics.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_core::Moments;
    /// let network = Sequential::rows(2).normalize(Moments::new([3.0, 4.0], [1.0, 2.0])?).build(Seed(7))?;
    /// assert_eq!(network.state()[..2], [3.0, 4.0]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn state(&self) -> &[f32] {
        &self.state
    }

    /// The parts of the state, in its order.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_core::Moments;
    /// let network = Sequential::rows(2).normalize(Moments::identity(2)).build(Seed(7))?;
    /// assert_eq!(network.state_segments()[1].name, "normalization.deviation");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn state_segments(&self) -> &[StateSegment] {
        &self.architecture.layout.state
    }

    /// Takes over running state, such as [`Plan::next_state`](crate::Plan::next_state) after a step. Constants stay
    /// what they are.
    ///
    /// # Errors
    /// [`Error::Length`] when `state` is not as long as the network's state.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert!(network.set_state(&[1.0]).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn set_state(&mut self, state: &[f32]) -> Result<(), Error> {
        if state.len() != self.state.len() {
            return Err(Error::Length {
                expected: self.state.len(),
                found: state.len(),
            });
        }
        for segment in &self.architecture.layout.state {
            if segment.updates == Updates::InTraining {
                self.state[segment.range.clone()].copy_from_slice(&state[segment.range.clone()]);
            }
        }
        Ok(())
    }

    /// The moments of the targets, where the network ends in a
    /// [`Denormalization`](crate::LayerSpec::Denormalization): it is trained to give (target − mean) / deviation.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
    /// assert_eq!(network.target_moments(), None);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn target_moments(&self) -> Option<&Moments> {
        self.architecture.target_moments()
    }

    fn segment_index(&self, name: &str) -> Result<usize, Error> {
        self.segments()
            .iter()
            .position(|segment| segment.name == name)
            .ok_or_else(|| Error::UnknownSegment {
                name: name.to_owned(),
            })
    }
}

/// The architecture and how much there is of it; the numbers themselves would fill screens.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("spec", self.spec())
            .field("parameters", &self.parameters.len())
            .field("state", &self.state.len())
            .finish_non_exhaustive()
    }
}
