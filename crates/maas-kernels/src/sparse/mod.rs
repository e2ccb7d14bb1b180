//! Products with a sparse right operand. `README.md` beside this file explains the layout.

mod finish;
mod layout;
mod matrix;
mod multiply;
mod one_row;
mod pack;
mod product;

pub use matrix::SparseMatrix;

use product::SparseProduct;

use crate::product::{View, check_shapes};
use crate::{Compute, Epilogue, Kernels, Matrix, MatrixMut, Parallelism};

/// Products with a sparse right operand.
impl Kernels {
    /// C\[m × n\] = act(A\[m × k\] · B\[k × n\] + bias), with the bits of [`Kernels::matmul`] of the same numbers, whatever they
    /// are.
    ///
    /// The time it takes grows with the elements of B that are not +0. A row of C depends on the same row of A alone.
    ///
    /// # Panics
    /// As [`Kernels::matmul`].
    ///
    /// ```
    /// use maas_kernels::{Epilogue, Kernels, Matrix, MatrixMut, Parallelism, SparseMatrix};
    ///
    /// let w = SparseMatrix::new(Matrix::new(&[3.0, 0.0, 0.0, 6.0], 2, 2));
    /// let mut y = [0.0; 2];
    /// Kernels::best().matmul_sparse(
    ///     Matrix::new(&[1.0, 2.0], 1, 2),
    ///     &w,
    ///     MatrixMut::new(&mut y, 1, 2),
    ///     Epilogue { bias: Some(&[0.5, 0.0]), ..Epilogue::default() },
    ///     Parallelism::single(),
    /// );
    /// assert_eq!(y, [3.5, 12.0]);
    /// ```
    #[track_caller]
    pub fn matmul_sparse(
        self,
        a: Matrix<'_>,
        b: &SparseMatrix,
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
        let compute = Compute {
            kernels: self,
            parallelism,
        };
        self.with_epilogue(c, epilogue, parallelism, |c, end| {
            let product = SparseProduct {
                compute,
                m: a.rows(),
                a: View::of(a),
                b,
                first_band: 0,
                bands: b.layout().bands(),
                out: end.out(c, b.columns()),
            };
            product.run();
            compute.activate_unfused(end.activation, c);
        });
    }
}
