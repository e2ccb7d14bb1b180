use maas_core::{DType, Moments, Seed, Statistics, TensorSpec};
use maas_kernels::Activation;

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

    /// Standardises values by the moments of the training data, and, where the targets' moments are known, brings
    /// the network's output back to their units: the network takes and gives raw numbers.
    ///
    /// ```
    /// use maas_core::{Moments, Seed, Statistics};
    /// use maas_nn::Sequential;
    ///
    /// let features = Moments::new([10.0, 20.0], [1.0, 2.0])?;
    /// let targets = Some(Moments::new([5.0], [0.5])?);
    /// let network = Sequential::rows(2).normalize(Statistics { features, targets }).dense(1).build(Seed(7))?;
    /// assert_eq!(network.spec().nodes.len(), 3);
    /// assert_eq!(network.target_moments().map(|moments| moments.mean()), Some(&[5.0][..]));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn normalize(mut self, statistics: impl Into<Statistics>) -> Self {
        let Statistics { features, targets } = statistics.into();
        if targets.is_some() {
            self.targets = targets;
        }
        self.push(LayerSpec::Normalization { moments: features })
    }

    /// Brings values back to the units of these moments.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// # use maas_core::Moments;
    /// let network = Sequential::rows(1).denormalize(Moments::new([5.0], [2.0])?).build(Seed(7))?;
    /// assert_eq!(network.predict(&array![[1.5]])?, array![[8.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn denormalize(self, moments: impl Into<Moments>) -> Self {
        self.push(LayerSpec::Denormalization {
            moments: moments.into(),
        })
    }

    /// y = x·W + b with `units` outputs.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// let network = Sequential::rows(2).dense(3).build(Seed(7))?;
    /// assert_eq!(network.segment("dense.kernel")?.shape(), [2, 3]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn dense(self, units: usize) -> Self {
        self.push(LayerSpec::dense(units))
    }

    /// y = f(x), element by element.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use maas_nn::Activation;
    /// let network = Sequential::rows(2).activation(Activation::Tanh).build(Seed(7))?;
    /// assert_eq!(network.spec().nodes[0].name, "tanh");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn activation(self, activation: Activation) -> Self {
        self.push(LayerSpec::Activation(activation))
    }

    /// y = max(x, 0).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).relu().build(Seed(7))?;
    /// assert_eq!(network.predict(&array![[-1.0, 2.0]])?, array![[0.0, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn relu(self) -> Self {
        self.activation(Activation::Relu)
    }

    /// y = x where x > 0, else `slope` · x.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).leaky_relu(0.5).build(Seed(7))?;
    /// assert_eq!(network.predict(&array![[-1.0, 2.0]])?, array![[-0.5, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn leaky_relu(self, slope: f32) -> Self {
        self.activation(Activation::LeakyRelu { slope })
    }

    /// y = x · Φ(x), Φ the distribution of the normal law.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).gelu().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-0.158_655, 1.954_500]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gelu(self) -> Self {
        self.activation(Activation::Gelu)
    }

    /// y = x · σ(x).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).silu().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-0.268_941, 1.761_594]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn silu(self) -> Self {
        self.activation(Activation::Silu)
    }

    /// y = tanh(x).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).tanh().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-0.761_594, 0.964_028]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn tanh(self) -> Self {
        self.activation(Activation::Tanh)
    }

    /// y = σ(x) = 1 / (1 + exp(−x)).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).sigmoid().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[0.268_941, 0.880_797]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn sigmoid(self) -> Self {
        self.activation(Activation::Sigmoid)
    }

    /// y = exp(x) / Σ exp(x) over the last axis.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).softmax().build(Seed(7))?;
    /// assert_eq!(network.predict(&array![[3.0, 3.0]])?, array![[0.5, 0.5]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn softmax(self) -> Self {
        self.push(LayerSpec::Softmax)
    }

    /// In training, zeroes elements with probability `rate` and scales the others by 1 / (1 − rate).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).dropout(0.5).build(Seed(7))?;
    /// assert_eq!(network.predict(&array![[1.0, 2.0]])?, array![[1.0, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn dropout(self, rate: f32) -> Self {
        self.push(LayerSpec::Dropout { rate })
    }

    /// Rows of numbers, whatever their shape was.
    ///
    /// ```
    /// # use maas_core::{DType, Seed, TensorSpec};
    /// # use maas_nn::Sequential;
    /// let image = TensorSpec::rows("image", DType::Fp32, &[8, 8]);
    /// assert_eq!(Sequential::new(image).flatten().build(Seed(7))?.output_width(), 64);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn flatten(self) -> Self {
        self.push(LayerSpec::Flatten)
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

    /// Starts the kernel of the layer that was added last from something else, where that is a dense one.
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
    /// units of zero, a rate outside [0, 1), moments of another width.
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
        if let Some(targets) = self.targets.take() {
            self = self.denormalize(targets);
        }
        self.graph.build(self.end, seed)
    }
}
