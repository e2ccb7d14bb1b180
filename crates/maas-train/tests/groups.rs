//! Groups by name, state, averages, passes.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::num::NonZeroUsize;

use common::{noise, regression, regressor};
use maas_core::Seed;
use maas_kernels::{Kernels, Parallelism};
use maas_nn::{Block, MeanSquaredError, Network, Sequential, Step, Transform};
use maas_train::{
    Adam, AdamW, AverageWeights, Chain, ClipByGlobalNorm, ClipByNorm, ClipByValue, DecayWeights,
    Error, LearningRate, LookAhead, Momentum, Nadam, Optimizer, Plateau, Progress, ProximalL1,
    RangeTest, ScaleByAdagrad, ScaleByAdam, ScaleByAmsGrad, ScaleByLion, ScaleByNadam, ScaleByRms,
    Sgd, Span, Trainer,
};

fn network() -> Network {
    Sequential::rows(70)
        .dense(100)
        .relu()
        .dense(3)
        .build(Seed(2))
        .unwrap()
}

fn gradient(network: &Network, step: u64) -> Vec<f32> {
    let mut gradient = vec![0.0; network.parameters().len()];
    for segment in network.segments() {
        for index in segment.range.clone() {
            gradient[index] = noise(step as usize, index);
        }
    }
    gradient
}

fn steps(optimizer: &mut Optimizer, network: &mut Network, count: u64) {
    for _ in 0..count {
        let mut gradient = gradient(network, optimizer.steps());
        optimizer.step(network, &mut gradient).unwrap();
    }
}

/// All links at once, with two passes, groups and a plateau.
fn long() -> Chain {
    let rate = LearningRate::cosine(1e-2)
        .over(Span::steps(100))
        .on_plateau(Plateau::default().patience(1).factor(0.5));
    Chain::new(rate)
        .then(ClipByValue::new(0.9))
        .then(ClipByNorm::new(5.0))
        .then(ClipByGlobalNorm::new(1.0))
        .then(ScaleByRms::default().centered())
        .then(ScaleByAdam::default())
        .then(Momentum::new(0.5).nesterov())
        .then(DecayWeights::new(0.01))
        .then(ProximalL1::new(1e-3))
        .then(LookAhead::new(3, 0.5))
        .then(AverageWeights::new(0.9))
        .rate_factor("dense/*", 0.5)
        .rate_of("dense_1/bias", 1e-3)
}

#[test]
fn a_long_chain_has_the_same_bits_everywhere() {
    let mut prints = Kernels::available().into_iter().flat_map(|kernels| {
        (1..=3).map(move |threads| {
            let mut network = network();
            let mut optimizer = Optimizer::new(long(), &network)
                .unwrap()
                .kernels(kernels)
                .parallelism(Parallelism::threads(NonZeroUsize::new(threads).unwrap()));
            steps(&mut optimizer, &mut network, 12);
            network.fingerprint()
        })
    });
    let first = prints.next().unwrap();
    assert!(prints.all(|print| print == first));
}

#[test]
fn a_chain_goes_on_from_saved_state_with_the_same_bits() {
    for chain in [long(), AdamW::new(1e-2).into(), Nadam::new(1e-2).into()] {
        let mut network = network();
        let mut optimizer = Optimizer::new(chain.clone(), &network).unwrap();
        steps(&mut optimizer, &mut network, 5);
        optimizer.observe(1.0);
        optimizer.observe(2.0);
        let text = serde_json::to_string(&optimizer.state()).unwrap();

        let mut other = network.clone();
        let mut resumed = Optimizer::new(chain, &other).unwrap();
        resumed
            .restore(&serde_json::from_str(&text).unwrap())
            .unwrap();
        assert_eq!(
            resumed.learning_rate().unwrap(),
            optimizer.learning_rate().unwrap()
        );
        for (optimizer, network) in [(&mut optimizer, &mut network), (&mut resumed, &mut other)] {
            steps(optimizer, network, 6);
            optimizer.observe(3.0);
            steps(optimizer, network, 2);
        }
        assert_eq!(network.fingerprint(), other.fingerprint());
        assert_eq!(optimizer.state(), resumed.state());
    }
}

