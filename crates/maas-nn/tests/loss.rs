//! Losses: their values by hand, the same bits with every kernel set, errors for targets that do not fit.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use maas_nn::{
    BinaryCrossEntropy, CategoricalCrossEntropy, Compute, Error, Huber, Kernels, Link, Loss,
    LossBatch, MeanAbsoluteError, MeanSquaredError, Targets,
};

fn losses() -> [Box<dyn Loss>; 5] {
    [
        Box::new(MeanSquaredError),
        Box::new(MeanAbsoluteError),
        Box::new(Huber::new(0.7)),
        Box::new(BinaryCrossEntropy),
        Box::new(CategoricalCrossEntropy),
    ]
}

fn evaluate(
    loss: &dyn Loss,
    predictions: &[f32],
    targets: Targets<'_>,
    rows: usize,
) -> Result<f32, Error> {
    loss.evaluate(&LossBatch::new(predictions, targets, rows)?, None)
}

#[test]
fn values_by_hand() {
    let (p, t) = ([1.0, -2.0, 3.0, 0.5], [0.0, -2.0, 5.0, 0.0]);
    let values = Targets::Values(&t);
    assert_eq!(
        evaluate(&MeanSquaredError, &p, values, 2).unwrap(),
        (1.0 + 4.0 + 0.25) / 4.0
    );
    assert_eq!(
        evaluate(&MeanAbsoluteError, &p, values, 2).unwrap(),
        3.5 / 4.0
    );
    assert_eq!(
        evaluate(&Huber::new(1.0), &p, values, 2).unwrap(),
        (0.5 + 1.5 + 0.125) / 4.0
    );
    // ln(1 + e^-100) = 0: logits far on the right side cost nothing, on the wrong one their distance.
    let binary = evaluate(
        &BinaryCrossEntropy,
        &[100.0, -100.0, 100.0, -100.0],
        Targets::Values(&[1.0, 0.0, 0.0, 1.0]),
        4,
    );
    assert_eq!(binary.unwrap(), 50.0);
    let sharp = evaluate(
        &CategoricalCrossEntropy,
        &[0.0, 200.0, 200.0, 0.0],
        Targets::Labels(&[1, 1]),
        2,
    );
    assert_eq!(sharp.unwrap(), 100.0);
}

#[test]
fn labels_are_one_hot_probabilities() {
    let logits = numbers(5 * 3, 1);
    let labels = [2_u32, 0, 1, 1, 2];
    let one_hot: Vec<f32> = labels
        .iter()
        .flat_map(|&l| (0..3).map(move |k| f32::from(u8::from(k == l))))
        .collect();
    let by_label = evaluate(
        &CategoricalCrossEntropy,
        &logits,
        Targets::Labels(&labels),
        5,
    )
    .unwrap();
    let by_probability = evaluate(
        &CategoricalCrossEntropy,
        &logits,
        Targets::Values(&one_hot),
        5,
    )
    .unwrap();
    assert!((by_label - by_probability).abs() <= 1e-6 * by_label.abs());

    let by_label = evaluate(
        &BinaryCrossEntropy,
        &logits[..4],
        Targets::Labels(&[0, 1, 1, 0]),
        4,
    )
    .unwrap();
    let by_probability = evaluate(
        &BinaryCrossEntropy,
        &logits[..4],
        Targets::Values(&[0.0, 1.0, 1.0, 0.0]),
        4,
    )
    .unwrap();
    assert_eq!(by_label, by_probability);
}

#[test]
fn every_kernel_set_gives_the_same_bits_with_and_without_gradient() {
    // More than two of the blocks in which losses are summed, and a ragged end.
    let rows = 2 * 4096 + 77;
    let (predictions, targets) = (numbers(rows * 3, 1), numbers(rows * 3, 2));
    let row = |t: &[f32]| {
        [
            t[0].abs() / 2.0,
            t[1].abs() / 2.0,
            1.0 - t[0].abs() / 2.0 - t[1].abs() / 2.0,
        ]
    };
    let targets: Vec<f32> = targets.chunks(3).flat_map(row).collect();
    for loss in losses() {
        let run = |kernels| {
            let compute = Compute {
                kernels,
                ..Compute::default()
            };
            let batch = LossBatch::new(&predictions, Targets::Values(&targets), rows)
                .unwrap()
                .compute(compute);
            let mut gradient = vec![f32::NAN; rows * 3];
            let with = loss.evaluate(&batch, Some(&mut gradient)).unwrap();
            assert_eq!(
                with.to_bits(),
                loss.evaluate(&batch, None).unwrap().to_bits(),
                "{}",
                loss.name()
            );
            let exact: Vec<f64> = predictions.iter().map(|&p| f64::from(p)).collect();
            let reference = loss.reference(&exact, &batch).unwrap().unwrap();
            assert!(
                (f64::from(with) - reference).abs() < 1e-5 * reference,
                "{}",
                loss.name()
            );
            gradient
                .iter()
                .map(|g| g.to_bits())
                .chain([with.to_bits()])
                .collect::<Vec<u32>>()
        };
        let portable = run(Kernels::portable());
        for kernels in Kernels::available() {
            assert_eq!(run(kernels), portable, "{} with {kernels:?}", loss.name());
        }
    }
}

