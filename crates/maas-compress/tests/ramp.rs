//! Pruning in rounds: ramps, rewinding, and pruning while a network trains.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::num::NonZeroUsize;

use maas_compress::{
    CompressedNetwork, Compressor, Criterion as _, Error, FisherMagnitude, GradualPruning, Grain,
    HardThreshold, Magnitude, Masks, MovementInTraining, Prune, Pruned, Pruner, Ramp, Random,
    Scope, SecondOrder, SignStep, SoftThreshold, Wanda,
};
use maas_core::Seed;
use maas_data::{Dataset, Split};
use maas_kernels::{Kernels, Parallelism};
use maas_nn::{MeanSquaredError, Network, Role, Sequential};
use maas_train::{
    Adam, AdamW, AverageWeights, Chain, Checkpoints, EarlyStopping, Event, Flow, LookAhead,
    Optimizer, Progress, Sgd, Trainer, check_transform,
};
use ndarray::Array2;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_ramp_rises_from_nothing_to_all(rounds in 0_usize..200) {
        for ramp in [Ramp::linear(rounds), Ramp::cubic(rounds), Ramp::one_shot()] {
            let n = ramp.rounds();
            prop_assert!(n >= 1);
            prop_assert_eq!((ramp.share(0), ramp.share(n), ramp.share(n + 1)), (0.0, 1.0, 1.0));
            for round in 0..n {
                prop_assert!(ramp.share(round) < ramp.share(round + 1));
            }
        }
        // Zhu and Gupta: s = s₁ + (s₀ − s₁) (1 − t / n)³.
        for round in 0..=rounds {
            let (from, to) = (0.2, 0.95);
            let left = 1.0 - round as f64 / rounds.max(1) as f64;
            let formula = to + (from - to) * left.powi(3);
            let share = Ramp::cubic(rounds).share(round);
            prop_assert!((from + (to - from) * share - formula).abs() < 1e-12);
        }
    }
}

fn data() -> Split {
    let x = Array2::from_shape_fn((200, 6), |(row, column)| {
        ((row * (7 + column) + column * column) % 17) as f32 / 8.0 - 1.0
    });
    let y = Array2::from_shape_fn((200, 1), |(row, _)| {
        x[[row, 0]] * x[[row, 1]] - 2.0 * x[[row, 4]]
    });
    let data = Dataset::new(x.view(), y.view()).unwrap();
    data.split([0.8, 0.1, 0.1], Seed(7)).unwrap()
}

fn network() -> Network {
    let layers = Sequential::rows(6)
        .dense(16)
        .relu()
        .dense(8)
        .relu()
        .dense(1);
    layers.build(Seed(7)).unwrap()
}

/// 5 steps an epoch.
fn trainer<'a>(chain: impl Into<Chain>) -> Trainer<'a> {
    Trainer::new(chain, MeanSquaredError)
        .epochs(6)
        .seed(Seed(7))
        .progress(Progress::Quiet)
}

fn gradual(pruner: Pruner) -> GradualPruning {
    GradualPruning::new(pruner, Ramp::cubic(5))
        .after(2)
        .every(4)
}

fn masked(network: &Network) -> usize {
    network
        .masks()
        .flatten()
        .map(|mask| mask.len() - mask.kept())
        .sum()
}

fn chains() -> Vec<(&'static str, Chain)> {
    vec![
        ("sgd", Sgd::new(0.01).momentum(0.9).into()),
        ("adam", Adam::new(1e-3).into()),
        ("decay", AdamW::new(1e-3).into()),
        (
            "averaging",
            Chain::from(Adam::new(1e-3)).then(AverageWeights::new(0.9)),
        ),
        (
            "look-ahead",
            Chain::from(Adam::new(1e-3)).then(LookAhead::new(3, 0.5)),
        ),
    ]
}

#[test]
fn sparsity_follows_the_ramp_under_every_optimiser() {
    let data = data();
    for (name, chain) in chains() {
        let chain = chain.then(gradual(Pruner::new(Magnitude, 0.8)));
        let mut optimizer_masks = Vec::new();
        let mut pruned = network();
        trainer(chain)
            .on(Event::BatchEnd, |training| {
                optimizer_masks.push(masked(training.network));
            })
            .fit(&mut pruned, &data.train)
            .unwrap();
        // 6·16 + 16·8 + 8 = 232 weights; rounds behind steps 6, 10, 14, 18, 22.
        let shares = (1..=30_usize).map(|step| Ramp::cubic(5).share(step.saturating_sub(2) / 4));
        let expected: Vec<usize> = shares
            .map(|share| (0.8 * share * 232.0).round() as usize)
            .collect();
        assert_eq!(optimizer_masks, expected, "{name}");
        assert_eq!(Pruned::of(&pruned).zeros, masked(&pruned), "{name}");
        for saved in [
            Network::from_bytes(&pruned.to_bytes()).unwrap(),
            CompressedNetwork::from_bytes(
                &CompressedNetwork::new(pruned.clone())
                    .unwrap()
                    .to_bytes()
                    .unwrap(),
            )
            .unwrap()
            .into_network(),
        ] {
            assert_eq!(saved.parameters(), pruned.parameters());
            assert_eq!(Masks::of(&saved), Masks::of(&pruned));
        }
    }
}

