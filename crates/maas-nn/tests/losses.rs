//! Losses and their gradients against those of Keras: `fixtures/make_losses.py` says how its numbers were made.

#![allow(clippy::unwrap_used)]

use maas_nn::{
    BinaryCrossEntropy, CategoricalCrossEntropy, CategoricalHinge, Hinge, Huber, KullbackLeibler,
    LogCosh, Loss, LossBatch, MeanAbsoluteError, MeanSquaredError, Poisson, SquaredHinge, Targets,
};
use serde_json::Value;

fn loss(name: &str, config: &Value) -> Box<dyn Loss> {
    let number = |key: &str| config[key].as_f64().unwrap() as f32;
    match name {
        "mean_squared_error" => Box::new(MeanSquaredError),
        "mean_absolute_error" => Box::new(MeanAbsoluteError),
        "huber" => Box::new(Huber::new(number("delta"))),
        "log_cosh" => Box::new(LogCosh),
        "kullback_leibler" => Box::new(KullbackLeibler),
        "poisson" => Box::new(Poisson),
        "hinge" => Box::new(Hinge),
        "squared_hinge" => Box::new(SquaredHinge),
        "categorical_hinge" => Box::new(CategoricalHinge),
        "binary_cross_entropy" => {
            Box::new(BinaryCrossEntropy.label_smoothing(number("label_smoothing")))
        }
        "categorical_cross_entropy" => {
            Box::new(CategoricalCrossEntropy.label_smoothing(number("label_smoothing")))
        }
        other => panic!("no loss is called {other}"),
    }
}

fn floats(value: &Value) -> Vec<f32> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|x| x.as_f64().unwrap() as f32).collect()
}

/// A few roundings of the sum, whose terms are of the size of the predictions.
const TOLERANCE: f32 = 1e-6;

#[test]
fn values_and_gradients_are_those_of_keras() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/losses.json")).unwrap();
    let mut names = Vec::new();
    for case in fixture["cases"].as_array().unwrap() {
        let loss = loss(case["loss"].as_str().unwrap(), &case["config"]);
        assert_eq!(loss.name(), case["loss"].as_str().unwrap());
        names.push(loss.name().to_owned());
        let (predictions, weights) = (floats(&case["predictions"]), floats(&case["weights"]));
        let (values, labels): (Vec<f32>, Vec<u32>);
        let targets = if let Some(found) = case["labels"].as_array() {
            labels = found.iter().map(|x| x.as_u64().unwrap() as u32).collect();
            Targets::Labels(&labels)
        } else {
            values = floats(&case["values"]);
            Targets::Values(&values)
        };
        let rows = case["rows"].as_u64().unwrap() as usize;
        let batch = LossBatch::new(&predictions, targets, rows).unwrap();
        for (weights, kind) in [(None, "plain"), (Some(&weights[..]), "weighted")] {
            let batch = batch.weights(weights).unwrap();
            let mut gradient = vec![f32::NAN; predictions.len()];
            let found = loss.evaluate(&batch, Some(&mut gradient)).unwrap();
            let expected = case[kind]["value"].as_f64().unwrap() as f32;
            let size = expected.abs().max(1.0);
            assert!(
                (found - expected).abs() <= TOLERANCE * size,
                "{}, {kind}: {found} instead of {expected}",
                loss.name()
            );
            for (found, expected) in gradient.iter().zip(floats(&case[kind]["gradient"])) {
                assert!(
                    (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0),
                    "{}, {kind}: gradient {found} instead of {expected}",
                    loss.name()
                );
            }
        }
    }
    names.dedup();
    assert_eq!(names.len(), 13);
}
