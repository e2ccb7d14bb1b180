//! Matrix products. `README.md` beside this file explains tiling, packing and the order of summation.

mod portable;

use crate::{Activation, Kernels, Matrix, MatrixMut, Parallelism};

/// Length of the blocks of k: within one the products run on in one chain of fused multiply-adds.
pub(crate) const BLOCK: usize = 1024;

/// What happens to each element of a product before it is written: a bias is added, then an activation applied.
///
/// ```
/// use maas_kernels::{Activation, Epilogue};
///
/// let epilogue = Epilogue { bias: Some(&[0.5, -0.5]), activation: Activation::Relu, ..Epilogue::default() };
/// # let _ = epilogue;
/// ```
#[derive(Debug, Default)]
pub struct Epilogue<'a> {
    /// One addend a column.
    pub bias: Option<&'a [f32]>,
    /// Applied to the sum.
    pub activation: Activation,
    /// Where to keep A·B + bias, before the activation: as many elements as the product, row by row. What the
    /// derivatives of [`Activation::Gelu`] and [`Activation::Silu`] need.
    pub pre_activation: Option<&'a mut [f32]>,
}

/// Matrix products.
impl Kernels {
    /// C\[m × n\] = act(A\[m × k\] · B\[k × n\] + bias).
    ///
    /// Either operand may be a transposed view. The k products of an element are summed in blocks of 1024: inside a
    /// block one chain of fused multiply-adds from +0 in ascending order, then the blocks' sums in ascending order. So
    /// row i of C depends on row i of A alone, to the bit, whatever the other rows, the threads and the set.
    ///
    /// # Panics
    /// When the shapes do not fit each other, the bias, or the pre-activation.
    ///
    /// ```
    /// use maas_kernels::{Epilogue, Kernels, Matrix, MatrixMut, Parallelism};
    ///
    /// let (x, w) = ([1.0, 2.0], [3.0, 4.0, 5.0, 6.0]);
    /// let mut y = [0.0; 2];
    /// let epilogue = Epilogue { bias: Some(&[0.5, 0.0]), ..Epilogue::default() };
    /// Kernels::best().matmul(
    ///     Matrix::new(&x, 1, 2),
    ///     Matrix::new(&w, 2, 2),
    ///     MatrixMut::new(&mut y, 1, 2),
    ///     epilogue,
    ///     Parallelism::single(),
    /// );
    /// assert_eq!(y, [13.5, 16.0]);
    /// ```
    #[track_caller]
    pub fn matmul(
        self,
        a: Matrix<'_>,
        b: Matrix<'_>,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        check_shapes(a, b, &c, &epilogue);
        let _ = parallelism;
        let Epilogue {
            bias,
            activation,
            pre_activation,
        } = epilogue;
        let columns = b.columns();
        match pre_activation {
            None => {
                let c = c.into_data();
                portable::product(a, b, c);
                self.finish(c, columns, bias, activation);
            }
            Some(sums) => {
                portable::product(a, b, sums);
                self.finish(sums, columns, bias, Activation::Linear);
                self.activate(activation, sums, c.into_data());
            }
        }
    }

    /// y = A·x, in the order of summation of [`Kernels::matmul`].
    ///
    /// # Panics
    /// When the shapes do not fit.
    ///
    /// ```
    /// use maas_kernels::{Kernels, Matrix};
    /// let mut y = [0.0; 2];
    /// Kernels::best().matvec(Matrix::new(&[1.0, 2.0, 3.0, 4.0], 2, 2), &[1.0, 10.0], &mut y);
    /// assert_eq!(y, [21.0, 43.0]);
    /// ```
    #[track_caller]
    pub fn matvec(self, a: Matrix<'_>, x: &[f32], y: &mut [f32]) {
        let (x, y) = (Matrix::new(x, x.len(), 1), MatrixMut::new(y, a.rows(), 1));
        self.matmul(a, x, y, Epilogue::default(), Parallelism::single());
    }

    fn finish(self, c: &mut [f32], columns: usize, bias: Option<&[f32]>, activation: Activation) {
        if let (Some(bias), true) = (bias, columns > 0) {
            for row in c.chunks_exact_mut(columns) {
                self.add(bias, row);
            }
        }
        self.activate_in_place(activation, c);
    }
}

#[track_caller]
fn check_shapes(a: Matrix<'_>, b: Matrix<'_>, c: &MatrixMut<'_>, epilogue: &Epilogue<'_>) {
    let (m, n) = (c.rows(), c.columns());
    assert!(
        a.rows() == m && a.columns() == b.rows() && b.columns() == n,
        "{} × {} by {} × {} is not {m} × {n}",
        a.rows(),
        a.columns(),
        b.rows(),
        b.columns()
    );
    if let Some(bias) = epilogue.bias {
        assert_eq!(bias.len(), n, "one bias a column");
    }
    if let Some(sums) = &epilogue.pre_activation {
        assert_eq!(sums.len(), m * n, "one pre-activation an element");
    }
}
