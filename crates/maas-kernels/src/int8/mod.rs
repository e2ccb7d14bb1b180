//! Products of 8-bit codes, a contract of their own. `README.md` beside this file explains it.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod dot;
mod instructions;
mod matrix;
mod pack;
mod portable;
mod rows;
mod scale;
mod sparse;
mod split;
mod strip;
#[cfg(target_arch = "x86_64")]
mod vnni;

pub use matrix::Int8Matrix;
pub use sparse::SparseInt8Matrix;

use instructions::Instructions;
use split::Product;

use crate::product::check_shapes;
use crate::{Compute, Epilogue, Kernels, Matrix, MatrixMut, Parallelism};

/// How a row of inputs becomes codes.
///
/// ```
/// use maas_kernels::InputScale;
/// assert_eq!(InputScale::default(), InputScale::PerRow);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum InputScale {
    /// Each row by its own largest magnitude, which becomes the code 127 or −127.
    #[default]
    PerRow,
    /// All rows by this scale, a positive normal number; what is beyond 127 times as much becomes 127 times as much.
    Fixed(f32),
}

/// Products of 8-bit codes.
impl Kernels {
    /// C\[m × n\] = act(A\[m × k\] · B\[k × n\] + bias), where rows of A become codes of 8 bits on the way and B holds codes.
    ///
    /// Element x of a row of A becomes the integer nearest to x·f, ties to even, brought into −127..=127. Where the scale is
    /// [`InputScale::PerRow`], f = 127/a and the row's scale is a/127, with a the largest magnitude of the row; and all codes and
    /// the scale are 0 where a is below 127·2⁻¹²⁶. Where it is [`InputScale::Fixed`], f is 1/scale. A row with an element that is
    /// not finite gives a row of NaN.
    ///
    /// The products of codes are summed exactly, whatever their order. The sum becomes the nearest `f32` and is
    /// multiplied with the rounded product of the row's and the column's scales. Bias and activation follow as for
    /// [`Kernels::matmul`]. So row i of C depends on row i of A alone, to the bit, whatever the other rows, the threads and the
    /// set.
    ///
    /// # Panics
    /// When the shapes do not fit each other, the bias, the pre-activation or the outputs, when a derivative does not
    /// follow from the output, and when a fixed scale is not a positive normal number.
    ///
    /// ```
    /// use maas_kernels::{Epilogue, InputScale, Int8Matrix, Kernels, Matrix, MatrixMut, Parallelism};
    ///
    /// let b = Int8Matrix::from_codes(2, 2, &[3, 4, 5, 6], &[1.0, 0.5])?;
    /// let mut y = [0.0; 2];
    /// Kernels::best().matmul_int8(
    ///     Matrix::new(&[127.0, -63.6], 1, 2), // 127 and −64
    ///     InputScale::PerRow,
    ///     &b,
    ///     MatrixMut::new(&mut y, 1, 2),
    ///     Epilogue { bias: Some(&[0.25, 0.0]), ..Epilogue::default() },
    ///     Parallelism::single(),
    /// );
    /// assert_eq!(y, [61.25, 62.0]);
    /// # Ok::<(), maas_kernels::Error>(())
    /// ```
    #[track_caller]
    pub fn matmul_int8(
        self,
        a: Matrix<'_>,
        scale: InputScale,
        b: &Int8Matrix,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        let (rows, columns) = (b.rows(), b.columns());
        check_shapes((a.rows(), a.columns()), (rows, columns), &c, &epilogue);
        scale.check();
        self.with_epilogue(c, epilogue, parallelism, |c, end| {
            let Some(instructions) = Instructions::of(self) else {
                portable::product(a, scale, b, c);
                return self.finish(c, columns, end);
            };
            let out = end.out(c, columns);
            let compute = Compute {
                kernels: self,
                parallelism,
            };
            let product = Product {
                instructions,
                a,
                scale,
                b,
                out,
            };
            product.run(compute);
            compute.activate_unfused(end.activation, c);
        });
    }
}
