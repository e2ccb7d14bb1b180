//! Gradients of every layer and every loss equal differences of a double-precision reference.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use maas_core::{DType, Moments, Seed, Statistics, TensorSpec, Values};
use maas_nn::{
    Activation, Backward, BinaryCrossEntropy, CategoricalCrossEntropy, Error, Forward, Huber,
    Layer, LayerPlan, Loss, MeanAbsoluteError, MeanSquaredError, Merge, Network, Precision,
    RowType, Sequential, Targets, check_gradients,
};
use proptest::prelude::*;

const ROWS: usize = 7;

fn check(network: &Network, loss: &dyn Loss, targets: Targets<'_>) {
    let width: usize = network.spec().inputs[0].row_elements().unwrap();
    let x = numbers(ROWS * width, 11);
    let report = check_gradients(network, loss, &[Values::F32(&x)], targets, 1e-3).unwrap();
    assert_eq!(report.precision, Precision::Double);
    assert!(report.worst() < 1e-3, "{report}");
}

/// Away from zero biases, so that no gradient is trivially right.
fn stirred(network: Result<Network, Error>) -> Network {
    let mut network = network.unwrap();
    let ranges: Vec<_> = network
        .segments()
        .iter()
        .map(|segment| segment.range.clone())
        .collect();
    for (index, range) in ranges.into_iter().enumerate() {
        let noise = numbers(range.len(), 100 + index as u64);
        for (value, noise) in network.parameters_mut()[range].iter_mut().zip(noise) {
            *value += 0.1 * noise;
        }
    }
    network
}

#[test]
fn activations() {
    for activation in [
        Activation::Linear,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::LeakyRelu { slope: -0.3 },
        Activation::Gelu,
        Activation::Silu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Elu { alpha: 0.7 },
        Activation::Elu { alpha: -0.4 },
        Activation::Selu,
        Activation::GeluTanh,
        Activation::Mish,
        Activation::HardSigmoid,
        Activation::Softplus,
        Activation::Softsign,
    ] {
        // Fused with a dense layer, after another layer, and on the input itself.
        let fused = Sequential::rows(5)
            .dense(6)
            .activation(activation)
            .dense(3)
            .build(Seed(1));
        let alone = Sequential::rows(5)
            .activation(activation)
            .activation(activation)
            .dense(3)
            .build(Seed(2));
        for network in [fused, alone] {
            check(
                &stirred(network),
                &MeanSquaredError,
                Targets::Values(&numbers(ROWS * 3, 5)),
            );
        }
    }
}

#[test]
fn layers() {
    let targets = numbers(ROWS * 3, 6);
    let images = TensorSpec::rows("x", DType::Fp32, &[2, 3]);
    let features = Moments::new(vec![0.5; 5], vec![2.0; 5]).unwrap();
    let statistics = Statistics {
        features: features.clone(),
        targets: Some(Moments::identity(3)),
    };
    let moments = Moments::new([1.0, -2.0, 0.25], [2.0, 0.5, 1.5]).unwrap();
    for network in [
        Sequential::rows(5).dense(3).softmax().build(Seed(1)),
        Sequential::rows(5)
            .dense(6)
            .softmax()
            .dense(3)
            .build(Seed(1)),
        Sequential::rows(5)
            .dropout(0.4)
            .dense(8)
            .relu()
            .dropout(0.5)
            .dense(3)
            .build(Seed(2)),
        Sequential::rows(5)
            .normalize(features)
            .dense(3)
            .build(Seed(3)),
        Sequential::rows(5)
            .normalize(statistics)
            .dense(4)
            .tanh()
            .dense(3)
            .build(Seed(4)),
        Sequential::rows(5)
            .dense(3)
            .denormalize(moments)
            .tanh()
            .build(Seed(5)),
        Sequential::new(images.clone())
            .flatten()
            .dense(3)
            .build(Seed(6)),
        Sequential::new(images)
            .dense(4)
            .tanh()
            .flatten()
            .dense(3)
            .build(Seed(7)),
    ] {
        check(
            &stirred(network),
            &MeanSquaredError,
            Targets::Values(&targets),
        );
    }
}

#[test]
fn losses() {
    let regression = || stirred(Sequential::rows(4).dense(8).tanh().dense(2).build(Seed(1)));
    let values = numbers(ROWS * 2, 8);
    check(&regression(), &MeanSquaredError, Targets::Values(&values));
    check(&regression(), &MeanAbsoluteError, Targets::Values(&values));
    check(&regression(), &Huber::new(0.5), Targets::Values(&values));

    let probabilities: Vec<f32> = values.iter().map(|v| v.abs().min(1.0)).collect();
    check(
        &regression(),
        &BinaryCrossEntropy,
        Targets::Values(&probabilities),
    );
    let binary = stirred(
        Sequential::rows(4)
            .dense(8)
            .tanh()
            .dense(1)
            .sigmoid()
            .build(Seed(2)),
    );
    check(
        &binary,
        &BinaryCrossEntropy,
        Targets::Labels(&[0, 1, 1, 0, 1, 0, 0]),
    );

    let classes = stirred(
        Sequential::rows(4)
            .dense(8)
            .tanh()
            .dense(3)
            .softmax()
            .build(Seed(3)),
    );
    check(
        &classes,
        &CategoricalCrossEntropy,
        Targets::Labels(&[0, 1, 2, 0, 1, 2, 2]),
    );
    let soft: Vec<f32> = (0..ROWS)
        .flat_map(|i| [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]][i % 2])
        .collect();
    check(&classes, &CategoricalCrossEntropy, Targets::Values(&soft));
}