#[test]
fn masked_moments_are_cleared() {
    for (name, chain) in chains() {
        let chain = chain
            .then(GradualPruning::new(Pruner::new(Random(Seed(3)), 0.5), Ramp::linear(2)).every(3));
        let mut network = network();
        let mut optimizer = Optimizer::new(chain, &network).unwrap();
        let length = network.parameters().len();
        for step in 1..=8 {
            let mut gradient = vec![0.0; length];
            for segment in network.segments() {
                gradient[segment.range.clone()].fill(0.5);
            }
            optimizer.step(&mut network, &mut gradient).unwrap();
            let values = optimizer.state().values;
            for (segment, mask) in network.segments().iter().zip(network.masks()) {
                for index in 0..segment.range.len() {
                    let gone = mask.is_some_and(|mask| !mask.keeps(index));
                    for buffer in values.chunks_exact(length) {
                        let value = buffer[segment.range.start + index];
                        assert!(
                            !gone || value.to_bits() == 0,
                            "{name}: step {step}, {index}"
                        );
                        let moves = segment.role == Role::Weight;
                        assert!(
                            gone || !moves || value != 0.0,
                            "{name}: step {step}, {index}"
                        );
                    }
                }
            }
        }
        assert_eq!(masked(&network), 116);
    }
}

#[test]
fn a_run_that_is_resumed_goes_on_under_its_masks() {
    let data = data();
    let folder = tempfile::tempdir().unwrap();
    let by_size = |chain: Chain| chain.then(gradual(Pruner::new(Magnitude, 0.8)));
    let mut runs: Vec<(&str, Chain)> = (chains().into_iter())
        .map(|(name, chain)| (name, by_size(chain)))
        .collect();
    let movement = gradual(Pruner::new(MovementInTraining, 0.8));
    runs.push(("movement", Chain::new(1e-2).then(movement)));
    let fisher = gradual(Pruner::new(FisherMagnitude::default(), 0.8));
    runs.push(("fisher", Chain::new(1e-2).then(fisher)));
    for (name, chain) in runs {
        let folder = folder.path().join(name);
        let trainer = trainer(chain)
            .validation(&data.validation)
            .early_stopping(EarlyStopping::new(100))
            .checkpoints(Checkpoints::new(&folder).every_epochs(0));
        let mut straight = network();
        trainer.fit(&mut straight, &data.train).unwrap();
        for stop in [4, 12, 29] {
            let stopping = trainer.clone().on(Event::BatchEnd, move |training| {
                match training.steps_taken == stop {
                    true => Flow::Stop,
                    false => Flow::Continue,
                }
            });
            stopping.fit(&mut network(), &data.train).unwrap();
            let mut resumed = network();
            trainer.resume(&mut resumed, &data.train, &folder).unwrap();
            assert_eq!(resumed.parameters(), straight.parameters(), "{name} {stop}");
            assert_eq!(Masks::of(&resumed), Masks::of(&straight), "{name} {stop}");
        }
    }
}

#[test]
fn early_stopping_brings_back_the_masks_of_its_weights() {
    let data = data();
    let mut network = network();
    trainer(Adam::new(1e-2))
        .fit(&mut network, &data.train)
        .unwrap();
    let trained = network.clone();
    // The rounds of the second epoch and later only make it worse.
    let history = trainer(Chain::from(Sgd::new(1e-9)).then(gradual(Pruner::new(Magnitude, 0.9))))
        .validation(&data.validation)
        .early_stopping(EarlyStopping::new(3))
        .fit(&mut network, &data.train)
        .unwrap();
    assert_eq!(history.epochs.len(), 4);
    assert_eq!(masked(&network), 0);
    let kept = network.parameters().iter().zip(trained.parameters());
    assert!(kept.clone().all(|(now, then)| (now - then).abs() < 1e-6));
}

