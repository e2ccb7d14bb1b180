use maas_kernels::Activation;

use super::Sequential;
use crate::LayerSpec;

/// Activations.
impl Sequential {
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

    /// y = x where x > 0, else `slope` · x. Keras' slope is 0.3 for its layer and 0.2 for its function.
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

    /// y = x where x > 0, else `alpha` · (eˣ − 1). Keras' alpha is 1.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).elu(1.0).build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-0.632_121, 2.0]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn elu(self, alpha: f32) -> Self {
        self.activation(Activation::Elu { alpha })
    }

    /// y = 1.0507 · elu(x) with alpha = 1.6733: what keeps mean 0 and variance 1, started from
    /// [`Initializer::LecunNormal`](crate::Initializer::LecunNormal).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).selu().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-1.111_331, 2.101_402]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn selu(self) -> Self {
        self.activation(Activation::Selu)
    }

    /// y = x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))): the approximation of [`gelu`](Sequential::gelu).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).gelu_tanh().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-0.158_808, 1.954_598]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gelu_tanh(self) -> Self {
        self.activation(Activation::GeluTanh)
    }

    /// y = x · tanh(ln(1 + eˣ)).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).mish().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-0.303_401, 1.943_959]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn mish(self) -> Self {
        self.activation(Activation::Mish)
    }

    /// y = min(max(x + 3, 0), 6) / 6.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).hard_sigmoid().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[0.333_333, 0.833_333]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn hard_sigmoid(self) -> Self {
        self.activation(Activation::HardSigmoid)
    }

    /// y = ln(1 + eˣ).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).softplus().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[0.313_262, 2.126_928]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn softplus(self) -> Self {
        self.activation(Activation::Softplus)
    }

    /// y = x / (1 + |x|).
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).softsign().build(Seed(7))?;
    /// let difference = network.predict(&array![[-1.0, 2.0]])? - array![[-0.5, 0.666_667]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-5));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn softsign(self) -> Self {
        self.activation(Activation::Softsign)
    }
}
