//! Matrix products. `README.md` beside this file explains tiling, packing and the order of summation.

mod blocked;
mod chain;
mod columns;
mod deep;
mod end;
mod flat;
mod pack;
mod packed;
mod panels;
mod portable;
mod rows;
mod split;
mod strip;
mod tile;
mod workspace;

use blocked::Product;
use end::{Bias, Target, fused};
use panels::Right;

pub(crate) use chain::{Chain, Flushing, Step};
pub(crate) use end::Out;
pub(crate) use pack::View;
pub use panels::PanelMatrix;
pub(crate) use split::share;
pub(crate) use strip::{Strip, tiles};
pub(crate) use workspace::{Room, Workspace, with_workspaces};

use crate::{Activation, Compute, Kernels, Matrix, MatrixMut, Parallelism};

/// Length of the blocks of k: within one the products run on in one chain of fused multiply-adds.
pub(crate) const BLOCK: usize = 1024;

/// Elements to be activated that are worth a thread, for the activations that keep their input.
const ELEMENTS_OF_A_THREAD: usize = 2 * 1024;

/// What happens to each element of a product before it is written: a bias is added, an activation applied, and the
/// result multiplied with the derivative of another one.
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
    /// derivatives need for which [`Activation::derivative_from_output`] says no.
    pub pre_activation: Option<&'a mut [f32]>,
    /// An activation and its outputs, as many as the product has elements, row by row: each element is multiplied with the
    /// derivative there, which must follow from the output ([`Activation::derivative_from_output`]). What the input
    /// gradient of a layer needs to go on through the activation before it.
    pub derivative: Option<(Activation, &'a [f32])>,
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
    /// When the shapes do not fit each other, the bias, the pre-activation or the outputs, and when a derivative does not
    /// follow from the output.
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
        check_shapes(
            (a.rows(), a.columns()),
            (b.rows(), b.columns()),
            &c,
            &epilogue,
        );
        self.with_epilogue(c, epilogue, parallelism, |c, end| {
            if self == Self::portable() {
                portable::product(a, b.columns(), |l, j| b.get(l, j), c);
                self.finish(c, b.columns(), end);
            } else {
                self.product(Chain::Fused, (a, b), c, end, parallelism);
            }
        });
    }

    /// [`Kernels::matmul`], bit for bit, with a B that was copied ahead of time to where it is read fastest.
    ///
    /// That pays for a few rows of A above all: without it, a product with one row reads B as it lies, and one with some rows
    /// copies it.
    ///
    /// # Panics
    /// As [`Kernels::matmul`].
    ///
    /// ```
    /// use maas_kernels::{Epilogue, Kernels, Matrix, MatrixMut, PanelMatrix, Parallelism};
    ///
    /// let w = PanelMatrix::new(Matrix::new(&[3.0, 4.0, 5.0, 6.0], 2, 2));
    /// let mut y = [0.0; 2];
    /// Kernels::best().matmul_panels(
    ///     Matrix::new(&[1.0, 2.0], 1, 2),
    ///     &w,
    ///     MatrixMut::new(&mut y, 1, 2),
    ///     Epilogue { bias: Some(&[0.5, 0.0]), ..Epilogue::default() },
    ///     Parallelism::single(),
    /// );
    /// assert_eq!(y, [13.5, 16.0]);
    /// ```
    #[track_caller]
    pub fn matmul_panels(
        self,
        a: Matrix<'_>,
        b: &PanelMatrix,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        let (m, n) = (a.rows(), b.columns());
        check_shapes((m, a.columns()), (b.rows(), n), &c, &epilogue);
        self.with_epilogue(c, epilogue, parallelism, |c, end| {
            if self == Self::portable() || b.rows() == 0 {
                portable::product(a, n, |l, j| b.get(l, j), c);
                self.finish(c, n, end);
                return;
            }
            let product = Product {
                kernels: self,
                chain: Chain::Fused,
                m,
                k: b.rows(),
                n,
                a: View::of(a),
                b: Right::Panels(b.view()),
                to: Target::new(c, end, n),
                bias: Bias::of(end),
                activation: end.activation,
                derived: end.derived(),
            };
            product.run(parallelism.get());
        });
    }

    /// Runs a product with what it can do of the epilogue, and does the rest.
    pub(crate) fn with_epilogue(
        self,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
        parallelism: Parallelism,
        product: impl FnOnce(&mut [f32], &Epilogue<'_>),
    ) {
        let Epilogue {
            bias,
            activation,
            pre_activation,
            derivative,
        } = epilogue;
        let c = c.into_data();
        let compute = Compute {
            kernels: self,
            parallelism,
        };
        let by_tiles = derivative.filter(|&(derived, _)| {
            fused(derived) && fused(activation) && pre_activation.is_none()
        });
        let mut end = Epilogue {
            bias,
            activation,
            derivative: by_tiles,
            pre_activation: None,
        };
        match pre_activation {
            None => product(c, &end),
            Some(sums) => {
                end.activation = Activation::Linear;
                product(sums, &end);
                let parts = (&*sums, &mut *c);
                compute.split(parts, ELEMENTS_OF_A_THREAD, |(sums, c)| {
                    self.activate(activation, sums, c);
                });
            }
        }
        if let (Some((activation, outputs)), None) = (derivative, by_tiles) {
            compute.split((outputs, c), ELEMENTS_OF_A_THREAD, |(outputs, c)| {
                self.activation_gradient_in_place(activation, outputs, c);
            });
        }
    }

    /// C = A·B with its end, without a pre-activation. The shapes have been checked.
    pub(crate) fn product(
        self,
        chain: Chain,
        (a, b): (Matrix<'_>, Matrix<'_>),
        c: &mut [f32],
        end: &Epilogue<'_>,
        parallelism: Parallelism,
    ) {
        let (m, n) = (a.rows(), b.columns());
        let (k, mut a, mut b) = (a.columns(), View::of(a), View::of(b));
        // A column alone, or nothing, is contiguous either way.
        if n == 1 || k == 0 {
            b.column = 1;
        }
        if k == 1 {
            a.column = 1;
        }
        let mut product = Product {
            kernels: self,
            chain,
            m,
            k,
            n,
            a,
            b: Right::InPlace(b),
            to: Target::new(c, end, n),
            bias: Bias::of(end),
            activation: end.activation,
            derived: end.derived(),
        };
        if n == 1 {
            // Cᵀ = bᵀ·Aᵀ: one row, whose columns are independent chains.
            (product.m, product.n, product.to.stride) = (1, m, m);
            (product.a, product.b) = (b.transposed(), Right::InPlace(a.transposed()));
            product.bias = end.bias.map_or(Bias::None, |bias| Bias::All(bias[0]));
        }
        product.run(parallelism.get());
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

    pub(crate) fn finish(self, c: &mut [f32], columns: usize, end: &Epilogue<'_>) {
        if let (Some(bias), true) = (end.bias, columns > 0) {
            for row in c.chunks_exact_mut(columns) {
                self.add(bias, row);
            }
        }
        self.activate_in_place(end.activation, c);
        if let Some((activation, outputs)) = end.derivative {
            self.activation_gradient_in_place(activation, outputs, c);
        }
    }
}

/// Of operands with these numbers of rows and columns.
#[track_caller]
pub(crate) fn check_shapes(
    a: (usize, usize),
    b: (usize, usize),
    c: &MatrixMut<'_>,
    epilogue: &Epilogue<'_>,
) {
    let (m, n) = (c.rows(), c.columns());
    assert!(
        a.0 == m && a.1 == b.0 && b.1 == n,
        "{} × {} by {} × {} is not {m} × {n}",
        a.0,
        a.1,
        b.0,
        b.1
    );
    if let Some(bias) = epilogue.bias {
        assert_eq!(bias.len(), n, "one bias a column");
    }
    if let Some(sums) = &epilogue.pre_activation {
        assert_eq!(sums.len(), m * n, "one pre-activation an element");
    }
    if let Some((activation, outputs)) = epilogue.derivative {
        assert_eq!(outputs.len(), m * n, "one output an element");
        assert!(
            activation.derivative_from_output(),
            "the derivative of {activation:?} does not follow from its output"
        );
    }
}
