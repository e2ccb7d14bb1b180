use std::collections::BTreeMap;
use std::sync::Arc;

use maas_core::{Moments, Seed, TensorSpec};
use maas_kernels::Activation;

use crate::{Error, Initializer, Layer, LayerSpec, Layers, Network, NetworkSpec, Node, Source};

/// Builds a network of any shape without cycles: several inputs, branches, sums.
///
/// Each method adds a layer and returns the source of its value, for further layers to take. Layers are named after
/// their kind: `dense`, `dense_1`, ...; [`name`](Graph::name) gives another.
///
/// ```
/// use maas_core::{DType, Seed, TensorSpec};
/// use maas_nn::Graph;
/// # use maas_nn::{Backward, Error, Forward, Layer, LayerPlan, RowType};
/// # #[derive(Debug)]
/// # struct Sum;
/// # impl Layer for Sum {
/// #     fn kind(&self) -> &str { "sum" }
/// #     fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> { Ok(LayerPlan::new(inputs[0].shape.clone())) }
/// #     fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
/// #         pass.output.copy_from_slice(pass.inputs.f32(0)?);
/// #         pass.compute.kernels.add(pass.inputs.f32(1)?, pass.output);
/// #         Ok(())
/// #     }
/// #     fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> { Ok(()) }
/// # }
///
/// let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[8]));
/// let x = graph.input(0);
/// let h = graph.dense(x, 8);
/// let h = graph.relu(h);
/// let sum = graph.layer(Sum, &[h, x]); // a layer of one's own
/// let y = graph.dense(sum, 1);
/// let network = graph.build(y, Seed(7))?;
/// assert_eq!(network.segments().len(), 4);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Graph {
    inputs: Vec<TensorSpec>,
    nodes: Vec<Node>,
    layers: Vec<Option<Arc<dyn Layer>>>,
    labels: Option<Vec<String>>,
    kinds: BTreeMap<String, usize>,
}

