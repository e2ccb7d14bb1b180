//! Laws of plans: one network gives the same bits however it is run.

#![allow(clippy::unwrap_used)]

mod common;

use std::num::NonZeroUsize;

use common::numbers;
use maas_core::{DType, Moments, Seed, Statistics, TensorSpec, Values};
use maas_nn::{
    Activation, CategoricalCrossEntropy, Compute, Error, Graph, Kernels, LayerSpec, Link, Loss,
    LossBatch, MeanSquaredError, Mode, Network, Parallelism, Plan, PlanOptions, Sequential, Source,
    Targets,
};
use proptest::prelude::*;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn regression() -> Network {
    let features = Moments::new(vec![0.3; 11], vec![1.7; 11]).unwrap();
    let statistics = Statistics {
        features,
        targets: Some(Moments::new([5.0, 2.0], [0.5, 3.0]).unwrap()),
    };
    Sequential::rows(11)
        .normalize(statistics)
        .dense(33)
        .relu()
        .dropout(0.3)
        .dense(17)
        .gelu()
        .dense(9)
        .silu()
        .dense(2)
        .build(Seed(7))
        .unwrap()
}

/// The answers of a plan that is made for it.
fn answers(network: &Network, x: &[f32], rows: usize, options: PlanOptions) -> Vec<u32> {
    let mut plan = Plan::new(network, options).unwrap();
    plan.set_input(0, rows, Values::F32(x)).unwrap();
    plan.forward(rows, network, Mode::Infer).unwrap();
    bits(plan.output())
}

/// The gradient of one training step.
fn gradient(network: &Network, x: &[f32], rows: usize, options: PlanOptions) -> Vec<u32> {
    let mut plan = Plan::new(network, options).unwrap();
    plan.set_input(0, rows, Values::F32(x)).unwrap();
    plan.forward_head(rows, network, Mode::train(Seed(3), 9))
        .unwrap();
    let targets = numbers(rows * plan.head_width(), 5);
    let (predictions, gradient) = plan.head(rows);
    let batch = LossBatch::new(predictions, Targets::Values(&targets), rows).unwrap();
    MeanSquaredError
        .evaluate(&batch.compute(options.compute), Some(gradient))
        .unwrap();
    plan.backward(rows, network).unwrap();
    bits(plan.gradient())
}

#[test]
fn a_row_is_answered_alike_in_any_company() {
    let network = regression();
    let rows = 129;
    let mut x = numbers(rows * 11, 1);
    let alone: Vec<Vec<u32>> = (0..rows)
        .map(|row| {
            answers(
                &network,
                &x[row * 11..(row + 1) * 11],
                1,
                PlanOptions::infer(1),
            )
        })
        .collect();
    for size in 1..=rows {
        let together = answers(&network, &x[..size * 11], size, PlanOptions::infer(size));
        for (row, answer) in together.chunks(2).enumerate() {
            assert_eq!(answer, alone[row], "row {row} of {size}");
        }
    }
    // Hostile neighbours.
    for (row, bad) in [
        (0, f32::NAN),
        (2, f32::INFINITY),
        (4, 3e38),
        (6, 0.0),
        (127, f32::NAN),
    ] {
        x[row * 11..(row + 1) * 11].fill(bad);
    }
    let together = answers(&network, &x, rows, PlanOptions::infer(rows));
    for (row, answer) in together
        .chunks(2)
        .enumerate()
        .filter(|(row, _)| ![0, 2, 4, 6, 127].contains(row))
    {
        assert_eq!(answer, alone[row], "row {row}");
    }
}

#[test]
fn every_kernel_set_and_thread_count_gives_the_same_bits() {
    let network = regression();
    let x = numbers(200 * 11, 2);
    let compute = |kernels, threads| Compute {
        kernels,
        parallelism: Parallelism::threads(NonZeroUsize::new(threads).unwrap()),
    };
    let reference = compute(Kernels::portable(), 1);
    let expected = answers(
        &network,
        &x,
        200,
        PlanOptions::infer(200).compute(reference),
    );
    let expected_gradient = gradient(
        &network,
        &x,
        200,
        PlanOptions::train(200).compute(reference),
    );
    for kernels in Kernels::available() {
        for threads in 1..=3 {
            let compute = compute(kernels, threads);
            assert_eq!(
                answers(&network, &x, 200, PlanOptions::infer(200).compute(compute)),
                expected
            );
            let found = gradient(&network, &x, 200, PlanOptions::train(200).compute(compute));
            assert_eq!(found, expected_gradient, "{kernels:?} on {threads} threads");
        }
    }
}

