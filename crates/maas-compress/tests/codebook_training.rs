//! Weights that stay on a codebook while a network trains.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::BTreeSet;

use maas_compress::{
    Codebook, CodebookTraining, Compressor, HardThreshold, Masks, Prune, Quantize,
};
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{MeanSquaredError, Network, Sequential};
use maas_train::{
    Adam, AdamW, Chain, Checkpoints, Event, Flow, Progress, Sgd, Trainer, check_transform,
};
use ndarray::Array2;

fn data() -> Dataset {
    let x = Array2::from_shape_fn((160, 6), |(row, column)| {
        ((row * (7 + column) + column * column) % 17) as f32 / 8.0 - 1.0
    });
    let y = Array2::from_shape_fn((160, 1), |(row, _)| {
        x[[row, 0]] * x[[row, 1]] - 2.0 * x[[row, 4]] + 0.5
    });
    Dataset::new(x.view(), y.view()).unwrap()
}

/// Trained, and half of its weights masked.
fn network() -> Network {
    let layers = Sequential::rows(6).dense(32).relu().dense(16).relu();
    let mut network = layers.dense(1).build(Seed(7)).unwrap();
    let trainer = trainer(Adam::new(1e-2), 30);
    trainer.fit(&mut network, &data()).unwrap();
    HardThreshold::to_sparsity(0.5).prune(&mut network).unwrap();
    trainer.fit(&mut network, &data()).unwrap();
    network
}

fn trainer<'a>(chain: impl Into<Chain>, epochs: usize) -> Trainer<'a> {
    Trainer::new(chain, MeanSquaredError)
        .epochs(epochs)
        .seed(Seed(7))
        .progress(Progress::Quiet)
}

fn adam() -> Chain {
    Adam::new(1e-3).into()
}

fn codebook() -> Codebook {
    Codebook::new(4).with_biases()
}

fn error(network: &Network) -> f32 {
    let data = data();
    let difference = network.predict(data.x()).unwrap() - data.y();
    difference.mapv(|d| d * d).mean().unwrap()
}

/// How many values a segment has beside zero.
fn values(network: &Network, segment: &str) -> usize {
    let numbers = network.segment(segment).unwrap();
    let values = numbers.iter().filter(|&&number| number != 0.0);
    values
        .map(|number| number.to_bits())
        .collect::<BTreeSet<_>>()
        .len()
}

#[test]
fn after_every_step_of_every_optimiser_a_layer_has_few_values() {
    let chains: [(&str, Chain); 3] = [
        ("sgd", Sgd::new(1e-2).momentum(0.9).into()),
        ("adam", adam()),
        ("decay", AdamW::new(1e-3).into()),
    ];
    let before = network();
    for (name, chain) in chains {
        let mut network = before.clone();
        let mut most = 0;
        trainer(chain.then(CodebookTraining::new(codebook())), 4)
            .on(Event::BatchEnd, |training| {
                let segments = training.network.segments().iter();
                let counts = segments.map(|segment| values(training.network, &segment.name));
                most = counts.max().max(Some(most)).unwrap();
            })
            .fit(&mut network, &data())
            .unwrap();
        assert_eq!(most, 4, "{name}");
        assert_eq!(Masks::of(&network), Masks::of(&before), "{name}");
        let changed = network.parameters().iter().zip(before.parameters());
        assert!(
            changed.filter(|(now, then)| now != then).count() > 100,
            "{name}"
        );

        let trained = network.fingerprint();
        codebook().quantize(&mut network).unwrap();
        assert_eq!(network.fingerprint(), trained, "{name}");
    }
}

#[test]
fn training_makes_up_for_rounding() {
    let network = network();
    let mut rounded = network.clone();
    codebook().quantize(&mut rounded).unwrap();
    for begin in [network, rounded.clone()] {
        let mut trained = begin;
        trainer(adam().then(CodebookTraining::new(codebook())), 40)
            .fit(&mut trained, &data())
            .unwrap();
        let (before, after) = (error(&rounded), error(&trained));
        assert!(after < 0.85 * before, "{before}, then {after}");
    }
}

