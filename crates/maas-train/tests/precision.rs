//! Training with bf16 products reaches what training without them does.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{CategoricalCrossEntropy, Sequential};
use maas_train::{Accuracy, Adam, LearningRate, ProductPrecision, Progress, Trainer};

/// Handwritten digits, pixels between 0 and 1.
fn digits() -> (Dataset, Dataset) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/data");
    let digits = Dataset::from_csv(format!("{folder}/digits.csv")).unwrap();
    let digits = digits.classes("label").unwrap();
    let ink = &digits.x() / 16.0;
    let digits = Dataset::classification(ink.view(), digits.labels().unwrap(), 10).unwrap();
    let rows = std::fs::read_to_string(format!("{folder}/digits.test.txt")).unwrap();
    let rows: Vec<usize> = rows.lines().map(|row| row.parse().unwrap()).collect();
    digits.hold_out(&rows).unwrap()
}

/// Over five seeds the mean accuracy differs by a row or two of 360; 1 % is far from what a wrong product would do.
#[test]
fn digits_are_learnt_as_well_in_bf16() {
    let (train, test) = digits();
    let accuracy = |precision| {
        let of_seed = |seed| {
            let network = Sequential::new(train.features()).dense(64).relu().dense(10);
            let mut network = network.softmax().build(Seed(seed)).unwrap();
            let trainer = Trainer::new(
                Adam::new(LearningRate::cosine(4e-3)),
                CategoricalCrossEntropy,
            )
            .epochs(15)
            .precision(precision)
            .seed(Seed(seed))
            .metric(Accuracy)
            .progress(Progress::Quiet);
            trainer.fit(&mut network, &train).unwrap();
            trainer.evaluate(&network, &test).unwrap().metrics["accuracy"]
        };
        (0..5).map(of_seed).sum::<f64>() / 5.0
    };
    let (single, narrow) = (
        accuracy(ProductPrecision::F32),
        accuracy(ProductPrecision::Bf16),
    );
    assert!(single > 0.96, "{single}");
    assert!((single - narrow).abs() < 0.01, "{single} and {narrow}");
}

/// What is reported is what the network answers in single precision.
#[test]
fn evaluation_stays_in_single_precision() {
    let (train, test) = digits();
    let network = Sequential::new(train.features()).dense(10).softmax();
    let network = network.build(Seed(1)).unwrap();
    let evaluate = |precision| {
        Trainer::new(Adam::new(1e-3), CategoricalCrossEntropy)
            .precision(precision)
            .evaluate(&network, &test)
            .unwrap()
    };
    let (single, narrow) = (
        evaluate(ProductPrecision::F32),
        evaluate(ProductPrecision::Bf16),
    );
    assert_eq!(single.loss.to_bits(), narrow.loss.to_bits());
}
