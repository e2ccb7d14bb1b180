use std::time::{Duration, Instant};

use super::sync::yield_now;

/// How long a worker looks for the next region before it parks. It does not yield: on a busy machine that would cost it a
/// whole slice of time.
pub(super) const WORKER: Patience = Patience {
    time: Duration::from_micros(50),
    yields: false,
};

/// How long a caller waits for the end of its region before it parks. It yields, for a worker may be waiting for this
/// very core.
pub(super) const CALLER: Patience = Patience {
    time: Duration::from_micros(50),
    yields: true,
};

#[derive(Clone, Copy)]
pub(super) struct Patience {
    time: Duration,
    yields: bool,
}

/// Waiting that ends.
pub(super) struct Spin {
    patience: Patience,
    rounds: u32,
    since: Option<Instant>,
}

impl Spin {
    pub(super) fn new(patience: Patience) -> Self {
        Self {
            patience,
            rounds: 0,
            since: None,
        }
    }

    /// Waits a little. `false` when it is time to park.
    pub(super) fn again(&mut self) -> bool {
        if cfg!(loom) {
            return false;
        }
        std::hint::spin_loop();
        self.rounds += 1;
        if !self.rounds.is_multiple_of(BETWEEN) {
            return true;
        }
        if self.patience.yields && self.rounds > ALONE {
            yield_now();
        }
        self.since.get_or_insert_with(Instant::now).elapsed() < self.patience.time
    }
}

/// Rounds between two looks at the clock.
const BETWEEN: u32 = 16;
/// Rounds before the first yield, a few microseconds.
const ALONE: u32 = 256;
