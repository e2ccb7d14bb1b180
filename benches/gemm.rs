//! Matrix products: ours beside the crates `gemm` and `matrixmultiply`, on one thread, at the shapes of training small
//! networks and at squares. Throughput counts multiply-adds as two operations, so Gelem/s reads as GFLOP/s.

#![allow(unsafe_code, reason = "the peers' interfaces are unsafe")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use maas_kernels::{Buffer, Epilogue, Kernels, Matrix, MatrixMut, Parallelism};

/// How the operands lie in memory.
#[derive(Clone, Copy)]
enum Form {
    /// A·B: a layer forward.
    Forward,
    /// A·Bᵀ: the gradient of a layer's input.
    InputGradient,
    /// Aᵀ·B: the gradient of a layer's weights.
    WeightGradient,
}

/// C[m × n] = A[m × k]·B[k × n].
struct Product {
    m: usize,
    k: usize,
    n: usize,
    form: Form,
    a: Buffer,
    b: Buffer,
    c: Buffer,
}

impl Product {
    fn new(m: usize, k: usize, n: usize, form: Form) -> Self {
        let filled = |len: usize, factor: usize| {
            let mut buffer = Buffer::zeroed(len);
            for (i, x) in buffer.iter_mut().enumerate() {
                *x = (i * factor % 1000) as f32 / 1000.0 - 0.5;
            }
            buffer
        };
        Self {
            m,
            k,
            n,
            form,
            a: filled(m * k, 7919),
            b: filled(k * n, 104_729),
            c: Buffer::zeroed(m * n),
        }
    }

    fn ours(&mut self) {
        let Self {
            m,
            k,
            n,
            form,
            a,
            b,
            c,
        } = self;
        let (m, k, n) = (*m, *k, *n);
        let a = match form {
            Form::WeightGradient => Matrix::new(a, k, m).transposed(),
            _ => Matrix::new(a, m, k),
        };
        let b = match form {
            Form::InputGradient => Matrix::new(b, n, k).transposed(),
            _ => Matrix::new(b, k, n),
        };
        let c = MatrixMut::new(c, m, n);
        Kernels::best().matmul(
            black_box(a),
            black_box(b),
            c,
            Epilogue::default(),
            Parallelism::single(),
        );
    }

    /// Row and column strides of A and B.
    fn strides(&self) -> [(isize, isize); 2] {
        let (m, k, n) = (self.m as isize, self.k as isize, self.n as isize);
        match self.form {
            Form::Forward => [(k, 1), (n, 1)],
            Form::InputGradient => [(k, 1), (1, k)],
            Form::WeightGradient => [(1, m), (n, 1)],
        }
    }

    fn gemm(&mut self) {
        let [(a_row, a_column), (b_row, b_column)] = self.strides();
        let Self {
            m, k, n, a, b, c, ..
        } = self;
        // SAFETY: the buffers hold m × k, k × n and m × n floats, which the strides do not leave.
        unsafe {
            gemm::gemm(
                *m,
                *n,
                *k,
                c.as_mut_ptr(),
                1,
                *n as isize,
                false,
                black_box(a.as_ptr()),
                a_column,
                a_row,
                black_box(b.as_ptr()),
                b_column,
                b_row,
                0.0f32,
                1.0f32,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    }

    fn matrixmultiply(&mut self) {
        let [(a_row, a_column), (b_row, b_column)] = self.strides();
        let Self {
            m, k, n, a, b, c, ..
        } = self;
        // SAFETY: the buffers hold m × k, k × n and m × n floats, which the strides do not leave.
        unsafe {
            matrixmultiply::sgemm(
                *m,
                *k,
                *n,
                1.0,
                black_box(a.as_ptr()),
                a_row,
                a_column,
                black_box(b.as_ptr()),
                b_row,
                b_column,
                0.0,
                c.as_mut_ptr(),
                *n as isize,
                1,
            );
        }
    }

    /// Ours and the peers as neighbours in one group.
    fn bench(mut self, criterion: &mut Criterion, name: &str) {
        let mut group: BenchmarkGroup<'_, WallTime> = criterion.benchmark_group(name);
        group
            .throughput(Throughput::Elements(2 * (self.m * self.k * self.n) as u64))
            .warm_up_time(Duration::from_millis(150))
            .measurement_time(Duration::from_millis(600))
            .sample_size(10)
            .nresamples(2000);
        if self.m * self.k * self.n > 1 << 27 {
            group.sampling_mode(criterion::SamplingMode::Flat);
        }
        group.bench_function("maas", |bencher| bencher.iter(|| self.ours()));
        group.bench_function("gemm", |bencher| bencher.iter(|| self.gemm()));
        group.bench_function("matrixmultiply", |bencher| {
            bencher.iter(|| self.matrixmultiply());
        });
        group.finish();
    }
}

/// A dense layer's three products for (rows of the batch, inputs, units).
fn layers(criterion: &mut Criterion) {
    for (rows, inputs, units) in [
        (32, 32, 128),
        (32, 128, 64),
        (32, 64, 32),
        (32, 32, 1),
        (1024, 128, 64),
    ] {
        let name = format!("{rows}x{inputs}x{units}");
        Product::new(rows, inputs, units, Form::Forward)
            .bench(criterion, &format!("{name} forward"));
        Product::new(rows, units, inputs, Form::InputGradient)
            .bench(criterion, &format!("{name} dX"));
        Product::new(inputs, rows, units, Form::WeightGradient)
            .bench(criterion, &format!("{name} dW"));
    }
}

fn squares(criterion: &mut Criterion) {
    for n in [64, 128, 256, 512, 1024, 2048] {
        Product::new(n, n, n, Form::Forward).bench(criterion, &format!("square {n}"));
    }
}

criterion_group!(benches, layers, squares);
criterion_main!(benches);
