use maas_nn::{Acts, Block, Network, Step, Transform};
use serde_json::{Value, json};

use super::{Moment, Pruner};
use crate::{Error, Ramp};

/// A link of an optimiser: prunes while a network trains, a little after every so many steps.
///
/// Round t of the ramp's n comes behind step a + t·e, with [`after`](Self::after) a and [`every`](Self::every) e: weights
/// are scored as the step has left them, and as many masked as the ramp says. What is masked is zero from then on, also
/// in the moments and averages of all links. A run that is resumed from a checkpoint goes on under the masks that it
/// had. A run of less than a + n·e steps does not come to the target; early stopping brings back the masks along with
/// the weights, so let it watch from an epoch behind the last round.
///
/// Layers that the network has frozen are left alone; what the chain alone freezes has to be
/// [excluded](crate::Pruner::exclude).
///
/// A criterion that gathers its scores from the gradients, such as
/// [`MovementInTraining`](crate::MovementInTraining), has to see them as they are: then this link stands first in the
/// chain. Otherwise its place makes no difference.
///
/// ```
/// use maas_compress::{GradualPruning, Magnitude, Pruner, Ramp};
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Adam, Chain, Progress, Trainer};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((200, 4), |(row, column)| ((row * 7 + column * 13) % 20) as f32 / 10.0 - 1.0);
/// let y = Array2::from_shape_fn((200, 1), |(row, _)| 2.0 * x[[row, 0]] - x[[row, 1]]);
/// let data = Dataset::new(x.view(), y.view())?;
/// let mut network = Sequential::new(data.features()).dense(16).relu().dense(1).build(Seed(7))?;
///
/// // 7 steps an epoch: pruned from step 24 to step 60, then fine-tuned.
/// let pruning = GradualPruning::new(Pruner::new(Magnitude, 0.75), Ramp::cubic(10)).after(20).every(4);
/// Trainer::new(Chain::from(Adam::new(1e-2)).then(pruning), MeanSquaredError)
///     .epochs(12)
///     .progress(Progress::Quiet)
///     .fit(&mut network, &data)?;
/// assert_eq!(maas_compress::Pruned::of(&network).zeros, 60);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct GradualPruning {
    pruner: Pruner,
    ramp: Ramp,
    after: u64,
    every: u64,
}

impl GradualPruning {
    /// Prunes behind each of the first steps, as many as the ramp has rounds.
    ///
    /// See the type for an example.
    pub fn new(pruner: Pruner, ramp: Ramp) -> Self {
        Self {
            pruner,
            ramp,
            after: 0,
            every: 1,
        }
    }

    /// Lets so many steps go by first.
    ///
    /// See the type for an example.
    pub fn after(self, steps: u64) -> Self {
        Self {
            after: steps,
            ..self
        }
    }

    /// Takes so many steps for a round, at least one.
    ///
    /// See the type for an example.
    pub fn every(self, steps: u64) -> Self {
        Self {
            every: steps.max(1),
            ..self
        }
    }

    /// The step behind which the last round comes: what is gathered after it nobody reads.
    fn last_step(&self) -> u64 {
        let rounds = self.every.saturating_mul(self.ramp.rounds() as u64);
        self.after.saturating_add(rounds)
    }

    /// The round that comes behind this step.
    fn round(&self, step: u64) -> Option<usize> {
        let steps = step.checked_sub(self.after)?;
        let round = usize::try_from(steps / self.every).ok()?;
        let due = steps.is_multiple_of(self.every) && (1..=self.ramp.rounds()).contains(&round);
        due.then_some(round)
    }
}

impl Transform for GradualPruning {
    fn name(&self) -> &str {
        "gradual_pruning"
    }

    fn config(&self) -> Value {
        json!([self.pruner.config(), self.ramp, self.after, self.every])
    }

    fn check(&self) -> Result<(), maas_nn::Error> {
        self.pruner.check().map_err(|error| match error {
            Error::Sparsity { found } => maas_nn::Error::Setting {
                name: "sparsity",
                expected: "[0, 1]",
                found: found as f32,
            },
            error => maas_nn::Error::custom(error),
        })
    }

    fn buffers(&self) -> usize {
        usize::from(self.pruner.criterion().accumulates())
    }

    fn acts(&self) -> Acts {
        match self.buffers() {
            0 => Acts::AfterStep,
            _ => Acts::BeforeStep,
        }
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        if self.buffers() > 0 && step.number <= self.last_step() {
            let scores = block.state.get(0);
            let criterion = self.pruner.criterion();
            criterion.accumulate(block.parameters, block.update, scores);
        }
    }

    fn revises(&self, step: &Step) -> bool {
        self.round(step.number).is_some()
    }

    fn revise(
        &self,
        step: &Step,
        buffers: &mut [f32],
        network: &mut Network,
    ) -> Result<(), maas_nn::Error> {
        let Some(round) = self.round(step.number) else {
            return Ok(());
        };
        let share = self.ramp.share(round);
        let gathered = (!buffers.is_empty()).then_some(&*buffers);
        let moment = Moment::InTraining { gathered };
        let pruned = self.pruner.prune_when(moment, share, network);
        pruned.map(drop).map_err(maas_nn::Error::custom)
    }
}
