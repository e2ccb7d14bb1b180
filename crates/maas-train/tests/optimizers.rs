//! The same gradients as Keras and optax had give the same parameters: fixtures/make_optimizers.py made the reference.
//!
//! Tolerance. Both sides compute in `f32` with other roundings: a step adds an error of about ε = 2⁻²⁴ of the parameter
//! and of a few ε of the step, so 60 steps add at most 60 ε ≈ 4 · 10⁻⁶ of a tensor's largest parameter. 10⁻⁵ is
//! twice that; a wrong formula (the place of ε, a bias correction, the rate inside the momentum) is off by 10⁻³ or more.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::BTreeMap;

use common::noise;
use maas_core::Seed;
use maas_nn::{Network, Sequential};
use maas_train::{
    Adagrad, Adam, AdamW, AmsGrad, AverageWeights, Chain, ClipByGlobalNorm, ClipByNorm,
    ClipByValue, DecayWeights, GradientDescent, LearningRate, Lion, LookAhead, Nadam, Optimizer,
    ProximalL1, RmsProp, ScaleByAdam, Sgd, Span,
};
use serde::Deserialize;

const TOLERANCE: f32 = 1e-5;

#[derive(Deserialize)]
struct Fixture {
    steps: Vec<u64>,
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    parameters: Vec<Vec<f32>>,
    average: Option<Vec<f32>>,
}

fn chain(name: &str) -> Chain {
    let cosine = || LearningRate::cosine(1e-2).to(1e-3).over(Span::steps(50));
    let falling = || LearningRate::exponential(1e-2, 0.5, Span::steps(10));
    let warm = || {
        LearningRate::cosine(1e-2)
            .to(1e-4)
            .over(Span::steps(40))
            .warm_up(Span::steps(10))
    };
    let pieces = || {
        let pieces = [(1e-2, Span::steps(10)), (5e-3, Span::steps(20))];
        LearningRate::piecewise(pieces, 1e-3)
    };
    // optax adds ε in another place: see the script.
    let adam = ScaleByAdam::default().epsilon(1e-12);
    match name {
        "gradient_descent" => GradientDescent::new(0.01).into(),
        "momentum" => Sgd::new(0.01).momentum(0.9).into(),
        "momentum, cosine" => Sgd::new(cosine()).momentum(0.9).into(),
        "nesterov, falling" => Sgd::new(falling()).momentum(0.9).nesterov().into(),
        "momentum, warm-up" => Sgd::new(warm()).momentum(0.9).into(),
        "adam" => Adam::new(1e-3).into(),
        "adam, cosine" => Adam::new(cosine()).into(),
        "adam, warm-up" => Adam::new(warm()).into(),
        "adam, settings" => Adam::new(1e-2)
            .beta_1(0.8)
            .beta_2(0.95)
            .epsilon(1e-3)
            .into(),
        "amsgrad" => AmsGrad::new(1e-2).into(),
        "adamw" => AdamW::new(1e-2).weight_decay(0.1).into(),
        "adamw everything, pieces" => AdamW::new(pieces()).decay_everything().into(),
        "nadam" => Nadam::new(1e-2).into(),
        "nadam, falling" => Nadam::new(falling()).into(),
        "rmsprop" => RmsProp::new(1e-3).into(),
        "rmsprop centred" => RmsProp::new(1e-2).centered().into(),
        "rmsprop momentum, pieces" => RmsProp::new(pieces()).rho(0.8).momentum(0.9).into(),
        "rmsprop centred momentum, falling" => {
            RmsProp::new(falling()).momentum(0.9).centered().into()
        }
        "adagrad" => Adagrad::new(1e-2).into(),
        "adagrad, cosine" => Adagrad::new(cosine()).into(),
        "lion" => Lion::new(1e-3).into(),
        "lion everything decays, cosine" => {
            Chain::from(Lion::new(cosine())).then(DecayWeights::new(0.01).everything())
        }
        "clip by value" => Chain::new(1e-2)
            .then(ClipByValue::new(0.1))
            .then(ScaleByAdam::default()),
        "clip by norm" => Chain::new(1e-2)
            .then(ClipByNorm::new(0.5))
            .then(maas_train::Momentum::new(0.9)),
        "clip by global norm" => Chain::new(1e-2)
            .then(ClipByGlobalNorm::new(0.5))
            .then(maas_train::Momentum::new(0.9)),
        "clips in a row" => Chain::new(1e-2)
            .then(ClipByValue::new(0.2))
            .then(ClipByGlobalNorm::new(0.5))
            .then(adam),
        "clip behind adam" => Chain::new(1e-2).then(adam).then(ClipByGlobalNorm::new(1.0)),
        "average" => Chain::from(Adam::new(1e-2)).then(AverageWeights::new(0.9)),
        "momentum, everything decays" => {
            Chain::from(Sgd::new(1e-2).momentum(0.9)).then(DecayWeights::new(0.1).everything())
        }
        "shrink" => Chain::from(Sgd::new(falling())).then(ProximalL1::new(0.5)),
        "look ahead" => Chain::new(1e-2).then(adam).then(LookAhead::new(7, 0.5)),
        "groups" => Chain::from(Adam::new(1e-2).epsilon(1e-12))
            .freeze("dense/kernel")
            .rate_factor("*.bias", 0.1)
            .rate_of(
                "dense_1.k*",
                LearningRate::cosine(3e-2).over(Span::steps(50)),
            ),
        other => panic!("no chain for {other}"),
    }
}

