//! Networks with fewer bits: laws of every way to quantise, and eight bits as they are trained, saved and served.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::{
    Bf16, Calibration, Codebook, CompressedNetwork, Error, F16, HardThreshold, Int8, Prune, Pruned,
    Quantize, Target,
};
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{Arithmetic, MeanSquaredError, Network, Sequential};
use maas_train::{Adam, Trainer};
use ndarray::Array2;

fn data() -> Dataset {
    let x = Array2::from_shape_fn((128, 8), |(i, j)| ((i * 8 + j) as f32 * 0.37).sin());
    let y = Array2::from_shape_fn((128, 1), |(i, _)| x.row(i).sum() + x[[i, 0]] * x[[i, 1]]);
    Dataset::new(x.view(), y.view()).unwrap()
}

fn network() -> Network {
    let builder = Sequential::new(data().features())
        .dense(32)
        .relu()
        .dense(16)
        .gelu();
    let mut network = builder.dense(1).build(Seed(7)).unwrap();
    HardThreshold::to_sparsity(0.5).prune(&mut network).unwrap();
    network
}

fn ways(data: &Dataset) -> Vec<(&'static str, Box<dyn Quantize + '_>)> {
    vec![
        ("f16", Box::new(F16)),
        ("bf16", Box::new(Bf16::new())),
        ("codebook", Box::new(Codebook::new(16))),
        ("dynamic", Box::new(Int8::dynamic())),
        (
            "min-max",
            Box::new(Int8::calibrated(data, Calibration::MinMax)),
        ),
        (
            "percentile",
            Box::new(Int8::calibrated(data, Calibration::Percentile(99.9))),
        ),
        (
            "entropy",
            Box::new(Int8::calibrated(data, Calibration::Entropy)),
        ),
        (
            "error",
            Box::new(Int8::calibrated(data, Calibration::MeanSquaredError)),
        ),
    ]
}

/// The root of the mean squared difference of the answers, over that of the answers.
fn difference(a: &Network, b: &Network) -> f32 {
    let data = data();
    let (a, b) = (a.predict(data.x()).unwrap(), b.predict(data.x()).unwrap());
    let power = |values: Array2<f32>| values.mapv(|value| value * value).mean().unwrap();
    (power(&a - &b) / power(a)).sqrt()
}

#[test]
fn answers_stay_near_zeros_stay_and_twice_is_once() {
    let data = data();
    let before = network();
    for (name, way) in ways(&data) {
        let mut once = before.clone();
        way.quantize(&mut once).unwrap();
        let change = difference(&before, &once);
        assert!(change > 0.0 && change < 0.25, "{name}: {change}");
        assert_eq!(Pruned::of(&once).zeros, Pruned::of(&before).zeros, "{name}");
        assert!(once.masks().eq(before.masks()), "{name}");

        let mut twice = once.clone();
        way.quantize(&mut twice).unwrap();
        assert_eq!(twice.fingerprint(), once.fingerprint(), "{name}");

        let compiled = CompressedNetwork::compile(once.clone(), &Target::rows(3)).unwrap();
        assert_eq!(
            compiled.predict(data.x()).unwrap(),
            once.predict(data.x()).unwrap(),
            "{name}"
        );
        let again = CompressedNetwork::from_bytes(&compiled.to_bytes().unwrap()).unwrap();
        assert_eq!(again.network().fingerprint(), once.fingerprint(), "{name}");
    }
}

#[test]
fn what_was_trained_in_eight_bits_is_what_is_served() {
    let data = data();
    let mut network = network();
    let trainer = Trainer::new(Adam::new(3e-3), MeanSquaredError)
        .epochs(20)
        .batch_size(16);
    trainer.fit(&mut network, &data).unwrap();

    let way = Int8::calibrated(&data, Calibration::MinMax);
    let mut rounded = network.clone();
    way.quantize(&mut rounded).unwrap();

    way.prepare(&mut network).unwrap();
    trainer.fit(&mut network, &data).unwrap();
    let trained = network.predict(data.x()).unwrap();
    way.quantize(&mut network).unwrap();
    // Rounding the weights changes nothing: they were rounded in every pass.
    assert_eq!(network.predict(data.x()).unwrap(), trained);

    let error = |network: &Network| {
        let difference = network.predict(data.x()).unwrap() - data.y();
        difference.mapv(|d| d * d).mean().unwrap()
    };
    assert!(error(&network) < error(&rounded));
}

#[test]
fn layers_can_be_left_out() {
    let data = data();
    let mut network = network();
    let before = network.segment("dense_1.kernel").unwrap().to_owned();
    Int8::calibrated(&data, Calibration::MinMax)
        .exclude("dense_1")
        .quantize(&mut network)
        .unwrap();
    assert_eq!(network.arithmetic("dense_1").unwrap(), Arithmetic::F32);
    assert_eq!(network.segment("dense_1.kernel").unwrap(), before);
    let Arithmetic::Int8 { input_scale } = network.arithmetic("dense").unwrap() else {
        panic!("eight bits were asked for");
    };
    let largest = data
        .x()
        .iter()
        .fold(0.0_f32, |largest, x| largest.max(x.abs()));
    assert_eq!(input_scale, Some(largest / 127.0));
}

#[test]
fn what_makes_no_sense_is_an_error_and_changes_nothing() {
    let data = data();
    let narrow = Dataset::unlabelled(Array2::ones((4, 3)).view()).unwrap();
    let mut network = network();
    let before = network.fingerprint();
    let mut fails = |way: &dyn Quantize| {
        let error = way.quantize(&mut network).unwrap_err();
        assert_eq!(network.fingerprint(), before);
        error
    };
    let percentile = Int8::calibrated(&data, Calibration::Percentile(101.0));
    assert!(matches!(
        fails(&percentile),
        Error::Percentile { found: 101.0 }
    ));
    assert!(matches!(
        fails(&Int8::calibrated(&narrow, Calibration::MinMax)),
        Error::Network(_)
    ));
    assert!(matches!(
        fails(&Int8::dynamic().exclude("dense_9")),
        Error::Network(_)
    ));
    assert!(matches!(fails(&Codebook::new(0)), Error::NoValues));

    let mut network = self::network();
    network.segment_mut("dense.kernel").unwrap()[[0, 0]] = 1e6;
    assert!(matches!(
        F16.quantize(&mut network),
        Err(Error::Magnitude { index: 0, .. })
    ));
    network.segment_mut("dense.kernel").unwrap()[[0, 0]] = f32::NAN;
    let before = network.fingerprint();
    for (name, way) in ways(&data) {
        let error = way.quantize(&mut network).unwrap_err();
        assert!(
            matches!(error, Error::NotFinite { index: 0, .. }),
            "{name}: {error}"
        );
        assert_eq!(network.fingerprint(), before);
    }
}
