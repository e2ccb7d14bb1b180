//! One epoch of training for each workload, on one thread and on all.
//!
//! `cargo bench --bench train`. The peers stand in `peers/run.py`, which trains the same workloads with Keras, JAX and
//! PyTorch.

mod workloads;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use maas_kernels::Parallelism;

fn epoch(c: &mut Criterion) {
    let available = Parallelism::available();
    for workload in workloads::ALL {
        let data = workload.data();
        let mut group = c.benchmark_group(format!("train one epoch/{}", workload.name));
        group.throughput(Throughput::Elements(workload.rows as u64));
        // An epoch of the last one takes a second.
        let samples = if workload.rows * workload.widths[1] < 1 << 22 {
            50
        } else {
            10
        };
        group
            .warm_up_time(Duration::from_secs(1))
            .measurement_time(Duration::from_secs(5))
            .sample_size(samples);
        for threads in [Parallelism::single(), available] {
            let trainer = workload.trainer().epochs(1).parallelism(threads);
            let mut network = workload.network(&data);
            let id = BenchmarkId::from_parameter(format!("{} threads", threads.get()));
            group.bench_function(id, |b| {
                b.iter(|| {
                    trainer
                        .fit(&mut network, &data)
                        .expect("the loss stays finite")
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, epoch);
criterion_main!(benches);
