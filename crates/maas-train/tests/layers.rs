//! Layers beyond dense ones, trained: frozen numbers keep their bits, statistics move, ids learn.

#![allow(clippy::unwrap_used)]

use std::num::NonZeroUsize;

use maas_core::Seed;
use maas_data::{Dataset, Input, Targets};
use maas_kernels::{Kernels, Parallelism};
use maas_nn::{MeanSquaredError, Merge, Network, Sequential};
use maas_train::{Adam, Chain, Momentum, Progress, ScaleByAdam, Sgd, Trainer};
use ndarray::Array2;

fn data(rows: usize) -> Dataset {
    let noise = |row: usize, column: usize| {
        (Seed(5).derive((row * 31 + column) as u64).0 >> 40) as f32 / 8_388_608.0 - 1.0
    };
    let x = Array2::from_shape_fn((rows, 6), |(row, column)| noise(row, column));
    let y = Array2::from_shape_fn((rows, 1), |(row, _)| {
        x[[row, 0]] * x[[row, 1]] + x[[row, 2]].sin()
    });
    Dataset::new(x.view(), y.view()).unwrap()
}

fn network() -> Network {
    Sequential::rows(6)
        .dense(16)
        .without_bias()
        .batch_norm()
        .mish()
        .gaussian_noise(0.01)
        .residual(|x| x.layer_norm().dense(32).gelu().dense(16))
        .parallel(Merge::Concatenate, |x| {
            x.branch(|x| x.dense(4).elu(1.0)).branch(|x| x)
        })
        .dense(1)
        .build(Seed(7))
        .unwrap()
}

fn trainer<'a>(chain: impl Into<Chain>) -> Trainer<'a> {
    Trainer::new(chain, MeanSquaredError)
        .epochs(3)
        .batch_size(50)
        .progress(Progress::Quiet)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn frozen_layers_keep_their_bits_whatever_the_optimiser() {
    let data = data(220);
    let chains: [Chain; 3] = [
        Adam::new(1e-2).into(),
        Sgd::new(1e-2).momentum(0.9).nesterov().into(),
        Chain::new(1e-2)
            .then(ScaleByAdam::default())
            .then(Momentum::new(0.5)),
    ];
    for chain in chains {
        let mut network = network();
        let frozen = ["batch_norm", "dense_1", "layer_norm"];
        for name in frozen {
            network.freeze(name).unwrap();
        }
        let before = network.clone();
        trainer(chain).fit(&mut network, &data).unwrap();
        for segment in network.segments() {
            let range = segment.range.clone();
            let (now, was) = (
                bits(&network.parameters()[range.clone()]),
                bits(&before.parameters()[range]),
            );
            let layer = segment.name.split('.').next().unwrap();
            assert_eq!(now == was, frozen.contains(&layer), "{}", segment.name);
        }
        assert_eq!(bits(network.state()), bits(before.state()));
        // What was frozen learns again.
        for name in frozen {
            network.unfreeze(name).unwrap();
        }
        let before = network.clone();
        trainer(Adam::new(1e-2)).fit(&mut network, &data).unwrap();
        assert_ne!(bits(network.state()), bits(before.state()));
        assert_ne!(
            network.segment("dense_1.kernel").unwrap(),
            before.segment("dense_1.kernel").unwrap()
        );
    }
}

#[test]
fn every_layer_trains_to_the_same_bits() {
    let data = data(500);
    let trained = |kernels: Kernels, threads: usize| {
        let mut network = network();
        let threads = NonZeroUsize::new(threads).unwrap();
        let history = trainer(Adam::new(1e-2))
            .batch_size(250)
            .kernels(kernels)
            .parallelism(Parallelism::threads(threads))
            .fit(&mut network, &data)
            .unwrap();
        assert!(history.epochs[2].loss < history.epochs[0].loss);
        (network.fingerprint(), bits(network.state()))
    };
    let expected = trained(Kernels::portable(), 1);
    for kernels in Kernels::available() {
        for threads in 1..=3 {
            assert_eq!(
                trained(kernels, threads),
                expected,
                "{kernels:?}, {threads}"
            );
        }
    }
}

#[test]
fn embeddings_learn_from_ids() {
    let ids: Vec<i32> = (0..240).map(|i| i * 7 % 12).collect();
    let data: Vec<f32> = ids
        .chunks(2)
        .map(|pair| (pair[0] * pair[1] % 5) as f32)
        .collect();
    let input = Input::new("ids", &[2], ids).unwrap();
    let targets = Targets::Values { width: 1, data };
    let data = Dataset::from_inputs(vec![input], targets).unwrap();
    let mut network = Sequential::new(data.features())
        .embedding(12, 6)
        .flatten()
        .dense(16)
        .relu()
        .dense(1)
        .build(Seed(3))
        .unwrap();
    let history = trainer(Adam::new(1e-2))
        .epochs(60)
        .batch_size(24)
        .fit(&mut network, &data)
        .unwrap();
    assert!(history.epochs[59].loss < 0.1 * history.epochs[0].loss);
}
