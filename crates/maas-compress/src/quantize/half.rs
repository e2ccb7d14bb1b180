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
                *number = nearest(*number).ok_or_else(|| Error::Magnitude {
                    segment: segment.name.clone(),
                    index,
                    expected: LARGEST,
                    found: *number,
                })?;
            }
        }
        *network = rounded;
        Ok(())
    }
}

/// The nearest f16, ties to even; none where it would be infinite.
fn nearest(number: f32) -> Option<f32> {
    let rounded = if number.abs() < LEAST_NORMAL {
        (number / LEAST).round_ties_even() * LEAST
    } else {
        // 13 of the 23 bits behind the leading one go; a carry raises the exponent, as it should.
        let bits = number.to_bits();
        f32::from_bits((bits + 0xfff + (bits >> 13 & 1)) & !0x1fff)
    };
    (rounded.abs() <= LARGEST).then_some(rounded)
}

/// The largest f16, the least normal one, and the least above zero.
const LARGEST: f32 = 65_504.0;
const LEAST_NORMAL: f32 = 1.0 / 16_384.0;
const LEAST: f32 = LEAST_NORMAL / 1024.0;

/// Weights rounded to bf16, and layers that round their inputs to bf16 too: half the memory, and on processors with
/// AVX512-BF16 twice the speed. Sums and biases are of single precision.
///
/// ```
/// use maas_compress::{Bf16, Quantize};
/// use maas_core::Seed;
/// use maas_nn::{Arithmetic, Sequential};
///
/// let mut network = Sequential::rows(4).dense(8).relu().dense(1).build(Seed(7))?;
/// Bf16::new().exclude("dense_1").quantize(&mut network)?;
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
    pub fn exclude(self, layer: impl Into<String>) -> Self {
        Self {
            layers: self.layers.exclude(layer),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The f16 with these bits, of a finite number that is not negative.
    fn f16(bits: u16) -> f32 {
        let (exponent, fraction) = (i32::from(bits >> 10), f32::from(bits & 0x3ff));
        match exponent {
            0 => fraction * LEAST,
            _ => (1024.0 + fraction) * LEAST * 2.0_f32.powi(exponent - 1),
        }
    }

    #[test]
    fn every_f16_stays_and_what_lies_between_goes_to_the_nearer() {
        assert_eq!((f16(0x3c00), f16(0x7bff)), (1.0, LARGEST));
        for bits in 0..0x7bff_u16 {
            let (low, high) = (f16(bits), f16(bits + 1));
            let even = if bits % 2 == 0 { low } else { high };
            let middle = f32::midpoint(low, high);
            for sign in [1.0, -1.0] {
                assert_eq!(nearest(sign * low), Some(sign * low));
                assert_eq!(nearest(sign * middle), Some(sign * even));
                assert_eq!(nearest(sign * middle.next_down()), Some(sign * low));
                assert_eq!(nearest(sign * middle.next_up()), Some(sign * high));
            }
        }
        assert_eq!(nearest(65_519.0), Some(LARGEST));
        assert_eq!((nearest(65_520.0), nearest(f32::MAX)), (None, None));
    }
}
