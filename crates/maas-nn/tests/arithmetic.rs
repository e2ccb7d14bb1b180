//! Dense layers that compute with fewer bits, and parameters packed for it.

#![allow(clippy::unwrap_used)]

use maas_core::{Context, Model, Outputs, Seed, TensorView};
use maas_nn::{
    Arithmetic, Compute, Error, Kernels, LayerSpec, Loss, LossBatch, MeanSquaredError, Mode,
    Network, PackedNetwork, Parallelism, Plan, PlanOptions, Representation, Sequential, Targets,
};
use ndarray::{Array2, Axis};
use proptest::prelude::*;

fn network(arithmetic: Arithmetic) -> Network {
    let mut network = Sequential::rows(7)
        .dense(33)
        .relu()
        .dense(20)
        .gelu()
        .dense(3)
        .build(Seed(7))
        .unwrap();
    for layer in ["dense", "dense_1", "dense_2"] {
        network.set_arithmetic(layer, arithmetic).unwrap();
    }
    network
}

fn rows(count: usize) -> Array2<f32> {
    Array2::from_shape_fn((count, 7), |(row, column)| {
        ((row * 7 + column) as f32 * 0.7).sin() * (1.0 + row as f32)
    })
}

fn arithmetics() -> [Arithmetic; 4] {
    let fixed = Arithmetic::Int8 {
        input_scale: Some(0.03),
    };
    [Arithmetic::F32, Arithmetic::Bf16, Arithmetic::int8(), fixed]
}

fn bits(values: &Array2<f32>) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn fewer_bits_give_nearly_the_same_answers() {
    let exact = network(Arithmetic::F32).predict(&rows(9)).unwrap();
    let scale = exact.iter().fold(0.0_f32, |scale, y| scale.max(y.abs()));
    for arithmetic in [Arithmetic::Bf16, Arithmetic::int8()] {
        let found = network(arithmetic).predict(&rows(9)).unwrap();
        let pairs = exact.iter().zip(&found);
        let error = pairs.fold(0.0_f32, |error, (y, z)| error.max((y - z).abs()));
        assert!(
            error > 0.0 && error < 0.03 * scale,
            "{arithmetic:?}: {error} of {scale}"
        );
    }
}

#[test]
fn a_row_is_answered_alone_as_in_any_batch_on_any_threads_and_set() {
    for arithmetic in arithmetics() {
        let network = network(arithmetic);
        let x = rows(40);
        let expected = bits(&network.predict(&x).unwrap());
        for row in [0, 17, 39] {
            let alone = x.row(row).insert_axis(Axis(0));
            let found = bits(&network.predict(alone).unwrap());
            assert_eq!(found, expected[3 * row..3 * row + 3], "{arithmetic:?}");
        }
        for kernels in Kernels::available() {
            for threads in [1, 3] {
                let compute = Compute {
                    kernels,
                    parallelism: Parallelism::threads(threads.try_into().unwrap()),
                };
                let options = PlanOptions::infer(40).compute(compute);
                let mut plan = Plan::new(&network, options).unwrap();
                let values = maas_core::Values::F32(x.as_slice().unwrap());
                plan.set_input(0, 40, values).unwrap();
                plan.forward(40, &network, Mode::Infer).unwrap();
                let found: Vec<u32> = plan.output().iter().map(|y| y.to_bits()).collect();
                assert_eq!(found, expected, "{arithmetic:?} {kernels:?} {threads}");
            }
        }
    }
}

#[test]
fn a_packed_network_answers_and_serves_as_the_network_does() {
    for arithmetic in arithmetics() {
        let network = network(arithmetic);
        let representations = network.representations("dense").unwrap();
        let x = rows(5);
        let expected = network.predict(&x).unwrap();
        for &representation in representations {
            let packed = PackedNetwork::new(network.clone(), |layer| match layer {
                "dense" | "dense_1" | "dense_2" => representation,
                _ => Representation::Dense,
            })
            .unwrap();
            assert_eq!(bits(&packed.predict(&x).unwrap()), bits(&expected));
            assert_eq!(packed.network().fingerprint(), network.fingerprint());

            let mut context = Context::of(&packed, 5).unwrap();
            let mut outputs = Outputs::new();
            let input = TensorView::from_slice(&[5, 7], x.as_slice().unwrap()).unwrap();
            Model::predict(&packed, &[input], &mut outputs, &mut context).unwrap();
            let answers = outputs.get(0).unwrap();
            assert_eq!(
                answers.as_slice::<f32>().unwrap(),
                expected.as_slice().unwrap()
            );
        }
    }
}

#[test]
fn eight_bits_take_a_quarter_of_the_memory() {
    let wide = |arithmetic| {
        let mut network = Sequential::rows(256).dense(256).build(Seed(7)).unwrap();
        network.set_arithmetic("dense", arithmetic).unwrap();
        let packed = PackedNetwork::new(network, |_| Representation::Dense).unwrap();
        packed.bytes_of("dense").unwrap()
    };
    assert!(wide(Arithmetic::int8()) * 10 < wide(Arithmetic::F32) * 3);
}

