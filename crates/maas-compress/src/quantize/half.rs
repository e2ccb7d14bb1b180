use maas_kernels::{Bf16 as Number, Kernels};
use maas_nn::{Arithmetic, Network, Role};

use super::Quantize;
use super::selection::Selection;
use crate::Error;
use crate::prune::finite_weights;

/// Weights and biases rounded to f16, which the file keeps in two bytes; layers compute in single precision.
///
/// Half precision has 11 significant bits and magnitudes from 6·10⁻⁸ to 65,504.
///
/// ```
/// use maas_compress::{F16, Quantize};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(4).dense(1).build(Seed(7))?;
/// network.segment_mut("dense.kernel")?.fill(0.1);
/// F16.quantize(&mut network)?;
/// assert_eq!(network.segment("dense.kernel")?[[0, 0]], 0.099975586);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct F16;

impl Quantize for F16 {
    /// # Errors
    /// [`Error::NotFinite`], [`Error::Magnitude`] for numbers that f16 cannot hold.
    fn quantize(&self, network: &mut Network) -> Result<(), Error> {
        finite_weights(network)?;
        let segments = network.segments().to_vec();
        let mut rounded = network.clone();
        for segment in segments {
            if !matches!(segment.role, Role::Weight | Role::Bias) {
                continue;
            }
            let numbers = rounded.parameters_mut()[segment.range].iter_mut();
            for (index, number) in numbers.enumerate() {
                let half = half::f16::from_f32(*number);
                if half.is_infinite() {
                    return Err(Error::Magnitude {
                        segment: segment.name,
                        index,
                        expected: half::f16::MAX.to_f32(),
                        found: *number,
                    });
                }
                *number = half.to_f32();
            }
        }
        *network = rounded;
        Ok(())
    }
}

/// Weights rounded to bf16, and layers that round their inputs to bf16 too: half the memory, and on processors with
/// AVX512-BF16 twice the speed. Sums and biases are of single precision.
///
/// ```
/// use maas_compress::{Bf16, Quantize};
/// use maas_core::Seed;
/// use maas_nn::{Arithmetic, Sequential};
///
/// let mut network = Sequential::rows(4).dense(8).relu().dense(1).build(Seed(7))?;
/// Bf16::new().except("dense_1").quantize(&mut network)?;
/// assert_eq!(network.arithmetic("dense")?, Arithmetic::Bf16);
/// assert_eq!(network.arithmetic("dense_1")?, Arithmetic::F32);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Bf16 {
    layers: Selection,
}

impl Bf16 {
    /// All dense layers.
    ///
    /// See the type for an example.
    pub fn new() -> Self {
        Self::default()
    }

    /// This layer, and others named so, in place of all.
    ///
    /// ```
    /// # use {maas_compress::{Bf16, Quantize}, maas_core::Seed, maas_nn::Sequential};
    /// let mut network = Sequential::rows(4).dense(16).relu().dense(1).build(Seed(7))?;
    /// let before = network.segment("dense_1.kernel")?.to_owned();
    /// Bf16::new().only("dense").quantize(&mut network)?;
    /// assert_eq!(network.segment("dense_1.kernel")?, before);
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn only(self, layer: impl Into<String>) -> Self {
        Self {
            layers: self.layers.only(layer),
        }
    }

    /// Leaves a layer as it is.
    ///
    /// See the type for an example.
    pub fn except(self, layer: impl Into<String>) -> Self {
        Self {
            layers: self.layers.except(layer),
        }
    }
}

impl Quantize for Bf16 {
    fn prepare(&self, network: &mut Network) -> Result<(), Error> {
        for (_, layer) in self.layers.layers(network)? {
            network.set_arithmetic(&layer, Arithmetic::Bf16)?;
        }
        Ok(())
    }

    /// # Errors
    /// [`Error::NotFinite`], [`Error::Network`] for a layer to be left out that is not there.
    fn quantize(&self, network: &mut Network) -> Result<(), Error> {
        finite_weights(network)?;
        self.prepare(network)?;
        for (_, layer) in self.layers.layers(network)? {
            let mut kernel = network.segment_mut(&format!("{layer}.kernel"))?;
            let weights = kernel.as_slice_mut().expect("a segment is one slice");
            let mut narrow = vec![Number::default(); weights.len()];
            let kernels = Kernels::best();
            kernels.narrow_bf16(weights, &mut narrow);
            kernels.widen_bf16(&narrow, weights);
        }
        Ok(())
    }
}
