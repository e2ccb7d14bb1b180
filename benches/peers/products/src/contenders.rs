//! One product by each library.

use std::num::NonZeroUsize;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use maas_kernels::{Buffer, Epilogue, Kernels, Matrix, MatrixMut, Parallelism};

use crate::shapes::{Form, Shape};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    Maas,
    Gemm,
    Faer,
    Matrixmultiply,
}

impl Contender {
    pub const ALL: [Self; 4] = [Self::Maas, Self::Gemm, Self::Faer, Self::Matrixmultiply];

    pub fn name(self) -> &'static str {
        match self {
            Self::Maas => "maas",
            Self::Gemm => "gemm",
            Self::Faer => "faer",
            Self::Matrixmultiply => "matrixmultiply",
        }
    }
}

/// The operands of one shape, shared by all contenders.
pub struct Product {
    shape: Shape,
    threads: NonZeroUsize,
    a: Buffer,
    b: Buffer,
    c: Buffer,
}

impl Product {
    pub fn new(shape: Shape, threads: NonZeroUsize) -> Self {
        let filled = |len: usize, factor: usize| {
            let mut buffer = Buffer::zeroed(len);
            for (i, x) in buffer.iter_mut().enumerate() {
                *x = (i * factor % 1000) as f32 / 1000.0 - 0.5;
            }
            buffer
        };
        Self {
            shape,
            threads,
            a: filled(shape.m * shape.k, 7919),
            b: filled(shape.k * shape.n, 104_729),
            c: Buffer::zeroed(shape.m * shape.n),
        }
    }

    pub fn run(&mut self, contender: Contender) {
        match contender {
            Contender::Maas => self.maas(),
            Contender::Gemm => self.gemm(),
            Contender::Faer => self.faer(),
            Contender::Matrixmultiply => self.matrixmultiply(),
        }
    }

    pub fn result(&self) -> &[f32] {
        &self.c
    }

    fn maas(&mut self) {
        let Shape { m, n, k, form, .. } = self.shape;
        let a = match form {
            Form::WeightGradient => Matrix::new(&self.a, k, m).transposed(),
            _ => Matrix::new(&self.a, m, k),
        };
        let b = match form {
            Form::InputGradient => Matrix::new(&self.b, n, k).transposed(),
            _ => Matrix::new(&self.b, k, n),
        };
        let c = MatrixMut::new(&mut self.c, m, n);
        let threads = Parallelism::threads(self.threads);
        Kernels::best().matmul(a, b, c, Epilogue::default(), threads);
    }

    fn gemm(&mut self) {
        let Shape { m, n, k, .. } = self.shape;
        let [(a_row, a_column), (b_row, b_column)] = self.shape.strides();
        let threads = match self.threads.get() {
            1 => gemm::Parallelism::None,
            threads => gemm::Parallelism::Rayon(threads),
        };
        // SAFETY: the buffers hold m × k, k × n and m × n floats, which the strides do not leave.
        unsafe {
            gemm::gemm(
                m,
                n,
                k,
                self.c.as_mut_ptr(),
                1,
                n as isize,
                false,
                self.a.as_ptr(),
                a_column,
                a_row,
                self.b.as_ptr(),
                b_column,
                b_row,
                0.0f32,
                1.0f32,
                false,
                false,
                false,
                threads,
            );
        }
    }

    fn faer(&mut self) {
        let Shape { m, n, k, form, .. } = self.shape;
        let a = match form {
            Form::WeightGradient => MatRef::from_row_major_slice(&self.a, k, m).transpose(),
            _ => MatRef::from_row_major_slice(&self.a, m, k),
        };
        let b = match form {
            Form::InputGradient => MatRef::from_row_major_slice(&self.b, n, k).transpose(),
            _ => MatRef::from_row_major_slice(&self.b, k, n),
        };
        let c = MatMut::from_row_major_slice_mut(&mut self.c, m, n);
        let threads = match self.threads.get() {
            1 => Par::Seq,
            threads => Par::rayon(threads),
        };
        matmul(c, Accum::Replace, a, b, 1.0f32, threads);
    }

    fn matrixmultiply(&mut self) {
        let Shape { m, n, k, .. } = self.shape;
        let [(a_row, a_column), (b_row, b_column)] = self.shape.strides();
        // SAFETY: the buffers hold m × k, k × n and m × n floats, which the strides do not leave.
        unsafe {
            matrixmultiply::sgemm(
                m,
                k,
                n,
                1.0,
                self.a.as_ptr(),
                a_row,
                a_column,
                self.b.as_ptr(),
                b_row,
                b_column,
                0.0,
                self.c.as_mut_ptr(),
                n as isize,
                1,
            );
        }
    }
}
