//! One step of each chain beside a copy that moves as many bytes, on one thread, in the second-level cache, in the third
//! and in memory.
//!
//! A step has to read parameters and gradients, to read and write each buffer of state, and to write the parameters; a
//! global norm reads the gradients once more. The copy reads one half of as many bytes and writes the other half.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use maas_core::Seed;
use maas_kernels::Parallelism;
use maas_nn::{Network, Reduces, Sequential};
use maas_train::{
    Adagrad, Adam, AdamW, AmsGrad, AverageWeights, Chain, ClipByGlobalNorm, ClipByValue,
    DecayWeights, GradientDescent, Lion, LookAhead, Momentum, Nadam, Optimizer, ProximalL1,
    RmsProp, ScaleByAdam, Sgd,
};

/// Rows and columns of the one kernel: 64 KiB, 1 MiB and 16 MiB of parameters.
const SIZES: [(&str, usize, usize); 3] = [
    ("16 Ki", 128, 127),
    ("256 Ki", 512, 511),
    ("4 Mi", 2048, 2047),
];

fn chains() -> Vec<(&'static str, Chain)> {
    let rate = 1e-6;
    let adam = || Chain::new(rate).then(ScaleByAdam::default());
    vec![
        ("gradient descent", GradientDescent::new(rate).into()),
        ("momentum", Sgd::new(rate).momentum(0.9).into()),
        ("nesterov", Sgd::new(rate).momentum(0.9).nesterov().into()),
        ("adam", Adam::new(rate).into()),
        ("adamw", AdamW::new(rate).into()),
        ("amsgrad", AmsGrad::new(rate).into()),
        ("nadam", Nadam::new(rate).into()),
        ("rmsprop", RmsProp::new(rate).into()),
        (
            "rmsprop centred, momentum",
            RmsProp::new(rate).centered().momentum(0.9).into(),
        ),
        ("adagrad", Adagrad::new(rate).into()),
        ("lion", Lion::new(rate).into()),
        (
            "clip by value, adam",
            Chain::new(rate)
                .then(ClipByValue::new(0.5))
                .then(ScaleByAdam::default()),
        ),
        (
            "clip by global norm, adam",
            Chain::new(rate)
                .then(ClipByGlobalNorm::new(1.0))
                .then(ScaleByAdam::default()),
        ),
        (
            "clip by global norm, momentum, decay",
            Chain::new(rate)
                .then(ClipByGlobalNorm::new(1.0))
                .then(Momentum::new(0.9))
                .then(DecayWeights::new(1e-4)),
        ),
        ("adam, proximal L1", adam().then(ProximalL1::new(1e-3))),
        ("adam, average", adam().then(AverageWeights::default())),
        ("adam, look-ahead", adam().then(LookAhead::default())),
        (
            "clip by global norm, adamw, proximal L1, average",
            Chain::new(rate)
                .then(ClipByGlobalNorm::new(1.0))
                .then(ScaleByAdam::default())
                .then(DecayWeights::new(0.004))
                .then(ProximalL1::new(1e-3))
                .then(AverageWeights::default()),
        ),
    ]
}

/// Floats that a step has to move for each parameter.
fn floats(chain: &Chain) -> u64 {
    let links = chain.links().iter();
    links.fold(3, |floats, link| {
        floats + 2 * link.buffers() as u64 + u64::from(link.reduces() != Reduces::Nothing)
    })
}

fn network(rows: usize, columns: usize) -> Network {
    Sequential::rows(rows)
        .dense(columns)
        .build(Seed(7))
        .expect("a dense layer")
}

fn steps(c: &mut Criterion) {
    for (size, rows, columns) in SIZES {
        let mut group = c.benchmark_group(format!("optimizer, {size} parameters"));
        group
            .measurement_time(Duration::from_millis(300))
            .warm_up_time(Duration::from_millis(100))
            .sample_size(10);
        let mut network = network(rows, columns);
        let length = network.parameters().len();
        let gradient: Vec<f32> = (0..length)
            .map(|i| (i * 7919 % 1000) as f32 / 1e5 - 0.005)
            .collect();
        let chains = chains();
        let mut amounts: Vec<u64> = chains.iter().map(|(_, chain)| floats(chain)).collect();
        amounts.sort_unstable();
        amounts.dedup();
        for floats in amounts {
            let bytes = 4 * floats * length as u64;
            let from = vec![1_u8; bytes as usize / 2];
            let mut to = from.clone();
            group.throughput(Throughput::Bytes(bytes));
            group.bench_function(BenchmarkId::new("copy", format!("{floats} floats")), |b| {
                b.iter(|| to.copy_from_slice(black_box(&from)));
            });
        }
        for (name, chain) in chains {
            let floats = floats(&chain);
            group.throughput(Throughput::Bytes(4 * floats * length as u64));
            let mut optimizer = Optimizer::new(chain, &network)
                .expect("a chain that makes sense")
                .parallelism(Parallelism::single());
            let mut update = gradient.clone();
            let name = format!("{name} ({floats} floats)");
            group.bench_function(BenchmarkId::new("step", name), |b| {
                b.iter(|| {
                    optimizer
                        .step(&mut network, black_box(&mut update))
                        .expect("a gradient of the network's length");
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
