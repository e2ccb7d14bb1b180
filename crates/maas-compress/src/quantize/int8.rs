use maas_data::Dataset;
use maas_kernels::{Int8Matrix, Matrix};
use maas_nn::{Arithmetic, Network};

use super::selection::Selection;
use super::{Calibration, Quantize};
use crate::Error;
use crate::inputs::{check, values, values_at};
use crate::prune::finite_weights;

/// Weights and inputs of eight bits, exact sums: a quarter of the memory.
///
/// Weights lie on a scale for each unit. Inputs are rounded on a scale for each row ([`Int8::dynamic`]), or on one that
/// examples have shown ([`Int8::calibrated`]); never on a scale of a batch, for then one caller's row would change another's answer.
///
/// What is trained after [`prepare`](Quantize::prepare) and then quantised is what is served, to the bit: the forward pass of
/// training rounds and multiplies the same integers, and gradients go straight through the rounding.
///
/// ```
/// use maas_compress::{Calibration, Int8, Quantize};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::Sequential;
/// use ndarray::Array2;
///
/// let data = Dataset::unlabelled(Array2::from_shape_fn((32, 4), |(i, j)| (i + j) as f32 / 8.0).view()).unwrap();
/// let mut network = Sequential::new(data.features()).dense(16).relu().dense(1).build(Seed(7))?;
/// let before = network.predict(data.x())?;
///
/// Int8::calibrated(&data, Calibration::MinMax).quantize(&mut network)?;
/// let after = network.predict(data.x())?;
/// assert!(before.iter().zip(&after).all(|(before, after)| (before - after).abs() < 0.1));
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Int8<'a> {
    examples: Option<(&'a Dataset, Calibration)>,
    layers: Selection,
}

impl Int8<'static> {
    /// All dense layers, with a scale for each row of inputs.
    ///
    /// See the type for an example.
    pub fn dynamic() -> Self {
        Self {
            examples: None,
            layers: Selection::default(),
        }
    }
}

impl<'a> Int8<'a> {
    /// All dense layers, each with a scale for its inputs that these rows have shown.
    ///
    /// See the type for an example.
    pub fn calibrated(examples: &'a Dataset, calibration: Calibration) -> Self {
        Self {
            examples: Some((examples, calibration)),
            layers: Selection::default(),
        }
    }

    /// This layer, and others named so, in place of all.
    ///
    /// ```
    /// # use {maas_compress::{Int8, Quantize}, maas_core::Seed, maas_nn::Sequential};
    /// let mut network = Sequential::rows(4).dense(16).relu().dense(1).build(Seed(7))?;
    /// let before = network.segment("dense_1.kernel")?.to_owned();
    /// Int8::dynamic().only("dense").quantize(&mut network)?;
    /// assert_eq!(network.segment("dense_1.kernel")?, before);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn only(self, layer: impl Into<String>) -> Self {
        Self {
            layers: self.layers.only(layer),
            ..self
        }
    }

    /// Leaves a layer as it is.
    ///
    /// ```
    /// # use {maas_compress::{Int8, Quantize}, maas_core::Seed, maas_nn::{Arithmetic, Sequential}};
    /// let mut network = Sequential::rows(4).dense(16).relu().dense(1).build(Seed(7))?;
    /// Int8::dynamic().exclude("dense_1").quantize(&mut network)?;
    /// assert_eq!(network.arithmetic("dense")?, Arithmetic::int8());
    /// assert_eq!(network.arithmetic("dense_1")?, Arithmetic::F32);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn exclude(self, layer: impl Into<String>) -> Self {
        Self {
            layers: self.layers.exclude(layer),
            ..self
        }
    }

    fn arithmetic_of(&self, network: &Network, node: usize) -> Result<Arithmetic, Error> {
        let Some((examples, calibration)) = self.examples else {
            return Ok(Arithmetic::int8());
        };
        let source = network.spec().nodes[node].inputs[0];
        let inputs = values_at(network, source, examples.rows(), &values(examples))?;
        Ok(Arithmetic::Int8 {
            input_scale: Some(calibration.range(&inputs)? / 127.0),
        })
    }
}

impl Quantize for Int8<'_> {
    /// # Errors
    /// [`Error::NotFinite`], [`Error::Network`] for a layer to be left out that is not there or examples that do not fit,
    /// and those of [`Calibration::range`].
    fn prepare(&self, network: &mut Network) -> Result<(), Error> {
        finite_weights(network)?;
        let layers = self.layers.layers(network)?;
        if let Some((examples, _)) = self.examples {
            check(network, examples)?;
        }
        let arithmetics = layers
            .iter()
            .map(|&(node, _)| self.arithmetic_of(network, node))
            .collect::<Result<Vec<_>, _>>()?;
        for ((_, layer), arithmetic) in layers.iter().zip(arithmetics) {
            network.set_arithmetic(layer, arithmetic)?;
        }
        Ok(())
    }

    /// # Errors
    /// Those of [`prepare`](Quantize::prepare).
    fn quantize(&self, network: &mut Network) -> Result<(), Error> {
        let layers = self.layers.layers(network)?;
        let is_prepared = |(_, layer): &(usize, String)| {
            matches!(network.arithmetic(layer), Ok(Arithmetic::Int8 { .. }))
        };
        if layers.iter().all(is_prepared) {
            finite_weights(network)?;
        } else {
            self.prepare(network)?;
        }
        for (_, layer) in layers {
            let mut kernel = network.segment_mut(&format!("{layer}.kernel"))?;
            let (inputs, units) = (kernel.shape()[0], kernel.shape()[1]);
            let weights = kernel.as_slice_mut().expect("a segment is one slice");
            let codes = Int8Matrix::quantize(Matrix::new(weights, inputs, units))
                .map_err(maas_nn::Error::from)?;
            codes.dequantize(weights);
        }
        Ok(())
    }
}
