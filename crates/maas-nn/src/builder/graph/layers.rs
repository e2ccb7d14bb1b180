use maas_core::Moments;
use maas_kernels::Activation;

use super::Graph;
use crate::{LayerSpec, Source};

/// Layers.
impl Graph {
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

    /// y = gamma · (x − m) / √(v + 1e-3) + beta, feature by feature: batch normalisation with Keras' momentum of 0.99;
    /// [`LayerSpec::BatchNorm`] takes others.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.batch_norm(x);
    /// assert_eq!(graph.build(y, Seed(7))?.state_segments()[0].name, "batch_norm.moving_mean");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn batch_norm(&mut self, x: Source) -> Source {
        self.push(LayerSpec::batch_norm(), &[x])
    }

    /// y = gamma · (x − m) / √(v + 1e-3) + beta, with the moments of each vector along the last axis.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.layer_norm(x);
    /// assert_eq!(graph.build(y, Seed(7))?.segments()[0].name, "layer_norm.gamma");
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn layer_norm(&mut self, x: Source) -> Source {
        self.push(LayerSpec::layer_norm(), &[x])
    }

    /// Each id's vector of `width` numbers, from a table of `vocabulary` of them.
    ///
    /// ```
    /// use maas_core::{DType, Seed, TensorSpec};
    /// use maas_nn::Graph;
    ///
    /// let mut graph = Graph::new(TensorSpec::rows("ids", DType::Int32, &[3]));
    /// let vectors = graph.embedding(graph.input(0), 1000, 8);
    /// assert_eq!(graph.build(vectors, Seed(7))?.output_width(), 3 * 8);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn embedding(&mut self, ids: Source, vocabulary: usize, width: usize) -> Source {
        self.push(LayerSpec::embedding(vocabulary, width), &[ids])
    }

    /// In training, adds normal noise of this standard deviation.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.gaussian_noise(x, 0.1);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[1.0, 2.0]])?, ndarray::array![[1.0, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gaussian_noise(&mut self, x: Source, deviation: f32) -> Source {
        self.push(LayerSpec::GaussianNoise { deviation }, &[x])
    }

    /// Rows of another shape, of as many numbers.
    ///
    /// ```
    /// use maas_core::{DType, Seed, TensorSpec};
    /// use maas_nn::Graph;
    ///
    /// let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[8, 8]));
    /// let y = graph.reshape(graph.input(0), [4, 16]);
    /// assert_eq!(graph.build(y, Seed(7))?.summary().rows[0].output, [4, 16]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn reshape(&mut self, x: Source, shape: impl Into<Vec<usize>>) -> Source {
        let shape = shape.into();
        self.push(LayerSpec::Reshape { shape }, &[x])
    }
}
