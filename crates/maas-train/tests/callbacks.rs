//! What callbacks see, and how training ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{classification, classifier, regression, regressor};
use maas_core::Seed;
use maas_nn::{CategoricalCrossEntropy, MeanSquaredError, Network};
use maas_train::{
    Accuracy, Adam, Callback, EarlyStopping, Ending, Error, Event, Figure, Flow, Goal, Progress,
    RootMeanSquaredError, Sgd, StopHandle, Trainer, Training,
};

fn adam<'a>() -> Trainer<'a> {
    Trainer::new(Adam::new(1e-2), MeanSquaredError)
        .epochs(3)
        .batch_size(16)
        .progress(Progress::Quiet)
        .seed(Seed(5))
}

/// Notes every call, with what it saw.
#[derive(Debug, Default)]
struct Notes(Vec<(Event, usize, usize, u64)>);

macro_rules! note {
    ($($method:ident $event:ident)*) => {
        $(fn $method(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn StdError + Send + Sync>> {
            self.0.push((Event::$event, training.epoch, training.step, training.steps_taken));
            Ok(Flow::Continue)
        })*
    };
}

impl Callback for Notes {
    note!(train_begin TrainBegin epoch_begin EpochBegin batch_begin BatchBegin batch_end BatchEnd
          epoch_end EpochEnd train_end TrainEnd);
}

#[test]
fn callbacks_are_called_in_their_places() {
    let data = regression(40);
    let mut notes = Notes::default();
    let trainer = adam().epochs(2).batch_size(25).callback(&mut notes);
    trainer.fit(&mut regressor(&data), &data).unwrap();
    drop(trainer);
    use Event::{BatchBegin, BatchEnd, EpochBegin, EpochEnd, TrainBegin, TrainEnd};
    let expected = [
        (TrainBegin, 1, 0, 0),
        (EpochBegin, 1, 0, 0),
        (BatchBegin, 1, 1, 0),
        (BatchEnd, 1, 1, 1),
        (BatchBegin, 1, 2, 1),
        (BatchEnd, 1, 2, 2),
        (EpochEnd, 1, 2, 2),
        (EpochBegin, 2, 0, 2),
        (BatchBegin, 2, 1, 2),
        (BatchEnd, 2, 1, 3),
        (BatchBegin, 2, 2, 3),
        (BatchEnd, 2, 2, 4),
        (EpochEnd, 2, 2, 4),
        (TrainEnd, 2, 0, 4),
    ];
    assert_eq!(notes.0, expected);
}

#[test]
fn callbacks_change_no_bit() {
    let data = classification(100);
    let train = |watched: bool| {
        let mut network = classifier(&data);
        let trainer = Trainer::new(Adam::new(1e-2), CategoricalCrossEntropy)
            .epochs(2)
            .metric(Accuracy)
            .progress(Progress::Quiet);
        let trainer = if watched {
            trainer
                .callback(Notes::default())
                .on(Event::BatchEnd, |_| {})
        } else {
            trainer
        };
        trainer.fit(&mut network, &data).unwrap();
        network.fingerprint()
    };
    assert_eq!(train(false), train(true));
}

#[test]
fn callbacks_see_losses_metrics_rates_and_weights() {
    let data = regression(64);
    let mut seen = Vec::new();
    let mut prints = Vec::new();
    let trainer = adam()
        .metric(RootMeanSquaredError)
        .validation(&data)
        .on(Event::BatchEnd, |training| {
            seen.push((
                training.loss,
                training.mean_loss,
                training.metric("root_mean_squared_error"),
            ));
            assert_eq!(training.learning_rate, 1e-2);
            assert_eq!((training.steps, training.epochs), (Some(4), 3));
            assert_eq!(training.history.epochs.len(), training.epoch - 1);
            assert_eq!(training.metrics().count(), 1);
        })
        .on(Event::EpochEnd, |training| {
            assert_eq!(
                training.record().map(|record| record.epoch),
                Some(training.epoch)
            );
            prints.push(training.network.fingerprint());
        });
    let mut network = regressor(&data);
    let history = trainer.fit(&mut network, &data).unwrap();
    drop(trainer);
    assert_eq!(seen.len(), 12);
    assert_eq!(prints.last(), Some(&network.fingerprint()));
    for (epoch, steps) in history.epochs.iter().zip(seen.chunks(4)) {
        let mean = steps.iter().filter_map(|step| step.0).sum::<f32>() / 4.0;
        assert!((mean - epoch.loss).abs() < 1e-5);
        assert_eq!(steps[3].1, Some(epoch.loss));
        assert_eq!(steps[3].2, Some(epoch.metrics["root_mean_squared_error"]));
        assert_eq!(epoch.learning_rate, Some(1e-2));
    }
}

/// The network after `steps` steps.
fn after(steps: usize, data: &maas_data::Dataset) -> Network {
    let mut network = regressor(data);
    let left = AtomicUsize::new(steps);
    let trainer = adam().on(Event::BatchBegin, |_| {
        match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        }) {
            Ok(_) => Flow::Continue,
            Err(_) => Flow::Stop,
        }
    });
    trainer.fit(&mut network, data).unwrap();
    network
}

#[test]
fn a_callback_stops_where_it_says() {
    let data = regression(40);
    let mut network = regressor(&data);
    let trainer = adam().on(Event::BatchEnd, |training| {
        if training.steps_taken == 4 {
            Flow::Stop
        } else {
            Flow::Continue
        }
    });
    let history = trainer.fit(&mut network, &data).unwrap();
    let name = "a closure".to_owned();
    assert_eq!(history.ending, Ending::Callback { name });
    assert!(history.is_interrupted());
    assert_eq!(history.epochs.len(), 1, "the second epoch has one step");
    assert_eq!(network.fingerprint(), after(4, &data).fingerprint());
}

