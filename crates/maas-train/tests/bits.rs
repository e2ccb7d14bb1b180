//! Same seed, same bits: at 1 to 4 threads, for every kernel set, in one process.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::num::NonZeroUsize;

use common::{classification, classifier, regression, regressor};
use maas_core::Seed;
use maas_kernels::{Kernels, Parallelism};
use maas_nn::{CategoricalCrossEntropy, MeanSquaredError, Network, Sequential};
use maas_train::{
    Accuracy, Adam, Chain, Momentum, ProductPrecision, Progress, RootMeanSquaredError, ScaleByAdam,
    Sgd, Trainer,
};

fn everywhere() -> impl Iterator<Item = (Kernels, Parallelism)> {
    Kernels::available().into_iter().flat_map(|kernels| {
        (1..=4).map(move |threads| {
            (
                kernels,
                Parallelism::threads(NonZeroUsize::new(threads).unwrap()),
            )
        })
    })
}

#[test]
fn a_regression_has_one_fingerprint() {
    let data = regression(203).split([0.7, 0.2, 0.1], Seed(1)).unwrap();
    let mut results = everywhere().map(|(kernels, parallelism)| {
        let mut network = regressor(&data.train);
        let trainer = Trainer::new(Adam::new(1e-2), MeanSquaredError)
            .epochs(3)
            .seed(Seed(9))
            .validation(&data.validation)
            .metric(RootMeanSquaredError)
            .kernels(kernels)
            .parallelism(parallelism)
            .progress(Progress::Quiet);
        let history = trainer.fit(&mut network, &data.train).unwrap();
        let losses: Vec<_> = history
            .epochs
            .iter()
            .map(|record| {
                (
                    record.loss,
                    record.validation_loss,
                    record.validation_metrics.clone(),
                    record.metrics.clone(),
                )
            })
            .collect();
        (network.fingerprint(), losses, kernels, parallelism)
    });
    let first = results.next().unwrap();
    for other in results {
        assert_eq!(
            (&first.0, &first.1),
            (&other.0, &other.1),
            "{:?}, {:?}",
            other.2,
            other.3
        );
    }
}

/// Layers large enough that products are split over threads.
fn wide(data: &maas_data::Dataset) -> Network {
    Sequential::new(data.features())
        .dense(300)
        .gelu()
        .dropout(0.2)
        .dense(200)
        .silu()
        .dense(3)
        .softmax()
        .build(Seed(3))
        .unwrap()
}

#[test]
fn products_that_are_split_over_threads_give_the_same_bits() {
    let data = classification(400);
    let mut firsts = Vec::new();
    let networks = [classifier(&data), wide(&data)];
    let precisions = [ProductPrecision::F32, ProductPrecision::Bf16];
    let cases = networks
        .iter()
        .flat_map(|network| precisions.map(|precision| (network, precision)));
    for (network, precision) in cases {
        let mut prints = everywhere().map(|(kernels, parallelism)| {
            let mut network = network.clone();
            let trainer = Trainer::new(
                Sgd::new(0.05).momentum(0.9).nesterov(),
                CategoricalCrossEntropy,
            )
            .batch_size(256)
            .precision(precision)
            .seed(Seed(9))
            .metric(Accuracy)
            .kernels(kernels)
            .parallelism(parallelism)
            .progress(Progress::Quiet);
            trainer.fit(&mut network, &data).unwrap();
            (network.fingerprint(), kernels, parallelism)
        });
        let first = prints.next().unwrap();
        for (print, kernels, parallelism) in prints {
            assert_eq!(print, first.0, "{kernels:?}, {parallelism:?}, {precision}");
        }
        firsts.push(first.0);
    }
    firsts.sort_unstable();
    firsts.dedup();
    assert_eq!(firsts.len(), 4, "precisions have bits of their own");
}

/// Two links with three buffers.
#[test]
fn chains_on_several_threads_give_the_same_bits() {
    let data = classification(600);
    let network = wide(&data);
    let mut prints = everywhere().map(|(kernels, parallelism)| {
        let mut network = network.clone();
        let chain = Chain::new(0.01)
            .then(ScaleByAdam::default())
            .then(Momentum::new(0.5));
        let trainer = Trainer::new(chain, CategoricalCrossEntropy)
            .batch_size(300)
            .seed(Seed(9))
            .kernels(kernels)
            .parallelism(parallelism)
            .progress(Progress::Quiet);
        trainer.fit(&mut network, &data).unwrap();
        (network.fingerprint(), kernels, parallelism)
    });
    let first = prints.next().unwrap();
    for (print, kernels, parallelism) in prints {
        assert_eq!(print, first.0, "{kernels:?}, {parallelism:?}");
    }
}

#[test]
fn another_seed_gives_another_network() {
    let data = regression(100);
    let fit = |seed| {
        let mut network = regressor(&data);
        let trainer = Trainer::new(Adam::new(1e-2), MeanSquaredError)
            .seed(Seed(seed))
            .progress(Progress::Quiet);
        trainer.fit(&mut network, &data).unwrap();
        network.fingerprint()
    };
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1), fit(2));
}
