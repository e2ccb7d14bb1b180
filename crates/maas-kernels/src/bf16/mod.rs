//! Products of bf16 operands, a contract of their own. `README.md` beside this file explains it.

mod convert;
#[cfg(target_arch = "x86_64")]
mod instruction;
mod matrix;
mod number;
mod operand;
mod pairs;
mod step;

#[cfg(test)]
pub(crate) use convert::without_subnormal;
#[cfg(target_arch = "x86_64")]
pub(crate) use instruction::Instruction;
pub use matrix::Bf16Matrix;
pub use number::Bf16;

use std::cell::RefCell;

use operand::{Number, Operand};
use pairs::Form;

use crate::product::{Chain, check_shapes};
use crate::{Buffer, Compute, Epilogue, Kernels, Matrix, MatrixMut, Parallelism};

thread_local! {
    /// The calling thread's copies of operands; they grow and are kept.
    static COPIES: RefCell<[Buffer; 2]> = RefCell::default();
}

/// Products of bf16 operands.
impl Kernels {
    /// C\[m × n\] = act(A\[m × k\] · B\[k × n\] + bias), the operands in bf16, the sums and all that follows in `f32`.
    ///
    /// The bits are those of AVX512-BF16's `vdpbf16ps`, on every set and with any number of
    /// threads; they differ from [`Kernels::matmul`] of the same numbers. The k products of an element are summed in
    /// blocks of 1024; inside a block, from +0 on, pair after pair (2p, 2p + 1), in each pair the second product first, by
    /// fused multiply-adds that take subnormal numbers for zeros and give zeros for them. An odd k is filled up with
    /// zeros. Then the blocks' sums in ascending order, bias and activation, as for [`Kernels::matmul`].
    ///
    /// # Panics
    /// When the shapes do not fit each other, the bias, or the pre-activation.
    ///
    /// ```
    /// use maas_kernels::{Bf16, Bf16Matrix, Epilogue, Kernels, MatrixMut, Parallelism};
    ///
    /// let x = [1.0, 2.0].map(Bf16::from_f32);
    /// let w = [3.0, 4.0, 5.0, 6.0].map(Bf16::from_f32);
    /// let mut y = [0.0; 2];
    /// Kernels::best().matmul_bf16(
    ///     Bf16Matrix::new(&x, 1, 2),
    ///     Bf16Matrix::new(&w, 2, 2),
    ///     MatrixMut::new(&mut y, 1, 2),
    ///     Epilogue { bias: Some(&[0.5, 0.0]), ..Epilogue::default() },
    ///     Parallelism::single(),
    /// );
    /// assert_eq!(y, [13.5, 16.0]);
    /// ```
    #[track_caller]
    pub fn matmul_bf16(
        self,
        a: Bf16Matrix<'_>,
        b: Bf16Matrix<'_>,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        self.product_bf16(a.operand(), b.operand(), c, epilogue, parallelism);
    }

    /// [`Kernels::matmul_bf16`] of operands that are rounded to bf16 while they are read, as [`Bf16::from_f32`] does.
    ///
    /// Where a matrix is not needed in bf16 otherwise, this saves its conversion.
    ///
    /// # Panics
    /// As [`Kernels::matmul_bf16`].
    ///
    /// ```
    /// use maas_kernels::{Epilogue, Kernels, Matrix, MatrixMut, Parallelism};
    ///
    /// let mut y = [0.0];
    /// Kernels::best().matmul_as_bf16(
    ///     Matrix::new(&[0.1], 1, 1), // to the nearest bf16 number 0.100_097_656_25
    ///     Matrix::new(&[16.0], 1, 1),
    ///     MatrixMut::new(&mut y, 1, 1),
    ///     Epilogue::default(),
    ///     Parallelism::single(),
    /// );
    /// assert_eq!(y, [1.601_562_5]);
    /// ```
    #[track_caller]
    pub fn matmul_as_bf16(
        self,
        a: Matrix<'_>,
        b: Matrix<'_>,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        self.product_bf16::<f32>(a.into(), b.into(), c, epilogue, parallelism);
    }

    #[track_caller]
    fn product_bf16<T: Number>(
        self,
        a: Operand<'_, T>,
        b: Operand<'_, T>,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        check_shapes((a.rows, a.columns), (b.rows, b.columns), &c, &epilogue);
        let compute = Compute {
            kernels: self,
            parallelism,
        };
        self.with_epilogue(c, epilogue, parallelism, |c, end| {
            if self == Self::portable() || a.columns == 0 {
                step::product(a, b, c);
                self.finish(c, b.columns, end);
            } else if !c.is_empty() {
                COPIES.with_borrow_mut(|copies| {
                    let (chain, operands) = compute.paired(a, b, copies);
                    self.product(chain, operands, c, end, parallelism);
                });
            }
        });
    }

    /// The chain of the instruction, where the processor has it.
    fn pairs(self) -> Option<Chain> {
        #[cfg(test)]
        if self == Self::wide() {
            return Some(Chain::Words);
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(instruction) = Instruction::detect(self) {
            return Some(Chain::Pairs(instruction));
        }
        None
    }
}

impl Compute {
    /// Copies of operands that are not empty, and the chain that gives their product.
    fn paired<'b, T: Number>(
        self,
        a: Operand<'_, T>,
        b: Operand<'_, T>,
        [left, right]: &'b mut [Buffer; 2],
    ) -> (Chain, (Matrix<'b>, Matrix<'b>)) {
        let pairs = self.kernels.pairs();
        let form = if pairs.is_some() {
            Form::Words
        } else {
            Form::Floats
        };
        let (a, a_least) = a.pairs(form, self, left);
        let (b, b_least) = b.transposed().pairs(form, self, right);
        let chain = match pairs {
            Some(pairs) => pairs,
            None if can_become_subnormal(a_least, b_least) => Chain::Flushing,
            None => Chain::Fused,
        };
        (chain, (a, b.transposed()))
    }
}

/// Whether a sum of products of bf16 numbers, none of them nearer to zero than these, could be subnormal.
///
/// a is a multiple of 2^(e − 7) if |a| ≥ 2^e, and so with b. A product is then a multiple of 2^(e + f − 14), and every
/// rounded sum of such products is one too: if it is not zero, it is at least as large.
fn can_become_subnormal(a: f32, b: f32) -> bool {
    let exponent = |x: f32| (x.to_bits() >> 23).cast_signed() - 127;
    exponent(a) + exponent(b) - 14 < -126
}
