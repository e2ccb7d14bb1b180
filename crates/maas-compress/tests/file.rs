//! The file: what is read has the bits of what was written, and no bytes, however hostile, do harm.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs;

use maas_compress::{
    CompressedNetwork, Error, F16, FileFault, Goal, HardThreshold, Int8, Prune, Quantize,
    SoftThreshold, Target,
};
use maas_core::{Fnv, Moments, Seed, Statistics, Tensor, predict_once};
use maas_nn::{Mask, Merge, Network, Representation, Sequential};
use ndarray::Array2;
use proptest::prelude::*;

fn small(sparsity: f64) -> Network {
    let statistics = Statistics {
        features: Moments::new([0.1, -3.7, 1e-4], [2.5, 1e-3, 7e5]).unwrap(),
        targets: Some(Moments::new([5.6], [0.8]).unwrap()),
    };
    let layers = Sequential::rows(3)
        .normalize(statistics)
        .dense(8)
        .relu()
        .dense(4)
        .gelu()
        .dense(1);
    let mut network = layers.build(Seed(7)).unwrap();
    network.segment_mut("dense.bias").unwrap().fill(0.25);
    SoftThreshold::to_sparsity(sparsity)
        .prune(&mut network)
        .unwrap();
    network
}

fn bits(network: &Network) -> Vec<u32> {
    network
        .parameters()
        .iter()
        .chain(network.state())
        .map(|value| value.to_bits())
        .collect()
}

fn same(a: &Network, b: &Network) -> bool {
    bits(a) == bits(b)
        && a.spec() == b.spec()
        && a.masks().eq(b.masks())
        && a.signature() == b.signature()
        && a.fingerprint() == b.fingerprint()
}

/// A file with this coded content, and the checksum that it has to have.
fn sealed(content: &[u8]) -> Vec<u8> {
    let start = b"MAAS\x03";
    let sum = start
        .iter()
        .chain(content)
        .fold(0x8422_2325_u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x1b3)
        });
    [&start[..], &sum.to_le_bytes(), content].concat()
}

/// Bytes in front of the coded content.
const PREFIX: usize = 9;

/// Either refused, or a network that can be written and read again.
fn harmless(bytes: &[u8]) {
    if let Ok(read) = CompressedNetwork::from_bytes(bytes) {
        let again = CompressedNetwork::from_bytes(&read.to_bytes().unwrap()).unwrap();
        assert!(same(again.network(), read.network()));
    }
}

fn fault(bytes: &[u8]) -> FileFault {
    match CompressedNetwork::from_bytes(bytes) {
        Err(Error::File(fault)) => fault,
        other => panic!("expected a fault of the file, found {other:?}"),
    }
}

#[test]
fn what_is_read_has_the_bits_of_what_was_written() {
    for sparsity in [0.0, 0.1, 0.5, 0.9, 1.0] {
        let network = small(sparsity);
        let compressed = CompressedNetwork::new(network.clone()).unwrap();
        let bytes = compressed.to_bytes().unwrap();
        let again = CompressedNetwork::from_bytes(&bytes).unwrap();
        assert!(same(again.network(), &network), "at {sparsity}");
        assert_eq!(again.to_bytes().unwrap(), bytes, "at {sparsity}");
        let x = Array2::from_shape_fn((5, 3), |(row, column)| {
            (row as f32 - 2.0) * (column as f32 + 0.3)
        });
        assert_eq!(
            again.predict(x.view()).unwrap(),
            network.predict(x.view()).unwrap()
        );
        let x = Tensor::from_array(&x).unwrap();
        let answers = |model| predict_once(model, &[x.view()]).unwrap();
        assert_eq!(answers(&again as &dyn maas_core::Model), answers(&network));
    }
}

/// A network whose first layer is packed sparse, and whose second dense.
fn half_sparse() -> (Network, CompressedNetwork) {
    let layers = Sequential::rows(30).dense(40).relu().dense(5);
    let mut network = layers.build(Seed(7)).unwrap();
    let kernel = network.segment_mut("dense.kernel").unwrap();
    HardThreshold::to_sparsity(0.95).apply(kernel).unwrap();
    let target = Target::rows(1).goal(Goal::Memory);
    let compiled = CompressedNetwork::compile(network.clone(), &target).unwrap();
    (network, compiled)
}

