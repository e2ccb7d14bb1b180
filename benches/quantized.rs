//! Products of 8-bit codes beside those of `f32`, on one thread: three layers at batches of 1, 16 and 64, inputs of both signs and,
//! as behind a relu, not negative. The weights of the layers lie in the second cache, in the third, and in memory.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use maas_kernels::{Epilogue, InputScale, Int8Matrix, Kernels, Matrix, MatrixMut, Parallelism};

fn numbers(len: usize, factor: usize) -> Vec<f32> {
    (0..len)
        .map(|i| (i * factor % 1000) as f32 / 1000.0 - 0.5)
        .collect()
}

fn products(c: &mut Criterion) {
    let (set, single) = (Kernels::best(), Parallelism::single());
    for (k, n) in [(784, 300), (1024, 1024), (4096, 4096)] {
        let (w, bias) = (numbers(k * n, 104_729), numbers(n, 31));
        let w = Matrix::new(&w, k, n);
        let mut codes = Int8Matrix::quantize(w).expect("finite weights");
        let mut group = c.benchmark_group(format!("int8 {k} by {n}"));
        group
            .measurement_time(Duration::from_secs(1))
            .warm_up_time(Duration::from_millis(300))
            .sample_size(20);
        for m in [1, 16, 64] {
            let signed = numbers(m * k, 7919);
            let positive: Vec<f32> = signed.iter().map(|x| x.max(0.0)).collect();
            let mut y = vec![0.0; m * n];
            group.throughput(Throughput::Elements((m * k * n) as u64));
            let epilogue = || Epilogue {
                bias: Some(&bias),
                ..Epilogue::default()
            };
            group.bench_function(format!("{m}/f32"), |bencher| {
                bencher.iter(|| {
                    let (a, y) = (Matrix::new(&signed, m, k), MatrixMut::new(&mut y, m, n));
                    set.matmul(black_box(a), w, y, epilogue(), single);
                });
            });
            for (name, x) in [("int8", &signed), ("int8 behind a relu", &positive)] {
                group.bench_function(format!("{m}/{name}"), |bencher| {
                    bencher.iter(|| {
                        let (a, y) = (Matrix::new(x, m, k), MatrixMut::new(&mut y, m, n));
                        let scale = InputScale::PerRow;
                        set.matmul_int8(black_box(a), scale, &codes, y, epilogue(), single);
                    });
                });
            }
        }
        group.throughput(Throughput::Elements((k * n) as u64));
        group.bench_function("weights to codes", |bencher| {
            bencher.iter(|| codes.requantize(black_box(w)));
        });
        group.finish();
    }
}

criterion_group!(benches, products);
criterion_main!(benches);