fn network() -> Network {
    let mut network = Sequential::rows(6)
        .dense(5)
        .dense(4)
        .build(Seed(0))
        .unwrap();
    let ranges = ranges(&network);
    let parameters = network.parameters_mut();
    for (number, index) in ranges.into_iter().flatten().enumerate() {
        parameters[index] = noise(1000, number);
    }
    network
}

fn ranges(network: &Network) -> Vec<std::ops::Range<usize>> {
    network.segments().iter().map(|s| s.range.clone()).collect()
}

fn gradient(network: &Network, step: u64) -> Vec<f32> {
    let mut gradient = vec![0.0; network.parameters().len()];
    for (number, index) in ranges(network).into_iter().flatten().enumerate() {
        let size = 0.5_f32.powi((number % 5) as i32);
        gradient[index] = noise(step as usize, number) * size;
    }
    gradient
}

/// Each tensor within the tolerance of its largest parameter.
#[track_caller]
fn compare(case: &str, network: &Network, found: &[f32], expected: &[f32]) {
    let mut rest = expected;
    for segment in network.segments() {
        let found = &found[segment.range.clone()];
        let (expected, others) = rest.split_at(found.len());
        rest = others;
        let largest = expected.iter().fold(0_f32, |most, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= TOLERANCE * largest,
                "{case}, {}: {found} for {expected}",
                segment.name
            );
        }
    }
    assert!(rest.is_empty());
}

#[test]
fn parameters_are_those_of_keras_and_optax() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/optimizers.json")).unwrap();
    for (name, case) in &fixture.cases {
        let mut network = network();
        let mut optimizer = Optimizer::new(chain(name), &network).unwrap();
        for step in 0..*fixture.steps.last().unwrap() {
            let mut gradient = gradient(&network, step);
            optimizer.step(&mut network, &mut gradient).unwrap();
            if let Some(kept) = fixture.steps.iter().position(|&kept| kept == step + 1) {
                let case_of_step = format!("{name}, step {}", step + 1);
                compare(
                    &case_of_step,
                    &network,
                    network.parameters(),
                    &case.parameters[kept],
                );
            }
        }
        let mut average = network.parameters().to_vec();
        match (&case.average, optimizer.average()) {
            (None, None) => {}
            (Some(expected), Some(found)) => {
                found.write(&mut average).unwrap();
                compare(&format!("{name}, average"), &network, &average, expected);
            }
            _ => panic!("{name}: an average on one side only"),
        }
    }
}
