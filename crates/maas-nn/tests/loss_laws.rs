//! Every loss of the library keeps the laws of losses, and losses that break one are found.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use maas_nn::check::{LossLaw, check_loss, check_metric};
use maas_nn::metric::{Goal, Metric, MetricBatch};
use maas_nn::{
    BinaryCrossEntropy, CategoricalCrossEntropy, CategoricalHinge, Error, Hinge, Huber,
    KullbackLeibler, LogCosh, Loss, LossBatch, MeanAbsoluteError, MeanSquaredError, Poisson,
    SquaredHinge, Targets,
};

const ROWS: usize = 11;
const WIDTH: usize = 3;

#[track_caller]
fn check(loss: &dyn Loss, predictions: &[f32], targets: Targets<'_>) {
    let batch = LossBatch::new(predictions, targets, ROWS).unwrap();
    if let Err(error) = check_loss(loss, &batch) {
        panic!("{error}: {:?}", std::error::Error::source(&error));
    }
}

#[test]
fn all_losses_keep_all_laws() {
    let p: Vec<f32> = numbers(ROWS * WIDTH, 1).iter().map(|p| 2.0 * p).collect();
    let t = numbers(ROWS * WIDTH, 2);
    let differences: [&dyn Loss; 5] = [
        &MeanSquaredError,
        &MeanAbsoluteError,
        &Huber::new(0.7),
        &Huber::default(),
        &LogCosh,
    ];
    for loss in differences {
        check(loss, &p, Targets::Values(&t));
    }
    let each: Vec<f32> = t.iter().map(|t| t.abs()).collect();
    let one_hot: Vec<f32> = (0..ROWS * WIDTH)
        .map(|i| f32::from(u8::from(i % WIDTH == i / WIDTH % WIDTH)))
        .collect();
    let labels: Vec<u32> = (0..ROWS as u32).map(|row| row % WIDTH as u32).collect();
    let binary: Vec<u32> = labels.iter().map(|label| label % 2).collect();
    for smoothing in [0.0, 0.1, 1.0] {
        let two = BinaryCrossEntropy.label_smoothing(smoothing);
        check(&two, &p, Targets::Values(&each));
        check(&two, &p[..ROWS], Targets::Labels(&binary));
        let many = CategoricalCrossEntropy.label_smoothing(smoothing);
        check(&many, &p, Targets::Values(&one_hot));
        check(&many, &p, Targets::Labels(&labels));
    }
    let positive: Vec<f32> = p.iter().map(|p| 0.1 + 0.4 * p.abs()).collect();
    check(&KullbackLeibler, &positive, Targets::Values(&each));
    check(&Poisson, &positive, Targets::Values(&each));
    for loss in [&Hinge as &dyn Loss, &SquaredHinge] {
        check(loss, &p, Targets::Values(&one_hot));
        check(loss, &p[..ROWS], Targets::Labels(&binary));
    }
    check(&CategoricalHinge, &p, Targets::Values(&one_hot));
    check(&CategoricalHinge, &p, Targets::Labels(&labels));
}

#[test]
fn targets_that_a_loss_is_not_defined_for() {
    let p = [0.5, 0.25, 0.25, 0.75];
    let refused = |loss: &dyn Loss, targets: &[f32; 4]| {
        let batch = LossBatch::new(&p, Targets::Values(targets), 2).unwrap();
        loss.evaluate(&batch, None).unwrap_err()
    };
    for bad in [-0.5, f32::NAN, f32::INFINITY] {
        let targets = [0.5, 0.5, bad, 0.0];
        assert!(matches!(
            refused(&Poisson, &targets),
            Error::Target { row: 1, .. }
        ));
        assert!(matches!(
            refused(&KullbackLeibler, &targets),
            Error::Probability { row: 1, .. }
        ));
        assert!(matches!(
            refused(&CategoricalHinge, &targets),
            Error::Target { row: 1, .. }
        ));
        let targets = [1.0, -1.0, bad, 0.0];
        assert!(matches!(
            refused(&Hinge, &targets),
            Error::Target { row: 1, .. }
        ));
        assert!(matches!(
            refused(&SquaredHinge, &targets),
            Error::Target { row: 1, .. }
        ));
    }
    for bad in [-0.1, 1.5, f32::NAN] {
        let smoothed: [&dyn Loss; 2] = [
            &BinaryCrossEntropy.label_smoothing(bad),
            &CategoricalCrossEntropy.label_smoothing(bad),
        ];
        for loss in smoothed {
            let error = refused(loss, &[0.5, 0.5, 1.0, 0.0]);
            assert!(matches!(
                error,
                Error::Setting {
                    name: "label smoothing",
                    ..
                }
            ));
        }
    }
}

