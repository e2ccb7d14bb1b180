//! One epoch of training: W1 (batches of 32, many small steps) and W2 (batches of 1024), the article's network.
//!
//! The peers stand in `peers/run.py`, which trains the same ten epochs with Keras and JAX.

mod workloads;

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn epoch(c: &mut Criterion) {
    let data = workloads::data();
    let mut group = c.benchmark_group("train one epoch");
    group.throughput(Throughput::Elements(workloads::ROWS as u64));
    group
        .measurement_time(Duration::from_secs(8))
        .sample_size(50);
    for (name, batch) in [("W1, batch 32", 32), ("W2, batch 1024", 1024)] {
        let trainer = workloads::trainer(batch, 1);
        let mut network = workloads::network(&data);
        group.bench_function(name, |b| {
            b.iter(|| {
                trainer
                    .fit(&mut network, &data)
                    .expect("the loss stays finite")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, epoch);
criterion_main!(benches);
