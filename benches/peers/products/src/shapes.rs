//! The shapes that dense networks multiply: squares, and the layers of the workloads W1, W2, W4 and W6.

/// How the operands lie in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A·B: a layer forward.
    Forward,
    /// A·Bᵀ: the gradient of a layer's input.
    InputGradient,
    /// Aᵀ·B: the gradient of a layer's weights.
    WeightGradient,
}

/// C[m × n] = A[m × k]·B[k × n].
#[derive(Clone, Copy)]
pub struct Shape {
    pub name: &'static str,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub form: Form,
}

const fn shape(name: &'static str, form: Form, m: usize, n: usize, k: usize) -> Shape {
    Shape {
        name,
        m,
        n,
        k,
        form,
    }
}

use Form::{Forward, InputGradient, WeightGradient};

pub const SHAPES: [Shape; 27] = [
    shape("square", Forward, 64, 64, 64),
    shape("square", Forward, 128, 128, 128),
    shape("square", Forward, 256, 256, 256),
    shape("square", Forward, 512, 512, 512),
    shape("square", Forward, 1024, 1024, 1024),
    shape("square", Forward, 2048, 2048, 2048),
    shape("w1 forward", Forward, 32, 128, 32),
    shape("w1 forward", Forward, 32, 64, 128),
    shape("w1 forward", Forward, 32, 32, 64),
    shape("w1 forward", Forward, 32, 1, 32),
    shape("w1 dX", InputGradient, 32, 128, 64),
    shape("w1 dX", InputGradient, 32, 64, 32),
    shape("w1 dX", InputGradient, 32, 32, 1),
    shape("w1 dW", WeightGradient, 32, 128, 32),
    shape("w1 dW", WeightGradient, 128, 64, 32),
    shape("w1 dW", WeightGradient, 64, 32, 32),
    shape("w1 dW", WeightGradient, 32, 1, 32),
    shape("w2 forward", Forward, 1024, 128, 32),
    shape("w2 forward", Forward, 1024, 64, 128),
    shape("w2 dX", InputGradient, 1024, 128, 64),
    shape("w2 dW", WeightGradient, 128, 64, 1024),
    shape("w4 forward", Forward, 256, 1024, 784),
    shape("w4 forward", Forward, 256, 1024, 1024),
    shape("w4 dX", InputGradient, 256, 1024, 1024),
    shape("w4 dW", WeightGradient, 1024, 1024, 256),
    shape("w4 head", Forward, 256, 10, 1024),
    shape("w6 forward", Forward, 1024, 256, 1024),
];

impl Shape {
    pub fn label(&self) -> String {
        format!("{} {}x{}x{}", self.name, self.m, self.n, self.k)
    }

    pub fn multiply_adds(&self) -> usize {
        self.m * self.n * self.k
    }

    /// Row and column strides of A and of B.
    pub fn strides(&self) -> [(isize, isize); 2] {
        let (m, k, n) = (self.m as isize, self.k as isize, self.n as isize);
        match self.form {
            Form::Forward => [(k, 1), (n, 1)],
            Form::InputGradient => [(k, 1), (1, k)],
            Form::WeightGradient => [(1, m), (n, 1)],
        }
    }
}
