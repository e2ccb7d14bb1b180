//! The file: what is read has the bits of what was written, and no bytes, however hostile, do harm.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::fs;

use maas_compress::{CompressedNetwork, Error, FileFault, HardThreshold, Prune, SoftThreshold};
use maas_core::{Moments, Seed, Statistics, Tensor, predict_once};
use maas_nn::{Mask, Merge, Network, Sequential};
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

/// A file with this header and body, and the checksum that it has to have.
fn file(header: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = b"MAASSPRS\x01\0\0\0".to_vec();
    bytes.extend((header.len() as u64).to_le_bytes());
    let content = bytes.iter().chain(header).chain(body);
    let sum = content.fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    bytes.extend(sum.to_le_bytes());
    bytes.extend(header);
    bytes.extend(body);
    bytes
}

fn parts(bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let length = u64::from_le_bytes(bytes[12..20].try_into().unwrap()) as usize;
    (
        bytes[28..28 + length].to_vec(),
        bytes[28 + length..].to_vec(),
    )
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
        let compressed = CompressedNetwork::new(network.clone());
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
    let bytes = CompressedNetwork::new(network.clone()).to_bytes().unwrap();
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
        let bytes = CompressedNetwork::new(network.clone()).to_bytes().unwrap();
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
    let compressed = CompressedNetwork::new(network).to_bytes().unwrap().len();
    assert!(dense >= 5 * compressed, "{dense} bytes became {compressed}");
}

#[test]
fn a_file_is_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wine.maas");
    let compressed = CompressedNetwork::new(small(0.9));
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
    let bytes = CompressedNetwork::new(small(0.9)).to_bytes().unwrap();
    for cut in 0..bytes.len() {
        assert!(
            matches!(
                CompressedNetwork::from_bytes(&bytes[..cut]),
                Err(Error::File(_))
            ),
            "{cut} bytes"
        );
    }
    // With a checksum that fits what is left, the lengths inside tell.
    let (header, body) = parts(&bytes);
    for cut in 0..body.len() {
        assert!(
            CompressedNetwork::from_bytes(&file(&header, &body[..cut])).is_err(),
            "{cut} bytes of the body"
        );
    }
    for cut in 0..header.len() {
        assert!(
            CompressedNetwork::from_bytes(&file(&header[..cut], &body)).is_err(),
            "{cut} bytes of the header"
        );
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = CompressedNetwork::new(small(0.9)).to_bytes().unwrap();
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
    let bytes = CompressedNetwork::new(small(0.9)).to_bytes().unwrap();
    assert!(matches!(fault(b""), FileFault::Magic { .. }));
    assert_eq!(
        fault(b"PK\x03\x04").to_string(),
        r"expected the bytes MAASSPRS at the start, found PK\x03\x04"
    );
    let mut later = bytes.clone();
    later[8] = 2;
    assert!(matches!(
        fault(&later),
        FileFault::Version {
            expected: 1,
            found: 2
        }
    ));
    assert!(matches!(
        fault(&bytes[..15]),
        FileFault::Truncated {
            expected: 8,
            found: 3,
            ..
        }
    ));
    let (header, mut body) = parts(&bytes);
    body.push(0);
    assert!(matches!(
        fault(&file(&header, &body)),
        FileFault::Trailing {
            expected: 0,
            found: 1
        }
    ));
    assert!(matches!(fault(&file(b"{}", &body)), FileFault::Header(_)));
    let nested = "[".repeat(100_000);
    assert!(matches!(
        fault(&file(nested.as_bytes(), &body)),
        FileFault::Header(_)
    ));
}

