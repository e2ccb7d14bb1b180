//! Scores of weights: which of them go first.

mod calibration;
mod fisher_magnitude;
mod magnitude;
mod movement;
mod quadratic;
mod random;
mod second_order;
mod wanda;

use std::fmt::Debug;

use maas_nn::{Network, Segment};
use serde_json::Value;

pub use fisher_magnitude::FisherMagnitude;
pub use magnitude::Magnitude;
pub use movement::{Movement, MovementInTraining};
pub use random::Random;
pub use second_order::SecondOrder;
pub use wanda::Wanda;

use crate::Error;
use crate::prune::short_type_name;

/// Gives every weight a score; those of the least score are pruned first. A [`Pruner`](crate::Pruner) does the rest.
///
/// ```
/// use maas_compress::{Criterion, Error, Prune, Pruner};
/// use maas_core::Seed;
/// use maas_nn::{Network, Segment, Sequential};
///
/// /// Keeps what is far from one.
/// #[derive(Debug)]
/// struct FarFromOne;
///
/// impl Criterion for FarFromOne {
///     fn scores(&self, network: &Network, _: &[Segment]) -> Result<Vec<f32>, Error> {
///         Ok(network.parameters().iter().map(|weight| (weight - 1.0).abs()).collect())
///     }
/// }
///
/// let mut network = Sequential::rows(4).dense(3).build(Seed(7))?;
/// network.segment_mut("dense.kernel")?[[2, 1]] = 1.0;
/// Pruner::new(FarFromOne, 0.05).prune(&mut network)?;
/// assert_eq!(network.segment("dense.kernel")?[[2, 1]], 0.0);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not score weights",
    note = "`Magnitude`, `FisherMagnitude`, `Random`, `Movement`, `Wanda` and `SecondOrder` do; implement `Criterion` for one of your own"
)]
pub trait Criterion: Debug + Send + Sync {
    /// What it is called in errors and in an optimiser's identity: the name of its type unless told otherwise.
    fn name(&self) -> &str {
        short_type_name::<Self>()
    }

    /// Its numbers, which together with its name tell it from other criteria.
    fn config(&self) -> Value {
        Value::Null
    }

    /// A score for each parameter, in the layout of [`Network::parameters`]. Only those of `segments` are looked at,
    /// and of these only what is not masked yet; they have to be finite.
    ///
    /// # Errors
    /// [`Error::NotApplicable`] for a segment that it cannot score, and whatever else keeps it from that.
    fn scores(&self, network: &Network, segments: &[Segment]) -> Result<Vec<f32>, Error>;

    /// Changes the weights that are kept, to make up for those that go: `before` is the network as it was, `pruned` the
    /// same with the masks that were chosen. It changes nothing unless told otherwise.
    ///
    /// # Errors
    /// Whatever keeps it from that; nothing is pruned then.
    fn compensate(
        &self,
        before: &Network,
        pruned: &mut Network,
        segments: &[Segment],
    ) -> Result<(), Error> {
        let _ = (before, pruned, segments);
        Ok(())
    }

    /// Whether [`GradualPruning`](crate::GradualPruning) is to gather scores step by step, with
    /// [`accumulate`](Criterion::accumulate), instead of asking for [`scores`](Criterion::scores).
    fn accumulates(&self) -> bool {
        false
    }

    /// Adds to the scores what a step of training tells: weights before the step, and their gradients.
    fn accumulate(&self, weights: &[f32], gradients: &[f32], scores: &mut [f32]) {
        let _ = (weights, gradients, scores);
    }
}