#[test]
fn representations_are_stored_with_the_file_and_can_be_chosen_anew() {
    let (network, compiled) = half_sparse();
    let forms = |network: &CompressedNetwork| {
        let forms = network.packed().representations();
        forms.map(|(_, form)| form).collect::<Vec<_>>()
    };
    let (dense, sparse) = (Representation::Dense, Representation::Sparse);
    assert_eq!(forms(&compiled), [sparse, dense, dense]);

    let (bytes, plain) = (
        compiled.to_bytes().unwrap(),
        CompressedNetwork::new(network.clone())
            .unwrap()
            .to_bytes()
            .unwrap(),
    );
    assert!(bytes.len() <= plain.len() + 1);
    let loaded = CompressedNetwork::from_bytes(&bytes).unwrap();
    assert_eq!(forms(&loaded), forms(&compiled));
    assert!(loaded.choices().is_empty());
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    assert!(same(loaded.network(), &network));

    let plain = CompressedNetwork::from_bytes(&plain).unwrap();
    assert_eq!(forms(&plain), [dense; 3]);
    let anew = plain
        .recompile(&Target::rows(1).goal(Goal::Memory))
        .unwrap();
    assert_eq!(forms(&anew), forms(&compiled));
    assert_eq!(anew.choices().len(), 2);
    let rows = Array2::from_shape_fn((3, 30), |(i, j)| ((30 * i + j) as f32).cos());
    assert_eq!(
        loaded.predict(rows.view()).unwrap(),
        network.predict(&rows).unwrap()
    );
}

#[test]
fn branches_running_statistics_and_frozen_layers_are_kept() {
    let mut network = Sequential::rows(4)
        .dense(6)
        .batch_norm()
        .mish()
        .residual(|x| x.layer_norm().dense(6).freeze())
        .parallel(Merge::Concatenate, |x| {
            x.branch(|x| x).branch(|x| x.elu(0.5))
        })
        .dense(2)
        .build(Seed(7))
        .unwrap();
    let state: Vec<f32> = (0..network.state().len()).map(|i| i as f32 * 0.1).collect();
    network.set_state(&state).unwrap();
    SoftThreshold::to_sparsity(0.5).prune(&mut network).unwrap();
    assert_eq!(network.segment("layer_norm.gamma").unwrap().sum(), 6.0);
    let bytes = CompressedNetwork::new(network.clone())
        .unwrap()
        .to_bytes()
        .unwrap();
    let again = CompressedNetwork::from_bytes(&bytes).unwrap();
    assert!(same(again.network(), &network));
    assert!(again.network().is_frozen("dense_1").unwrap());
}

#[test]
fn numbers_of_every_kind_are_kept() {
    let mut network = Sequential::rows(4).dense(5).build(Seed(7)).unwrap();
    let odd = [
        0.0,
        -0.0,
        f32::NAN,
        f32::INFINITY,
        -f32::MIN_POSITIVE / 4.0,
        0.0,
        0.0,
        1.0,
    ];
    for (weight, odd) in network
        .segment_mut("dense.kernel")
        .unwrap()
        .iter_mut()
        .zip(odd.into_iter().cycle())
    {
        *weight = odd;
    }
    // A mask may keep a zero: it stays free to be trained.
    for mask in [None, Some(Mask::from_fn(20, |position| position % 3 == 0))] {
        if let Some(mask) = mask {
            network.set_mask("dense.kernel", mask).unwrap();
        }
        let bytes = CompressedNetwork::new(network.clone())
            .unwrap()
            .to_bytes()
            .unwrap();
        assert!(same(
            CompressedNetwork::from_bytes(&bytes).unwrap().network(),
            &network
        ));
    }
}

