//! What layers are handed.

mod backward;
mod forward;
mod inputs;
mod parameters;
mod saved;
mod slices;

use maas_core::Seed;

pub use backward::{Backward, Gradients};
pub use forward::Forward;
pub use inputs::Inputs;
pub(crate) use inputs::ValueRef;
pub use parameters::{ParameterPass, Parts};
pub use saved::{Kept, Saved};
pub use slices::{Slices, SlicesMut};

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Answers: no noise, running statistics are applied.
    Infer,
    /// One step of training: noise is drawn, running statistics move on.
    Train {
        /// Where noise comes from.
        seed: Seed,
        /// The number of the step.
        step: u64,
        /// The place of the pass's first row in the step's batch, so that noise does not depend on how a batch is
        /// split over threads.
        first_row: u64,
    },
}

impl Mode {
    /// Training, for a pass that holds the whole batch.
    ///
    /// ```
    /// use maas_nn::Mode;
    /// use maas_core::Seed;
    /// assert_eq!(Mode::train(Seed(7), 3), Mode::Train { seed: Seed(7), step: 3, first_row: 0 });
    /// ```
    pub fn train(seed: Seed, step: u64) -> Self {
        Self::Train {
            seed,
            step,
            first_row: 0,
        }
    }

    /// The same for a pass that begins so many rows later.
    pub(crate) fn at_row(self, row: usize) -> Self {
        match self {
            Self::Infer => self,
            Self::Train {
                seed,
                step,
                first_row,
            } => Self::Train {
                seed,
                step,
                first_row: first_row + row as u64,
            },
        }
    }
}
