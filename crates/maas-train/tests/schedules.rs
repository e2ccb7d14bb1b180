//! Learning rates are those of Keras, PyTorch and optax: fixtures/make_schedules.py made the reference.
//!
//! Tolerance. The references are computed in `f32` where Keras and optax make them: a few roundings of 2⁻²⁴ of the
//! first rate, and 120 steps of PyTorch's recursive cosine; 2 · 10⁻⁶ of the first rate is a few times that.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::collections::BTreeMap;

use maas_core::Seed;
use maas_nn::Sequential;
use maas_train::{Error, Horizon, LearningRate, Optimizer, Plateau, Sgd, Span};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    losses: Vec<f32>,
    cases: BTreeMap<String, Vec<f32>>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("fixtures/schedules.json")).unwrap()
}

fn rate(name: &str) -> LearningRate {
    let steps = Span::steps;
    match name {
        "step" | "staircase" => LearningRate::step(0.1, 0.3, steps(25)),
        "piecewise" => LearningRate::piecewise([(0.1, steps(20)), (0.01, steps(50))], 0.001),
        "piecewise of Keras" => {
            LearningRate::piecewise([(0.1, steps(21)), (0.05, steps(50))], 0.02)
        }
        "exponential" => LearningRate::exponential(0.1, 0.3, steps(30)),
        "inverse time" => LearningRate::inverse_time(0.1, 0.5, steps(20)),
        "polynomial" => LearningRate::polynomial(0.1, 0.01, 2.5).over(steps(80)),
        "linear" => LearningRate::linear(0.1, 0.02).over(steps(100)),
        "cosine" => LearningRate::cosine(0.1).to(0.005).over(Span::share(0.75)),
        "cosine of torch" => LearningRate::cosine(0.1).to(0.003),
        "warm-up and cosine" => LearningRate::cosine(0.1)
            .to(0.01)
            .over(steps(80))
            .warm_up_from(0.02, steps(15)),
        "warm-up and cosine of optax" => LearningRate::cosine(0.1).warm_up(Span::share(0.1)),
        "warm restarts" => LearningRate::warm_restarts(0.1, steps(13))
            .lengthen(1.5)
            .lower(0.7)
            .to(0.01),
        "warm restarts of equal length" => LearningRate::warm_restarts(0.1, Span::epochs(0.5))
            .lengthen(1.0)
            .to(0.01),
        "warm restarts, doubled" => LearningRate::warm_restarts(0.1, steps(10)),
        "one cycle" => LearningRate::one_cycle(0.1).over(steps(121)),
        "one cycle, settings" => LearningRate::one_cycle(0.1)
            .rise(0.45)
            .divisors(10.0, 50.0)
            .over(steps(121)),
        "plateau" => {
            LearningRate::constant(0.1).on_plateau(Plateau::default().factor(0.5).patience(3))
        }
        "plateau, cooldown and floor" => LearningRate::constant(0.1).on_plateau(
            Plateau::default()
                .patience(2)
                .cooldown(2)
                .floor(2e-3)
                .min_delta(0.0),
        ),
        other => panic!("no rate for {other}"),
    }
}

fn close(name: &str, step: usize, found: f32, expected: f32) {
    assert!(
        (found - expected).abs() <= 2e-6 * 0.1,
        "{name}, step {step}: {found} for {expected}"
    );
}

#[test]
fn rates_are_those_of_keras_torch_and_optax() {
    let horizon = Horizon::new(40, 120);
    for (name, expected) in &fixture().cases {
        if name.starts_with("plateau") {
            continue;
        }
        let rate = rate(name);
        for (step, &expected) in expected.iter().enumerate() {
            close(
                name,
                step + 1,
                rate.at(step as u64 + 1, horizon).unwrap(),
                expected,
            );
        }
    }
}

#[test]
fn plateaus_are_those_of_keras() {
    let fixture = fixture();
    let network = Sequential::rows(1).dense(1).build(Seed(0)).unwrap();
    for name in ["plateau", "plateau, cooldown and floor"] {
        let mut optimizer = Optimizer::new(Sgd::new(rate(name)), &network).unwrap();
        for (epoch, (&loss, &expected)) in
            fixture.losses.iter().zip(&fixture.cases[name]).enumerate()
        {
            optimizer.observe(loss);
            close(name, epoch, optimizer.learning_rate().unwrap(), expected);
            // What is remembered survives saving.
            let mut other = Optimizer::new(Sgd::new(rate(name)), &network).unwrap();
            other.restore(&optimizer.state()).unwrap();
            optimizer = other;
        }
    }
}

