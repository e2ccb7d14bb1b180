//! Weights and inputs of layers with fewer bits.

mod calibration;
mod codebook;
mod codebook_training;
mod entropy;
mod half;
mod int8;
mod kmeans;
mod palette;
mod selection;

pub use calibration::Calibration;
pub use codebook::Codebook;
pub use codebook_training::CodebookTraining;
pub use half::{Bf16, F16};
pub use int8::Int8;

use maas_nn::Network;

use crate::Error;

/// A way to give a network's weights fewer bits.
///
/// A quantised network is a [`Network`] like any other: its weights lie on a grid, and its specification says what its layers
/// compute with. Zeros stay zeros.
///
/// ```
/// use maas_compress::{Codebook, Quantize};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(16).dense(8).relu().dense(1).build(Seed(7))?;
/// Codebook::new(4).quantize(&mut network)?;
///
/// let mut values: Vec<u32> = network.segment("dense.kernel")?.iter().map(|w| w.to_bits()).collect();
/// values.sort_unstable();
/// values.dedup();
/// assert_eq!(values.len(), 4);
/// # Ok::<(), maas_compress::Error>(())
/// ```
pub trait Quantize {
    /// Gives layers the arithmetic that they will have, and leaves their weights alone: fine-tuning in between then sees
    /// in its forward passes what will be served. A [`Codebook`] leaves the arithmetic as it is; what stands in for it in
    /// training is [`CodebookTraining`].
    ///
    /// # Errors
    /// Those of [`quantize`](Quantize::quantize).
    fn prepare(&self, network: &mut Network) -> Result<(), Error> {
        let _ = network;
        Ok(())
    }

    /// Rounds the weights, of a network that was prepared or not.
    ///
    /// # Errors
    /// When a setting makes no sense, a weight is not finite, or calibration data do not fit; the network is then as it
    /// was.
    fn quantize(&self, network: &mut Network) -> Result<(), Error>;
}