#[test]
fn state_of_another_chain_or_network_is_refused() {
    let network = network();
    let small = Sequential::rows(2).dense(1).build(Seed(0)).unwrap();
    let state = |chain: Chain, network: &Network| Optimizer::new(chain, network).unwrap().state();
    let mut optimizer = Optimizer::new(Adam::new(1e-3), &network).unwrap();
    let mut refused = |state, expected: &str| {
        let error = optimizer.restore(&state).unwrap_err();
        assert!(
            matches!(error, Error::OptimizerState { part, .. } if part == expected),
            "{error}"
        );
    };
    refused(state(Sgd::new(1e-3).into(), &network), "chain");
    refused(state(Adam::new(1e-3).beta_1(0.8).into(), &network), "chain");
    refused(
        state(Chain::from(Adam::new(1e-3)).freeze("dense.*"), &network),
        "chain",
    );
    refused(state(Adam::new(1e-3).into(), &small), "network");
    let mut short = state(Adam::new(1e-3).into(), &network);
    short.values.pop();
    refused(short, "number of values");
    let mut long = state(Adam::new(1e-3).into(), &network);
    long.scalars.push(0.0);
    refused(long, "number of scalars");
    // Another rate is no other chain.
    let other = state(Adam::new(LearningRate::cosine(1e-2)).into(), &network);
    optimizer.restore(&other).unwrap();
}

#[test]
fn frozen_groups_stay_and_are_not_part_of_the_norm() {
    let chain = Chain::new(1.0)
        .then(ClipByGlobalNorm::new(0.5))
        .freeze("dense/*");
    let before = network();
    let mut network = before.clone();
    let mut optimizer = Optimizer::new(chain, &network).unwrap();
    steps(&mut optimizer, &mut network, 1);
    let moved = |name: &str| -> f64 {
        let (after, before) = (
            network.segment(name).unwrap(),
            before.segment(name).unwrap(),
        );
        let squares = after
            .iter()
            .zip(&before)
            .map(|(a, b)| f64::from(a - b).powi(2));
        squares.sum()
    };
    assert_eq!(moved("dense.kernel") + moved("dense.bias"), 0.0);
    let norm = (moved("dense_1.kernel") + moved("dense_1.bias")).sqrt();
    assert!((norm - 0.5).abs() < 1e-5, "{norm}");
}

#[test]
fn groups_that_make_no_sense_are_told() {
    let network = network();
    let error = |chain: Chain| Optimizer::new(chain, &network).unwrap_err();
    let adam = || Chain::from(Adam::new(1e-3));
    assert!(matches!(
        error(adam().freeze("dense_2/*")),
        Error::Pattern { pattern, names } if pattern == "dense_2/*" && names.len() == 4
    ));
    assert!(matches!(
        error(adam().rate_factor("*", -1.0)),
        Error::Coefficient {
            name: "rate_factor",
            ..
        }
    ));
    assert!(matches!(
        error(adam().rate_of("*", f32::NAN)),
        Error::LearningRate { step: 1, .. }
    ));
    assert!(matches!(
        error(adam().learning_rate(LearningRate::constant(0.1).to(0.0))),
        Error::UnknownSetting { .. }
    ));
}

#[test]
fn the_last_pattern_counts() {
    let chain = Chain::new(0.1).freeze("*").rate_of("dense_1/*", 0.5);
    let before = network();
    let mut network = before.clone();
    steps(
        &mut Optimizer::new(chain, &network).unwrap(),
        &mut network,
        1,
    );
    let gradient = gradient(&before, 0);
    for segment in before.segments() {
        let rate = if segment.name.starts_with("dense_1") {
            0.5_f32
        } else {
            0.0
        };
        for index in segment.range.clone() {
            let expected = (-rate).mul_add(gradient[index], before.parameters()[index]);
            assert_eq!(network.parameters()[index], expected, "{}", segment.name);
        }
    }
}

