//! The file of a compressed network of 784-300-100-10: how many bits a weight that is not zero takes, against the entropy of
//! positions and values, and how long writing and reading take.
//!
//! `cargo bench --bench file`.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;

use criterion::{Criterion, criterion_group, criterion_main};
use maas_compress::{CompressedNetwork, HardThreshold, Prune};
use maas_core::Seed;
use maas_nn::{Network, Role, Sequential};

/// What is done to the weights that are left.
#[derive(Clone, Copy, Debug)]
enum Values {
    /// Nothing.
    Full,
    /// They become one of 16 numbers.
    Clustered,
    /// They become whole multiples of a scale of their column, up to 127 of them.
    Grid,
}

fn network(sparsity: f64, values: Values) -> Network {
    let layers = Sequential::rows(784)
        .dense(300)
        .relu()
        .dense(100)
        .relu()
        .dense(10);
    let mut network = layers.build(Seed(7)).expect("it is sound");
    for (at, weight) in network.parameters_mut().iter_mut().enumerate() {
        // Initial weights are even between two bounds; trained ones are mostly small.
        let random = (Seed(7).derive(at as u64).0 >> 40) as f32 / (1 << 24) as f32;
        *weight *= random.powi(2);
    }
    HardThreshold::to_sparsity(sparsity)
        .prune(&mut network)
        .expect("weights are finite");
    for segment in network.segments().to_vec() {
        let weights = &mut network.parameters_mut()[segment.range];
        let largest = |column: usize, columns: usize| {
            let weights = weights.iter().skip(column).step_by(columns);
            weights.fold(0.0_f32, |largest, weight| largest.max(weight.abs()))
        };
        let columns = segment.shape[segment.shape.len() - 1];
        let step = |column: usize| match values {
            Values::Full => 0.0,
            Values::Clustered => largest(0, 1) / 8.0,
            Values::Grid => {
                let step = largest(column, columns) / 127.0;
                f32::from_bits((step.to_bits() + 0xff) & !0xff)
            }
        };
        let steps: Vec<f32> = (0..columns).map(step).collect();
        for (at, weight) in weights.iter_mut().enumerate() {
            let step = steps[at % columns];
            if step > 0.0 && *weight != 0.0 {
                *weight = match values {
                    Values::Clustered => ((*weight / step).floor() + 0.5) * step,
                    _ => (*weight / step).round_ties_even() * step + 0.0,
                };
            }
        }
    }
    network
}

/// Bits that the weights' positions and values take where each is drawn on its own from its segment's distribution.
fn entropy(network: &Network) -> f64 {
    let weights = network
        .segments()
        .iter()
        .filter(|segment| segment.role == Role::Weight);
    let bits = weights.map(|segment| {
        let mut counts = BTreeMap::new();
        for weight in &network.parameters()[segment.range.clone()] {
            *counts.entry(weight.to_bits()).or_insert(0.0_f64) += 1.0;
        }
        let total = segment.range.len() as f64;
        counts
            .values()
            .map(|count| count * (total / count).log2())
            .sum::<f64>()
    });
    bits.sum()
}

fn file(c: &mut Criterion) {
    let dense = network(0.0, Values::Full).to_bytes().len();
    println!("weights   sparsity     bytes   of dense   bits a weight   entropy");
    for values in [Values::Full, Values::Clustered, Values::Grid] {
        for sparsity in [0.0, 0.9, 0.95, 0.98] {
            let network = network(sparsity, values);
            let left = network.parameters().iter().filter(|&&weight| weight != 0.0);
            let (left, entropy) = (left.count() as f64, entropy(&network));
            let bytes = CompressedNetwork::new(network)
                .expect("its weights are finite")
                .to_bytes()
                .expect("it is written");
            println!(
                "{:9} {sparsity:8} {:9} {:10.1} {:15.2} {:9.2}",
                format!("{values:?}"),
                bytes.len(),
                dense as f64 / bytes.len() as f64,
                8.0 * bytes.len() as f64 / left,
                entropy / left,
            );
        }
    }
    let mut group = c.benchmark_group("file");
    group.sample_size(10);
    for (name, sparsity, values) in [
        ("dense", 0.0, Values::Full),
        ("dense grid", 0.0, Values::Grid),
        ("sparse and clustered", 0.95, Values::Clustered),
    ] {
        let compressed =
            CompressedNetwork::new(network(sparsity, values)).expect("its weights are finite");
        let bytes = compressed.to_bytes().expect("it is written");
        group.bench_function(format!("{name}/write"), |b| {
            b.iter(|| compressed.to_bytes());
        });
        group.bench_function(format!("{name}/read"), |b| {
            b.iter(|| CompressedNetwork::from_bytes(&bytes));
        });
    }
    group.finish();
}

criterion_group!(benches, file);
criterion_main!(benches);
