//! Pruning networks: exact over all weights together, masked, and nothing else touched.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::{Compressor, Error, HardThreshold, Prune, Pruned, SignStep, SoftThreshold};
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{BinaryCrossEntropy, Mask, Network, Role, Sequential};
use maas_train::{Accuracy, Sgd, Trainer};
use ndarray::{Array2, array};
use proptest::prelude::*;

fn network(seed: u64) -> Network {
    let layers = Sequential::rows(11)
        .dense(16)
        .relu()
        .dense(8)
        .relu()
        .dense(1);
    let mut network = layers.build(Seed(seed)).unwrap();
    for name in ["dense.bias", "dense_1.bias", "dense_2.bias"] {
        network.segment_mut(name).unwrap().fill(0.01);
    }
    network
}

fn weights(network: &Network) -> Vec<f32> {
    let segments = network
        .segments()
        .iter()
        .filter(|segment| segment.role == Role::Weight);
    segments
        .flat_map(|segment| network.parameters()[segment.range.clone()].to_vec())
        .collect()
}

fn kept(network: &Network) -> usize {
    network.masks().flatten().map(Mask::kept).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_network_is_pruned_as_one_slice_would_be(seed: u64, sparsity in 0.0_f64..=1.0) {
        let prune = SoftThreshold::to_sparsity(sparsity);
        let mut pruned = network(seed);
        let mut flat = weights(&pruned);
        let report = prune.prune(&mut pruned).unwrap();
        prop_assert_eq!(report, prune.apply(&mut flat).unwrap());
        prop_assert_eq!(weights(&pruned), flat);
        prop_assert_eq!(report.weights - kept(&pruned), (sparsity * report.weights as f64).round() as usize);
        prop_assert_eq!(report.zeros, Pruned::of(&pruned).zeros);
        // Biases and the padding between segments are as they were.
        prop_assert!(pruned.segment("dense.bias").unwrap().iter().all(|&bias| bias == 0.01));
        let all: usize = pruned.parameters().iter().filter(|&&value| value != 0.0).count();
        prop_assert_eq!(all, report.weights - report.zeros + 25);
    }

    #[test]
    fn pruning_further_keeps_what_was_pruned(seed: u64, first in 0.0_f64..=1.0, second in 0.0_f64..=1.0) {
        let mut network = network(seed);
        HardThreshold::to_sparsity(first).prune(&mut network).unwrap();
        let before = kept(&network);
        HardThreshold::to_sparsity(second).prune(&mut network).unwrap();
        let weights = weights(&network).len();
        prop_assert_eq!(kept(&network), before.min(weights - (second * weights as f64).round() as usize));
    }
}

#[test]
fn the_raw_formula_masks_nothing() {
    let mut stepped = network(1);
    let mut flat = weights(&stepped);
    SignStep::new(0.1).prune(&mut stepped).unwrap();
    SignStep::new(0.1).apply(&mut flat).unwrap();
    assert_eq!(weights(&stepped), flat);
    assert_eq!(stepped.masks().flatten().count(), 0);
}

#[test]
fn a_given_lambda_masks_what_is_within_it() {
    let mut pruned = network(1);
    let before = weights(&pruned);
    let report = SoftThreshold::new(0.2).prune(&mut pruned).unwrap();
    assert_eq!(
        report.zeros,
        before.iter().filter(|weight| weight.abs() <= 0.2).count()
    );
    assert_eq!(kept(&pruned), report.weights - report.zeros);
    assert_eq!(report.lambda, Some(0.2));
}

#[test]
fn weights_that_are_not_finite_are_named_and_nothing_is_changed() {
    let mut broken = network(1);
    broken.segment_mut("dense_1.kernel").unwrap()[[1, 2]] = f32::NAN;
    let before: Vec<u32> = broken
        .parameters()
        .iter()
        .map(|value| value.to_bits())
        .collect();
    let prunes: [&dyn Prune; 3] = [
        &SoftThreshold::to_sparsity(0.9),
        &HardThreshold::new(1.0),
        &SignStep::new(1.0),
    ];
    for prune in prunes {
        let error = prune.prune(&mut broken).unwrap_err();
        assert_eq!(
            error.to_string(),
            "weight 10 of `dense_1.kernel`: a finite number expected, found NaN"
        );
        assert!(
            broken
                .parameters()
                .iter()
                .map(|value| value.to_bits())
                .eq(before.iter().copied())
        );
        assert_eq!(broken.masks().flatten().count(), 0);
    }
    assert!(matches!(
        SoftThreshold::new(-1.0).prune(&mut broken),
        Err(Error::Lambda { .. })
    ));
}

#[test]
fn a_network_without_weights_has_nothing_to_prune() {
    let mut network = Sequential::rows(2).relu().build(Seed(1)).unwrap();
    assert!(matches!(
        SoftThreshold::to_sparsity(0.9).prune(&mut network),
        Err(Error::NoWeights)
    ));
}

fn data() -> Dataset {
    let features = Array2::from_shape_fn((20, 11), |(row, column)| {
        ((row * 7 + column * 3) % 10) as f32 / 10.0
    });
    let targets = Array2::from_shape_fn((20, 1), |(row, _)| row as f32 / 20.0);
    Dataset::new(features.view(), targets.view()).unwrap()
}

