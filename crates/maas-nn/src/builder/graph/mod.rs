//! Any shape without cycles.

mod joins;
mod layers;

use std::collections::BTreeMap;
use std::sync::Arc;

use maas_core::{Seed, TensorSpec};

use crate::{Error, Initializer, Layer, LayerSpec, Layers, Network, NetworkSpec, Node, Source};

/// Builds a network of any shape without cycles: several inputs, branches, sums.
///
/// Each method adds a layer and returns the source of its value, for further layers to take. Layers are named after
/// their kind: `dense`, `dense_1`, ...; [`name`](Graph::name) gives another.
///
/// ```
/// use maas_core::{DType, Seed, TensorSpec};
/// use maas_nn::Graph;
///
/// let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[8]));
/// let x = graph.input(0);
/// let h = graph.dense(x, 8);
/// let h = graph.relu(h);
/// let sum = graph.add(&[h, x]);
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

    /// Starts the kernel of the layer that was added last from something else, where that is a dense one, or the table
    /// of an embedding.
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
        if let Some(
            LayerSpec::Dense {
                kernel_initializer: own,
                ..
            }
            | LayerSpec::Embedding {
                initializer: own, ..
            },
        ) = self.last_layer()
        {
            *own = initializer;
        }
        self
    }

    /// Takes the bias from the layer that was added last, where that is a dense one: what comes before a normalisation
    /// needs none.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let h = graph.dense(x, 3);
    /// graph.without_bias();
    /// let y = graph.batch_norm(h);
    /// assert_eq!(graph.build(y, Seed(7))?.segments().len(), 3);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn without_bias(&mut self) -> &mut Self {
        if let Some(LayerSpec::Dense { bias, .. }) = self.last_layer() {
            *bias = false;
        }
        self
    }

    /// Takes beta from the layer that was added last, where that is a batch normalisation: Keras' `center=False`.
    ///
    /// ```
    /// # use maas_core::{DType, Seed, TensorSpec};
    /// # use maas_nn::Graph;
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.batch_norm(x);
    /// graph.without_center();
    /// assert_eq!(graph.build(y, Seed(7))?.segments()[0].name, "batch_norm.gamma");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn without_center(&mut self) -> &mut Self {
        if let Some(LayerSpec::BatchNorm { center, .. }) = self.last_layer() {
            *center = false;
        }
        self
    }

    /// Takes gamma from the layer that was added last, where that is a batch normalisation: Keras' `scale=False`.
    ///
    /// ```
    /// # use maas_core::{DType, Seed, TensorSpec};
    /// # use maas_nn::Graph;
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.batch_norm(x);
    /// graph.without_scale();
    /// assert_eq!(graph.build(y, Seed(7))?.segments()[0].name, "batch_norm.beta");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn without_scale(&mut self) -> &mut Self {
        if let Some(LayerSpec::BatchNorm { scale, .. }) = self.last_layer() {
            *scale = false;
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

    fn last_layer(&mut self) -> Option<&mut LayerSpec> {
        self.nodes.last_mut().map(|node| &mut node.layer)
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

    /// Whether this graph has what `before` had, and perhaps more.
    pub(super) fn continues(&self, before: &Self) -> bool {
        self.inputs == before.inputs && self.nodes.starts_with(&before.nodes)
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
