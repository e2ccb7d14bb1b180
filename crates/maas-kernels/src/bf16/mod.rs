//! Products of bf16 operands, a contract of their own. `README.md` beside this file explains it.

mod convert;
mod form;
#[cfg(target_arch = "x86_64")]
mod instruction;
mod matrix;
mod number;
mod pack;
mod product;
mod step;
mod strip;
mod tile;

pub use matrix::Bf16Matrix;
pub use number::Bf16;

use product::Product;

use crate::product::check_shapes;
use crate::{Activation, Epilogue, Kernels, MatrixMut, Parallelism};

/// Products of bf16 operands.
impl Kernels {
    /// C\[m × n\] = act(A\[m × k\] · B\[k × n\] + bias), the operands in bf16, the sums and all that follows in `f32`.
    ///
    /// For training with `f32` master weights: [`Kernels::narrow_bf16`] converts the weights once a step and activations
    /// when they are written. The bits are those of AVX512-BF16's `vdpbf16ps`, on every set and with any number of
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
        check_shapes(
            (a.rows(), a.columns()),
            (b.rows(), b.columns()),
            &c,
            &epilogue,
        );
        let c = c.into_data();
        let Epilogue {
            bias,
            activation,
            pre_activation,
        } = epilogue;
        match pre_activation {
            None => self.product_bf16(a, b, c, bias, activation, parallelism),
            Some(sums) => {
                self.product_bf16(a, b, sums, bias, Activation::Linear, parallelism);
                self.activate(activation, sums, c);
            }
        }
    }

    /// The shapes have been checked.
    fn product_bf16(
        self,
        a: Bf16Matrix<'_>,
        b: Bf16Matrix<'_>,
        c: &mut [f32],
        bias: Option<&[f32]>,
        activation: Activation,
        parallelism: Parallelism,
    ) {
        let (m, k, n) = (a.rows(), a.columns(), b.columns());
        let product = Product {
            kernels: self,
            m,
            k,
            n,
            a: a.view(),
            b: b.view(),
            c: c.as_mut_ptr(),
            c_stride: n,
            bias,
            activation,
        };
        if self == Self::portable() || k == 0 {
            step::product(a, b, c);
            self.finish(c, n, bias, activation);
        } else if n == 1 {
            // Cᵀ = bᵀ·Aᵀ has one row, whose columns are independent chains.
            Product {
                m: 1,
                n: m,
                a: b.view().transposed(),
                b: a.view().transposed(),
                c_stride: m,
                bias: None,
                activation: Activation::Linear,
                ..product
            }
            .run(parallelism.get());
            self.finish(c, 1, bias, activation);
        } else {
            product.run(parallelism.get());
        }
    }
}
