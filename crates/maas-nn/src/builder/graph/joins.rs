use super::Graph;
use crate::{LayerSpec, Source};

/// Layers that make one value of several.
impl Graph {
    /// y = x₀ + x₁ + …, of values of one shape.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let h = graph.relu(x);
    /// let y = graph.add(&[x, h]);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[-1.0, 2.0]])?, ndarray::array![[-1.0, 4.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn add(&mut self, values: &[Source]) -> Source {
        self.push(LayerSpec::Add, values)
    }

    /// y = x₀ · x₁ · …, element by element, of values of one shape: gates, masks.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let y = graph.multiply(&[x, x]);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[-1.0, 2.0]])?, ndarray::array![[1.0, 4.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn multiply(&mut self, values: &[Source]) -> Source {
        self.push(LayerSpec::Multiply, values)
    }

    /// The values' vectors along the last axis, one behind the other.
    ///
    /// ```
    /// # use maas_core::{DType, Moments, Seed, TensorSpec};
    /// # use maas_nn::{Activation, Graph, Initializer, LayerSpec};
    /// # let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    /// # let x = graph.input(0);
    /// let h = graph.relu(x);
    /// let y = graph.concatenate(&[x, h]);
    /// let network = graph.build(y, Seed(7))?;
    /// assert_eq!(network.predict(&ndarray::array![[-1.0, 2.0]])?, ndarray::array![[-1.0, 2.0, 0.0, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn concatenate(&mut self, values: &[Source]) -> Source {
        self.push(LayerSpec::Concatenate, values)
    }
}
