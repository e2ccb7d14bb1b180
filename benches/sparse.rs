//! Products with a sparse right operand beside the dense product, on one thread, at the shapes of layers. Zeros are
//! random and in no pattern.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use maas_core::Seed;
use maas_kernels::{Buffer, Epilogue, Kernels, Matrix, MatrixMut, Parallelism, SparseMatrix};

/// A sequence of numbers that fill 32 bits, and how many have been drawn.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 += 1;
        (Seed(1).derive(self.0).0 >> 32) as u32
    }

    /// Numbers of which so many percent are zeros.
    fn buffer(&mut self, len: usize, zeros: u32) -> Buffer {
        let mut buffer = Buffer::zeroed(len);
        for x in buffer.iter_mut() {
            if self.next() % 100 >= zeros {
                *x = (self.next() as f32 / u32::MAX as f32 - 0.5) / 8.0;
            }
        }
        buffer
    }
}

/// A layer with a bias and relu.
fn layers(criterion: &mut Criterion) {
    let kernels = Kernels::best();
    let mut numbers = Numbers(0);
    for (k, n) in [(784, 300), (1024, 1024), (4096, 4096)] {
        let bias = numbers.buffer(n, 0);
        let epilogue = || Epilogue {
            bias: Some(&bias),
            activation: maas_kernels::Activation::Relu,
            ..Epilogue::default()
        };
        let weights = [0, 50, 80, 90, 95].map(|zeros| {
            let dense = numbers.buffer(k * n, zeros);
            let sparse = SparseMatrix::new(Matrix::new(&dense, k, n));
            (zeros, dense, sparse)
        });
        for m in [1, 16, 64] {
            let (x, mut y) = (numbers.buffer(m * k, 0), Buffer::zeroed(m * n));
            let x = Matrix::new(&x, m, k);
            let single = Parallelism::single();
            let mut group = criterion.benchmark_group(format!("{k}x{n}, batch {m}"));
            group
                .warm_up_time(Duration::from_millis(100))
                .measurement_time(Duration::from_millis(500))
                .sample_size(20)
                .nresamples(2000);
            if k * n * m > 1 << 27 {
                group.sampling_mode(criterion::SamplingMode::Flat);
            }
            let w = Matrix::new(&weights[0].1, k, n);
            group.bench_function("dense", |bencher| {
                bencher.iter(|| {
                    let y = MatrixMut::new(&mut y, m, n);
                    kernels.matmul(black_box(x), w, y, epilogue(), single);
                });
            });
            for (zeros, _, w) in &weights {
                group.bench_with_input(BenchmarkId::new("sparse", zeros), w, |bencher, w| {
                    bencher.iter(|| {
                        let y = MatrixMut::new(&mut y, m, n);
                        kernels.matmul_sparse(black_box(x), w, y, epilogue(), single);
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group!(benches, layers);
criterion_main!(benches);
