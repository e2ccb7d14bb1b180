use std::time::Duration;

/// The share of what was known before that is kept at each batch.
const KEPT: f64 = 0.875;

/// How long a row takes: elapsed time over rows, both fading from batch to batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    seconds: f64,
    rows: f64,
    workers: f64,
}

impl Rate {
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn of(workers: usize) -> Self {
        Self {
            seconds: 0.0,
            rows: 0.0,
            workers: workers as f64,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn measure(&mut self, rows: usize, elapsed: Duration) {
        self.seconds = self.seconds * KEPT + elapsed.as_secs_f64();
        self.rows = self.rows * KEPT + rows as f64;
    }

    /// How long all workers need for so many rows, if a batch was measured.
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn drain(&self, rows: usize) -> Option<Duration> {
        self.per_row(rows as f64 / self.workers)
    }

    /// How long one worker needs for so many rows.
    #[allow(clippy::cast_precision_loss, reason = "an estimate")]
    pub(super) fn run(&self, rows: usize) -> Option<Duration> {
        self.per_row(rows as f64)
    }

    fn per_row(&self, rows: f64) -> Option<Duration> {
        (self.rows > 0.0).then(|| {
            let seconds = self.seconds / self.rows * rows;
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
        })
    }
}