#[test]
fn the_articles_network_is_five_times_smaller_at_nine_tenths() {
    let statistics = Statistics {
        features: Moments::identity(11),
        targets: Some(Moments::identity(1)),
    };
    let layers = Sequential::rows(11)
        .normalize(statistics)
        .dense(128)
        .relu()
        .dense(64)
        .relu()
        .dense(32)
        .relu()
        .dense(1);
    let mut network = layers.build(Seed(7)).unwrap();
    let dense = network.to_bytes().len();
    HardThreshold::to_sparsity(0.9).prune(&mut network).unwrap();
    let compressed = CompressedNetwork::new(network)
        .unwrap()
        .to_bytes()
        .unwrap()
        .len();
    assert!(dense >= 5 * compressed, "{dense} bytes became {compressed}");
}

#[test]
fn a_file_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wine.maas");
    let compressed = CompressedNetwork::new(small(0.9)).unwrap();
    compressed.save(&path).unwrap();
    assert!(same(
        CompressedNetwork::load(&path).unwrap().network(),
        compressed.network()
    ));
    assert_eq!(fs::read(&path).unwrap(), compressed.to_bytes().unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(matches!(
        compressed.save(folder.path().join("no/such")),
        Err(Error::Io { .. })
    ));
    assert!(matches!(
        CompressedNetwork::load(folder.path().join("no")),
        Err(Error::Io { .. })
    ));
    fs::write(&path, &fs::read(&path).unwrap()[..100]).unwrap();
    assert!(matches!(
        CompressedNetwork::load(&path),
        Err(Error::File(FileFault::Checksum { .. }))
    ));
}

#[test]
fn cut_anywhere_it_is_refused() {
    let bytes = CompressedNetwork::new(small(0.9))
        .unwrap()
        .to_bytes()
        .unwrap();
    for cut in 0..bytes.len() {
        assert!(
            matches!(
                CompressedNetwork::from_bytes(&bytes[..cut]),
                Err(Error::File(_))
            ),
            "{cut} bytes"
        );
    }
    // With a checksum that fits what is left.
    let content = &bytes[PREFIX..];
    assert_eq!(sealed(content), bytes);
    for cut in 0..content.len() {
        harmless(&sealed(&content[..cut]));
    }
    assert!(CompressedNetwork::from_bytes(&sealed(&content[..content.len() / 2])).is_err());
    assert!(matches!(
        fault(&sealed(b"")),
        FileFault::Expansion { .. } | FileFault::Header(_)
    ));
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = CompressedNetwork::new(small(0.9))
        .unwrap()
        .to_bytes()
        .unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(CompressedNetwork::from_bytes(&damaged), Err(Error::File(_))),
            "bit {bit}"
        );
    }
}

#[test]
fn faults_say_what_was_expected() {
    let bytes = CompressedNetwork::new(small(0.9))
        .unwrap()
        .to_bytes()
        .unwrap();
    assert!(matches!(fault(b""), FileFault::Magic { .. }));
    assert_eq!(
        fault(b"PK\x03\x04").to_string(),
        r"expected the bytes MAAS at the start, found PK\x03\x04"
    );
    for version in [2, 4] {
        let mut other = bytes.clone();
        other[4] = version;
        assert!(matches!(
            fault(&other),
            FileFault::Version { expected: 3, found } if found == version
        ));
    }
    assert!(matches!(
        fault(&bytes[..6]),
        FileFault::Truncated {
            expected: 9,
            found: 6
        }
    ));
    let more = sealed(&[&bytes[PREFIX..], &[0]].concat());
    let length = bytes.len() as u64;
    assert!(matches!(
        fault(&more),
        FileFault::Length { expected, found } if (expected, found) == (length, length + 1)
    ));
    let other = sealed(&[&bytes[PREFIX..], &[1]].concat());
    assert!(matches!(fault(&other), FileFault::Ending));
}

