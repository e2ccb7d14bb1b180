//! What a file takes, against what its content could take at best.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::BTreeMap;

use maas_compress::CompressedNetwork;
use maas_core::Seed;
use maas_nn::{Network, Sequential};

/// A layer whose weights are made of their positions and numbers drawn between 0 and 1.
fn network(inputs: usize, units: usize, mut weight: impl FnMut(usize, f32) -> f32) -> Network {
    let mut network = Sequential::rows(inputs)
        .dense(units)
        .build(Seed(7))
        .unwrap();
    let weights = network.segment_mut("dense.kernel").unwrap();
    for (at, value) in weights.into_iter().enumerate() {
        let random = Seed(7).derive(at as u64).0 >> 40;
        *value = weight(at, random as f32 / (1 << 24) as f32);
    }
    network
}

fn size(network: &Network) -> f64 {
    let bytes = CompressedNetwork::new(network.clone())
        .unwrap()
        .to_bytes()
        .unwrap();
    let again = CompressedNetwork::from_bytes(&bytes).unwrap();
    assert_eq!(again.network().fingerprint(), network.fingerprint());
    assert!(bytes.len() < network.to_bytes().len());
    bytes.len() as f64
}

/// Bytes that the weights take at best where each is drawn on its own from their distribution.
fn entropy(network: &Network) -> f64 {
    let mut counts = BTreeMap::new();
    let weights = network.segment("dense.kernel").unwrap();
    for weight in &weights {
        *counts.entry(weight.to_bits()).or_insert(0.0_f64) += 1.0;
    }
    let total = weights.len() as f64;
    let bits: f64 = counts
        .values()
        .map(|count| count * (total / count).log2())
        .sum();
    bits / 8.0
}

#[test]
fn sixteen_weights_among_zeros_take_their_entropy() {
    let network = network(400, 300, |_, random| match random {
        0.95.. => (((random - 0.95) * 320.0).powi(2) / 16.0).floor() * 0.01 + 0.02,
        _ => 0.0,
    });
    let (size, entropy) = (size(&network), entropy(&network));
    assert!(size < 1.05 * entropy, "{size} bytes for {entropy}");
}

#[test]
fn a_sparse_network_takes_its_positions_and_its_mantissas() {
    let network = network(200, 100, |_, random| match random {
        0.9.. => random * 1.37,
        _ => 0.0,
    });
    // Of all weights in one binade the mantissas alone are needed.
    let positions = 20_000.0 * (0.1 * 10_f64.log2() + 0.9 * (1.0 / 0.9_f64).log2()) / 8.0;
    let best = positions + 2_000.0 * 23.0 / 8.0;
    let size = size(&network);
    assert!(size < 1.03 * best, "{size} bytes for {best}");
}

#[test]
fn weights_on_a_grid_take_their_codes_and_a_scale_a_column() {
    let scale = |column: usize| f32::from_bits((column as f32 * 0.013 + 0.2).to_bits() & !0xff);
    let code = |at: usize, random: f32| match at {
        0..100 => 127.0,
        _ => (random * 255.0).floor() - 127.0,
    };
    let codes = network(200, 100, code);
    let kernel = network(200, 100, |at, random| code(at, random) * scale(at % 100));
    let (size, entropy) = (size(&kernel), entropy(&codes));
    assert!(
        size < 1.02 * entropy + 3.0 * 100.0,
        "{size} bytes for {entropy}"
    );
}

#[test]
fn half_precision_takes_half_as_many_bytes_or_fewer() {
    for unused in [13, 16] {
        let network = network(100, 100, |_, random| {
            f32::from_bits((random - 0.5).to_bits() >> unused << unused)
        });
        let size = size(&network);
        assert!(
            size < 10_000.0 * (32.0 - f64::from(unused) - 4.0) / 8.0,
            "{size} bytes"
        );
    }
}

#[test]
fn rows_and_columns_of_zeros_take_next_to_nothing() {
    let filled = |rows: usize, columns: usize| {
        network(784, 300, |at, random| match (at / 300, at % 300) {
            (row, column) if row % 28 < rows && column % 30 < columns => random,
            _ => 0.0,
        })
    };
    let (part, whole) = (size(&filled(4, 3)), size(&filled(28, 30)));
    let rows_and_columns = (784.0 + 300.0) / 8.0;
    assert!(
        part < whole * (4.0 * 3.0) / (28.0 * 30.0) + rows_and_columns,
        "{part} of {whole}"
    );
}