/// Steps of gradient descent; the losses.
fn train(network: &mut Network, steps: usize) -> Vec<f32> {
    let x = rows(16);
    let y: Vec<f32> = (0..48).map(|i| (i as f32 * 0.3).cos()).collect();
    let mut plan = Plan::new(network, PlanOptions::train(16)).unwrap();
    let mut losses = Vec::new();
    for step in 0..steps {
        let values = maas_core::Values::F32(x.as_slice().unwrap());
        plan.set_input(0, 16, values).unwrap();
        plan.forward(16, network, Mode::train(Seed(1), step as u64))
            .unwrap();
        let (predictions, gradient) = plan.head(16);
        let batch = LossBatch::new(predictions, Targets::Values(&y), 3).unwrap();
        losses.push(MeanSquaredError.evaluate(&batch, Some(gradient)).unwrap());
        plan.backward(16, network).unwrap();
        for (theta, g) in network.parameters_mut().iter_mut().zip(plan.gradient()) {
            *theta -= 0.02 * g;
        }
    }
    losses
}

#[test]
fn gradients_go_straight_through_the_rounding() {
    let mut exact = network(Arithmetic::F32);
    let expected = *train(&mut exact, 300).last().unwrap();
    for arithmetic in [Arithmetic::Bf16, Arithmetic::int8()] {
        let mut rounded = network(arithmetic);
        let losses = train(&mut rounded, 300);
        let last = *losses.last().unwrap();
        assert!(last < 0.3 * losses[0] && (last - expected).abs() < 0.2 * losses[0]);
    }
}

#[test]
fn what_was_trained_is_what_is_served() {
    let mut network = network(Arithmetic::int8());
    let losses = train(&mut network, 3);
    let x = rows(16);
    let mut plan = Plan::new(&network, PlanOptions::train(16)).unwrap();
    let values = maas_core::Values::F32(x.as_slice().unwrap());
    plan.set_input(0, 16, values).unwrap();
    plan.forward(16, &network, Mode::train(Seed(1), 3)).unwrap();
    let trained: Vec<u32> = plan.output().iter().map(|y| y.to_bits()).collect();
    let packed = PackedNetwork::new(network, |_| Representation::Dense).unwrap();
    assert_eq!(bits(&packed.predict(&x).unwrap()), trained);
    assert_eq!(losses.len(), 3);
}

#[test]
fn specifications_say_it_only_where_it_is_not_single_precision() {
    let json = serde_json::to_string(&LayerSpec::dense(4)).unwrap();
    assert!(!json.contains("arithmetic"), "{json}");
    for arithmetic in arithmetics() {
        let spec = LayerSpec::dense(4).with_arithmetic(arithmetic);
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<LayerSpec>(&json).unwrap(), spec);
        let network = network(arithmetic);
        let again = Network::from_bytes(&network.to_bytes()).unwrap();
        assert_eq!(again.fingerprint(), network.fingerprint());
        assert_eq!(again.arithmetic("dense_1").unwrap(), arithmetic);
    }
    assert_ne!(
        network(Arithmetic::F32).fingerprint(),
        network(Arithmetic::int8()).fingerprint()
    );
}

#[test]
fn what_cannot_be_is_an_error_and_changes_nothing() {
    let mut subject = network(Arithmetic::F32);
    let before = subject.fingerprint();
    for found in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-40] {
        let arithmetic = Arithmetic::Int8 {
            input_scale: Some(found),
        };
        let error = subject.set_arithmetic("dense", arithmetic).unwrap_err();
        assert!(
            matches!(error, Error::Layer { source, .. } if matches!(*source, Error::Setting { .. }))
        );
    }
    assert!(matches!(
        subject.set_arithmetic("relu", Arithmetic::Bf16),
        Err(Error::NotDense { .. })
    ));
    assert!(matches!(
        subject.arithmetic("dense_9"),
        Err(Error::UnknownLayer { .. })
    ));
    assert_eq!(subject.fingerprint(), before);

    let wrong = PackedNetwork::new(subject.clone(), |layer| match layer {
        "relu" => Representation::Sparse,
        _ => Representation::Dense,
    })
    .unwrap_err();
    assert!(matches!(wrong, Error::Layer { layer, .. } if layer == "relu"));

    let mut broken = network(Arithmetic::int8());
    broken.segment_mut("dense_1.kernel").unwrap()[[2, 3]] = f32::NAN;
    let error = broken.predict(&rows(1)).unwrap_err();
    assert!(matches!(error, Error::Layer { layer, .. } if layer == "dense_1"));
    assert!(PackedNetwork::new(broken, |_| Representation::Dense).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_representation_gives_the_same_bits(
        widths in prop::collection::vec(1_usize..40, 2..4), zeros in 0.0_f32..1.0, count in 1_usize..40, seed: u64,
    ) {
        let mut builder = Sequential::rows(widths[0]);
        for &width in &widths[1..] {
            builder = builder.dense(width).relu();
        }
        let mut network = builder.build(Seed(seed)).unwrap();
        let names: Vec<String> = network.spec().nodes.iter().map(|node| node.name.clone()).collect();
        let limit = zeros * 0.4;
        network.parameters_mut().iter_mut().filter(|w| w.abs() < limit).for_each(|w| *w = 0.0);
        let x = Array2::from_shape_fn((count, widths[0]), |(i, j)| ((i * 31 + j * 17) as f32).sin());
        let expected = bits(&network.predict(&x).unwrap());
        for pick in 0..2_usize {
            let packed = PackedNetwork::new(network.clone(), |layer| {
                let available = network.representations(layer).unwrap();
                let index = names.iter().position(|name| name == layer).unwrap();
                available[(index / 2 + pick) % available.len()]
            }).unwrap();
            prop_assert_eq!(bits(&packed.predict(&x).unwrap()), expected.clone());
        }
    }
}