#[test]
fn a_callback_that_fails_is_named_and_leaves_whole_steps() {
    let data = regression(40);
    for (event, steps, place) in [
        (Event::TrainBegin, 0, (1, 0)),
        (Event::EpochBegin, 3, (2, 0)),
        (Event::BatchBegin, 3, (2, 1)),
        (Event::BatchEnd, 4, (2, 1)),
        (Event::EpochEnd, 6, (2, 3)),
        (Event::TrainEnd, 9, (3, 0)),
    ] {
        let mut network = regressor(&data);
        let trainer = adam().on(event, |training| {
            if training.epoch >= 2 || matches!(event, Event::TrainBegin | Event::TrainEnd) {
                Err("the cat sat on the keyboard")
            } else {
                Ok(())
            }
        });
        let error = trainer.fit(&mut network, &data).unwrap_err();
        let Error::Callback {
            name,
            event: found,
            epoch,
            step,
            source,
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(
            (name.as_str(), *found, (*epoch, *step)),
            ("a closure", event, place)
        );
        assert_eq!(source.to_string(), "the cat sat on the keyboard");
        assert_eq!(
            network.fingerprint(),
            after(steps, &data).fingerprint(),
            "{event}"
        );
    }
}

#[test]
fn a_handle_stops_between_steps() {
    let data = regression(40);
    let stop = StopHandle::new();
    let trainer = adam().stop(&stop).on(Event::BatchEnd, |training| {
        if training.steps_taken == 5 {
            stop.clone().stop();
        }
    });
    let mut network = regressor(&data);
    let history = trainer.fit(&mut network, &data).unwrap();
    assert_eq!(history.ending, Ending::StopHandle);
    assert_eq!(network.fingerprint(), after(5, &data).fingerprint());
    let mut again = regressor(&data);
    assert!(trainer.fit(&mut again, &data).unwrap().epochs.is_empty());
    assert_eq!(again.fingerprint(), regressor(&data).fingerprint());
}

#[test]
fn early_stopping_brings_the_best_weights_back() {
    let data = regression(60).split([0.4, 0.4, 0.2], Seed(1)).unwrap();
    let trainer = Trainer::new(Sgd::new(0.3).momentum(0.9), MeanSquaredError)
        .epochs(200)
        .validation(&data.validation)
        .metric(RootMeanSquaredError)
        .progress(Progress::Quiet);
    let figure = Figure::validation("root_mean_squared_error");
    for rule in [EarlyStopping::new(3), EarlyStopping::new(3).monitor(figure)] {
        let mut network = regressor(&data.train);
        let mut best = Vec::new();
        let stopping = trainer
            .clone()
            .early_stopping(rule)
            .on(Event::EpochEnd, |training| {
                best.push(training.network.fingerprint());
            });
        let history = stopping.fit(&mut network, &data.train).unwrap();
        drop(stopping);
        let Ending::EarlyStopping { best_epoch } = history.ending else {
            panic!("{:?}", history.ending);
        };
        assert!(!history.is_interrupted());
        assert_eq!(history.epochs.len(), best_epoch + 3);
        assert_eq!(network.fingerprint(), best[best_epoch - 1]);
        assert_eq!(history.best().map(|record| record.epoch), Some(best_epoch));
    }
    let mut network = regressor(&data.train);
    let last = trainer
        .clone()
        .early_stopping(EarlyStopping::new(3).keep_last());
    let epochs = last.fit(&mut network, &data.train).unwrap().epochs.len();
    let mut again = regressor(&data.train);
    trainer.epochs(epochs).fit(&mut again, &data.train).unwrap();
    assert_eq!(network.fingerprint(), again.fingerprint());
}

#[test]
fn the_best_of_all_epochs_is_kept_where_patience_lasts() {
    let data = regression(40);
    let mut network = regressor(&data);
    // A rate so large that the loss goes up and down.
    let trainer = Trainer::new(Sgd::new(0.5).momentum(0.9), MeanSquaredError)
        .epochs(12)
        .validation(&data)
        .early_stopping(EarlyStopping::new(100))
        .progress(Progress::Quiet);
    let history = trainer.fit(&mut network, &data).unwrap();
    assert_eq!(history.ending, Ending::Completed);
    let best = history.best().unwrap();
    assert!(best.epoch < 12, "the case is to show something");
    let loss = trainer.evaluate(&network, &data).unwrap().loss;
    assert_eq!(Some(loss), best.validation_loss);
}

#[test]
fn figures_that_are_not_measured_are_refused() {
    let data = regression(40);
    let refused = |trainer: Trainer<'_>| {
        let mut network = regressor(&data);
        trainer.fit(&mut network, &data).unwrap_err().to_string()
    };
    assert_eq!(
        refused(adam().early_stopping(EarlyStopping::new(3))),
        "validation loss is not measured; there are: loss"
    );
    let accuracy = EarlyStopping::new(3).monitor(Figure::metric("accuracy"));
    assert_eq!(
        refused(
            adam()
                .validation(&data)
                .metric(RootMeanSquaredError)
                .early_stopping(accuracy)
        ),
        "accuracy is not measured; there are: loss, root_mean_squared_error, validation loss, \
         validation root_mean_squared_error"
    );
    let rule = EarlyStopping::new(3)
        .monitor(Figure::Loss)
        .goal(Goal::Minimize);
    for delta in [-1.0, f64::NAN, f64::INFINITY] {
        let text = refused(adam().early_stopping(rule.clone().min_delta(delta)));
        assert!(text.starts_with("min_delta must be finite"), "{text}");
    }
    assert!(refused(adam().accumulate(0)).contains("at least 1, found 0"));
}
