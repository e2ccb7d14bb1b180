//! Metrics: scikit-learn's figures, and the laws of taking in batches.

#![allow(clippy::unwrap_used)]

use std::ops::Range;

use maas_nn::metric::{
    AbsoluteError, Accuracy, AveragePrecision, BinaryAccuracy, ClassAverage, ConfusionMatrix, F1,
    Goal, Metric, MetricBatch, Precision, R2, Recall, RocAuc, RootMeanSquaredError, SquaredError,
    TopK, average_precision, roc_auc,
};
use maas_nn::{Error, Targets};
use proptest::prelude::*;
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("fixtures/metrics.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|x| x.as_f64().unwrap() as f32).collect()
}

fn integers(value: &Value) -> Vec<u32> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|x| x.as_u64().unwrap() as u32).collect()
}

fn class_metrics(width: usize) -> Vec<Box<dyn Metric>> {
    let mut metrics: Vec<Box<dyn Metric>> = vec![
        Box::new(Accuracy),
        Box::new(RocAuc),
        Box::new(AveragePrecision),
    ];
    if width > 1 {
        metrics.push(Box::new(TopK::new(1)));
        metrics.push(Box::new(TopK::new(2)));
    }
    let classes = (0..width.max(2)).map(ClassAverage::Class);
    for average in classes.chain([
        ClassAverage::Macro,
        ClassAverage::Micro,
        ClassAverage::Weighted,
    ]) {
        metrics.push(Box::new(Precision::new(average)));
        metrics.push(Box::new(Recall::new(average)));
        metrics.push(Box::new(F1::new(average)));
    }
    metrics
}

fn value_metrics() -> Vec<Box<dyn Metric>> {
    vec![
        Box::new(SquaredError),
        Box::new(RootMeanSquaredError),
        Box::new(AbsoluteError),
        Box::new(R2),
    ]
}

#[test]
fn classes_are_judged_as_by_scikit_learn() {
    for case in fixture()["classification"].as_array().unwrap() {
        let width = case["width"].as_u64().unwrap() as usize;
        let (scores, labels) = (floats(&case["scores"]), integers(&case["labels"]));
        let batch = MetricBatch::new(&scores, Targets::Labels(&labels), width);
        let one_hot: Vec<f32> = labels
            .iter()
            .flat_map(|&label| match width {
                1 => vec![label as f32],
                _ => (0..width as u32)
                    .map(|class| f32::from(u8::from(class == label)))
                    .collect(),
            })
            .collect();
        let as_values = MetricBatch::new(&scores, Targets::Values(&one_hot), width);
        let figures = case["figures"].as_object().unwrap();
        let metrics = class_metrics(width);
        assert_eq!(metrics.len(), figures.len());
        for metric in metrics {
            let (name, found) = (metric.name(), metric.measure(&batch));
            let expected = figures[name].as_f64().unwrap();
            // Scores that share a bin count as tied.
            let tolerance = match name {
                "roc_auc" => 1e-3,
                "average_precision" => 3e-3,
                _ => 1e-12,
            };
            assert!(
                (found - expected).abs() <= tolerance,
                "{name}: {found} instead of {expected}"
            );
            assert_eq!(
                metric.measure(&as_values).to_bits(),
                found.to_bits(),
                "{name}"
            );
            assert_eq!(metric.goal(), Goal::Maximize);
        }

        let mut matrix = ConfusionMatrix::new(width.max(2));
        matrix.update(&batch).unwrap();
        for (actual, row) in case["confusion"].as_array().unwrap().iter().enumerate() {
            for (predicted, &count) in integers(row).iter().enumerate() {
                assert_eq!(matrix.count(actual, predicted), u64::from(count));
            }
        }
        let (report, figure) = (matrix.report(), |name: &str| {
            figures[name].as_f64().unwrap()
        });
        assert_eq!(report.accuracy, figure("accuracy"));
        for (found, average) in [
            (report.macro_average, "macro"),
            (report.weighted_average, "weighted"),
            (report.classes[1].1, "class_1"),
        ] {
            for (found, name) in [
                (found.precision, "precision"),
                (found.recall, "recall"),
                (found.f1, "f1"),
            ] {
                assert!((found - figure(&format!("{name}_{average}"))).abs() < 1e-12);
            }
        }
        let text = serde_json::to_string(&matrix).unwrap();
        assert_eq!(
            serde_json::from_str::<ConfusionMatrix>(&text).unwrap(),
            matrix
        );

        if width == 1 {
            assert!((roc_auc(&scores, &labels).unwrap() - figure("roc_auc")).abs() < 1e-12);
            let precision = average_precision(&scores, &labels).unwrap();
            assert!((precision - figure("average_precision")).abs() < 1e-12);
        }
    }
}

#[test]
fn numbers_are_judged_as_by_scikit_learn() {
    for case in fixture()["regression"].as_array().unwrap() {
        let width = case["width"].as_u64().unwrap() as usize;
        let (predictions, values) = (floats(&case["predictions"]), floats(&case["values"]));
        let batch = MetricBatch::new(&predictions, Targets::Values(&values), width);
        for metric in value_metrics() {
            let (name, found) = (metric.name(), metric.measure(&batch));
            let expected = case["figures"][name].as_f64().unwrap();
            assert!(
                (found - expected).abs() <= 1e-6 * expected,
                "{name}: {found}, {expected}"
            );
            assert!(!metric.accepts(Targets::Labels(&[])));
        }
    }
}

