//! Searches.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::num::NonZeroUsize;

use common::{regression, regressor};
use maas_core::Seed;
use maas_kernels::Parallelism;
use maas_nn::MeanSquaredError;
use maas_train::{Adam, Error, Outcome, Progress, Search, SearchResults, Setting, Trainer};

#[test]
fn results_are_the_same_at_any_number_of_threads() {
    let data = regression(60);
    let search = |threads: usize| {
        Search::random(7, Seed(3))
            .log_range("rate", 1e-4, 1e-1)
            .choice("batch", [8, 16])
            .parallelism(Parallelism::threads(NonZeroUsize::new(threads).unwrap()))
            .run(|trial| {
                let mut network = regressor(&data);
                let trainer =
                    Trainer::new(Adam::new(trial.number("rate")? as f32), MeanSquaredError)
                        .batch_size(trial.whole("batch")?)
                        .epochs(2)
                        .seed(trial.seed)
                        .progress(Progress::Quiet);
                Ok(trainer
                    .fit(&mut network, &data)?
                    .last()
                    .map_or(f64::NAN, |record| record.loss.into()))
            })
            .unwrap()
    };
    let first = search(1);
    for threads in 2..=4 {
        assert_eq!(search(threads), first);
    }
    let best = first.best().unwrap().figure().unwrap();
    assert!(
        first
            .trials
            .iter()
            .all(|trial| trial.figure().unwrap() >= best)
    );
    let json = serde_json::to_string(&first).unwrap();
    let again: SearchResults = serde_json::from_str(&json).unwrap();
    assert_eq!(again.trials.len(), 7);
}

#[test]
fn a_grid_has_every_combination_in_order() {
    let results = Search::grid(Seed(0))
        .choice("a", [1, 2])
        .choice("b", ["x", "y", "z"])
        .run(|trial| Ok(trial.number("a")? * 10.0 + trial.text("b")?.len() as f64))
        .unwrap();
    let settings: Vec<String> = (results.trials.iter())
        .map(|trial| {
            trial
                .settings
                .iter()
                .map(|(_, setting)| setting.to_string())
                .collect()
        })
        .collect();
    assert_eq!(settings, ["1x", "1y", "1z", "2x", "2y", "2z"]);
    assert!(
        results
            .trials
            .iter()
            .all(|trial| trial.settings[0].1 != Setting::Number(0.0))
    );
}

#[test]
fn failures_are_results() {
    let results = Search::grid(Seed(0))
        .choice("n", [0, 1, 2, 3])
        .maximize()
        .run(|trial| match trial.whole("n")? {
            0 => Err("no luck".into()),
            1 => panic!("the roof"),
            2 => Ok(trial.number("missing")?),
            n => Ok(n as f64),
        })
        .unwrap();
    let failed = |index: usize| match &results.trials[index].outcome {
        Outcome::Failed(text) => text.clone(),
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!(failed(0), "no luck");
    assert_eq!(failed(1), "panicked: the roof");
    assert!(failed(2).contains("missing"), "{}", failed(2));
    assert_eq!(results.best().unwrap().number, 3);
    assert_eq!(results.to_string().lines().next(), Some("trial  n  figure"));
    assert_eq!(results.to_string().lines().count(), 5);
}

#[test]
fn spaces_that_make_no_sense_are_refused() {
    let refused = |search: Search| match search.run(|_| Ok(0.0)).unwrap_err() {
        Error::Space { problem, .. } => problem,
        error => panic!("{error}"),
    };
    let random = || Search::random(3, Seed(0));
    assert_eq!(
        refused(Search::grid(Seed(0)).range("a", 0.0, 1.0)),
        "a range is not for a grid"
    );
    assert_eq!(
        refused(random().choice("a", [1.0; 0])),
        "there is nothing to choose from"
    );
    assert_eq!(
        refused(random().range("a", 0.0, 1.0).range("a", 0.0, 1.0)),
        "the name is there twice"
    );
    assert!(refused(random().range("a", 1.0, 0.0)).contains("empty"));
    assert!(refused(random().range("a", f64::NAN, 0.0)).contains("not finite"));
    assert!(refused(random().log_range("a", 0.0, 1.0)).contains("not positive"));
}
