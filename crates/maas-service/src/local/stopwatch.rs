use std::time::{Duration, Instant};

/// Two looks at the clock take some 60 ns: of a longer run that is nothing.
const SHORT: Duration = Duration::from_micros(10);

/// Runs that go by the time of the one before them.
const UNTIMED: u8 = 7;

/// Tells what runs take. Where runs of as many rows are short and alike, it times one of eight and takes the next ones to
/// be like it.
#[derive(Debug, Default)]
pub(crate) struct Stopwatch {
    rows: usize,
    took: Duration,
    untimed: u8,
}

/// What a run took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Took {
    Measured(Duration),
    AsTheLast(Duration),
}

impl Stopwatch {
    #[inline]
    pub(crate) fn time<E>(
        &mut self,
        rows: usize,
        run: impl FnOnce() -> Result<(), E>,
    ) -> Result<Took, E> {
        if rows == self.rows && self.untimed > 0 {
            run()?;
            self.untimed -= 1;
            return Ok(Took::AsTheLast(self.took));
        }
        let start = Instant::now();
        run()?;
        let took = start.elapsed();
        self.note(rows, took);
        Ok(Took::Measured(took))
    }

    fn note(&mut self, rows: usize, took: Duration) {
        let alike = rows == self.rows && took < SHORT && took <= 2 * self.took;
        self.untimed = if alike { UNTIMED } else { 0 };
        self.rows = rows;
        self.took = took;
    }
}

impl Took {
    pub(crate) fn duration(self) -> Duration {
        match self {
            Self::Measured(took) | Self::AsTheLast(took) => took,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Stopwatch, Took, UNTIMED};

    fn is_timed(stopwatch: &mut Stopwatch, rows: usize) -> bool {
        let took = stopwatch.time(rows, || Ok::<(), ()>(()));
        matches!(took, Ok(Took::Measured(_)))
    }

    #[test]
    fn short_runs_that_are_alike_are_timed_now_and_then() {
        let micros = Duration::from_micros;
        let mut stopwatch = Stopwatch::default();
        stopwatch.note(1, micros(2));
        assert_eq!(stopwatch.untimed, 0, "there is nothing to compare it with");
        stopwatch.note(1, micros(3));
        for _ in 0..UNTIMED {
            let took = stopwatch.time(1, || Ok::<(), ()>(()));
            assert_eq!(took, Ok(Took::AsTheLast(micros(3))));
        }
        assert!(is_timed(&mut stopwatch, 1));

        stopwatch.note(1, micros(3));
        assert!(is_timed(&mut stopwatch, 2), "other rows");
        stopwatch.note(1, micros(3));
        stopwatch.note(1, micros(7));
        assert!(is_timed(&mut stopwatch, 1), "it took longer than before");
        stopwatch.note(1, micros(11));
        stopwatch.note(1, micros(11));
        assert!(
            is_timed(&mut stopwatch, 1),
            "a look at the clock is nothing"
        );
    }
}