#[test]
fn rates_are_data() {
    for name in fixture().cases.keys() {
        let rate = rate(name);
        let text = serde_json::to_string(&rate).unwrap();
        assert_eq!(
            serde_json::from_str::<LearningRate>(&text).unwrap(),
            rate,
            "{text}"
        );
    }
}

#[test]
fn what_makes_no_rate_is_an_error_that_names_the_step() {
    let horizon = Horizon::new(10, 100);
    for (rate, first) in [
        (LearningRate::constant(-1.0), 1),
        (LearningRate::constant(f32::INFINITY), 1),
        (LearningRate::table([0.1, f32::NAN], Span::steps(5)), 6),
        (LearningRate::table([], Span::steps(5)), 1),
        (LearningRate::linear(0.1, -0.1), 52),
        (LearningRate::exponential(0.1, f32::NAN, Span::run()), 2),
        (LearningRate::step(0.1, -0.5, Span::epochs(1.0)), 11),
    ] {
        let step = (1..=100).find(|&step| rate.at(step, horizon).is_err());
        assert_eq!(step, Some(first), "{rate:?}");
        let error = rate.at(first, horizon).unwrap_err();
        assert!(
            matches!(error, Error::LearningRate { step, .. } if step == first),
            "{error}"
        );
    }
    let unknown = |rate: LearningRate| rate.at(1, Horizon::unknown()).unwrap_err();
    assert!(matches!(
        unknown(LearningRate::cosine(0.1)),
        Error::Horizon { .. }
    ));
    assert!(matches!(
        unknown(LearningRate::step(0.1, 0.5, Span::epochs(1.0))),
        Error::Horizon { .. }
    ));
    assert!(matches!(
        unknown(LearningRate::step(0.1, 0.5, Span::steps(0))),
        Error::Span { .. }
    ));
    assert!(matches!(
        unknown(LearningRate::constant(0.1).warm_up(Span::share(f64::NAN))),
        Error::Span { .. } | Error::Horizon { .. }
    ));
    for rate in [
        LearningRate::constant(0.1).to(0.01),
        LearningRate::cosine(0.1).lengthen(2.0),
        LearningRate::linear(0.1, 0.0).rise(0.5),
    ] {
        assert!(matches!(unknown(rate), Error::UnknownSetting { .. }));
    }
}

/// A schedule that is fine in the first step is found out in the step where it is not, and nothing is then changed.
#[test]
fn an_optimiser_stops_before_a_step_without_a_rate() {
    let mut network = Sequential::rows(1).dense(1).build(Seed(0)).unwrap();
    let rate = LearningRate::table([0.1, f32::NAN], Span::steps(2));
    let mut optimizer = Optimizer::new(Sgd::new(rate).momentum(0.9), &network).unwrap();
    for _ in 0..2 {
        optimizer.step(&mut network, &mut [0.5; 32]).unwrap();
    }
    let (parameters, state) = (network.parameters().to_vec(), optimizer.state());
    let error = optimizer.step(&mut network, &mut [0.5; 32]).unwrap_err();
    assert!(matches!(error, Error::LearningRate { step: 3, .. }));
    assert_eq!(network.parameters(), parameters);
    assert_eq!(optimizer.state(), state);
}

proptest! {
    #[test]
    fn falling_rates_fall(
        from in 1e-5_f32..1.0,
        share in 0.0_f32..1.0,
        run in 1_u64..400,
        warm in 0_u64..50,
    ) {
        let to = share * from;
        for rate in [
            LearningRate::cosine(from).to(to),
            LearningRate::linear(from, to),
            LearningRate::polynomial(from, to, 1.7),
            LearningRate::exponential(from, share.max(0.1), Span::run()),
            LearningRate::inverse_time(from, share, Span::run()),
            LearningRate::step(from, share, Span::share(0.3)),
        ] {
            let rate = rate.warm_up(Span::steps(warm));
            let horizon = Horizon::new(10, warm + run);
            let rates: Vec<f32> = (1..=warm + run).map(|step| rate.at(step, horizon).unwrap()).collect();
            prop_assert!(rates[..warm as usize].is_sorted(), "{rate:?}");
            prop_assert!(rates[warm as usize..].is_sorted_by(|a, b| a >= b), "{rate:?} {rates:?}");
            prop_assert!(rates.iter().all(|rate| (0.0..=from).contains(rate)), "{rate:?}");
            prop_assert_eq!(rates[warm as usize], from);
        }
    }
}
