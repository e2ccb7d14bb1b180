//! w ← w − λ·sign(w) and its kin over 64 MiB of weights, beside a copy of so many bytes: each reads and writes all.
//!
//! `cargo bench --bench shrink`, one thread.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maas_kernels::Kernels;

fn passes(c: &mut Criterion) {
    let kernels = Kernels::best();
    let weights = 1 << 24;
    let mut w: Vec<f32> = (0..weights).map(|i| (i % 97) as f32 - 48.0).collect();
    let mut to = w.clone();
    let mask = vec![0x5555_5555_5555_5555_u64; weights / 64];
    let mut group = c.benchmark_group("64 MiB");
    group
        .throughput(Throughput::Bytes(8 * weights as u64))
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(5));
    group.bench_function("copy", |b| {
        b.iter(|| to.copy_from_slice(black_box(&w)));
    });
    // So small a λ that no weight becomes zero, however many passes there are.
    let lambda = black_box(1e-9);
    group.bench_function("soft threshold", |b| {
        b.iter(|| kernels.soft_threshold(&mut w, lambda));
    });
    group.bench_function("sign step", |b| {
        b.iter(|| kernels.sign_step(&mut w, lambda));
    });
    group.bench_function("mask", |b| {
        b.iter(|| kernels.apply_mask(&mut w, &mask));
    });
    group.finish();
}

criterion_group!(benches, passes);
criterion_main!(benches);