#[test]
fn targets_that_do_not_fit() {
    let p = numbers(6, 1);
    for loss in losses() {
        assert!(matches!(
            evaluate(&*loss, &p, Targets::Values(&p[1..]), 2),
            Err(Error::Length { .. })
        ));
        assert!(matches!(
            evaluate(&*loss, &p, Targets::Labels(&[0]), 2),
            Err(Error::Length {
                expected: 2,
                found: 1
            })
        ));
        assert!(matches!(
            evaluate(&*loss, &p, Targets::Values(&p), 4),
            Err(Error::Length { .. })
        ));
        let batch = LossBatch::new(&p, Targets::Values(&p), 2).unwrap();
        assert!(matches!(
            loss.evaluate(&batch, Some(&mut [0.0; 5])),
            Err(Error::Length {
                expected: 6,
                found: 5
            })
        ));
    }
    for loss in [
        &MeanSquaredError as &dyn Loss,
        &MeanAbsoluteError,
        &Huber::default(),
    ] {
        assert!(matches!(
            evaluate(loss, &p, Targets::Labels(&[0, 1]), 2),
            Err(Error::TargetKind { .. })
        ));
    }
    assert!(matches!(
        evaluate(&CategoricalCrossEntropy, &p, Targets::Labels(&[0, 3]), 2),
        Err(Error::Label {
            row: 1,
            label: 3,
            classes: 3
        })
    ));
    assert!(matches!(
        evaluate(&BinaryCrossEntropy, &p[..2], Targets::Labels(&[2, 0]), 2),
        Err(Error::Label {
            row: 0,
            label: 2,
            classes: 2
        })
    ));
    assert!(matches!(
        evaluate(&BinaryCrossEntropy, &p, Targets::Labels(&[1, 0]), 2),
        Err(Error::TargetKind { .. })
    ));
    for bad in [
        [0.5, 0.4, 0.0],
        [1.5, -0.5, 0.0],
        [f32::NAN, 0.5, 0.5],
        [0.0, 0.0, 0.0],
    ] {
        let targets = [[0.2, 0.3, 0.5], bad].concat();
        let result = evaluate(&CategoricalCrossEntropy, &p, Targets::Values(&targets), 2);
        assert!(
            matches!(result, Err(Error::Probabilities { row: 1, .. })),
            "{bad:?}"
        );
    }
    for bad in [-0.1, 1.1, 5.0, f32::NAN, f32::INFINITY] {
        let result = evaluate(
            &BinaryCrossEntropy,
            &p,
            Targets::Values(&[0.0, 1.0, 0.5, 0.5, bad, 0.5]),
            2,
        );
        assert!(
            matches!(result, Err(Error::Probability { row: 1, .. })),
            "{bad}"
        );
    }
    for delta in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(
            evaluate(&Huber::new(delta), &p, Targets::Values(&p), 2),
            Err(Error::Setting { .. })
        ));
    }
}

#[test]
fn links() {
    let links: Vec<Link> = losses().iter().map(|loss| loss.link()).collect();
    assert_eq!(
        links,
        [
            Link::Identity,
            Link::Identity,
            Link::Identity,
            Link::Sigmoid,
            Link::Softmax
        ]
    );
}

#[test]
fn an_unlikely_prediction_is_not_infinite() {
    let loss = evaluate(
        &CategoricalCrossEntropy,
        &[1e4, -1e4],
        Targets::Labels(&[1]),
        1,
    )
    .unwrap();
    assert_eq!(loss, 2e4);
    let nan = evaluate(
        &MeanSquaredError,
        &[f32::NAN, 0.0],
        Targets::Values(&[0.0, 0.0]),
        2,
    )
    .unwrap();
    assert!(nan.is_nan());
}

#[test]
fn weights_are_linear_and_ones_change_no_bit() {
    let rows = 4096 + 77;
    let predictions = numbers(rows * 3, 1);
    let targets: Vec<f32> = (0..rows)
        .flat_map(|row| [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]][row % 2])
        .collect();
    let weights: Vec<f32> = numbers(rows, 5).iter().map(|w| w.abs()).collect();
    let batch = LossBatch::new(&predictions, Targets::Values(&targets), rows).unwrap();
    let ones = vec![1.0; rows];
    for loss in losses() {
        let run = |weights| {
            let mut gradient = vec![f32::NAN; rows * 3];
            let batch = batch.weights(weights).unwrap();
            let value = loss.evaluate(&batch, Some(&mut gradient)).unwrap();
            let exact: Vec<f64> = predictions.iter().map(|&p| f64::from(p)).collect();
            let reference = loss.reference(&exact, &batch).unwrap().unwrap();
            assert!((f64::from(value) - reference).abs() <= 1e-5 * reference);
            (value, gradient)
        };
        let (plain, slope) = run(None);
        assert_eq!(run(Some(&ones)), (plain, slope.clone()), "{}", loss.name());
        let (_, weighted) = run(Some(&weights));
        for (i, (found, slope)) in weighted.iter().zip(&slope).enumerate() {
            let expected = slope * weights[i / 3];
            assert!((found - expected).abs() <= 1e-6 * expected.abs());
        }
    }
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        let mut weights = weights.clone();
        weights[3] = bad;
        let error = batch.weights(Some(&weights)).unwrap_err();
        assert!(matches!(error, Error::Weight { row: 3, .. }), "{bad}");
    }
    let error = batch.weights(Some(&weights[1..])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a weight for each of 4173 rows, found 4172"
    );
}