#[test]
fn frozen_layers_are_left_alone() {
    let data = data();
    let mut network = network();
    network.freeze("dense_1").unwrap();
    trainer(Chain::new(1e-2).then(gradual(Pruner::new(MovementInTraining, 0.5))))
        .fit(&mut network, &data.train)
        .unwrap();
    assert_eq!(network.mask("dense_1.kernel").unwrap(), None);
    assert_eq!(masked(&network), 52);
    for layer in ["dense", "dense_2"] {
        network.freeze(layer).unwrap();
    }
    let link = gradual(Pruner::new(Magnitude, 0.5));
    let error = trainer(Chain::new(1e-2).then(link)).fit(&mut network, &data.train);
    assert!(error.is_err());
}

#[test]
fn movement_keeps_what_grows() {
    // y = x₀; the weight of x₀ is the smaller one, and grows.
    let x = Array2::from_shape_fn(
        (64, 2),
        |(row, column)| if (row >> column) & 1 == 0 { 1.0 } else { -1.0 },
    );
    let y = x
        .columns()
        .into_iter()
        .next()
        .unwrap()
        .to_owned()
        .insert_axis(ndarray::Axis(1));
    let data = Dataset::new(x.view(), y.view()).unwrap();
    let train = |pruner| {
        let mut network = Sequential::rows(2).dense(1).build(Seed(7)).unwrap();
        network
            .segment_mut("dense.kernel")
            .unwrap()
            .iter_mut()
            .zip([0.1, 0.9])
            .for_each(|(w, v)| *w = v);
        let link = GradualPruning::new(pruner, Ramp::one_shot()).after(4);
        trainer(Chain::new(0.02).then(link))
            .fit(&mut network, &data)
            .unwrap();
        let mask = network.mask("dense.kernel").unwrap().unwrap().clone();
        (mask.keeps(0), mask.keeps(1))
    };
    assert_eq!(train(Pruner::new(MovementInTraining, 0.5)), (true, false));
    assert_eq!(train(Pruner::new(Magnitude, 0.5)), (false, true));
}

#[test]
fn what_the_loss_does_not_depend_on_goes_first_however_large_it_is() {
    // The second input is always zero, and the third weight a tenth of the first.
    let x = Array2::from_shape_fn((64, 3), |(row, column)| match column {
        1 => 0.0,
        _ => ((row * (3 + column)) % 11) as f32 / 5.0 - 1.0,
    });
    let y = Array2::from_shape_fn((64, 1), |(row, _)| {
        (3.0 * x[[row, 0]] + 0.3 * x[[row, 2]]).sin()
    });
    let data = Dataset::new(x.view(), y.view()).unwrap();
    let kept = |criterion, sparsity| {
        let mut network = Sequential::rows(3).dense(1).build(Seed(7)).unwrap();
        let mut kernel = network.segment_mut("dense.kernel").unwrap();
        kernel
            .iter_mut()
            .zip([1.0, 5.0, 0.1])
            .for_each(|(w, v)| *w = v);
        let pruner = Pruner::new(criterion, sparsity);
        let link = GradualPruning::new(pruner, Ramp::one_shot()).after(4);
        trainer(Chain::new(1e-3).then(link))
            .fit(&mut network, &data)
            .unwrap();
        let mask = network.mask("dense.kernel").unwrap().unwrap();
        [0, 1, 2].map(|index| mask.keeps(index))
    };
    for criterion in [
        FisherMagnitude::default(),
        FisherMagnitude::default().share(1.0),
    ] {
        assert_eq!(kept(criterion, 0.34), [true, false, true]);
        assert_eq!(kept(criterion, 0.67), [true, false, false]);
    }
}

#[test]
fn the_score_is_a_moving_average_of_fourth_powers() {
    let criterion = FisherMagnitude::default().share(0.25);
    let mut scores = [0.0, 8.0];
    criterion.accumulate(&[2.0, 0.0], &[0.5, 9.0], &mut scores);
    assert_eq!(scores, [0.25 * 4.0, 0.75 * 8.0]);
    criterion.accumulate(&[-1.0, 1.0], &[2.0, -2.0], &mut scores);
    assert_eq!(scores, [0.75 * 1.0 + 0.25 * 4.0, 0.75 * 6.0 + 0.25 * 4.0]);
}

#[test]
fn the_link_keeps_the_laws_of_links() {
    for grain in [
        Grain::Element,
        Grain::Block {
            rows: 4,
            columns: 4,
        },
        Grain::Group { of: 4 },
    ] {
        let pruner = Pruner::new(Magnitude, 0.75)
            .exclude("dense_1")
            .grain(grain)
            .scope(Scope::Layer);
        check_transform(GradualPruning::new(pruner, Ramp::cubic(2)).every(2)).unwrap();
    }
    check_transform(GradualPruning::new(
        Pruner::new(MovementInTraining, 0.5).exclude("dense_1"),
        Ramp::linear(3),
    ))
    .unwrap();
    check_transform(GradualPruning::new(
        Pruner::new(FisherMagnitude::default(), 0.5).exclude("dense_1"),
        Ramp::cubic(3),
    ))
    .unwrap();
    let refused = GradualPruning::new(Pruner::new(Magnitude, 1.5), Ramp::one_shot());
    assert!(check_transform(refused).is_err());
}