#[test]
fn fewer_rows_run_on_a_larger_plan() {
    let network = regression();
    let x = numbers(32 * 11, 3);
    for rows in [1, 2, 7, 31, 32] {
        let x = &x[..rows * 11];
        assert_eq!(
            answers(&network, x, rows, PlanOptions::infer(64)),
            answers(&network, x, rows, PlanOptions::infer(rows))
        );
        assert_eq!(
            gradient(&network, x, rows, PlanOptions::train(64)),
            gradient(&network, x, rows, PlanOptions::train(rows))
        );
    }
}

#[test]
fn a_pass_leaves_nothing_behind() {
    let network = regression();
    let mut plan = Plan::new(&network, PlanOptions::train(16)).unwrap();
    let run = |plan: &mut Plan, x: &[f32], rows: usize| {
        plan.set_input(0, rows, Values::F32(x)).unwrap();
        plan.forward(rows, &network, Mode::train(Seed(1), 1))
            .unwrap();
        let output = bits(plan.output());
        plan.head_gradient_mut()[..rows * 2].fill(0.5);
        plan.backward(rows, &network).unwrap();
        (output, bits(plan.gradient()))
    };
    let x = numbers(5 * 11, 4);
    let first = run(&mut plan, &x, 5);
    run(&mut plan, &[f32::NAN; 16 * 11], 16);
    assert_eq!(run(&mut plan, &x, 5), first);
}

#[test]
fn no_rows_are_no_work() {
    let network = regression();
    let mut plan = Plan::new(&network, PlanOptions::train(4)).unwrap();
    plan.forward(0, &network, Mode::train(Seed(0), 0)).unwrap();
    assert!(plan.output().is_empty());
    plan.backward(0, &network).unwrap();
    assert!(plan.gradient().iter().all(|&g| g == 0.0));
}

#[test]
fn padding_has_no_gradient() {
    let network = regression();
    let x = numbers(4 * 11, 3);
    let gradient = gradient(&network, &x, 4, PlanOptions::train(4));
    let inside = |index: usize| {
        network
            .segments()
            .iter()
            .any(|segment| segment.range.contains(&index))
    };
    assert!((0..gradient.len()).any(|index| !inside(index)));
    assert!(
        (0..gradient.len())
            .filter(|&index| !inside(index))
            .all(|index| gradient[index] == 0)
    );
    assert!(
        network
            .segments()
            .iter()
            .all(|segment| segment.range.start % 16 == 0)
    );
}

#[test]
fn training_leaves_out_the_link_and_the_units() {
    let classes = Sequential::rows(3)
        .dense(4)
        .softmax()
        .build(Seed(1))
        .unwrap();
    let logits = Sequential::rows(3).dense(4).build(Seed(1)).unwrap();
    let x = numbers(6, 1);
    let mut plan = Plan::new(
        &classes,
        PlanOptions::train(2).head(CategoricalCrossEntropy.link()),
    )
    .unwrap();
    plan.set_input(0, 2, Values::F32(&x)).unwrap();
    plan.forward(2, &classes, Mode::Infer).unwrap();
    assert_eq!(
        bits(plan.head_output()),
        answers(&logits, &x, 2, PlanOptions::infer(2))
    );
    assert_eq!(
        bits(plan.output()),
        answers(&classes, &x, 2, PlanOptions::infer(2))
    );
    let sums: Vec<f32> = plan
        .output()
        .chunks(4)
        .map(|row| row.iter().sum())
        .collect();
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6));

    // Another link trains through the layer.
    let mut through = Plan::new(&classes, PlanOptions::train(2).head(Link::Sigmoid)).unwrap();
    through.set_input(0, 2, Values::F32(&x)).unwrap();
    through.forward_head(2, &classes, Mode::Infer).unwrap();
    assert_eq!(through.head_output(), plan.output());

    let network = regression();
    let x = numbers(22, 1);
    let mut plan = Plan::new(&network, PlanOptions::train(2).head(Link::Identity)).unwrap();
    plan.set_input(0, 2, Values::F32(&x)).unwrap();
    plan.forward(2, &network, Mode::Infer).unwrap();
    let moments = network.target_moments().unwrap();
    for (row, head) in plan.output().chunks(2).zip(plan.head_output().chunks(2)) {
        for column in 0..2 {
            assert_eq!(
                row[column],
                head[column] * moments.deviation()[column] + moments.mean()[column]
            );
        }
    }
}

