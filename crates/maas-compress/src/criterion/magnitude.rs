use maas_nn::{Network, Segment};

use super::Criterion;
use crate::Error;

/// |w|: what is near zero goes first.
///
/// Han et al., *Learning both Weights and Connections for Efficient Neural Networks*, 2015. With the scope of a whole
/// network it is hard to beat at sparsities up to 90 % (Gale et al., *The State of Sparsity in Deep Neural Networks*,
/// 2019).
///
/// ```
/// use maas_compress::{Magnitude, Prune, Pruner};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let mut network = Sequential::rows(4).dense(5).build(Seed(7))?;
/// assert_eq!(Pruner::new(Magnitude, 0.9).prune(&mut network)?.zeros, 18);
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Magnitude;

impl Criterion for Magnitude {
    fn scores(&self, network: &Network, _: &[Segment]) -> Result<Vec<f32>, Error> {
        Ok(network.parameters().iter().map(|w| w.abs()).collect())
    }
}
