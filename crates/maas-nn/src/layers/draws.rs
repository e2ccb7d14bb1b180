use maas_core::Seed;

use crate::Mode;

/// Where the rows of a layer draw from in a training pass: a function of (seed, step, layer, row), which depends neither on
/// how the batch is split nor on what was drawn before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws {
    key: Seed,
    first_row: u64,
}

impl Draws {
    /// Nothing is drawn where nothing is trained.
    pub(super) fn new(mode: Mode, layer: u32) -> Option<Self> {
        match mode {
            Mode::Infer => None,
            Mode::Train {
                seed,
                step,
                first_row,
            } => Some(Self {
                key: seed.derive(step).derive(u64::from(layer)),
                first_row,
            }),
        }
    }

    /// The stream of a row of the pass.
    pub(super) fn row(self, row: usize) -> Seed {
        self.key.derive(self.first_row + row as u64)
    }
}