#[test]
fn dropout_is_for_training_only_and_keyed_by_the_step() {
    let network = Sequential::rows(40).dropout(0.5).build(Seed(1)).unwrap();
    let x = vec![1.0; 80];
    assert_eq!(answers(&network, &x, 2, PlanOptions::infer(2)), bits(&x));
    assert_eq!(answers(&network, &x, 2, PlanOptions::train(2)), bits(&x));
    let mut plan = Plan::new(&network, PlanOptions::train(2).input_gradients()).unwrap();
    let mut noisy = |rows: usize, mode: Mode| {
        plan.set_input(0, rows, Values::F32(&x[..rows * 40]))
            .unwrap();
        plan.forward(rows, &network, mode).unwrap();
        let output = plan.output().to_vec();
        plan.head_gradient_mut()[..rows * 40].fill(1.0);
        plan.backward(rows, &network).unwrap();
        assert_eq!(
            plan.input_gradient(0, rows).unwrap(),
            output,
            "what was kept lets the gradient through"
        );
        output
    };
    let both = noisy(2, Mode::train(Seed(1), 5));
    assert!(both.contains(&0.0) && both.contains(&2.0));
    assert_ne!(both[..40], both[40..]);
    assert_ne!(both, noisy(2, Mode::train(Seed(1), 6)));
    let second = noisy(
        1,
        Mode::Train {
            seed: Seed(1),
            step: 5,
            first_row: 1,
        },
    );
    assert_eq!(
        second,
        both[40..],
        "noise does not depend on how the batch is split"
    );
}

#[test]
fn misuse_is_an_error() {
    let network = regression();
    let x = numbers(44, 1);
    assert!(matches!(
        Plan::new(&network, PlanOptions::infer(0)),
        Err(Error::Rows { .. })
    ));
    assert!(Plan::new(&network, PlanOptions::infer(usize::MAX / 64)).is_err());
    let mut plan = Plan::new(&network, PlanOptions::infer(4)).unwrap();
    assert!(matches!(
        plan.set_input(0, 5, Values::F32(&x)),
        Err(Error::Rows {
            max_rows: 4,
            found: 5
        })
    ));
    assert!(matches!(
        plan.set_input(0, 4, Values::F32(&x[1..])),
        Err(Error::Length {
            expected: 44,
            found: 43
        })
    ));
    assert!(matches!(
        plan.set_input(0, 1, Values::I32(&[0; 11])),
        Err(Error::ValueType { .. })
    ));
    assert!(matches!(
        plan.set_input(1, 1, Values::F32(&x)),
        Err(Error::InputCount { .. })
    ));
    assert!(matches!(
        plan.forward(5, &network, Mode::Infer),
        Err(Error::Rows { .. })
    ));
    assert!(matches!(
        plan.forward(4, &network, Mode::train(Seed(0), 0)),
        Err(Error::Purpose)
    ));
    assert!(matches!(plan.backward(4, &network), Err(Error::Purpose)));
    assert!(matches!(
        plan.forward_tail(&network),
        Err(Error::NoForward { .. })
    ));

    let mut plan = Plan::new(&network, PlanOptions::train(4)).unwrap();
    assert!(matches!(
        plan.backward(4, &network),
        Err(Error::NoForward { rows: 4 })
    ));
    plan.forward(3, &network, Mode::train(Seed(0), 0)).unwrap();
    assert!(matches!(
        plan.backward(4, &network),
        Err(Error::NoForward { rows: 4 })
    ));
    assert!(matches!(plan.input_gradient(0, 3), Err(Error::Purpose)));
    let other = Sequential::rows(11).dense(2).build(Seed(7)).unwrap();
    assert!(matches!(
        plan.forward(3, &other, Mode::Infer),
        Err(Error::ForeignNetwork)
    ));
    // The same architecture built again is no other network.
    plan.forward(3, &regression(), Mode::Infer).unwrap();
}