/// The mean of (p − t)², with one thing wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Factor,
    Unweighted,
    SumOfWeights,
    SumOverRows,
    PanicsOnNothing,
    AnyLength,
}

impl Loss for Wrong {
    fn name(&self) -> &str {
        "wrong"
    }

    fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
    ) -> Result<f32, Error> {
        let whole = batch.predictions.len();
        let short = gradient
            .as_ref()
            .is_some_and(|gradient| gradient.len() < whole);
        if *self == Self::AnyLength && short {
            gradient = None;
        }
        assert!(batch.rows > 0 || *self != Self::PanicsOnNothing, "no rows");
        let seen = match self {
            Self::Unweighted => batch.weights(None)?,
            _ => *batch,
        };
        let mut factor = match self {
            Self::SumOverRows => batch.rows as f32,
            _ => 1.0,
        };
        if let (Self::SumOfWeights, Some(weights)) = (self, batch.weights) {
            factor = batch.rows as f32 / weights.iter().sum::<f32>();
        }
        let value = factor * MeanSquaredError.evaluate(&seen, gradient.as_deref_mut())?;
        for g in gradient.into_iter().flatten() {
            *g *= if *self == Self::Factor { 0.5 } else { factor };
        }
        Ok(value)
    }
}

#[test]
fn a_loss_that_breaks_a_law_is_found() {
    let (p, t) = (numbers(ROWS * WIDTH, 1), numbers(ROWS * WIDTH, 2));
    let batch = LossBatch::new(&p, Targets::Values(&t), ROWS).unwrap();
    for (loss, expected) in [
        (Wrong::Factor, LossLaw::Gradient),
        (Wrong::Unweighted, LossLaw::Weights),
        (Wrong::SumOfWeights, LossLaw::Weights),
        (Wrong::SumOverRows, LossLaw::Mean),
        (Wrong::PanicsOnNothing, LossLaw::NoRows),
        (Wrong::AnyLength, LossLaw::Length),
    ] {
        match check_loss(&loss, &batch) {
            Err(Error::LossLaw { law, .. }) => assert_eq!(law, expected, "{loss:?}"),
            other => panic!("{loss:?}: {other:?}"),
        }
    }
}

/// The error of the last batch.
#[derive(Debug)]
struct Last;

impl Metric for Last {
    fn name(&self) -> &str {
        "last"
    }
    fn goal(&self) -> Goal {
        Goal::Minimize
    }
    fn accepts(&self, _: Targets<'_>) -> bool {
        true
    }
    fn accumulators(&self, _: usize) -> usize {
        1
    }
    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
        accumulators[0] = batch.predictions.iter().copied().map(f64::from).sum();
    }
    fn value(&self, accumulators: &[f64]) -> f64 {
        accumulators[0]
    }
}

#[test]
fn a_metric_that_forgets_is_found() {
    let batch = MetricBatch::new(&[1.0, 2.0], Targets::Values(&[0.0, 0.0]), 1);
    assert!(matches!(
        check_metric(&Last, &batch),
        Err(Error::MetricLaw { cut: 1, .. })
    ));
}
