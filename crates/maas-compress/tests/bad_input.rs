//! What makes no sense is a typed error that says what was expected and found, and the network stays as it was.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::{
    BudgetSearch, Calibration, Codebook, CompressedNetwork, Compressor, Error, HardThreshold, Int8,
    Latency, Level, Magnitude, Masks, Movement, Prune, Pruner, Quantize, SecondOrder, Sensitivity,
    Shrink, SoftThreshold, Target, Wanda,
};
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{MeanSquaredError, Network, Sequential};
use ndarray::Array2;

fn data(rows: usize, width: usize) -> Dataset {
    let x = Array2::from_shape_fn((rows, width), |(i, j)| ((width * i + j) as f32).sin());
    Dataset::new(x.view(), x.column(0).insert_axis(ndarray::Axis(1))).unwrap()
}

fn network() -> Network {
    let layers = Sequential::rows(6).dense(8).batch_norm().relu().dense(1);
    layers.build(Seed(7)).unwrap()
}

fn bits(network: &Network) -> Vec<u32> {
    let numbers = network.parameters().iter().chain(network.state());
    numbers.map(|number| number.to_bits()).collect()
}

/// The error of `run` on a network that it leaves alone.
fn refused<T>(network: &Network, run: impl FnOnce(&mut Network) -> Result<T, Error>) -> Error {
    let mut left = network.clone();
    let Err(error) = run(&mut left) else {
        panic!("an error expected");
    };
    assert_eq!(bits(&left), bits(network), "{error}");
    assert!(left.masks().eq(network.masks()), "{error}");
    assert_eq!(left.spec(), network.spec(), "{error}");
    error
}

#[test]
fn weights_that_are_not_finite_are_named_by_every_method() {
    let data = &data(16, 6);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut broken = network();
        broken.segment_mut("dense_1.kernel").unwrap()[[3, 0]] = bad;
        let magnitude = || Pruner::new(Magnitude, 0.5);
        let errors = [
            refused(&broken, |network| HardThreshold::new(0.1).prune(network)),
            refused(&broken, |network| magnitude().prune(network)),
            refused(&broken, |network| Codebook::new(4).quantize(network)),
            refused(&broken, |network| Int8::dynamic().quantize(network)),
            refused(&broken, |network| Shrink::new().run(network)),
            refused(&broken, |network| {
                Compressor::new(magnitude()).run(network, data)
            }),
            refused(&broken, |network| {
                BudgetSearch::within(0.1).run(network, data)
            }),
            refused(&broken, |network| Sensitivity::scan(network, data, &[])),
        ];
        for error in errors {
            let named = matches!(
                error,
                Error::NotFinite { segment: Some(ref name), index: 3, found }
                    if name == "dense_1.kernel" && found.to_bits() == bad.to_bits()
            );
            assert!(named, "{error}");
        }
    }
}

#[test]
fn thresholds_and_sparsities_have_bounds() {
    for lambda in [-0.5, f32::NAN, f32::INFINITY] {
        let error = refused(&network(), |network| {
            Compressor::new(SoftThreshold::new(lambda)).run(network, &data(16, 6))
        });
        assert!(matches!(error, Error::Lambda { .. }), "{error}");
    }
    for sparsity in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let data = data(16, 6);
        let pruner = Pruner::new(Magnitude, sparsity);
        let errors = [
            refused(&network(), |network| {
                Compressor::new(pruner).run(network, &data)
            }),
            refused(&network(), |network| {
                SoftThreshold::to_sparsity(sparsity).prune(network)
            }),
            refused(&network(), |network| {
                BudgetSearch::within(0.1)
                    .sparsities([sparsity])
                    .run(network, &data)
            }),
            refused(&network(), |network| {
                Sensitivity::scan(network, &data, &[Level::Sparsity(sparsity)])
            }),
        ];
        for error in errors {
            assert!(matches!(error, Error::Sparsity { .. }), "{error}");
        }
    }
}

#[test]
fn masks_of_another_network_are_refused() {
    let mut other = Sequential::rows(6)
        .dense(9)
        .relu()
        .dense(1)
        .build(Seed(7))
        .unwrap();
    HardThreshold::to_sparsity(0.5).prune(&mut other).unwrap();
    let error = refused(&network(), |network| Masks::of(&other).prune(network));
    assert_eq!(
        error.to_string(),
        "a network with the same parameters expected: `dense.kernel` of 54, found `dense.kernel` of 48"
    );
    let error = refused(&network(), |network| {
        Compressor::new(Masks::of(&other)).run(network, &data(16, 6))
    });
    assert!(matches!(error, Error::OtherNetwork { .. }));
}

#[test]
fn rows_to_calibrate_and_measure_with_fit_the_network() {
    // A dataset has rows, or cannot be made.
    let data = &data(16, 5);
    let pruner = |prune: Pruner| refused(&network(), |network| prune.prune(network));
    let magnitude = || Pruner::new(Magnitude, 0.5);
    let errors = [
        pruner(Pruner::new(Wanda::new(data), 0.5)),
        pruner(Pruner::new(SecondOrder::new(data), 0.5)),
        pruner(Pruner::new(Movement::new(data, MeanSquaredError), 0.5)),
        refused(&network(), |network| {
            Int8::calibrated(data, Calibration::MinMax).quantize(network)
        }),
        refused(&network(), |network| {
            Compressor::new(magnitude()).run(network, data)
        }),
        refused(&network(), |network| {
            BudgetSearch::within(0.1).run(network, data)
        }),
        refused(&network(), |network| {
            Sensitivity::scan(network, data, &[Level::Int8])
        }),
        refused(&network(), |network| {
            CompressedNetwork::compile_on(network.clone(), &Target::default(), data)
        }),
        refused(&network(), |network| {
            Latency::compare([network], &Target::default(), data)
        }),
    ];
    for (index, error) in errors.into_iter().enumerate() {
        let expected = matches!(error, Error::Network(_) | Error::Core(_));
        assert!(expected, "{index}: {error:?}");
    }
}

#[test]
fn calls_have_rows() {
    for rows in [0, 1, 3] {
        let target = Target::rows(rows);
        let compiled = CompressedNetwork::compile(network(), &target).unwrap();
        let rows = Array2::ones((2, 6));
        assert_eq!(
            compiled.predict(rows.view()).unwrap(),
            network().predict(&rows).unwrap()
        );
    }
}

#[test]
fn a_budget_that_cannot_be_met_says_what_was_reached() {
    // Of a network that errs by less than 1,000, no file is better by as much.
    for budget in [-1e3, f64::NEG_INFINITY, f64::NAN] {
        let error = refused(&network(), |network| {
            BudgetSearch::within(budget).run(network, &data(16, 6))
        });
        let told = matches!(error, Error::Budget { found, .. } if found.abs() < 1e3);
        assert!(told, "{error}");
    }
}