/// The header as text, with one thing replaced by another.
fn edited(header: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(header.to_vec()).unwrap();
    assert!(text.contains(from), "no {from} in {text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn hostile_headers_are_refused_before_memory_is_taken() {
    let (header, body) = parts(&CompressedNetwork::new(small(0.9)).to_bytes().unwrap());
    let with = |from: &str, to: &str| {
        CompressedNetwork::from_bytes(&file(&edited(&header, from, to), &body))
    };
    let units = "\"units\":8";
    for huge in ["4000000000", "18446744073709551615", "1000000000000"] {
        let error = with(units, &format!("\"units\":{huge}")).unwrap_err();
        assert!(
            matches!(
                error,
                Error::File(FileFault::Expansion { .. }) | Error::Network(_)
            ),
            "{error}"
        );
    }
    assert!(with(units, "\"units\":0").is_err());
    assert!(with(units, "\"units\":9").is_err());
    assert!(matches!(
        with("dense.kernel", "dense.kernal"),
        Err(Error::File(FileFault::SegmentName { .. }))
    ));
    assert!(matches!(
        with("\"padding\":0", "\"padding\":18446744073709551615"),
        Err(Error::File(_))
    ));
    let listed = "{\"name\":\"dense.kernel\",\"elements\":{\"kept\":";
    let all = with(listed, &format!("{listed}1"));
    assert!(all.is_err());
    let more = with(listed, &format!("{listed}99999999"));
    assert!(
        matches!(more, Err(Error::File(FileFault::TooManyElements { .. }))),
        "{more:?}"
    );
}

#[test]
fn a_network_of_nothing_but_zeros_is_read_again() {
    let mut network = Sequential::rows(600).dense(600).build(Seed(7)).unwrap();
    HardThreshold::to_sparsity(1.0).prune(&mut network).unwrap();
    let bytes = CompressedNetwork::new(network.clone()).to_bytes().unwrap();
    assert!(bytes.len() < 5_000);
    assert!(same(
        CompressedNetwork::from_bytes(&bytes).unwrap().network(),
        &network
    ));

    let mut larger = Sequential::rows(3000).dense(3000).build(Seed(7)).unwrap();
    HardThreshold::to_sparsity(1.0).prune(&mut larger).unwrap();
    let bytes = CompressedNetwork::new(larger.clone()).to_bytes().unwrap();
    assert!(bytes.len() >= larger.parameters().len() * 4 / 1024);
    assert!(same(
        CompressedNetwork::from_bytes(&bytes).unwrap().network(),
        &larger
    ));
}

proptest! {
    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(CompressedNetwork::from_bytes(&bytes).is_err());
        prop_assert!(CompressedNetwork::from_bytes(&file(&bytes, &bytes)).is_err());
    }

    #[test]
    fn random_bodies_are_refused_or_read(noise in prop::collection::vec(any::<u8>(), 1..60), at: prop::sample::Index, sparsity in 0.0_f64..=1.0) {
        let (header, mut body) = parts(&CompressedNetwork::new(small(sparsity)).to_bytes().unwrap());
        let start = at.index(body.len());
        for (byte, noise) in body[start..].iter_mut().zip(noise) {
            *byte = noise;
        }
        if let Ok(read) = CompressedNetwork::from_bytes(&file(&header, &body)) {
            // Other numbers, but a network all the same: it can be written and read again.
            let bytes = read.to_bytes().unwrap();
            prop_assert!(same(CompressedNetwork::from_bytes(&bytes).unwrap().network(), read.network()));
        }
    }

    #[test]
    fn damaged_headers_are_refused_or_read(noise in prop::collection::vec(any::<u8>(), 1..4), at: prop::sample::Index) {
        let (mut header, body) = parts(&CompressedNetwork::new(small(0.9)).to_bytes().unwrap());
        let start = at.index(header.len());
        for (byte, noise) in header[start..].iter_mut().zip(noise) {
            *byte = noise;
        }
        let _ = CompressedNetwork::from_bytes(&file(&header, &body));
    }

    #[test]
    fn masks_and_weights_round_trip(weights in prop::collection::vec(prop_oneof![Just(0.0_f32), prop::num::f32::ANY], 300..301), keep in prop::collection::vec(any::<bool>(), 300..301), masked: bool) {
        let mut network = Sequential::rows(20).dense(15).build(Seed(7)).unwrap();
        network.segment_mut("dense.kernel").unwrap().iter_mut().zip(weights).for_each(|(to, from)| *to = from);
        if masked {
            network.set_mask("dense.kernel", Mask::from_fn(300, |position| keep[position])).unwrap();
        }
        let bytes = CompressedNetwork::new(network.clone()).to_bytes().unwrap();
        prop_assert!(same(CompressedNetwork::from_bytes(&bytes).unwrap().network(), &network));
    }
}
