//! Matrix-vector products beside reading the matrix once: a batch of one row, and a layer with one unit, on one thread.
//!
//! `cargo bench --bench vector`. The three sizes of W lie in the second cache, in the third, and in memory.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maas_kernels::{Epilogue, Kernels, Matrix, MatrixMut, PanelMatrix, Parallelism};

fn products(c: &mut Criterion) {
    let kernels = Kernels::best();
    for side in [128, 1024, 4096] {
        let numbers = |len: usize| -> Vec<f32> { (0..len).map(|i| (i % 97) as f32).collect() };
        let (w, x, mut y) = (numbers(side * side), numbers(side), vec![0.0; side]);
        let mut group = c.benchmark_group(format!("{side} by {side}"));
        group
            .throughput(Throughput::Bytes((4 * side * side) as u64))
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        group.bench_function("sum of W", |b| b.iter(|| kernels.sum(black_box(&w))));
        let mut multiply = |name: &str, a: Matrix<'_>, b: Matrix<'_>| {
            let (m, n) = (a.rows(), b.columns());
            group.bench_function(name, |bencher| {
                bencher.iter(|| {
                    let y = MatrixMut::new(&mut y, m, n);
                    let single = Parallelism::single();
                    kernels.matmul(black_box(a), black_box(b), y, Epilogue::default(), single);
                });
            });
        };
        let (matrix, row) = (Matrix::new(&w, side, side), Matrix::new(&x, 1, side));
        multiply("x·W", row, matrix);
        multiply("x·Wᵀ", row, matrix.transposed());
        multiply("W·x", matrix, row.transposed());
        multiply("Wᵀ·x", matrix.transposed(), row.transposed());
        let panels = PanelMatrix::new(matrix);
        group.bench_function("x·W in panels", |bencher| {
            bencher.iter(|| {
                let y = MatrixMut::new(&mut y, 1, side);
                let single = Parallelism::single();
                kernels.matmul_panels(row, black_box(&panels), y, Epilogue::default(), single);
            });
        });
        group.finish();
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