impl Graph {
    /// A network that takes these inputs.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dense(x, 3);
    /// assert_eq!(graph.build(y, Seed(7))?.output_width(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn new(inputs: impl Into<Vec<TensorSpec>>) -> Self {
        Self {
            inputs: inputs.into(),
            nodes: Vec::new(),
            layers: Vec::new(),
            labels: None,
            kinds: BTreeMap::new(),
        }
    }

    /// Input `index`; whether there is one is checked by [`build`](Graph::build).
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dense(x, 3);
    /// assert_eq!(graph.build(y, Seed(7))?.spec().nodes[0].inputs, [x]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn input(&self, index: usize) -> Source {
        Source::Input(index)
    }

    /// Adds a layer that is described as data.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.push(LayerSpec::dense(3), &[x]);
    /// assert_eq!(graph.build(y, Seed(7))?.output_width(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn push(&mut self, layer: LayerSpec, inputs: &[Source]) -> Source {
        self.insert(layer, None, inputs)
    }

    /// Adds a layer of one's own.
    pub fn layer(&mut self, layer: impl Layer + 'static, inputs: &[Source]) -> Source {
        let spec = LayerSpec::Custom {
            kind: layer.kind().to_owned(),
            config: layer.config(),
        };
        self.insert(spec, Some(Arc::new(layer)), inputs)
    }

    /// y = x·W + b with `units` outputs.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let hidden = graph.dense(x, 8);
    /// let y = graph.dense(hidden, 3);
    /// assert_eq!(graph.build(y, Seed(7))?.segment("dense_1.kernel")?.shape(), [8, 3]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn dense(&mut self, x: Source, units: usize) -> Source {
        self.push(LayerSpec::dense(units), &[x])
    }

    /// y = f(x), element by element.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.activation(x, Activation::Silu);
    /// assert_eq!(graph.build(y, Seed(7))?.spec().nodes[0].name, "silu");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn activation(&mut self, x: Source, activation: Activation) -> Source {
        self.push(LayerSpec::Activation(activation), &[x])
    }

    /// y = max(x, 0).
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.relu(x);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[-1.0, 2.0]])?, ndarray::array![[0.0, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn relu(&mut self, x: Source) -> Source {
        self.activation(x, Activation::Relu)
    }

    /// y = exp(x) / Σ exp(x) over the last axis.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.softmax(x);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[3.0, 3.0]])?, ndarray::array![[0.5, 0.5]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn softmax(&mut self, x: Source) -> Source {
        self.push(LayerSpec::Softmax, &[x])
    }

    /// In training, zeroes elements with probability `rate`.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dropout(x, 0.5);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[1.0, 2.0]])?, ndarray::array![[1.0, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn dropout(&mut self, x: Source, rate: f32) -> Source {
        self.push(LayerSpec::Dropout { rate }, &[x])
    }

    /// Rows of numbers, whatever their shape was.
    ///
    /// ```
    /// use maas_core::{DType, Seed, TensorSpec};
    /// use maas_nn::Graph;
    ///
    /// let mut graph = Graph::new(TensorSpec::rows("image", DType::Fp32, &[8, 8]));
    /// let y = graph.flatten(graph.input(0));
    /// assert_eq!(graph.build(y, Seed(7))?.output_width(), 64);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn flatten(&mut self, x: Source) -> Source {
        self.push(LayerSpec::Flatten, &[x])
    }

    /// y = (x − mean) / deviation, column by column.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.normalize(x, Moments::new([1.0, 2.0], [0.5, 4.0])?);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[2.0, 0.0]])?, ndarray::array![[2.0, -0.5]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn normalize(&mut self, x: Source, moments: impl Into<Moments>) -> Source {
        self.push(
            LayerSpec::Normalization {
                moments: moments.into(),
            },
            &[x],
        )
    }

    /// y = x · deviation + mean, column by column: last in a network, it lets training see standardised targets.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.denormalize(x, Moments::new([1.0, 2.0], [0.5, 4.0])?);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[2.0, -0.5]])?, ndarray::array![[2.0, 0.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn denormalize(&mut self, x: Source, moments: impl Into<Moments>) -> Source {
        self.push(
            LayerSpec::Denormalization {
                moments: moments.into(),
            },
            &[x],
        )
    }

    /// Names the layer that was added last.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dense(x, 3);
    /// graph.name("head");
    /// assert_eq!(graph.build(y, Seed(7))?.segments()[0].name, "head.kernel");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        if let Some(node) = self.nodes.last_mut() {
            node.name = name.into();
        }
        self
    }

    /// Freezes the layer that was added last: training leaves its parameters and its running statistics alone.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dense(x, 3);
    /// graph.freeze();
    /// assert!(!graph.build(y, Seed(7))?.segments()[0].trainable);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn freeze(&mut self) -> &mut Self {
        if let Some(node) = self.nodes.last_mut() {
            node.frozen = true;
        }
        self
    }

    /// Starts the kernel of the layer that was added last from something else, where that is a dense one.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dense(x, 3);
    /// graph.initializer(Initializer::HeUniform);
    /// assert_eq!(graph.build(y, Seed(7))?.segments()[0].initializer, Initializer::HeUniform);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn initializer(&mut self, initializer: Initializer) -> &mut Self {
        if let Some(Node {
            layer: LayerSpec::Dense {
                kernel_initializer, ..
            },
            ..
        }) = self.nodes.last_mut()
        {
            *kernel_initializer = initializer;
        }
        self
    }

    /// Names the classes, one an output.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dense(x, 2);
    /// graph.labels(["cat", "dog"]);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.signature().outputs()[0].labels(), Some(&["cat".to_owned(), "dog".to_owned()][..]));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn labels<S: Into<String>>(&mut self, labels: impl IntoIterator<Item = S>) -> &mut Self {
        self.labels = Some(labels.into_iter().map(Into::into).collect());
        self
    }

    /// The network that gives `output`, with parameters from `seed`.
    ///
    /// # Errors
    /// When there is no input or no layer, a source is not there, a layer's configuration makes no sense, or shapes
    /// do not fit.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.dense(x, 0);
    /// assert!(graph.build(y, Seed(7)).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn build(self, output: Source, seed: Seed) -> Result<Network, Error> {
        let Self {
            inputs,
            nodes,
            layers,
            labels,
            ..
        } = self;
        let spec = NetworkSpec {
            inputs,
            nodes,
            output,
            labels,
        };
        Network::initialized(spec, &Layers::standard(), &layers, seed)
    }

    /// The kind, or the kind with the first number that makes a new name.
    fn free_name(&mut self, kind: &str) -> String {
        let taken = |name: &str| self.nodes.iter().any(|node| node.name == name);
        let count = self.kinds.entry(kind.to_owned()).or_default();
        loop {
            let name = match *count {
                0 => kind.to_owned(),
                again => format!("{kind}_{again}"),
            };
            *count += 1;
            if !taken(&name) {
                return name;
            }
        }
    }

    pub(super) fn inputs(&self) -> usize {
        self.inputs.len()
    }

    fn insert(
        &mut self,
        layer: LayerSpec,
        at_hand: Option<Arc<dyn Layer>>,
        inputs: &[Source],
    ) -> Source {
        let name = self.free_name(layer.kind());
        self.nodes.push(Node {
            name,
            layer,
            inputs: inputs.to_vec(),
            frozen: false,
        });
        self.layers.push(at_hand);
        Source::Node(self.nodes.len() - 1)
    }
}
