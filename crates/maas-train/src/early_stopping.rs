//! Stopping when it no longer gets better.

use maas_nn::{Mask, Network};

use crate::checkpoint::WatchState;
use crate::{EpochRecord, Error, Figure, Goal};

/// Ends training when a figure has not become better for some epochs, and brings the best weights back.
///
/// After each epoch the figure is compared with the best one so far. It is better when it is so by more than
/// [`min_delta`](Self::min_delta); after [`patience`](Self::new) epochs without a better one training ends. Keras'
/// `EarlyStopping`, with `restore_best_weights=True` unless [`keep_last`](Self::keep_last) says otherwise: the network
/// then has the weights and the state of its best epoch, also where all epochs went by. Everything that it keeps is
/// part of a checkpoint.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{EarlyStopping, Ending, Progress, Sgd, Trainer};
/// use ndarray::array;
///
/// let data = Dataset::new(array![[1.0], [2.0]].view(), array![[3.0], [5.0]].view())?;
/// let held_out = Dataset::new(array![[3.0]].view(), array![[6.5]].view())?;
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// let trainer = Trainer::new(Sgd::new(0.1), MeanSquaredError)
///     .epochs(1000)
///     .validation(&held_out)
///     .early_stopping(EarlyStopping::new(5))
///     .progress(Progress::Quiet);
/// let history = trainer.fit(&mut network, &data)?;
/// let Ending::EarlyStopping { best_epoch } = history.ending else { panic!("{:?}", history.ending) };
/// assert_eq!(history.epochs.len(), best_epoch + 5);
/// let loss = trainer.evaluate(&network, &held_out)?.loss;
/// assert_eq!(Some(loss), history.epochs[best_epoch - 1].validation_loss);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct EarlyStopping {
    patience: usize,
    monitor: Figure,
    goal: Option<Goal>,
    min_delta: f64,
    baseline: Option<f64>,
    from_epoch: usize,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Best,
    Last,
}

impl EarlyStopping {
    /// End after `patience` epochs in a row without a better validation loss. With 0 the first epoch that is not
    /// better is the last, as with 1.
    ///
    /// ```
    /// let stopping = maas_train::EarlyStopping::new(5);
    /// ```
    pub fn new(patience: usize) -> Self {
        Self {
            patience,
            monitor: Figure::ValidationLoss,
            goal: None,
            min_delta: 0.0,
            baseline: None,
            from_epoch: 1,
            end: End::Best,
        }
    }

    /// Go by another figure.
    ///
    /// ```
    /// use maas_train::{EarlyStopping, Figure};
    /// let stopping = EarlyStopping::new(5).monitor(Figure::validation("accuracy"));
    /// ```
    pub fn monitor(self, monitor: Figure) -> Self {
        Self { monitor, ..self }
    }

    /// Which way it is better, where that is not how [`Metric::goal`](crate::Metric::goal) has it; losses are to be
    /// small.
    ///
    /// ```
    /// use maas_train::{EarlyStopping, Goal};
    /// let stopping = EarlyStopping::new(5).goal(Goal::Minimize);
    /// ```
    pub fn goal(self, goal: Goal) -> Self {
        Self {
            goal: Some(goal),
            ..self
        }
    }

    /// Count as better only what is so by more than this: a finite number of at least 0.
    ///
    /// ```
    /// let stopping = maas_train::EarlyStopping::new(5).min_delta(1e-4);
    /// ```
    pub fn min_delta(self, min_delta: f64) -> Self {
        Self { min_delta, ..self }
    }

    /// Lose patience also while the figure becomes better but is no better than this.
    ///
    /// ```
    /// let stopping = maas_train::EarlyStopping::new(5).baseline(0.3);
    /// ```
    pub fn baseline(self, baseline: f64) -> Self {
        Self {
            baseline: Some(baseline),
            ..self
        }
    }

    /// Look at the figure from this epoch on, counted from 1.
    ///
    /// ```
    /// let stopping = maas_train::EarlyStopping::new(5).from_epoch(10);
    /// ```
    pub fn from_epoch(self, from_epoch: usize) -> Self {
        Self { from_epoch, ..self }
    }

    /// Leave the network as the last epoch made it.
    ///
    /// ```
    /// let stopping = maas_train::EarlyStopping::new(5).keep_last();
    /// ```
    pub fn keep_last(self) -> Self {
        Self {
            end: End::Last,
            ..self
        }
    }

    /// What it goes by.
    pub(crate) fn figure(&self) -> &Figure {
        &self.monitor
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.min_delta >= 0.0 && self.min_delta.is_finite() {
            Ok(())
        } else {
            Err(Error::MinDelta {
                value: self.min_delta,
            })
        }
    }
}

/// Early stopping at work on one run.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    rule: EarlyStopping,
    goal: Goal,
    /// The best figure so far.
    best: Option<f64>,
    pub(crate) best_epoch: usize,
    /// Epochs since it became better.
    waited: usize,
    pub(crate) weights: Option<Weights>,
}

/// A network's numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weights {
    pub(crate) parameters: Vec<f32>,
    pub(crate) masks: Vec<Option<Mask>>,
    pub(crate) state: Vec<f32>,
}

impl Weights {
    /// Into a network of the architecture that they are of.
    pub(crate) fn put(&self, network: &mut Network) -> Result<(), maas_nn::Error> {
        network.set_state(&self.state)?;
        network.parameters_mut().copy_from_slice(&self.parameters);
        network.set_masks(self.masks.clone())
    }
}