#[test]
fn steps_that_are_too_small_for_another_value_add_up() {
    let mut network = Sequential::rows(1).dense(4).build(Seed(7)).unwrap();
    let kernel = [[1.0, 1.0, 2.0, 2.0]];
    let mut set = network.segment_mut("dense.kernel").unwrap();
    set.iter_mut().zip(kernel[0]).for_each(|(w, v)| *w = v);
    // The first output grows to 2 by steps of at most a thousandth, the others stay.
    let x = Array2::<f32>::ones((32, 1));
    let y = Array2::from_shape_fn((32, 4), |(_, j)| if j == 0 { 2.0 } else { kernel[0][j] });
    let data = Dataset::new(x.view(), y.view()).unwrap();
    network.segment_mut("dense.bias").unwrap().fill(0.0);
    network
        .set_mask("dense.bias", maas_nn::Mask::from_fn(4, |_| false))
        .unwrap();
    trainer(
        Chain::from(Adam::new(1e-3)).then(CodebookTraining::new(Codebook::new(2))),
        1500,
    )
    .fit(&mut network, &data)
    .unwrap();
    let kernel = network.segment("dense.kernel").unwrap();
    assert_eq!(kernel[[0, 0]], kernel[[0, 2]]);
    assert!((kernel[[0, 0]] - 2.0).abs() < 0.1 && (kernel[[0, 1]] - 1.0).abs() < 0.1);
}

#[test]
fn what_is_left_out_or_frozen_is_trained_or_left_alone() {
    let before = network();
    let mut network = before.clone();
    network.freeze("dense_2").unwrap();
    let link = CodebookTraining::new(Codebook::new(4).exclude("dense_1"));
    trainer(adam().then(link), 2)
        .fit(&mut network, &data())
        .unwrap();
    assert_eq!(values(&network, "dense.kernel"), 4);
    assert!(values(&network, "dense.bias") > 4);
    assert!(values(&network, "dense_1.kernel") > 4);
    for segment in ["dense_2.kernel", "dense_2.bias"] {
        assert_eq!(
            network.segment(segment).unwrap(),
            before.segment(segment).unwrap()
        );
    }
}

#[test]
fn a_run_that_is_resumed_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let before = network();
    let trainer = trainer(adam().then(CodebookTraining::new(codebook())), 4)
        .checkpoints(Checkpoints::new(folder.path()).every_epochs(0));
    let mut straight = before.clone();
    trainer.fit(&mut straight, &data()).unwrap();
    let stopping = trainer.clone().on(Event::BatchEnd, |training| {
        match training.steps_taken == 7 {
            true => Flow::Stop,
            false => Flow::Continue,
        }
    });
    stopping.fit(&mut before.clone(), &data()).unwrap();
    let mut resumed = before.clone();
    trainer
        .resume(&mut resumed, &data(), folder.path())
        .unwrap();
    assert_eq!(resumed.parameters(), straight.parameters());
}

#[test]
fn the_link_keeps_the_laws_of_links() {
    let link =
        |values| CodebookTraining::new(Codebook::new(values).with_biases().exclude("dense_1"));
    check_transform(link(4)).unwrap();
    assert!(check_transform(link(0)).is_err());
}

#[test]
fn a_compressor_trains_for_quantisation_in_a_way_of_its_own() {
    let (mut pruned, mut quantised) = (0, 0);
    let mut network = network();
    let (compact, _) = Compressor::new(HardThreshold::to_sparsity(0.5))
        .fine_tune(|_: &mut Network| {
            pruned += 1;
            Ok::<(), maas_nn::Error>(())
        })
        .quantize(codebook())
        .fine_tune_quantized(|network: &mut Network| {
            quantised += 1;
            let chain = adam().then(CodebookTraining::new(codebook()));
            trainer(chain, 2).fit(network, &data())
        })
        .run(&mut network, &data())
        .unwrap();
    assert_eq!((pruned, quantised), (1, 1));
    assert_eq!(values(compact.network(), "dense.kernel"), 4);
    assert_eq!(values(compact.network(), "dense.bias"), 4);
}