#[test]
fn fine_tuning_cannot_undo_pruning() {
    let mut compact = network(1);
    let (compressed, report) = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .fine_tune(|network: &mut Network| {
            network.clear_masks();
            network.segment_mut("dense.kernel")?.fill(7.0);
            Ok::<_, Error>("this value is left out")
        })
        .run(&mut compact, &data())
        .unwrap();
    assert_eq!(report.weights, 11 * 16 + 16 * 8 + 8);
    assert_eq!(report.nonzeros(), 31);
    assert_eq!(kept(&compact), 31);
    assert_eq!(compact.parameters(), compressed.network().parameters());
}

#[test]
fn failures_leave_the_network_alone_and_keep_their_source() {
    let mut untouched = network(1);
    let before = untouched.fingerprint();
    let error = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .fine_tune(|_: &mut Network| Err::<(), _>(std::io::Error::other("out of data")))
        .run(&mut untouched, &data())
        .unwrap_err();
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "out of data"
    );
    assert!(matches!(error, Error::FineTune(_)));
    let error = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .metric("luck", |_: &Network, _: &Dataset| Err::<f64, _>("none"))
        .run(&mut untouched, &data())
        .unwrap_err();
    assert_eq!(error.to_string(), "measuring luck failed");
    let narrow = Dataset::new(array![[1.0]].view(), array![[1.0]].view()).unwrap();
    assert!(
        Compressor::new(SoftThreshold::to_sparsity(0.9))
            .run(&mut untouched, &narrow)
            .is_err()
    );
    assert!(
        Compressor::new(SoftThreshold::new(f32::NAN))
            .run(&mut untouched, &data())
            .is_err()
    );
    assert_eq!(untouched.fingerprint(), before);
    assert_eq!(untouched.masks().flatten().count(), 0);
}

#[test]
fn the_report_is_measured() {
    let mut compact = network(1);
    let before = compact.clone();
    let data = data();
    let (compressed, report) = Compressor::new(HardThreshold::to_sparsity(0.5))
        .run(&mut compact, &data)
        .unwrap();
    let error = |network: &Network| {
        let difference = network.predict(data.x()).unwrap() - data.y();
        f64::from(
            difference
                .mapv(|difference| difference * difference)
                .mean()
                .unwrap(),
        )
        .sqrt()
    };
    assert!((report.metric_before - error(&before)).abs() < 1e-6);
    assert!((report.metric_after - error(compressed.network())).abs() < 1e-6);
    assert_eq!(report.metric, "root mean squared error");
    assert_eq!(report.bytes_after, compressed.to_bytes().unwrap().len());
    let text = report.to_string();
    assert!(
        text.contains("2.0 times fewer") && text.contains("root mean squared error"),
        "{text}"
    );
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<maas_compress::Report>(&json).unwrap(),
        report
    );
}

#[test]
fn one_output_means_the_second_class_above_one_half() {
    let data = Dataset::classification(array![[0.0], [0.0], [0.0]].view(), &[0, 0, 1], 2).unwrap();
    let mut network = Sequential::new(data.features())
        .dense(1)
        .sigmoid()
        .build(Seed(1))
        .unwrap();
    assert!(network.predict(data.x()).unwrap().iter().all(|&p| p == 0.5));
    let judge = Trainer::new(Sgd::new(0.1), BinaryCrossEntropy).metric(Accuracy);
    let evaluation = judge.evaluate(&network, &data).unwrap();
    let (_, report) = Compressor::new(HardThreshold::new(0.0))
        .run(&mut network, &data)
        .unwrap();
    assert!((report.metric_before - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(report.metric_before, evaluation.metrics["accuracy"]);
}

#[test]
fn classes_that_the_network_does_not_tell_apart_are_refused() {
    let data = Dataset::classification(array![[1.0, 0.0]].view(), &[0], 4).unwrap();
    for units in [1, 3, 5] {
        let mut network = Sequential::new(data.features())
            .dense(units)
            .build(Seed(1))
            .unwrap();
        let error = Compressor::new(HardThreshold::new(0.0))
            .run(&mut network, &data)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("expected 4 values a row, found {units}")
        );
    }
}

#[test]
fn classes_are_measured_by_accuracy() {
    let data = Dataset::classification(
        array![[1.0, 0.0], [0.0, 1.0], [1.0, 0.5]].view(),
        &[0, 1, 1],
        2,
    )
    .unwrap();
    let mut network = Sequential::new(data.features())
        .dense(2)
        .softmax()
        .build(Seed(1))
        .unwrap();
    network
        .segment_mut("dense.kernel")
        .unwrap()
        .assign(&array![[1.0, 0.0], [0.0, 1.0]].into_dyn());
    let (_, report) = Compressor::new(HardThreshold::new(0.0))
        .run(&mut network, &data)
        .unwrap();
    assert_eq!(report.metric, "accuracy");
    assert!((report.metric_before - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(report.metric_after, report.metric_before);
}
