//! Weights after 50 steps agree with Keras' from the same initial weights and batches: `fixtures/make_keras.py` made
//! the reference.
//!
//! Tolerance. Both sides compute in `f32`, with other orders of summation and other fused operations, so each step
//! adds relative errors of some 10⁻⁷ to the gradient. Over 50 steps they add up to 50 · 10⁻⁷ = 5 · 10⁻⁶ where nothing
//! amplifies them; Adam's division by √v and momentum's sum over ten steps amplify by up to about ten. 10⁻⁴ of a
//! weight leaves a factor of two above that. A wrong formula (Nesterov's term, ε inside the root, the bias correction,
//! the mean over a ragged batch) changes weights by 10⁻³ or more. Weights that pass near 0 have no relative accuracy, so
//! a tensor's error is measured against its largest weight, and element by element where a weight is at least a
//! hundredth of that.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::{DType, Seed, TensorSpec};
use maas_data::Dataset;
use maas_nn::{CategoricalCrossEntropy, Loss, MeanSquaredError, Network, Sequential};
use maas_train::{Adam, Chain, Progress, Sgd, Trainer};
use ndarray::ArrayView2;
use serde::Deserialize;

const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Fixture {
    rows: usize,
    batch: usize,
    epochs: usize,
    regression: Case,
    classification: Case,
}

#[derive(Deserialize)]
struct Case {
    inputs: usize,
    units: Vec<usize>,
    features: Vec<f32>,
    targets: Vec<f32>,
    initial: Vec<Vec<f32>>,
    runs: std::collections::BTreeMap<String, Run>,
}

#[derive(Deserialize)]
struct Run {
    weights: Vec<Vec<f32>>,
    losses: Vec<f32>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/keras.json")).unwrap()
}

fn optimizer(name: &str) -> Chain {
    match name {
        "sgd" => Sgd::new(0.01).into(),
        "momentum" => Sgd::new(0.01).momentum(0.9).into(),
        "nesterov" => Sgd::new(0.01).momentum(0.9).nesterov().into(),
        "adam" => Adam::new(1e-3).into(),
        other => panic!("no optimiser {other}"),
    }
}

fn network(case: &Case) -> Network {
    let mut layers = Sequential::new([TensorSpec::rows("x", DType::Fp32, &[case.inputs])]);
    let (last, hidden) = case.units.split_last().unwrap();
    for &units in hidden {
        layers = layers.dense(units).relu();
    }
    let mut network = layers.dense(*last).build(Seed(0)).unwrap();
    let ranges: Vec<_> = network
        .segments()
        .iter()
        .map(|segment| segment.range.clone())
        .collect();
    for (range, values) in ranges.into_iter().zip(&case.initial) {
        network.parameters_mut()[range].copy_from_slice(values);
    }
    network
}

fn check(
    case: &Case,
    data: &Dataset,
    loss: &(impl Loss + Clone + 'static),
    batch: usize,
    epochs: usize,
) {
    for (name, run) in &case.runs {
        let mut network = network(case);
        let trainer = Trainer::new(optimizer(name), loss.clone())
            .epochs(epochs)
            .batch_size(batch)
            .in_order()
            .progress(Progress::Quiet);
        let history = trainer.fit(&mut network, data).unwrap();
        for (record, &expected) in history.epochs.iter().zip(&run.losses) {
            assert!(
                (record.loss - expected).abs() <= TOLERANCE * expected,
                "{name}: {record} for {expected}"
            );
        }
        for (segment, expected) in network.segments().iter().zip(&run.weights) {
            let found = &network.parameters()[segment.range.clone()];
            let largest = expected
                .iter()
                .fold(0_f32, |largest, x| largest.max(x.abs()));
            for (&found, &expected) in found.iter().zip(expected) {
                let allowed = if expected.abs() >= 0.01 * largest {
                    expected.abs()
                } else {
                    largest
                };
                assert!(
                    (found - expected).abs() <= TOLERANCE * allowed,
                    "{name}, {}: {found} for {expected}",
                    segment.name
                );
            }
        }
    }
}

#[test]
fn regression_agrees() {
    let Fixture {
        rows,
        batch,
        epochs,
        regression: case,
        ..
    } = fixture();
    let features = ArrayView2::from_shape((rows, case.inputs), &case.features).unwrap();
    let targets = ArrayView2::from_shape((rows, 1), &case.targets).unwrap();
    check(
        &case,
        &Dataset::new(features, targets).unwrap(),
        &MeanSquaredError,
        batch,
        epochs,
    );
}

#[test]
fn classification_agrees() {
    let Fixture {
        rows,
        batch,
        epochs,
        classification: case,
        ..
    } = fixture();
    let features = ArrayView2::from_shape((rows, case.inputs), &case.features).unwrap();
    let labels: Vec<u32> = case.targets.iter().map(|&label| label as u32).collect();
    check(
        &case,
        &Dataset::classification(features, &labels, 3).unwrap(),
        &CategoricalCrossEntropy,
        batch,
        epochs,
    );
}