/// tanh whose derivative forgets the square.
#[derive(Debug)]
struct BrokenTanh;

impl Layer for BrokenTanh {
    fn kind(&self) -> &str {
        "broken_tanh"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        Ok(LayerPlan::new(x.shape.clone()))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        for (x, y) in pass.inputs.f32(0)?.iter().zip(&mut *pass.output) {
            *y = x.tanh();
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        if let Some(dx) = pass.input_gradients.get(0) {
            for ((dx, dy), y) in dx.iter_mut().zip(&*pass.output_gradient).zip(pass.output) {
                *dx = dy * (1.0 - y);
            }
        }
        Ok(())
    }
}

#[test]
fn a_broken_backward_is_rejected() {
    let network = Sequential::rows(3)
        .dense(4)
        .layer(BrokenTanh)
        .dense(2)
        .build(Seed(1))
        .unwrap();
    let (x, y) = (numbers(ROWS * 3, 1), numbers(ROWS * 2, 2));
    let error = check_gradients(
        &network,
        &MeanSquaredError,
        &[Values::F32(&x)],
        Targets::Values(&y),
        1e-3,
    )
    .unwrap_err();
    assert!(
        matches!(&error, Error::Gradient { tensor, .. } if tensor.starts_with("dense.") || tensor == "x"),
        "{error}"
    );
}

/// A loss whose gradient is one percent too large, and which has a reference.
#[derive(Debug)]
struct BrokenLoss;

impl Loss for BrokenLoss {
    fn name(&self) -> &str {
        "broken"
    }

    fn evaluate(
        &self,
        batch: &maas_nn::LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
    ) -> Result<f32, Error> {
        let loss = MeanSquaredError.evaluate(batch, gradient.as_deref_mut())?;
        gradient.into_iter().flatten().for_each(|g| *g *= 1.01);
        Ok(loss)
    }

    fn reference(
        &self,
        predictions: &[f64],
        batch: &maas_nn::LossBatch<'_>,
    ) -> Result<Option<f64>, Error> {
        MeanSquaredError.reference(predictions, batch)
    }
}

#[test]
fn one_percent_is_seen() {
    let network = Sequential::rows(3)
        .dense(4)
        .gelu()
        .dense(2)
        .build(Seed(1))
        .unwrap();
    let (x, y) = (numbers(ROWS * 3, 1), numbers(ROWS * 2, 2));
    let error = check_gradients(
        &network,
        &BrokenLoss,
        &[Values::F32(&x)],
        Targets::Values(&y),
        1e-3,
    )
    .unwrap_err();
    assert!(matches!(error, Error::Gradient { .. }), "{error}");
}

#[test]
fn kinks_are_left_out_and_too_many_are_said() {
    // Every pre-activation is exactly at relu's kink.
    let network = Sequential::rows(3).relu().dense(2).build(Seed(1)).unwrap();
    let (x, y) = ([0.0; 300], [1.0; 200]);
    let result = check_gradients(
        &network,
        &MeanSquaredError,
        &[Values::F32(&x)],
        Targets::Values(&y),
        1e-3,
    );
    assert!(matches!(result, Err(Error::Kinks { .. })), "{result:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Any stack of layers, any loss: no right gradient is rejected, and no tensor is skipped.
    #[test]
    fn random_networks(layers in prop::collection::vec(0_u8..15, 1..6), seed in 0_u64..1000) {
        let mut network = Sequential::rows(4);
        for layer in layers {
            network = match layer {
                0..4 => network.dense(2 + layer as usize),
                4 => network.relu(),
                5 => network.gelu(),
                6 => network.tanh(),
                7 => network.softmax(),
                8 => network.dropout(0.3),
                9 => network.batch_norm(),
                10 => network.residual(Sequential::mish),
                11 => network.parallel(Merge::Multiply, |x| x.branch(Sequential::sigmoid).branch(|x| x)),
                12 => network.parallel(Merge::Concatenate, |x| x.branch(|x| x.elu(1.0)).branch(|x| x.dense(2))),
                13 => network.gaussian_noise(0.1),
                _ => network.leaky_relu(0.1),
            };
        }
        let network = stirred(network.dense(3).build(Seed(seed)));
        let x = numbers(ROWS * 4, seed + 1);
        // Of three numbers at least 0, as probabilities.
        let values: Vec<f32> = numbers(ROWS * 3, seed + 2).chunks(3)
            .flat_map(|row| row.iter().map(|v| v.abs() / row.iter().map(|v| v.abs()).sum::<f32>()))
            .collect();
        let loss: [&dyn Loss; 5] =
            [&MeanSquaredError, &MeanAbsoluteError, &Huber::new(0.3), &BinaryCrossEntropy, &CategoricalCrossEntropy];
        let loss = loss[seed as usize % 5];
        let report = check_gradients(&network, loss, &[Values::F32(&x)], Targets::Values(&values), 1e-3);
        let report = report.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert!(report.tensors.iter().all(|tensor| tensor.kinks <= tensor.checked / 4), "{}", report);
    }
}
