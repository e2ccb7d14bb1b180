//! One layer after the other, and branches.

mod activations;
mod branches;
mod layers;

pub use branches::{Merge, Parallel};

use maas_core::{DType, Moments, Seed, TensorSpec};

use super::Graph;
use crate::{Error, Initializer, Layer, LayerSpec, Network, Source};

/// Builds a network of layers one after the other, as Keras' `Sequential`.
///
/// Whatever does not fit is reported by [`build`](Sequential::build).
///
/// ```
/// use maas_core::{DType, Seed, TensorSpec};
/// use maas_nn::Sequential;
///
/// let digits = TensorSpec::rows("pixels", DType::Fp32, &[8, 8]);
/// let network = Sequential::new(digits)
///     .flatten()
///     .dense(64)
///     .relu()
///     .dropout(0.2)
///     .dense(10)
///     .softmax()
///     .labels((0..10).map(|digit| digit.to_string()))
///     .build(Seed(7))?;
/// println!("{}", network.summary());
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Sequential {
    graph: Graph,
    end: Source,
    targets: Option<Moments>,
    /// Whether a branch came back that does not go on from here.
    foreign: bool,
}

impl Sequential {
    /// A network that takes this input, such as a data set's features.
    ///
    /// ```
    /// use maas_core::{DType, Seed, TensorSpec};
    /// use maas_nn::Sequential;
    ///
    /// let image = TensorSpec::rows("image", DType::Fp32, &[8, 8]);
    /// assert_eq!(Sequential::new(image).flatten().dense(3).build(Seed(7))?.output_width(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn new(inputs: impl Into<Vec<TensorSpec>>) -> Self {
        Self {
            graph: Graph::new(inputs),
            end: Source::Input(0),
            targets: None,
            foreign: false,
        }
    }

    /// A network that takes rows of `width` numbers, under the name `x`.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    /// assert_eq!(Sequential::rows(4).dense(2).build(Seed(7))?.output_width(), 2);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn rows(width: usize) -> Self {
        Self::new(TensorSpec::rows("x", DType::Fp32, &[width]))
    }

    /// Adds a layer that is described as data.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_nn::LayerSpec;
    /// let network = Sequential::rows(2).push(LayerSpec::dense(3)).build(Seed(7))?;
    /// assert_eq!(network.output_width(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn push(mut self, layer: LayerSpec) -> Self {
        self.end = self.graph.push(layer, &[self.end]);
        self
    }

    /// Adds a layer of one's own.
    pub fn layer(mut self, layer: impl Layer + 'static) -> Self {
        self.end = self.graph.layer(layer, &[self.end]);
        self
    }

    /// Starts the kernel of the layer that was added last from something else, where that is a dense one, or the
    /// table of an embedding.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::{Initializer, Sequential};
    ///
    /// let network = Sequential::rows(4).dense(2).initializer(Initializer::Ones).build(Seed(7))?;
    /// assert_eq!(network.segment("dense.kernel")?.sum(), 8.0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn initializer(mut self, initializer: Initializer) -> Self {
        self.graph.initializer(initializer);
        self
    }

    /// Takes the bias from the layer that was added last, where that is a dense one: what comes before a normalisation
    /// needs none.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(4).dense(2).without_bias().build(Seed(7))?;
    /// assert_eq!(network.segments().len(), 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn without_bias(mut self) -> Self {
        self.graph.without_bias();
        self
    }

    /// Takes beta from the layer that was added last, where that is a batch normalisation: Keras' `center=False`.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(4).batch_norm().without_center().build(Seed(7))?;
    /// assert_eq!(network.segments()[0].name, "batch_norm.gamma");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn without_center(mut self) -> Self {
        self.graph.without_center();
        self
    }

    /// Takes gamma from the layer that was added last, where that is a batch normalisation: Keras' `scale=False`, for
    /// what comes before a layer that scales anyway.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(4).batch_norm().without_scale().dense(2).build(Seed(7))?;
    /// assert_eq!(network.segments()[0].name, "batch_norm.beta");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn without_scale(mut self) -> Self {
        self.graph.without_scale();
        self
    }

    /// Freezes the layer that was added last: training leaves its parameters and its running statistics alone.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(4).dense(8).freeze().relu().dense(1).build(Seed(7))?;
    /// assert_eq!(network.summary().trainable, 8 + 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn freeze(mut self) -> Self {
        self.graph.freeze();
        self
    }

    /// Names the layer that was added last.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(4).dense(2).name("head").build(Seed(7))?;
    /// assert_eq!(network.segments()[0].name, "head.kernel");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.graph.name(name);
        self
    }

    /// Names the classes, one an output.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// let network = Sequential::rows(4).dense(2).softmax().labels(["cat", "dog"]).build(Seed(7))?;
    /// assert_eq!(network.signature().outputs()[0].labels().map(<[String]>::len), Some(2));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn labels<S: Into<String>>(mut self, labels: impl IntoIterator<Item = S>) -> Self {
        self.graph.labels(labels);
        self
    }

    /// The network, with parameters from `seed`.
    ///
    /// # Errors
    /// [`Error::InputCount`] when there is not exactly one input, [`Error::NoLayers`], and whatever a layer reports:
    /// units of zero, a rate outside [0, 1), moments of another width, branches whose shapes do not fit.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    /// assert!(Sequential::rows(4).build(Seed(7)).is_err());
    /// assert!(Sequential::rows(4).dense(0).build(Seed(7)).is_err());
    /// ```
    pub fn build(mut self, seed: Seed) -> Result<Network, Error> {
        let inputs = self.graph.inputs();
        if inputs > 1 {
            return Err(Error::InputCount {
                expected: 1,
                found: inputs,
            });
        }
        if self.foreign {
            return Err(Error::ForeignBranch);
        }
        if let Some(targets) = self.targets.take() {
            self = self.denormalize(targets);
        }
        self.graph.build(self.end, seed)
    }
}
