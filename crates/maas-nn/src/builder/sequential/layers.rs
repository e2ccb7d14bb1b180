use maas_core::{Moments, Statistics};

use super::Sequential;
use crate::LayerSpec;

/// Layers.
impl Sequential {
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

    /// y = gamma · (x − m) / √(v + 1e-3) + beta, feature by feature, with the moments of the batch in training and
    /// running ones, of momentum 0.99, else; [`LayerSpec::BatchNorm`] takes others than these, which are Keras'.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_nn::Sequential;
    ///
    /// let network = Sequential::rows(4).dense(8).without_bias().batch_norm().relu().dense(1).build(Seed(7))?;
    /// let names: Vec<&str> = network.state_segments().iter().map(|state| state.name.as_str()).collect();
    /// assert_eq!(names, ["batch_norm.moving_mean", "batch_norm.moving_variance"]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn batch_norm(self) -> Self {
        self.push(LayerSpec::batch_norm())
    }

    /// y = gamma · (x − m) / √(v + 1e-3) + beta, with the moments of each vector along the last axis;
    /// [`LayerSpec::LayerNorm`] takes another epsilon than this, which is Keras'.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).layer_norm().build(Seed(7))?;
    /// let difference = network.predict(&array![[10.0, 30.0]])? - array![[-1.0, 1.0]];
    /// assert!(difference.iter().all(|d: &f32| d.abs() < 1e-4));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn layer_norm(self) -> Self {
        self.push(LayerSpec::layer_norm())
    }

    /// Each id's vector of `width` numbers, from a table of `vocabulary` of them, which starts uniform from −0.05 to
    /// 0.05 as in Keras. An id beyond the vocabulary is an [`Error::Id`](crate::Error::Id).
    ///
    /// ```
    /// use maas_core::{DType, Seed, TensorSpec, Values};
    /// use maas_nn::Sequential;
    ///
    /// let words = TensorSpec::rows("words", DType::Int32, &[5]);
    /// let network = Sequential::new(words).embedding(1000, 8).flatten().dense(1).build(Seed(7))?;
    /// assert_eq!(network.predict_values(1, &[Values::I32(&[3, 1, 4, 1, 5])])?.dim(), (1, 1));
    /// assert!(network.predict_values(1, &[Values::I32(&[3, 1, 4, 1, 1000])]).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn embedding(self, vocabulary: usize, width: usize) -> Self {
        self.push(LayerSpec::embedding(vocabulary, width))
    }

    /// In training, adds normal noise of this standard deviation.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// # use ndarray::array;
    /// let network = Sequential::rows(2).gaussian_noise(0.1).build(Seed(7))?;
    /// assert_eq!(network.predict(&array![[1.0, 2.0]])?, array![[1.0, 2.0]]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn gaussian_noise(self, deviation: f32) -> Self {
        self.push(LayerSpec::GaussianNoise { deviation })
    }

    /// Rows of another shape, of as many numbers.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_nn::Sequential;
    /// let network = Sequential::rows(12).reshape([4, 3]).dense(2).build(Seed(7))?;
    /// assert_eq!(network.summary().rows[1].output, [4, 2]);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn reshape(self, shape: impl Into<Vec<usize>>) -> Self {
        self.push(LayerSpec::Reshape {
            shape: shape.into(),
        })
    }
}
