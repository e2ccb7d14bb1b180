//! The seams, from outside: layers and a loss that a user wrote, checked, trained by hand, saved and loaded.

#![allow(clippy::unwrap_used)]

mod batch_scale;
#[path = "../common/mod.rs"]
mod common;
mod convolution;
mod embedding;
mod mean_over_time;
mod residual_sum;

use batch_scale::BatchScale;
use common::numbers;
use convolution::Convolution;
use embedding::Embedding;
use maas_core::{DType, Seed, TensorSpec, Values};
use maas_nn::{
    Error, Graph, Layers, Loss, LossBatch, MeanSquaredError, Mode, Network, Plan, PlanOptions,
    Precision, Sequential, Targets, check_gradients,
};
use mean_over_time::MeanOverTime;
use residual_sum::ResidualSum;

/// The mean of ln cosh(p − t).
#[derive(Debug)]
struct LogCosh;

impl Loss for LogCosh {
    fn name(&self) -> &str {
        "log_cosh"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        let targets = batch.values(self.name())?;
        let n = targets.len() as f32;
        let differences = || batch.predictions.iter().zip(targets).map(|(p, t)| p - t);
        if let Some(gradient) = gradient {
            gradient
                .iter_mut()
                .zip(differences())
                .for_each(|(g, d)| *g = d.tanh() / n);
        }
        Ok(differences().map(|d| d.cosh().ln()).sum::<f32>() / n)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        let targets = batch.values(self.name())?;
        let terms = predictions
            .iter()
            .zip(targets)
            .map(|(p, &t)| (p - f64::from(t)).cosh().ln());
        Ok(Some(terms.sum::<f64>() / targets.len() as f64))
    }
}

fn layers() -> Layers {
    Layers::standard()
        .with::<ResidualSum>()
        .with::<Embedding>()
        .with::<Convolution>()
        .with::<MeanOverTime>()
        .with::<BatchScale>()
}

const ROWS: usize = 16;

/// Checks gradients, trains by hand, θ ← θ − α ∇J(θ), until the loss falls to a third, saves, loads, and compares answers bit by bit.
fn through_all_stages(
    mut network: Network,
    loss: &dyn Loss,
    inputs: &[Values<'_>],
    precision: Precision,
    learning_rate: f32,
) {
    let targets = numbers(ROWS * network.output_width(), 77);
    let report = check_gradients(&network, loss, inputs, Targets::Values(&targets), 1e-3).unwrap();
    assert_eq!(report.precision, precision, "{report}");

    let mut plan = Plan::new(&network, PlanOptions::train(ROWS)).unwrap();
    for (index, &values) in inputs.iter().enumerate() {
        plan.set_input(index, ROWS, values).unwrap();
    }
    let mut losses = Vec::new();
    for step in 0..400 {
        plan.forward(ROWS, &network, Mode::train(Seed(1), step))
            .unwrap();
        let (predictions, gradient) = plan.head(ROWS);
        let batch = LossBatch::new(predictions, Targets::Values(&targets), ROWS).unwrap();
        losses.push(loss.evaluate(&batch, Some(gradient)).unwrap());
        plan.backward(ROWS, &network).unwrap();
        for (theta, g) in network.parameters_mut().iter_mut().zip(plan.gradient()) {
            *theta -= learning_rate * g;
        }
        if let Some(state) = plan.next_state() {
            network.set_state(state).unwrap();
        }
    }
    assert!(
        losses[399] < losses[0] / 3.0,
        "{} to {}",
        losses[0],
        losses[399]
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    network.save(&path).unwrap();
    assert!(
        matches!(Network::load(&path), Err(Error::Layer { .. })),
        "the table is explicit"
    );
    let loaded = Network::load_with(&path, &layers()).unwrap();
    assert_eq!(loaded.fingerprint(), network.fingerprint());
    let answers = |network: &Network| {
        network
            .predict_values(ROWS, inputs)
            .unwrap()
            .mapv(f32::to_bits)
    };
    assert_eq!(answers(&loaded), answers(&network));
}

#[test]
fn a_residual_sum_and_a_loss() {
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[6]));
    let x = graph.input(0);
    let first = graph.dense(x, 8);
    let h = graph.relu(first);
    let h = graph.dense(h, 8);
    let sum = graph.layer(ResidualSum, &[h, first]);
    // Both inputs of the second sum are the same value.
    let sum = graph.layer(ResidualSum, &[sum, sum]);
    let y = graph.dense(sum, 2);
    let network = graph.build(y, Seed(3)).unwrap();
    through_all_stages(
        network,
        &LogCosh,
        &[Values::F32(&numbers(ROWS * 6, 4))],
        Precision::Double,
        0.2,
    );
}