#[test]
fn an_input_that_nothing_reads_has_no_gradient() {
    let spec = |name: &str| TensorSpec::rows(name, DType::Fp32, &[2]);
    let mut graph = Graph::new([spec("a"), spec("b")]);
    let b = graph.input(1);
    let y = graph.dense(b, 1);
    let network = graph.build(y, Seed(1)).unwrap();
    let mut plan = Plan::new(&network, PlanOptions::train(1).input_gradients()).unwrap();
    plan.forward(1, &network, Mode::Infer).unwrap();
    plan.head_gradient_mut().fill(1.0);
    plan.backward(1, &network).unwrap();
    assert_eq!(plan.input_gradient(0, 1).unwrap(), [0.0; 2]);
    assert_eq!(
        plan.input_gradient(1, 1).unwrap(),
        network.segment("dense.kernel").unwrap().as_slice().unwrap()
    );
}

/// A random graph of dense layers, activations, dropouts and normalisations over one input.
fn graph(choices: &[(u8, u8)]) -> Network {
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[6]));
    let mut values: Vec<Source> = vec![graph.input(0)];
    for &(kind, source) in choices {
        let x = values[source as usize % values.len()];
        values.push(match kind % 11 {
            0 | 1 => graph.dense(x, 6),
            2 => graph.relu(x),
            3 => graph.activation(x, Activation::Gelu),
            4 => graph.flatten(x),
            5 => graph.dropout(x, 0.5),
            6 => graph.layer_norm(x),
            7 => graph.batch_norm(x),
            8 => graph.gaussian_noise(x, 0.5),
            9 => graph.reshape(x, [6]),
            _ => graph.push(LayerSpec::Softmax, &[x]),
        });
    }
    let last = values[values.len() - 1];
    let end = graph.dense(last, 2);
    graph.build(end, Seed(5)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Plans for answers share memory among values, drop layers and fuse: the numbers stay.
    #[test]
    fn plans_for_answers_and_for_training_agree(choices in prop::collection::vec((any::<u8>(), any::<u8>()), 0..12)) {
        let network = graph(&choices);
        let x = numbers(3 * 6, 8);
        let infer = answers(&network, &x, 3, PlanOptions::infer(3));
        prop_assert_eq!(&infer, &answers(&network, &x, 3, PlanOptions::train(5)));
        prop_assert_eq!(&infer, &layer_by_layer(&network, &x, 3));
    }
}

/// Each layer in a network of its own: no fusion, no sharing of memory.
fn layer_by_layer(network: &Network, x: &[f32], rows: usize) -> Vec<u32> {
    let mut values: Vec<Vec<f32>> = Vec::new();
    for node in &network.spec().nodes {
        let input = match node.inputs[0] {
            Source::Input(_) => x,
            Source::Node(node) => &values[node],
        };
        let width = input.len() / rows;
        let mut alone = Sequential::rows(width)
            .push(node.layer.clone())
            .name(&node.name)
            .build(Seed(0))
            .unwrap();
        let names: Vec<String> = alone
            .segments()
            .iter()
            .map(|segment| segment.name.clone())
            .collect();
        for name in names {
            alone
                .segment_mut(&name)
                .unwrap()
                .assign(&network.segment(&name).unwrap());
        }
        let mut plan = Plan::new(&alone, PlanOptions::infer(rows)).unwrap();
        plan.set_input(0, rows, Values::F32(input)).unwrap();
        plan.forward(rows, &alone, Mode::Infer).unwrap();
        values.push(plan.output().to_vec());
    }
    bits(&values[values.len() - 1])
}