impl Watch {
    /// `goal` is which way the figure is better where the rule does not say so.
    pub(crate) fn new(rule: EarlyStopping, goal: Goal) -> Self {
        Self {
            goal: rule.goal.unwrap_or(goal),
            rule,
            best: None,
            best_epoch: 0,
            waited: 0,
            weights: None,
        }
    }

    /// Takes an epoch in, with the network that its figures are of.
    pub(crate) fn epoch(&mut self, record: &EpochRecord, network: &Network) {
        if record.epoch < self.rule.from_epoch {
            return;
        }
        let figure = self.rule.monitor.of(record).unwrap_or(f64::NAN);
        self.waited += 1;
        if self.is_better(figure, self.best) {
            self.best = Some(figure);
            self.best_epoch = record.epoch;
            if self.rule.end == End::Best {
                self.keep(network);
            }
            if self.is_better(figure, self.rule.baseline) {
                self.waited = 0;
            }
        }
    }

    /// What a checkpoint keeps beside the weights.
    pub(crate) fn state(&self) -> WatchState {
        WatchState {
            best: self.best,
            best_epoch: self.best_epoch,
            waited: self.waited,
        }
    }

    pub(crate) fn take(&mut self, state: &WatchState, weights: Option<Weights>) {
        self.best = state.best;
        self.best_epoch = state.best_epoch;
        self.waited = state.waited;
        self.weights = weights.filter(|_| self.rule.end == End::Best);
    }

    /// Whether patience has run out.
    pub(crate) fn is_over(&self) -> bool {
        self.waited >= self.rule.patience.max(1)
    }

    /// The best weights back into the network.
    pub(crate) fn restore(&self, network: &mut Network) -> Result<(), maas_nn::Error> {
        let Some(weights) = &self.weights else {
            return Ok(());
        };
        weights.put(network)
    }

    fn is_better(&self, figure: f64, than: Option<f64>) -> bool {
        let by = self.rule.min_delta;
        match (than, self.goal) {
            (None, _) => !figure.is_nan(),
            (Some(than), Goal::Minimize) => figure < than - by,
            (Some(than), Goal::Maximize) => figure > than + by,
        }
    }

    fn keep(&mut self, network: &Network) {
        let weights = self.weights.get_or_insert_with(|| Weights {
            parameters: vec![0.0; network.parameters().len()],
            masks: Vec::new(),
            state: vec![0.0; network.state().len()],
        });
        weights.parameters.copy_from_slice(network.parameters());
        weights.masks.clear();
        weights
            .masks
            .extend(network.masks().map(Option::<&Mask>::cloned));
        weights.state.copy_from_slice(network.state());
    }
}

#[cfg(test)]
mod tests {
    use maas_core::Seed;
    use maas_nn::Sequential;

    use super::*;

    fn stops_after(rule: EarlyStopping, goal: Goal, figures: &[f64]) -> (Option<usize>, usize) {
        let network = Sequential::rows(1).dense(1).build(Seed(1)).unwrap();
        let mut watch = Watch::new(rule.monitor(Figure::metric("m")), goal);
        for (epoch, &figure) in (1..).zip(figures) {
            let mut record = EpochRecord::new(epoch, 0.0);
            record.metrics.insert("m".into(), figure);
            watch.epoch(&record, &network);
            if watch.is_over() {
                return (Some(epoch), watch.best_epoch);
            }
        }
        (None, watch.best_epoch)
    }

    #[test]
    fn patience_counts_epochs_without_a_better_figure() {
        let figures = [3.0, 2.0, 2.5, 1.0, 1.0, 1.5, 0.5];
        let rule = EarlyStopping::new;
        assert_eq!(stops_after(rule(1), Goal::Minimize, &figures), (Some(3), 2));
        assert_eq!(stops_after(rule(0), Goal::Minimize, &figures), (Some(3), 2));
        assert_eq!(stops_after(rule(2), Goal::Minimize, &figures), (Some(6), 4));
        assert_eq!(stops_after(rule(3), Goal::Minimize, &figures), (None, 7));
        assert_eq!(stops_after(rule(3), Goal::Maximize, &figures), (Some(4), 1));
        assert_eq!(
            stops_after(rule(1).goal(Goal::Maximize), Goal::Minimize, &figures),
            (Some(2), 1)
        );
    }

    #[test]
    fn a_small_gain_is_none() {
        let rule = EarlyStopping::new(2).min_delta(0.1);
        assert_eq!(
            stops_after(rule, Goal::Minimize, &[1.0, 0.95, 0.91, 0.5]),
            (Some(3), 1)
        );
    }

    #[test]
    fn not_a_number_is_never_better() {
        let rule = EarlyStopping::new(2);
        let nan = f64::NAN;
        assert_eq!(
            stops_after(rule.clone(), Goal::Minimize, &[nan, 1.0, nan, nan]),
            (Some(4), 2)
        );
        assert_eq!(stops_after(rule, Goal::Minimize, &[nan, nan]), (Some(2), 0));
    }

    #[test]
    fn a_baseline_has_to_be_beaten() {
        let rule = EarlyStopping::new(3).baseline(0.5);
        assert_eq!(
            stops_after(rule.clone(), Goal::Minimize, &[0.9, 0.8, 0.7, 0.1]),
            (Some(3), 3)
        );
        assert_eq!(
            stops_after(rule, Goal::Minimize, &[0.9, 0.4, 0.7, 0.7, 0.7]),
            (Some(5), 2)
        );
    }

    #[test]
    fn early_epochs_may_be_left_out() {
        let rule = EarlyStopping::new(1).from_epoch(3);
        assert_eq!(
            stops_after(rule, Goal::Minimize, &[0.1, 0.2, 0.3, 0.2, 0.3]),
            (Some(5), 4)
        );
    }
}
