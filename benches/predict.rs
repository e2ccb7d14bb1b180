//! What an answer costs: the networks of the workloads, a row at a time and in batches, on one thread and on all.
//!
//! `cargo bench --bench predict`.

#[expect(dead_code, reason = "benches of training use the rest")]
mod workloads;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use maas_core::Values;
use maas_nn::{Compute, Mode, Parallelism, Plan, PlanOptions};

fn predict(c: &mut Criterion) {
    for workload in [workloads::W1, workloads::W4] {
        let data = workload.data();
        let network = workload.network(&data);
        let x = data.x();
        let x = x.as_slice().expect("rows lie one after another");
        let mut group = c.benchmark_group(format!("predict/{}", workload.name));
        group
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        for rows in [1, 32, 1024] {
            group.throughput(Throughput::Elements(rows as u64));
            for parallelism in [Parallelism::single(), Parallelism::available()] {
                let compute = Compute {
                    parallelism,
                    ..Compute::default()
                };
                let options = PlanOptions::infer(rows).compute(compute);
                let mut plan = Plan::new(&network, options).expect("there is memory");
                let part = Values::F32(&x[..rows * workload.widths[0]]);
                let id = BenchmarkId::new(format!("{} threads", parallelism.get()), rows);
                group.bench_function(id, |b| {
                    b.iter(|| {
                        plan.set_input(0, rows, part).expect("it fits");
                        plan.forward(rows, &network, Mode::Infer).expect("it runs");
                        plan.output()[0]
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, predict);
criterion_main!(benches);
