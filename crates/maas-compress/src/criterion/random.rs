use maas_core::Seed;
use maas_nn::{Network, Segment};
use serde_json::{Value, json};

use super::Criterion;
use crate::Error;

/// Numbers from 0 to 1 that depend on the seed, the segment and the position alone: what every other criterion has to
/// beat.
///
/// ```
/// use maas_compress::{Prune, Pruner, Random};
/// use maas_core::Seed;
/// use maas_nn::Sequential;
///
/// let network = Sequential::rows(4).dense(5).build(Seed(7))?;
/// let (mut first, mut second) = (network.clone(), network);
/// Pruner::new(Random(Seed(1)), 0.5).prune(&mut first)?;
/// Pruner::new(Random(Seed(1)), 0.5).prune(&mut second)?;
/// assert_eq!(first.parameters(), second.parameters());
/// # Ok::<(), maas_compress::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random(pub Seed);

impl Criterion for Random {
    fn config(&self) -> Value {
        json!(self.0)
    }

    fn scores(&self, network: &Network, segments: &[Segment]) -> Result<Vec<f32>, Error> {
        let mut scores = vec![0.0; network.parameters().len()];
        for segment in segments {
            let seed = self.0.derive(segment.range.start as u64);
            for (position, score) in (0..).zip(&mut scores[segment.range.clone()]) {
                *score = (seed.derive(position).0 >> 40) as f32 / (1_u32 << 24) as f32;
            }
        }
        Ok(scores)
    }
}