#[test]
fn a_network_of_nothing_but_zeros_is_read_again() {
    let mut network = Sequential::rows(600).dense(600).build(Seed(7)).unwrap();
    HardThreshold::to_sparsity(1.0).prune(&mut network).unwrap();
    let bytes = CompressedNetwork::new(network.clone())
        .unwrap()
        .to_bytes()
        .unwrap();
    assert!(bytes.len() < 5_000);
    assert!(same(
        CompressedNetwork::from_bytes(&bytes).unwrap().network(),
        &network
    ));

    let mut larger = Sequential::rows(1500).dense(1500).build(Seed(7)).unwrap();
    HardThreshold::to_sparsity(1.0).prune(&mut larger).unwrap();
    let bytes = CompressedNetwork::new(larger.clone())
        .unwrap()
        .to_bytes()
        .unwrap();
    assert!(bytes.len() >= larger.parameters().len() * 4 / 1024);
    assert!(same(
        CompressedNetwork::from_bytes(&bytes).unwrap().network(),
        &larger
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(CompressedNetwork::from_bytes(&bytes).is_err());
        harmless(&sealed(&bytes));
    }

    #[test]
    fn damage_under_a_fitting_checksum_does_no_harm(noise in prop::collection::vec(any::<u8>(), 1..60), at: prop::sample::Index, sparsity in 0.0_f64..=1.0) {
        let bytes = CompressedNetwork::new(small(sparsity)).unwrap().to_bytes().unwrap();
        let mut content = bytes[PREFIX..].to_vec();
        let start = at.index(content.len());
        for (byte, noise) in content[start..].iter_mut().zip(noise) {
            *byte = noise;
        }
        harmless(&sealed(&content));
    }

    #[test]
    fn networks_round_trip_and_never_grow(
        inputs in 1_usize..24,
        units in 1_usize..24,
        numbers in prop::collection::vec(prop_oneof![
            3 => Just(0.0_f32),
            1 => (-127_i8..=127).prop_map(|code| f32::from(code) * 0.037),
            1 => prop::num::f32::ANY,
        ], 1..600),
        levels in 1_u32..40,
        kind in 0..4,
        keep in prop::option::of(prop::collection::vec(any::<bool>(), 600..601)),
    ) {
        let mut network = Sequential::rows(inputs).dense(units).batch_norm().build(Seed(7)).unwrap();
        let number = |at: usize| {
            let number = numbers[at % numbers.len()];
            match kind {
                0 => number,
                1 => f32::from_bits(number.to_bits() & 0xffff_0000),
                2 => (number.to_bits() % levels) as f32 * 0.25,
                _ => (number.to_bits() % 15) as f32 * (at % units + 1) as f32,
            }
        };
        for range in network.segments().iter().map(|segment| segment.range.clone()).collect::<Vec<_>>() {
            let values = &mut network.parameters_mut()[range];
            values.iter_mut().enumerate().for_each(|(at, value)| *value = number(at));
        }
        let state: Vec<f32> = (0..network.state().len()).map(number).collect();
        network.set_state(&state).unwrap();
        if let Some(keep) = keep {
            let mask = Mask::from_fn(inputs * units, |at| keep[at]);
            network.set_mask("dense.kernel", mask).unwrap();
        }
        let bytes = CompressedNetwork::new(network.clone()).unwrap().to_bytes().unwrap();
        let again = CompressedNetwork::from_bytes(&bytes).unwrap();
        prop_assert!(same(again.network(), &network));
        prop_assert_eq!(again.to_bytes().unwrap(), &bytes[..]);
        prop_assert!(bytes.len() <= network.to_bytes().len());
    }
}

#[test]
fn the_bytes_of_the_version_stay() {
    let mut palette = small(0.3);
    for weight in palette.parameters_mut() {
        let place = (8.0 * weight.abs()).round() as usize;
        *weight = 0.0 + weight.signum() * [0.0, 0.37, 0.51, 0.83][place.min(3)];
    }
    let mut grid = small(0.5);
    Int8::dynamic().quantize(&mut grid).unwrap();
    let mut half = small(0.0);
    F16.quantize(&mut half).unwrap();
    let networks = [small(0.9), palette, grid, half];
    let plain = networks.map(|network| CompressedNetwork::new(network).unwrap());
    let digests = plain.into_iter().chain([half_sparse().1]).map(|network| {
        let mut digest = Fnv::new();
        digest.update(&network.to_bytes().unwrap());
        digest.finish()
    });
    // Another number here is another version of the format.
    assert_eq!(
        digests.collect::<Vec<_>>(),
        [
            0x8d38_6314_6997_b627,
            0xfddb_8d0b_9682_f74b,
            0x9a09_22d1_b109_0774,
            0xc741_c19f_a3d0_4382,
            0x70e6_08c1_f022_b4bc,
        ]
    );
}
