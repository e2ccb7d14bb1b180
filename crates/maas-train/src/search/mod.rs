//! Several networks at once.

mod results;
mod space;

use std::any::Any;
use std::error::Error as StdError;
use std::panic::{AssertUnwindSafe, catch_unwind};

use maas_core::Seed;
use maas_kernels::Parallelism;
use rayon::prelude::*;

pub use results::{Outcome, SearchResults, TrialResult};
pub use space::{Setting, Trial};

use crate::{Error, Goal};
use space::Axis;

/// Trains with many settings, several networks at once, and says which were best.
///
/// A space is a list of names with what each may be. [`grid`](Self::grid) tries every combination,
/// [`random`](Self::random) as many as asked for, drawn by a seed. A closure trains one network and answers with its
/// figure, usually the validation loss. Trials run on all cores, one network on each: what a trial does inside uses one
/// thread. Each has a seed of its own, from the search's seed and the number of the trial, so the results are the same
/// at any number of threads. A trial that fails or panics is a result too.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Adam, Progress, Search, Trainer};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((200, 2), |(row, column)| ((row * 7 + column * 13) % 20) as f32 / 10.0 - 1.0);
/// let y = Array2::from_shape_fn((200, 1), |(row, _)| x[[row, 0]] * x[[row, 1]]);
/// let data = Dataset::new(x.view(), y.view())?.split([0.6, 0.2, 0.2], Seed(7))?;
///
/// let results = Search::random(6, Seed(7))
///     .choice("units", [4, 16])
///     .log_range("rate", 1e-4, 1e-1)
///     .run(|trial| {
///         let mut network = Sequential::new(data.train.features())
///             .dense(trial.whole("units")?).tanh().dense(1)
///             .build(trial.seed)?;
///         let trainer = Trainer::new(Adam::new(trial.number("rate")? as f32), MeanSquaredError)
///             .epochs(3)
///             .seed(trial.seed)
///             .progress(Progress::Quiet);
///         trainer.fit(&mut network, &data.train)?;
///         Ok(trainer.evaluate(&network, &data.validation)?.loss.into())
///     })?;
/// println!("{results}");
/// assert_eq!(results.trials.len(), 6);
/// assert!(results.best().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Search {
    axes: Vec<(String, Axis)>,
    drawn: Option<usize>,
    seed: Seed,
    goal: Goal,
    parallelism: Parallelism,
}

impl Search {
    /// Every combination of choices. Ranges have no combinations: [`run`](Self::run) refuses them.
    ///
    /// ```
    /// use maas_core::Seed;
    /// let search = maas_train::Search::grid(Seed(7)).choice("units", [16, 32]).choice("rate", [1e-3, 1e-2]);
    /// let results = search.run(|trial| Ok(trial.number("rate")?))?;
    /// assert_eq!(results.trials.len(), 4);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub fn grid(seed: Seed) -> Self {
        Self {
            axes: Vec::new(),
            drawn: None,
            seed,
            goal: Goal::Minimize,
            parallelism: Parallelism::available(),
        }
    }

    /// So many trials, each of settings that are drawn by the seed.
    ///
    /// ```
    /// let search = maas_train::Search::random(20, maas_core::Seed(7)).range("dropout", 0.0, 0.5);
    /// ```
    pub fn random(trials: usize, seed: Seed) -> Self {
        Self {
            drawn: Some(trials),
            ..Self::grid(seed)
        }
    }

    /// One of these.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_train::Search};
    /// let search = Search::grid(Seed(7)).choice("activation", ["relu", "tanh"]).choice("layers", [1, 2, 3]);
    /// ```
    pub fn choice<S: Into<Setting>>(
        mut self,
        name: impl Into<String>,
        settings: impl IntoIterator<Item = S>,
    ) -> Self {
        let settings = settings.into_iter().map(Into::into).collect();
        self.axes.push((name.into(), Axis::Choice(settings)));
        self
    }

    /// A number from `low` to `high`, all equally likely.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_train::Search};
    /// let search = Search::random(20, Seed(7)).range("dropout", 0.0, 0.5);
    /// ```
    pub fn range(mut self, name: impl Into<String>, low: f64, high: f64) -> Self {
        self.axes.push((name.into(), Axis::Range { low, high }));
        self
    }

    /// A number from `low` to `high`, its logarithm equally likely: for learning rates.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_train::Search};
    /// let search = Search::random(20, Seed(7)).log_range("rate", 1e-5, 1e-1);
    /// ```
    pub fn log_range(mut self, name: impl Into<String>, low: f64, high: f64) -> Self {
        self.axes.push((name.into(), Axis::LogRange { low, high }));
        self
    }

    /// Large figures are better.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_train::Search};
    /// let search = Search::random(20, Seed(7)).maximize();
    /// ```
    pub fn maximize(self) -> Self {
        Self {
            goal: Goal::Maximize,
            ..self
        }
    }

    /// Run at most so many trials at once, and not as many as there are cores; the results are the same.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_kernels::Parallelism, maas_train::Search};
    /// let search = Search::random(20, Seed(7)).parallelism(Parallelism::single());
    /// ```
    pub fn parallelism(self, parallelism: Parallelism) -> Self {
        Self {
            parallelism,
            ..self
        }
    }

    /// Runs all trials.
    ///
    /// # Errors
    ///
    /// [`Error::Space`] when the space makes no sense, [`Error::Threads`] when no threads are to be had. What goes wrong
    /// inside a trial is its [`Outcome`].
    pub fn run<F>(&self, trial: F) -> Result<SearchResults, Error>
    where
        F: Fn(&Trial) -> Result<f64, Box<dyn StdError + Send + Sync>> + Sync,
    {
        let trials = space::trials(&self.axes, self.drawn, self.seed)?;
        let one = |of: &Trial| TrialResult {
            number: of.number,
            seed: of.seed,
            settings: of
                .settings()
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect(),
            outcome: outcome(catch_unwind(AssertUnwindSafe(|| trial(of)))),
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.parallelism.get())
            .build()
            .map_err(|source| Error::Threads(Box::new(source)))?;
        Ok(SearchResults {
            goal: self.goal,
            trials: pool.install(|| trials.par_iter().map(one).collect()),
        })
    }
}

fn outcome(
    result: Result<Result<f64, Box<dyn StdError + Send + Sync>>, Box<dyn Any + Send>>,
) -> Outcome {
    match result {
        Ok(Ok(figure)) => Outcome::Figure(figure),
        Ok(Err(error)) => {
            let mut text = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            Outcome::Failed(text)
        }
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Outcome::Failed(format!("panicked: {}", text.unwrap_or_default()))
        }
    }
}
