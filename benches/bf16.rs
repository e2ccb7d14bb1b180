//! Products of bf16 operands beside those of `f32` operands, on one thread, at a layer of 1024 units and a batch of 256, in the three
//! forms of training. `tiny` has operands so near to zero that subnormal sums must be watched for.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maas_kernels::{Bf16, Bf16Matrix, Epilogue, Kernels, Matrix, MatrixMut, Parallelism};

const M: usize = 256;
const K: usize = 1024;
const N: usize = 1024;

fn numbers(len: usize, factor: usize, scale: f32) -> Vec<f32> {
    (0..len)
        .map(|i| ((i * factor % 1000) as f32 / 1000.0 - 0.5) * scale)
        .collect()
}

fn products(c: &mut Criterion) {
    let set = Kernels::best();
    let mut group = c.benchmark_group("bf16");
    group
        .measurement_time(Duration::from_secs(2))
        .warm_up_time(Duration::from_millis(300))
        .sample_size(20)
        .throughput(Throughput::Elements((2 * M * K * N) as u64));
    let (a, b) = (numbers(M * K, 7919, 1.0), numbers(K * N, 104_729, 1.0));
    let mut y = vec![0.0; M * N];
    for (form, a_turned, b_turned) in [
        ("forward", false, false),
        ("input gradient", false, true),
        ("weight gradient", true, false),
    ] {
        let narrow = |x: &[f32]| x.iter().map(|&x| Bf16::from_f32(x)).collect::<Vec<_>>();
        group.bench_function(format!("f32/{form}"), |bencher| {
            let view = |x, rows, columns, turned| {
                if turned {
                    Matrix::new(x, columns, rows).transposed()
                } else {
                    Matrix::new(x, rows, columns)
                }
            };
            let (a, b) = (view(&a, M, K, a_turned), view(&b, K, N, b_turned));
            bencher.iter(|| {
                set.matmul(
                    black_box(a),
                    black_box(b),
                    MatrixMut::new(&mut y, M, N),
                    Epilogue::default(),
                    Parallelism::single(),
                );
            });
        });
        for (name, scale) in [("bf16", 1.0), ("bf16 tiny", 1e-35)] {
            let tiny: Vec<f32> = a.iter().map(|x| x * scale).collect();
            let (a, b) = (narrow(&tiny), narrow(&b));
            let mut y = vec![0.0; M * N];
            group.bench_function(format!("{name}/{form}"), |bencher| {
                let view = |x, rows, columns, turned| {
                    if turned {
                        Bf16Matrix::new(x, columns, rows).transposed()
                    } else {
                        Bf16Matrix::new(x, rows, columns)
                    }
                };
                let (a, b) = (view(&a, M, K, a_turned), view(&b, K, N, b_turned));
                bencher.iter(|| {
                    set.matmul_bf16(
                        black_box(a),
                        black_box(b),
                        MatrixMut::new(&mut y, M, N),
                        Epilogue::default(),
                        Parallelism::single(),
                    );
                });
            });
        }
    }
    group.finish();
    let mut group = c.benchmark_group("conversion");
    group.throughput(Throughput::Elements((K * N) as u64));
    let mut narrow = vec![Bf16::default(); K * N];
    group.bench_function("f32 to bf16", |bencher| {
        bencher.iter(|| set.narrow_bf16(black_box(&b), &mut narrow));
    });
    group.finish();
}

criterion_group!(benches, products);
criterion_main!(benches);
