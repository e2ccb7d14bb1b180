//! Residual and parallel branches, embeddings, normalisations in networks.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use maas_core::{DType, Moments, Seed, Statistics, TensorSpec, Values};
use maas_nn::{
    Activation, Error, Graph, LayerSpec, MeanSquaredError, Merge, Mode, Network, Plan, PlanOptions,
    Sequential, Targets, check_gradients,
};
use ndarray::{Array2, array};

fn kinds(network: &Network) -> Vec<&str> {
    let nodes = network.spec().nodes.iter();
    nodes.map(|node| node.layer.kind()).collect()
}

#[test]
fn a_residual_block_is_a_sum() {
    let network = Sequential::rows(3)
        .residual(|x| x.dense(3).tanh())
        .build(Seed(1))
        .unwrap();
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[3]));
    let x = graph.input(0);
    let h = graph.dense(x, 3);
    let h = graph.activation(h, Activation::Tanh);
    let y = graph.add(&[x, h]);
    let same = graph.build(y, Seed(1)).unwrap();
    assert_eq!(network.spec(), same.spec());

    let rows = Array2::from_shape_vec((4, 3), numbers(12, 2)).unwrap();
    let branch = Sequential::rows(3).dense(3).tanh().build(Seed(1)).unwrap();
    let expected = branch.predict(&rows).unwrap() + &rows;
    let found = network.predict(&rows).unwrap();
    assert!((found - expected).iter().all(|d| d.abs() < 1e-6));
}

#[test]
fn branches_nest_and_keep_what_is_around_them() {
    let statistics = Statistics {
        features: Moments::identity(4),
        targets: Some(Moments::new([1.0], [2.0]).unwrap()),
    };
    let network = Sequential::rows(4)
        .residual(|x| {
            x.normalize(statistics)
                .parallel(Merge::Concatenate, |x| {
                    x.branch(|x| x.dense(1).relu())
                        .branch(|x| x.residual(|x| x.dense(4).batch_norm().mish()))
                        .branch(|x| x.dense(2))
                })
                .dense(4)
        })
        .parallel(Merge::Add, |x| {
            x.branch(|x| x.dense(1)).branch(|x| x.dense(1))
        })
        .build(Seed(3))
        .unwrap();
    assert_eq!(
        kinds(&network),
        [
            "normalization",
            "dense",
            "relu",
            "dense",
            "batch_norm",
            "mish",
            "add",
            "dense",
            "concatenate",
            "dense",
            "add",
            "dense",
            "dense",
            "add",
            "denormalization"
        ]
    );
    assert_eq!(
        network.segment("dense_3.kernel").unwrap().shape(),
        [1 + 4 + 2, 4]
    );
    let loaded = Network::from_bytes(&network.to_bytes()).unwrap();
    assert_eq!(loaded.fingerprint(), network.fingerprint());
    let (x, y) = (numbers(8 * 4, 4), numbers(8, 5));
    let (x, y) = ([Values::F32(&x)], Targets::Values(&y));
    let report = check_gradients(&network, &MeanSquaredError, &x, y, 1e-3).unwrap();
    assert!(report.tensors.len() > 10, "{report}");
}

#[test]
fn products_gate() {
    let network = Sequential::rows(2)
        .parallel(Merge::Multiply, |x| {
            x.branch(|x| x).branch(Sequential::relu).branch(|x| x)
        })
        .build(Seed(1))
        .unwrap();
    let answers = network.predict(&array![[-3.0, 3.0], [2.0, 0.0]]).unwrap();
    assert_eq!(answers, array![[0.0, 27.0], [8.0, 0.0]]);
}

#[test]
fn what_does_not_fit_is_said() {
    let layer = |result: Result<Network, Error>| match result {
        Err(Error::Layer { layer, source }) => (layer, *source),
        other => panic!("{other:?}"),
    };
    let (name, error) = layer(Sequential::rows(3).residual(|x| x.dense(4)).build(Seed(1)));
    assert_eq!(name, "add");
    assert!(matches!(error, Error::RowShape { .. }));
    let none = Sequential::rows(3)
        .parallel(Merge::Concatenate, |x| x)
        .build(Seed(1));
    assert!(matches!(
        layer(none).1,
        Error::InputCount {
            expected: 1,
            found: 0
        }
    ));
    let foreign = Sequential::rows(3)
        .dense(3)
        .residual(|_| Sequential::rows(3).relu());
    assert!(matches!(foreign.build(Seed(1)), Err(Error::ForeignBranch)));
    let other = Sequential::rows(3).tanh();
    let foreign = Sequential::rows(3)
        .dense(3)
        .parallel(Merge::Add, |x| x.branch(|_| other.clone()).branch(|x| x));
    assert!(matches!(
        foreign.relu().build(Seed(1)),
        Err(Error::ForeignBranch)
    ));
    let reshaped = Sequential::rows(6).reshape([4, 2]).build(Seed(1));
    assert!(matches!(layer(reshaped).1, Error::Reshape { .. }));
    for (spec, width) in [
        (
            LayerSpec::BatchNorm {
                momentum: 1.5,
                epsilon: 1e-3,
                center: true,
                scale: true,
            },
            3,
        ),
        (
            LayerSpec::BatchNorm {
                momentum: f32::NAN,
                epsilon: 1e-3,
                center: true,
                scale: true,
            },
            3,
        ),
        (
            LayerSpec::BatchNorm {
                momentum: 0.9,
                epsilon: 0.0,
                center: true,
                scale: true,
            },
            3,
        ),
        (LayerSpec::LayerNorm { epsilon: -1.0 }, 3),
        (LayerSpec::GaussianNoise { deviation: -0.1 }, 3),
        (
            LayerSpec::GaussianNoise {
                deviation: f32::INFINITY,
            },
            3,
        ),
        (
            LayerSpec::Activation(Activation::Elu { alpha: f32::NAN }),
            3,
        ),
    ] {
        let (_, error) = layer(Sequential::rows(width).push(spec.clone()).build(Seed(1)));
        assert!(matches!(error, Error::Setting { .. }), "{spec:?}: {error}");
    }
    for spec in [LayerSpec::embedding(0, 4), LayerSpec::embedding(4, 0)] {
        let ids = TensorSpec::rows("ids", DType::Int32, &[2]);
        let (_, error) = layer(Sequential::new(ids).push(spec).build(Seed(1)));
        assert!(matches!(error, Error::Setting { .. }));
    }
    let (_, error) = layer(Sequential::rows(2).embedding(4, 4).build(Seed(1)));
    assert!(matches!(error, Error::ValueType { .. }));
}