#[test]
fn what_cannot_be_judged() {
    assert!(matches!(
        roc_auc(&[0.1, 0.2], &[1, 1]),
        Err(Error::OneClass)
    ));
    assert!(matches!(roc_auc(&[], &[]), Err(Error::OneClass)));
    assert!(matches!(roc_auc(&[0.1], &[]), Err(Error::Length { .. })));
    assert!(matches!(
        average_precision(&[0.1, 0.2], &[0, 2]),
        Err(Error::Label { row: 1, .. })
    ));
    assert!(
        RocAuc
            .measure(&MetricBatch::new(&[0.1], Targets::Labels(&[1]), 1))
            .is_nan()
    );

    let mut matrix = ConfusionMatrix::new(3);
    let narrow = MetricBatch::new(&[0.1, 0.9], Targets::Labels(&[1]), 2);
    assert!(matches!(
        matrix.update(&narrow),
        Err(Error::Width {
            expected: 3,
            found: 2
        })
    ));
    let unknown = MetricBatch::new(&[0.1, 0.9, 0.0], Targets::Labels(&[3]), 3);
    assert!(matches!(
        matrix.update(&unknown),
        Err(Error::Label { label: 3, .. })
    ));
    assert_eq!(matrix.rows(), 0);
    assert!(matrix.accuracy().is_nan());
    assert!(matches!(
        matrix.clone().names(["a"]),
        Err(Error::ClassNames {
            classes: 3,
            found: 1
        })
    ));
    assert!(matrix.merge(&ConfusionMatrix::new(2)).is_err());
    let ragged = r#"{"names":["a","b"],"counts":[[1,2],[3]]}"#;
    assert!(serde_json::from_str::<ConfusionMatrix>(ragged).is_err());
    // A prediction that is NaN is taken for no class before another.
    let nan = [f32::NAN, 0.9, 0.1];
    assert_eq!(
        Accuracy.measure(&MetricBatch::new(&nan, Targets::Labels(&[1]), 3)),
        1.0
    );
    assert_eq!(
        TopK::new(3).measure(&MetricBatch::new(&nan, Targets::Labels(&[0]), 3)),
        0.0
    );
}

/// Predictions between 0 and 1, labels, and a place to cut in two.
fn batches() -> impl Strategy<Value = (usize, Vec<f32>, Vec<u32>, usize)> {
    (1_usize..5, 2_usize..40).prop_flat_map(|(width, rows)| {
        let label = 0..width.max(2) as u32;
        (
            Just(width),
            proptest::collection::vec(0_f32..=1.0, width * rows),
            proptest::collection::vec(label, rows),
            0..=rows,
        )
    })
}

fn in_two(metric: &dyn Metric, batch: &MetricBatch<'_>, cut: usize) -> f64 {
    let width = batch.width;
    let rows = batch.predictions.len() / width;
    let mut accumulators = vec![0.0; metric.accumulators(width)];
    let mut take = |rows: Range<usize>| {
        let elements = rows.start * width..rows.end * width;
        let targets = match batch.targets {
            Targets::Labels(labels) => Targets::Labels(&labels[rows]),
            Targets::Values(values) => Targets::Values(&values[elements.clone()]),
            _ => unreachable!("no other kinds"),
        };
        let part = MetricBatch::new(&batch.predictions[elements], targets, width);
        metric.update(&part, &mut accumulators);
    };
    take(0..cut);
    take(cut..rows);
    metric.value(&accumulators)
}

proptest! {
    #[test]
    fn parts_are_worth_the_whole((width, predictions, labels, cut) in batches()) {
        let batch = MetricBatch::new(&predictions, Targets::Labels(&labels), width);
        let mut metrics = class_metrics(width);
        metrics.push(Box::new(BinaryAccuracy::threshold(0.3)));
        for metric in &metrics {
            let whole = metric.measure(&batch);
            prop_assert_eq!(in_two(&**metric, &batch, cut).to_bits(), whole.to_bits(), "{}", metric.name());
            prop_assert!(whole.is_nan() || (0.0..=1.0).contains(&whole), "{}: {}", metric.name(), whole);
        }
        let values: Vec<f32> = predictions.iter().rev().copied().collect();
        let batch = MetricBatch::new(&predictions, Targets::Values(&values), width);
        for metric in value_metrics() {
            let whole = metric.measure(&batch);
            prop_assert!((in_two(&*metric, &batch, cut) - whole).abs() <= 1e-9 * whole.abs().max(1.0));
            prop_assert!(whole >= 0.0 || metric.name() == "r2");
        }
    }

    #[test]
    fn a_ranking_knows_no_scale((_, scores, labels, _) in batches()) {
        let labels: Vec<u32> = labels.iter().map(|label| label % 2).collect();
        let scores = &scores[..labels.len()];
        if let Ok(area) = roc_auc(scores, &labels) {
            let stretched: Vec<f32> = scores.iter().map(|score| 4.0 * score).collect();
            prop_assert_eq!(roc_auc(&stretched, &labels).unwrap(), area);
            let turned: Vec<f32> = scores.iter().map(|score| -score).collect();
            prop_assert!((roc_auc(&turned, &labels).unwrap() - (1.0 - area)).abs() < 1e-12);
            let batch = MetricBatch::new(scores, Targets::Labels(&labels), 1);
            let positives = labels.iter().filter(|&&label| label == 1).count();
            // At worst all that are near each other are wrongly ordered.
            let near = |a: f32, b: f32| (a - b).abs() <= a.min(b).min(1.0 - a.max(b)) / 64.0 + 1e-6;
            let mut pairs = 0.0;
            for (i, &a) in scores.iter().enumerate() {
                for (j, &b) in scores.iter().enumerate() {
                    pairs += f64::from(u8::from(labels[i] == 1 && labels[j] == 0 && near(a, b)));
                }
            }
            let error = 0.5 * pairs / (positives * (labels.len() - positives)) as f64;
            prop_assert!((RocAuc.measure(&batch) - area).abs() <= error + 1e-12);
        }
    }
}