#[test]
fn an_embedding_over_integer_ids() {
    let network = Sequential::new(TensorSpec::rows("ids", DType::Int32, &[5]))
        .layer(Embedding {
            vocabulary: 12,
            width: 4,
        })
        .flatten()
        .dense(8)
        .tanh()
        .dense(1)
        .build(Seed(5))
        .unwrap();
    let ids: Vec<i32> = numbers(ROWS * 5, 6)
        .iter()
        .map(|x| ((x + 1.0) * 6.0) as i32)
        .collect();
    through_all_stages(
        network,
        &MeanSquaredError,
        &[Values::I32(&ids)],
        Precision::Double,
        0.2,
    );
}

#[test]
fn ids_beyond_the_vocabulary_are_an_error() {
    let network = Sequential::new(TensorSpec::rows("ids", DType::Int32, &[2]))
        .layer(Embedding {
            vocabulary: 12,
            width: 4,
        })
        .build(Seed(5))
        .unwrap();
    for id in [12, -1] {
        let error = network
            .predict_values(1, &[Values::I32(&[0, id])])
            .unwrap_err();
        let Error::Layer { layer, source } = error else {
            panic!("{error}")
        };
        assert_eq!(
            (layer.as_str(), source.to_string()),
            (
                "embedding",
                format!("id {id} is outside a vocabulary of 12")
            )
        );
    }
    // The plan still works after a failed pass.
    let mut plan = Plan::new(&network, PlanOptions::infer(1)).unwrap();
    plan.set_input(0, 1, Values::I32(&[0, 99])).unwrap();
    assert!(plan.forward(1, &network, Mode::Infer).is_err());
    plan.set_input(0, 1, Values::I32(&[0, 1])).unwrap();
    plan.forward(1, &network, Mode::Infer).unwrap();
    assert_eq!(
        plan.output(),
        &network
            .segment("embedding.table")
            .unwrap()
            .as_slice()
            .unwrap()[..8]
    );
}

#[test]
fn a_layer_over_three_axes() {
    let network = Sequential::new(TensorSpec::rows("signal", DType::Fp32, &[9, 2]))
        .layer(Convolution {
            taps: 3,
            filters: 4,
        })
        .tanh()
        .layer(Convolution {
            taps: 2,
            filters: 3,
        })
        .flatten()
        .dense(1)
        .build(Seed(6))
        .unwrap();
    assert_eq!(
        network.segment("convolution.kernel").unwrap().shape(),
        [3, 2, 4]
    );
    through_all_stages(
        network,
        &LogCosh,
        &[Values::F32(&numbers(ROWS * 18, 7))],
        Precision::Double,
        0.2,
    );
}

#[test]
fn layers_without_a_reference_and_with_running_state() {
    let network = Sequential::new(TensorSpec::rows("signal", DType::Fp32, &[5, 4]))
        .dense(16)
        .tanh()
        .layer(MeanOverTime)
        .layer(BatchScale)
        .dense(1)
        .build(Seed(8))
        .unwrap();
    let before = network.state().to_vec();
    let x = numbers(ROWS * 20, 9);
    let mut plan = Plan::new(&network, PlanOptions::train(ROWS)).unwrap();
    plan.set_input(0, ROWS, Values::F32(&x)).unwrap();
    plan.forward(ROWS, &network, Mode::train(Seed(0), 0))
        .unwrap();
    assert_ne!(
        plan.next_state().unwrap(),
        before,
        "training moves the state on"
    );
    let moved = plan.next_state().unwrap().to_vec();
    plan.forward(ROWS, &network, Mode::Infer).unwrap();
    assert_eq!(plan.next_state().unwrap(), moved, "answers do not");
    through_all_stages(
        network,
        &MeanSquaredError,
        &[Values::F32(&x)],
        Precision::Single,
        0.02,
    );
}

#[test]
fn several_inputs_of_different_types() {
    let mut graph = Graph::new([
        TensorSpec::rows("ids", DType::Int32, &[3]),
        TensorSpec::rows("x", DType::Fp32, &[12]),
    ]);
    let (ids, x1) = (graph.input(0), graph.input(1));
    let table = graph.layer(
        Embedding {
            vocabulary: 5,
            width: 4,
        },
        &[ids],
    );
    let table = graph.flatten(table);
    let sum = graph.layer(ResidualSum, &[table, x1]);
    let h = graph.dense(sum, 16);
    let h = graph.activation(h, maas_nn::Activation::Silu);
    let y = graph.dense(h, 1);
    let network = graph.build(y, Seed(9)).unwrap();
    let ids: Vec<i32> = (0..ROWS as i32 * 3).map(|i| i * 3 % 5).collect();
    let x = numbers(ROWS * 12, 10);
    through_all_stages(
        network,
        &MeanSquaredError,
        &[Values::I32(&ids), Values::F32(&x)],
        Precision::Double,
        0.2,
    );
}