#[test]
fn ids_beyond_the_vocabulary_name_row_and_id() {
    let ids = TensorSpec::rows("ids", DType::Int32, &[3]);
    let network = Sequential::new(ids)
        .embedding(5, 2)
        .flatten()
        .dense(1)
        .build(Seed(1))
        .unwrap();
    for (bad, at) in [(5, 4), (-1, 8), (i32::MIN, 0), (i32::MAX, 6)] {
        let mut ids = [0, 1, 2, 3, 4, 0, 1, 2, 3];
        ids[at] = bad;
        let error = network.predict_values(3, &[Values::I32(&ids)]).unwrap_err();
        let Error::Layer { layer, source } = error else {
            panic!("{error}")
        };
        assert_eq!(layer, "embedding");
        let Error::Id {
            row,
            id,
            vocabulary,
        } = *source
        else {
            panic!("{source}")
        };
        assert_eq!((row, id, vocabulary), (at / 3, bad, 5));
    }
    let said = Error::Id {
        row: 2,
        id: 9,
        vocabulary: 5,
    };
    assert_eq!(
        said.to_string(),
        "row 2 has id 9, but the ids of the vocabulary are 0 to 4"
    );
}

#[test]
fn batch_norm_uses_running_statistics_when_frozen_or_asked() {
    let mut network = Sequential::rows(3).batch_norm().build(Seed(1)).unwrap();
    let x = numbers(20 * 3, 7);
    let run = |network: &Network, mode: Mode| {
        let mut plan = Plan::new(network, PlanOptions::train(20)).unwrap();
        plan.set_input(0, 20, Values::F32(&x)).unwrap();
        plan.forward(20, network, mode).unwrap();
        (plan.output().to_vec(), plan.next_state().unwrap().to_vec())
    };
    let train = Mode::train(Seed(0), 0);
    let (normal, moved) = run(&network, train);
    for feature in 0..3 {
        let column: Vec<f32> = normal.iter().skip(feature).step_by(3).copied().collect();
        let mean = column.iter().sum::<f32>() / 20.0;
        let variance = column.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 20.0;
        assert!(
            mean.abs() < 1e-6 && (variance - 1.0).abs() < 0.01,
            "{mean}, {variance}"
        );
    }
    assert_ne!(moved, network.state());
    network.set_state(&moved).unwrap();
    let (answers, _) = run(&network, Mode::Infer);
    assert_ne!(answers, normal);
    network.freeze("batch_norm").unwrap();
    let (frozen, state) = run(&network, train);
    assert_eq!(frozen, answers);
    assert_eq!(state, moved, "frozen statistics stay");

    let frozen = Sequential::rows(3)
        .dense(4)
        .batch_norm()
        .freeze()
        .tanh()
        .dense(2);
    let frozen = frozen.build(Seed(2)).unwrap();
    let (x, y) = (numbers(7 * 3, 1), numbers(7 * 2, 2));
    let (x, y) = ([Values::F32(&x)], Targets::Values(&y));
    check_gradients(&frozen, &MeanSquaredError, &x, y, 1e-3).unwrap();
}

#[test]
fn answers_leave_noise_and_shapes_out() {
    let network = Sequential::rows(6)
        .gaussian_noise(0.5)
        .reshape([2, 3])
        .dense(2)
        .flatten()
        .build(Seed(1))
        .unwrap();
    let x = Array2::from_shape_vec((2, 6), numbers(12, 1)).unwrap();
    let mut plan = Plan::new(&network, PlanOptions::train(2)).unwrap();
    plan.set_input(0, 2, Values::F32(x.as_slice().unwrap()))
        .unwrap();
    plan.forward(2, &network, Mode::Infer).unwrap();
    let answers = network.predict(&x).unwrap();
    assert_eq!(plan.output(), answers.as_slice().unwrap());
    plan.forward(2, &network, Mode::train(Seed(1), 1)).unwrap();
    assert_ne!(plan.output(), answers.as_slice().unwrap());
}