#[test]
fn every_criterion_prunes_in_training_with_the_same_bits_everywhere() {
    let data = data();
    for pruner in [
        Pruner::new(Wanda::new(&data.validation), 0.6).scope(Scope::Output),
        Pruner::new(SecondOrder::new(&data.validation), 0.6),
        Pruner::new(Magnitude, 0.5).grain(Grain::Neuron),
    ] {
        let run = |kernels, threads| {
            let mut network = network();
            trainer(Chain::from(Adam::new(1e-3)).then(gradual(pruner.clone())))
                .kernels(kernels)
                .parallelism(Parallelism::threads(NonZeroUsize::new(threads).unwrap()))
                .fit(&mut network, &data.train)
                .unwrap();
            network
        };
        let (first, second) = (run(Kernels::best(), 1), run(Kernels::portable(), 3));
        assert!(masked(&first) > 0);
        assert_eq!(first.parameters(), second.parameters());
        assert_eq!(Masks::of(&first), Masks::of(&second));
    }
}

#[test]
fn what_keeps_a_link_from_pruning_ends_training() {
    let data = data();
    let other = Dataset::unlabelled(Array2::ones((3, 5)).view()).unwrap();
    let link = gradual(Pruner::new(Wanda::new(&other), 0.5));
    let error = trainer(Chain::new(1e-3).then(link))
        .fit(&mut network(), &data.train)
        .unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    assert!(
        text.contains("expected rows of shape [6], found [5]"),
        "{text}"
    );
}

#[test]
fn rounds_go_to_the_target_and_rewind() {
    let data = data();
    let beginning = network();
    let trainer = trainer(Adam::new(5e-3)).epochs(2);
    for rewinds in [false, true] {
        let mut network = beginning.clone();
        trainer.fit(&mut network, &data.train).unwrap();
        let mut counts = Vec::new();
        let mut compressor = Compressor::new(Pruner::new(Magnitude, 0.9)).ramp(Ramp::cubic(4));
        if rewinds {
            compressor = compressor.rewind_to(&beginning);
        }
        compressor
            .fine_tune(|network: &mut Network| {
                counts.push(masked(network));
                let rewound = network.parameters().iter().zip(beginning.parameters());
                assert_eq!(
                    rewound
                        .clone()
                        .all(|(now, then)| now == then || *now == 0.0),
                    rewinds
                );
                trainer.fit(network, &data.train)
            })
            .run(&mut network, &data.validation)
            .unwrap();
        let expected =
            (1..=4).map(|round| (0.9 * Ramp::cubic(4).share(round) * 232.0).round() as usize);
        assert!(expected.eq(counts.iter().copied()));
        assert_eq!(masked(&network), 209);
    }
    let other = Sequential::rows(6).dense(3).build(Seed(1)).unwrap();
    let mut network = beginning.clone();
    let error = Compressor::new(Pruner::new(Magnitude, 0.9))
        .rewind_to(&other)
        .run(&mut network, &data.validation);
    assert!(matches!(error, Err(Error::OtherNetwork { .. })));
    assert_eq!(network.parameters(), beginning.parameters());
}

#[test]
fn thresholds_go_part_of_the_way() {
    let zeros = |prune: &dyn Prune, share| {
        let mut network = network();
        prune
            .prune_part(share, &mut network)
            .map(|_| masked(&network))
    };
    for prune in [
        &SoftThreshold::to_sparsity(0.8) as &dyn Prune,
        &HardThreshold::to_sparsity(0.8),
    ] {
        assert_eq!(zeros(prune, 0.5).unwrap(), 93);
        assert_eq!(zeros(prune, 1.0).unwrap(), 186);
        assert!(matches!(zeros(prune, 1.5), Err(Error::Sparsity { .. })));
    }
    let (half, whole) = (HardThreshold::new(0.1), HardThreshold::new(0.2));
    assert_eq!(zeros(&whole, 0.5).unwrap(), zeros(&half, 1.0).unwrap());
    assert!(matches!(
        zeros(&SignStep::new(0.1), 0.5),
        Err(Error::NotGradual)
    ));
    assert_eq!(zeros(&SignStep::new(0.1), 1.0).unwrap(), 0);
}
