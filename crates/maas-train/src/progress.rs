//! What a person sees while a network trains.

#[cfg(feature = "progress")]
use std::io::IsTerminal;
use std::io::{self, Write};

use crate::EpochRecord;
use crate::meters::Meters;

/// How training shows that it goes on. Everything goes to standard error, so that output stays clean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A bar on a terminal (with the feature `progress`), otherwise [`Lines`](Self::Lines).
    #[default]
    Auto,
    /// One plain line an epoch.
    Lines,
    /// Nothing.
    Quiet,
}

/// The running display of one call of `fit`.
#[derive(Debug)]
pub(crate) enum Display {
    #[cfg(feature = "progress")]
    Bar(Bar),
    Lines,
    Quiet,
}

impl Display {
    pub(crate) fn start(progress: Progress, epochs: usize, rows: Option<usize>) -> Self {
        let _ = (epochs, rows);
        match progress {
            Progress::Quiet => Self::Quiet,
            #[cfg(feature = "progress")]
            Progress::Auto if io::stderr().is_terminal() => Self::Bar(Bar::new(epochs, rows)),
            Progress::Auto | Progress::Lines => Self::Lines,
        }
    }

    /// A batch is done: `rows` of the epoch are behind, with this mean loss so far.
    #[inline]
    pub(crate) fn batch(&mut self, rows: usize, loss: f64, meters: &Meters) {
        #[cfg(feature = "progress")]
        if let Self::Bar(bar) = self {
            bar.batch(rows, loss, meters);
        }
        let _ = (rows, loss, meters);
    }

    pub(crate) fn epoch(&mut self, record: &EpochRecord) {
        match self {
            #[cfg(feature = "progress")]
            Self::Bar(bar) => bar.epoch(record),
            // Training does not fail because nobody reads along.
            Self::Lines => drop(writeln!(io::stderr().lock(), "{record}")),
            Self::Quiet => {}
        }
    }
}

#[cfg(feature = "progress")]
pub(crate) use bar::Bar;

#[cfg(feature = "progress")]
mod bar {
    use std::fmt::Write;
    use std::time::{Duration, Instant};

    use indicatif::{ProgressBar, ProgressState, ProgressStyle};

    use crate::EpochRecord;
    use crate::meters::Meters;

    /// Asking the clock costs more than a small layer, so it is asked once in so many batches.
    const BATCHES_PER_LOOK: u32 = 16;
    const REFRESH: Duration = Duration::from_millis(80);

    #[derive(Debug)]
    pub(crate) struct Bar {
        bar: ProgressBar,
        epochs: usize,
        /// Rows of an epoch, where they are known.
        rows: Option<usize>,
        epoch: usize,
        /// Rows of the epochs that are over.
        before: u64,
        batches: u32,
        shown: Instant,
    }

    impl Bar {
        pub(super) fn new(epochs: usize, rows: Option<usize>) -> Self {
            let (bar, template) = match rows {
                Some(rows) => (
                    ProgressBar::new(epochs.saturating_mul(rows) as u64),
                    "{prefix:>12} {wide_bar} {rate} rows/s  {eta} left  {msg}",
                ),
                None => (
                    ProgressBar::no_length(),
                    "{prefix:>12} {spinner} {human_pos} rows  {rate} rows/s  {msg}",
                ),
            };
            let style = ProgressStyle::with_template(template);
            let style = style.expect("the template is well formed").with_key(
                "rate",
                |state: &ProgressState, text: &mut dyn Write| {
                    let _ = write!(text, "{:.0}", state.per_sec());
                },
            );
            bar.set_style(style);
            bar.set_prefix(format!("epoch 1/{epochs}"));
            Self {
                bar,
                epochs,
                rows,
                epoch: 1,
                before: 0,
                batches: 0,
                shown: Instant::now(),
            }
        }

        #[inline]
        pub(super) fn batch(&mut self, rows: usize, loss: f64, meters: &Meters) {
            self.batches += 1;
            if self.batches >= BATCHES_PER_LOOK {
                self.batches = 0;
                self.look(rows, loss, meters);
            }
        }

        #[cold]
        fn look(&mut self, rows: usize, loss: f64, meters: &Meters) {
            if self.shown.elapsed() >= REFRESH {
                self.shown = Instant::now();
                let mut message = format!("loss {loss:.5}");
                for (name, value) in meters.iter() {
                    let _ = write!(message, "  {name} {value:.4}");
                }
                self.bar.set_message(message);
                self.bar.set_position(self.before + rows as u64);
            }
        }

        pub(super) fn epoch(&mut self, record: &EpochRecord) {
            self.bar.println(record.to_string());
            self.epoch = record.epoch + 1;
            match self.rows {
                Some(rows) => self.before = (record.epoch * rows) as u64,
                None => self.before = self.bar.position(),
            }
            self.bar.set_position(self.before);
            if self.epoch <= self.epochs {
                self.bar
                    .set_prefix(format!("epoch {}/{}", self.epoch, self.epochs));
            }
        }
    }

    impl Drop for Bar {
        fn drop(&mut self) {
            self.bar.finish_and_clear();
        }
    }
}
