//! Losses with their gradients beside what memory gives (y ← y + x, which reads two slices and writes one), and metrics beside
//! the forward pass whose answers they judge.
//!
//!     cargo bench -p benches --bench losses

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maas_core::Seed;
use maas_kernels::Kernels;
use maas_nn::metric::{Accuracy, ClassAverage, F1, Metric, MetricBatch, RocAuc, TopK};
use maas_nn::{
    BinaryCrossEntropy, CategoricalCrossEntropy, CategoricalHinge, Hinge, Huber, KullbackLeibler,
    LogCosh, Loss, LossBatch, MeanAbsoluteError, MeanSquaredError, Poisson, Sequential, Targets,
};
use ndarray::Array2;

/// 12 MB of predictions, targets and gradient: beyond the caches near a core.
const ELEMENTS: usize = 1 << 20;
const CLASSES: usize = 10;
const ROWS: usize = 4096;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let number = |i: u64| (Seed(seed).derive(i).0 >> 40) as f32 / 16_777_216.0;
    (0..count as u64).map(number).collect()
}

fn losses(criterion: &mut Criterion) {
    let (p, t) = (numbers(ELEMENTS, 1), numbers(ELEMENTS, 2));
    let signs: Vec<f32> = t
        .iter()
        .map(|t| if *t < 0.5 { -1.0 } else { 1.0 })
        .collect();
    let weights = numbers(ELEMENTS / 8, 3);
    let mut gradient = vec![0.0; ELEMENTS];
    let mut group = criterion.benchmark_group("losses");
    group.throughput(Throughput::Bytes(3 * 4 * ELEMENTS as u64));
    group.bench_function("memory: y ← y + x", |bencher| {
        bencher.iter(|| Kernels::best().add(&p, black_box(&mut gradient)));
    });
    let all: [(&dyn Loss, &[f32]); 8] = [
        (&MeanSquaredError, &t),
        (&MeanAbsoluteError, &t),
        (&Huber::default(), &t),
        (&LogCosh, &t),
        (&BinaryCrossEntropy, &t),
        (&KullbackLeibler, &t),
        (&Poisson, &t),
        (&Hinge, &signs),
    ];
    for (loss, targets) in all {
        let batch = LossBatch::new(&p, Targets::Values(targets), ELEMENTS / 8);
        let batch = batch.expect("as many targets as predictions");
        group.bench_function(loss.name(), |bencher| {
            bencher.iter(|| loss.evaluate(&batch, Some(black_box(&mut gradient))));
        });
    }
    let batch = LossBatch::new(&p, Targets::Values(&t), ELEMENTS / 8);
    let batch = batch.and_then(|batch| batch.weights(Some(&weights)));
    let batch = batch.expect("a weight a row");
    group.bench_function("mean_squared_error, weighted", |bencher| {
        bencher.iter(|| MeanSquaredError.evaluate(&batch, Some(black_box(&mut gradient))));
    });
    group.finish();
}

fn classes(criterion: &mut Criterion) {
    let p = numbers(ROWS * CLASSES, 1);
    let labels: Vec<u32> = (0..ROWS as u32)
        .map(|row| row * 7 % CLASSES as u32)
        .collect();
    let mut gradient = vec![0.0; ROWS * CLASSES];
    let mut group = criterion.benchmark_group("classes");
    group.throughput(Throughput::Elements(ROWS as u64));
    let batch = LossBatch::new(&p, Targets::Labels(&labels), ROWS).expect("a label a row");
    let smoothed = CategoricalCrossEntropy.label_smoothing(0.1);
    let all: [(&str, &dyn Loss); 3] = [
        ("categorical_cross_entropy", &CategoricalCrossEntropy),
        ("categorical_cross_entropy, smoothed", &smoothed),
        ("categorical_hinge", &CategoricalHinge),
    ];
    for (name, loss) in all {
        group.bench_function(name, |bencher| {
            bencher.iter(|| loss.evaluate(&batch, Some(black_box(&mut gradient))));
        });
    }

    let metrics: [Box<dyn Metric>; 4] = [
        Box::new(Accuracy),
        Box::new(TopK::new(3)),
        Box::new(F1::new(ClassAverage::Macro)),
        Box::new(RocAuc),
    ];
    let batch = MetricBatch::new(&p, Targets::Labels(&labels), CLASSES);
    for metric in metrics {
        let mut accumulators = vec![0.0; metric.accumulators(CLASSES)];
        group.bench_function(metric.name(), |bencher| {
            bencher.iter(|| metric.update(black_box(&batch), &mut accumulators));
        });
    }
    let network = Sequential::rows(64)
        .dense(32)
        .relu()
        .dense(CLASSES)
        .softmax();
    let network = network.build(Seed(7)).expect("widths fit");
    let x = Array2::from_shape_vec((ROWS, 64), numbers(ROWS * 64, 4)).expect("rows × features");
    group.bench_function("forward pass of 64-32-10", |bencher| {
        bencher.iter(|| network.predict(black_box(&x)));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(20);
    targets = losses, classes
}
criterion_main!(benches);
