//! Frozen layers: their numbers stay, gradients flow through them, files remember them.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use maas_core::{Seed, Values};
use maas_nn::{
    Error, Loss, LossBatch, MeanSquaredError, Mode, Network, Plan, PlanOptions, Sequential,
    Targets, check_gradients,
};

const ROWS: usize = 6;

fn network() -> Sequential {
    Sequential::rows(4).dense(5).relu().dense(4).tanh().dense(2)
}

fn gradient(network: &Network) -> Vec<f32> {
    let mut plan = Plan::new(network, PlanOptions::train(ROWS)).unwrap();
    plan.set_input(0, ROWS, Values::F32(&numbers(ROWS * 4, 1)))
        .unwrap();
    plan.forward_head(ROWS, network, Mode::train(Seed(1), 1))
        .unwrap();
    let targets = numbers(ROWS * 2, 2);
    let (predictions, gradient) = plan.head(ROWS);
    let batch = LossBatch::new(predictions, Targets::Values(&targets), ROWS).unwrap();
    MeanSquaredError.evaluate(&batch, Some(gradient)).unwrap();
    plan.backward(ROWS, network).unwrap();
    plan.gradient().to_vec()
}

#[test]
fn frozen_parameters_have_no_gradient_and_others_keep_theirs() {
    let free = network().build(Seed(3)).unwrap();
    let expected = gradient(&free);
    for name in ["dense", "dense_1", "dense_2"] {
        let mut frozen = free.clone();
        frozen.freeze(name).unwrap();
        let found = gradient(&frozen);
        for segment in frozen.segments() {
            let range = segment.range.clone();
            let own = segment.name.split('.').next() == Some(name);
            assert_eq!(segment.trainable, !own, "{}", segment.name);
            if own {
                assert!(found[range].iter().all(|&g| g == 0.0), "{}", segment.name);
            } else {
                assert_eq!(found[range.clone()], expected[range], "{}", segment.name);
            }
        }
        let (x, y) = (numbers(ROWS * 4, 1), numbers(ROWS * 2, 2));
        let (x, y) = ([Values::F32(&x)], Targets::Values(&y));
        check_gradients(&frozen, &MeanSquaredError, &x, y, 1e-3).unwrap();
        frozen.unfreeze(name).unwrap();
        assert_eq!(gradient(&frozen), expected);
    }
}

#[test]
fn freezing_is_saved_and_is_no_part_of_the_identity() {
    let built = network().freeze().build(Seed(3)).unwrap();
    let mut called = network().build(Seed(3)).unwrap();
    let free = called.clone();
    called.freeze("dense_2").unwrap();
    assert_eq!(built.spec(), called.spec());
    assert_eq!(built.to_bytes(), called.to_bytes());
    assert_eq!(built.fingerprint(), free.fingerprint());
    let loaded = Network::from_bytes(&built.to_bytes()).unwrap();
    assert!(loaded.is_frozen("dense_2").unwrap() && !loaded.is_frozen("dense").unwrap());
    assert_eq!(loaded.to_bytes(), built.to_bytes());
    assert_eq!(loaded.segments(), built.segments());

    let summary = built.summary();
    assert_eq!((summary.trainable, summary.non_trainable), (25 + 24, 10));
    assert!(
        summary.to_string().contains("dense_2 (dense, frozen)"),
        "{summary}"
    );

    called.unfreeze("dense_2").unwrap();
    assert_eq!(called.to_bytes(), free.to_bytes());
}

#[test]
fn unknown_names_are_refused() {
    let mut network = network().build(Seed(3)).unwrap();
    for name in ["dense_9", "", "dense.kernel", "Dense"] {
        let errors = [
            network.freeze(name).unwrap_err(),
            network.unfreeze(name).unwrap_err(),
            network.is_frozen(name).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::UnknownLayer { name: found } if found == name));
        }
    }
}

#[test]
fn a_plan_belongs_to_what_was_frozen() {
    let mut network = network().build(Seed(3)).unwrap();
    let mut plan = Plan::new(&network, PlanOptions::train(ROWS)).unwrap();
    network.freeze("dense").unwrap();
    let refused = plan.forward(ROWS, &network, Mode::Infer);
    assert!(matches!(refused, Err(Error::ForeignNetwork)));
    network.unfreeze("dense").unwrap();
    plan.forward(ROWS, &network, Mode::Infer).unwrap();
}
