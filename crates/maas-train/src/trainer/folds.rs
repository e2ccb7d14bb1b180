//! Cross-validation.

use std::collections::BTreeSet;
use std::fmt;

use maas_data::{Dataset, Folds, Scores};
use maas_nn::Network;
use serde::{Deserialize, Serialize};

use super::{Evaluation, Trainer};
use crate::callback::Callbacks;
use crate::{Error, History};

impl Trainer<'_> {
    /// Cross-validation: a fresh network for each fold, trained on the fold's training part and measured on its
    /// validation part.
    ///
    /// The closure makes the network, and sees the training part, so that what a network knows about its data (the
    /// moments of [`normalize`](maas_nn::Sequential::normalize)) is of that part alone. The validation part is the
    /// trainer's validation data meanwhile: records have its figures, and early stopping goes by it, which makes the
    /// scores look somewhat better than they are. Callbacks and checkpoints, which are made for one run, are left out.
    ///
    /// ```
    /// use maas_core::Seed;
    /// use maas_data::Dataset;
    /// use maas_nn::{MeanSquaredError, Sequential};
    /// use maas_train::{Adam, Progress, RootMeanSquaredError, Trainer};
    /// use ndarray::Array2;
    ///
    /// let x = Array2::from_shape_fn((100, 2), |(row, column)| ((row * 7 + column * 13) % 20) as f32 / 10.0);
    /// let y = Array2::from_shape_fn((100, 1), |(row, _)| 2.0 * x[[row, 0]] - x[[row, 1]]);
    /// let data = Dataset::new(x.view(), y.view())?;
    ///
    /// let trainer = Trainer::new(Adam::new(0.05), MeanSquaredError)
    ///     .epochs(40)
    ///     .metric(RootMeanSquaredError)
    ///     .progress(Progress::Quiet);
    /// let scores = trainer.cross_validate(data.folds(5, Seed(7))?, |train| {
    ///     Sequential::new(train.features()).normalize(train).dense(1).build(Seed(7))
    /// })?;
    /// println!("{scores}");
    /// let errors = scores.metric("root_mean_squared_error").unwrap();
    /// assert!(errors.mean() < 0.1 && errors.deviation() < 0.1);
    /// assert_eq!(scores.loss().values().len(), 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the closure, of [`fit`](Self::fit) and of [`evaluate`](Self::evaluate), of the first fold that has one.
    pub fn cross_validate<E: Into<Error>>(
        &self,
        folds: Folds<'_>,
        mut network: impl FnMut(&Dataset) -> Result<Network, E>,
    ) -> Result<CrossValidation, Error> {
        let fold = |(train, validation): (Dataset, Dataset)| {
            let mut network = network(&train).map_err(Into::into)?;
            let trainer = self.of_fold(&validation);
            let history = trainer.fit(&mut network, &train)?;
            let evaluation = trainer.evaluate(&network, &validation)?;
            Ok(Fold {
                evaluation,
                history,
            })
        };
        let folds = folds.map(fold).collect::<Result<_, Error>>()?;
        Ok(CrossValidation { folds })
    }

    fn of_fold<'b>(&self, validation: &'b Dataset) -> Trainer<'b> {
        Trainer {
            validation: Some(validation),
            metrics: self.metrics.clone(),
            progress: self.progress,
            callbacks: Callbacks::default(),
            early_stopping: self.early_stopping.clone(),
            stop: self.stop.clone(),
            ..self.bare(self.chain.clone())
        }
    }
}

/// What [`Trainer::cross_validate`] found. It prints the mean and the deviation of the loss and of each metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CrossValidation {
    /// One a fold, in their order.
    pub folds: Vec<Fold>,
}

/// What one fold of a cross-validation came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fold {
    /// Loss and metrics on the validation part, of the network that training ended with.
    pub evaluation: Evaluation,
    /// How it got there.
    pub history: History,
}

impl CrossValidation {
    /// The loss of each fold.
    #[must_use]
    pub fn loss(&self) -> Scores {
        let losses = self.folds.iter().map(|fold| fold.evaluation.loss.into());
        losses.collect()
    }

    /// A metric of each fold, by name; `None` where it was not measured.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<Scores> {
        let figures = self.folds.iter();
        figures
            .map(|fold| fold.evaluation.metrics.get(name).copied())
            .collect()
    }
}

impl fmt::Display for CrossValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_fold = |fold: &'_ Fold| fold.evaluation.metrics.keys().cloned().collect::<Vec<_>>();
        let names: BTreeSet<String> = self.folds.iter().flat_map(of_fold).collect();
        write!(f, "loss {}", self.loss())?;
        for name in names {
            if let Some(scores) = self.metric(&name) {
                write!(f, ", {name} {scores}")?;
            }
        }
        write!(f, " over {} folds", self.folds.len())
    }
}