#[test]
fn a_range_test_finds_a_rate_that_trains() {
    let data = regression(300);
    let network = regressor(&data);
    let before = network.fingerprint();
    let trainer = Trainer::new(Adam::new(1.0), MeanSquaredError)
        .batch_size(30)
        .progress(Progress::Quiet);
    let curve = RangeTest::new()
        .rates(1e-6, 100.0)
        .steps(120)
        .run(&trainer, &network, &data)
        .unwrap();
    assert_eq!(network.fingerprint(), before);
    assert!(curve.points.is_sorted_by(|a, b| a.rate < b.rate));
    assert!((curve.points[0].rate - 1e-6).abs() < 1e-11);
    let rate = curve.suggestion().unwrap();
    let mut network = network;
    let trainer = Trainer::new(Adam::new(rate), MeanSquaredError)
        .batch_size(30)
        .epochs(20)
        .progress(Progress::Quiet);
    let history = trainer.fit(&mut network, &data).unwrap();
    assert!(
        history.last().unwrap().loss < 0.2 * history.epochs[0].loss,
        "{rate}"
    );
    let svg = curve.to_svg();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    // Plain descent at these rates diverges, which ends the curve and is no error.
    let trainer = Trainer::new(Sgd::new(1.0), MeanSquaredError).progress(Progress::Quiet);
    let wild = RangeTest::new().rates(1.0, 1e6).stop_at(f32::INFINITY);
    let curve = wild.run(&trainer, &network, &data).unwrap();
    assert!(curve.points.len() < 200);
    for test in [
        RangeTest::new().rates(0.0, 1.0),
        RangeTest::new().rates(1.0, 0.1),
        RangeTest::new().steps(1),
        RangeTest::new().smoothing(1.0),
        RangeTest::new().stop_at(1.0),
    ] {
        let outcome = test.run(&trainer, &network, &data);
        assert!(matches!(outcome, Err(Error::Coefficient { .. })));
    }
}

/// Stands between links, so that they are run one by one.
#[derive(Debug)]
struct Nothing;

impl Transform for Nothing {
    fn apply(&self, _step: &Step, _block: &mut Block<'_>) {}
}

#[test]
fn links_that_are_joined_have_the_bits_of_links_one_by_one() {
    let rate = || LearningRate::table([0.1, 0.0, 0.2, 0.05], Span::steps(1));
    let print = |chain: Chain| {
        let mut network = network();
        let mut optimizer = Optimizer::new(chain, &network).unwrap();
        steps(&mut optimizer, &mut network, 6);
        (network.fingerprint(), optimizer.state().values)
    };
    let clips: [fn(Chain) -> Chain; 4] = [
        |chain| chain,
        |chain| chain.then(ClipByValue::new(0.4)),
        |chain| chain.then(ClipByNorm::new(0.7)),
        |chain| chain.then(ClipByGlobalNorm::new(0.7)),
    ];
    let directions: [fn(Chain) -> Chain; 8] = [
        |chain| chain.then(Momentum::new(0.9)),
        |chain| chain.then(Momentum::new(0.9).nesterov()),
        |chain| chain.then(ScaleByAdam::default()),
        |chain| chain.then(ScaleByAmsGrad::default()),
        |chain| chain.then(ScaleByNadam::default()),
        |chain| chain.then(ScaleByRms::default().centered()),
        |chain| chain.then(ScaleByAdagrad::default()),
        |chain| chain.then(ScaleByLion::default()),
    ];
    let decays: [fn(Chain) -> Chain; 3] = [
        |chain| chain,
        |chain| chain.then(DecayWeights::new(0.1)),
        |chain| chain.then(DecayWeights::new(0.1).everything()),
    ];
    for clip in clips {
        for direction in directions {
            for decay in decays {
                let begin = || clip(Chain::new(rate()));
                let end = |chain| decay(chain).then(ProximalL1::new(1e-3));
                let joined = end(direction(begin()));
                let apart = end(direction(begin()).then(Nothing));
                assert_eq!(print(joined.clone()), print(apart), "{joined:?}");
            }
        }
    }
}
