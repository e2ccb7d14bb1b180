//! Numeric kernels with the same bits on every instruction set, thread count and batch: products, reductions,
//! activations, losses, optimiser passes.
//!
//! ```
//! use maas_kernels::{Activation, Epilogue, Kernels, Matrix, MatrixMut, Parallelism};
//!
//! // y = relu(x·w + b): 2 rows of 3 features to 2 units
//! let x = [1.0, 2.0, 3.0, -1.0, -2.0, -3.0];
//! let w = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
//! let mut y = [0.0; 4];
//! Kernels::best().matmul(
//!     Matrix::new(&x, 2, 3),
//!     Matrix::new(&w, 3, 2),
//!     MatrixMut::new(&mut y, 2, 2),
//!     Epilogue { bias: Some(&[0.5, 0.5]), activation: Activation::Relu, ..Epilogue::default() },
//!     Parallelism::single(),
//! );
//! assert_eq!(y, [4.5, 5.5, 0.0, 0.0]);
//! ```
//!
//! # The nouns
//!
//! - [`Kernels`]: one set of kernels, a value. [`Kernels::best`] is the fastest that this processor runs,
//!   [`Kernels::portable`] runs everywhere, and every other set gives the portable set's bits. All computations are its
//!   methods.
//! - [`Matrix`] and [`MatrixMut`]: borrowed row-major data with a shape; [`Matrix::transposed`] is a view.
//! - [`Epilogue`] and [`Activation`]: what happens to a product before it is written.
//! - [`Bf16`] and [`Bf16Matrix`]: operands of half the size, for [`Kernels::matmul_bf16`].
//! - [`Int8Matrix`]: weights as codes of 8 bits with a scale a column, for [`Kernels::matmul_int8`].
//! - [`PanelMatrix`]: a right operand copied ahead of time to where it is read fastest, for [`Kernels::matmul_panels`].
//! - [`SparseMatrix`]: a right operand without its zeros, for [`Kernels::matmul_sparse`];
//!   [`SparseInt8Matrix`]: the same of codes, for [`Kernels::matmul_sparse_int8`].
//! - [`Parallelism`]: the most threads a call may use. [`Compute`] is kernels and parallelism together.
//! - [`Buffer`]: zeroed floats on a 64-byte boundary.
//!
//! # The contract of numbers
//!
//! "The same" means the same bits, or both NaN.
//!
//! - An element of a product is summed over k in blocks of 1024, inside a block by one chain of fused multiply-adds
//!   from +0 in ascending order; block sums are added in ascending order, then the bias, then the activation is applied.
//!   A row of the result depends on the same row of the left operand only.
//! - Reductions use 16 virtual lanes and a fixed tree ([`Kernels::sum`] says exactly how).
//! - Elementary functions are polynomials over exactly rounded operations, at most 2 ulp off; nothing uses estimates.
//! - The number of threads never changes a bit.
//!
//! Shapes that do not fit are a caller's mistake and panic; each function says when.

mod activation;
mod arithmetic;
mod bf16;
mod buffer;
mod column_sums;
mod compute;
mod elementwise;
mod error;
mod int8;
mod kernels;
mod loss;
mod math;
mod matrix;
mod normal;
mod normalize;
mod optimizer;
mod prefetch;
mod product;
mod reduce;
mod shrink;
mod simd;
mod softmax;
mod sparse;
mod team;
#[cfg(test)]
mod wide_tests;

pub use activation::Activation;
pub use bf16::{Bf16, Bf16Matrix};
pub use buffer::Buffer;
pub use compute::{Chunks, Compute, Divisible, Parallelism, TableLayout, Tables};
pub use error::Error;
pub use int8::{InputScale, Int8Matrix, SparseInt8Matrix};
pub use kernels::Kernels;
pub use loss::{ClassTargets, ElementLoss, LossGradient};
pub use matrix::{Matrix, MatrixMut};
pub use normal::normal_quantile;
pub use optimizer::{AdamStep, Around, Direction, Nesterov};
pub use product::{Epilogue, PanelMatrix};
pub use sparse::SparseMatrix;
