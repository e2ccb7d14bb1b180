use std::time::{Duration, Instant};

use super::sync::yield_now;

/// How long a worker looks for the next region before it parks.
pub(super) const WORKER: Duration = Duration::from_micros(50);
/// How long a caller waits for the end of its region before it parks.
pub(super) const CALLER: Duration = Duration::from_micros(100);

/// Waiting that ends: at first without the system, then letting others run in between.
pub(super) struct Spin {
    patience: Duration,
    rounds: u32,
    since: Option<Instant>,
}

impl Spin {
    pub(super) fn new(patience: Duration) -> Self {
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
        self.rounds += 1;
        if self.rounds < ALONE || !self.rounds.is_multiple_of(BETWEEN) {
            std::hint::spin_loop();
            return true;
        }
        yield_now();
        self.since.get_or_insert_with(Instant::now).elapsed() < self.patience
    }
}

/// Rounds before the first yield, about a microsecond.
const ALONE: u32 = 64;
/// Rounds between two yields.
const BETWEEN: u32 = 8;
