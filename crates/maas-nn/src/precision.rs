use std::fmt;

use maas_kernels::{Compute, Epilogue, Matrix, MatrixMut};
use serde::{Deserialize, Serialize};

/// What the operands of products are rounded to.
///
/// Parameters, values and gradients are kept in single precision either way, and sums are of single precision: only what
/// goes into a product is rounded, and nothing that comes out of it. Dense layers follow it; a layer of your own does where it
/// multiplies by [`ProductPrecision::matmul`].
///
/// ```
/// use maas_nn::{PlanOptions, ProductPrecision};
///
/// let options = PlanOptions::train(32).precision(ProductPrecision::Bf16);
/// assert_eq!((options.precision, ProductPrecision::default()), (ProductPrecision::Bf16, ProductPrecision::F32));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ProductPrecision {
    /// Single precision: they are not rounded.
    #[default]
    F32,
    /// bf16, to the nearest number: the range of single precision with 8 significant bits. Processors with AVX512-BF16
    /// have an instruction for products of such numbers; everywhere the bits are the same.
    Bf16,
}

impl ProductPrecision {
    /// C = act(A·B + bias) with operands of this precision: [`Kernels::matmul`](maas_kernels::Kernels::matmul) or
    /// [`Kernels::matmul_as_bf16`](maas_kernels::Kernels::matmul_as_bf16).
    ///
    /// # Panics
    /// When the shapes do not fit each other, the bias, or the pre-activation.
    ///
    /// ```
    /// use maas_kernels::{Compute, Epilogue, Matrix, MatrixMut};
    /// use maas_nn::ProductPrecision;
    ///
    /// let mut y = [0.0];
    /// let (x, w) = (Matrix::new(&[0.1], 1, 1), Matrix::new(&[16.0], 1, 1));
    /// let c = MatrixMut::new(&mut y, 1, 1);
    /// ProductPrecision::Bf16.matmul(Compute::default(), x, w, c, Epilogue::default());
    /// assert_eq!(y, [1.601_562_5]);
    /// ```
    #[track_caller]
    pub fn matmul(
        self,
        compute: Compute,
        a: Matrix<'_>,
        b: Matrix<'_>,
        c: MatrixMut<'_>,
        epilogue: Epilogue<'_>,
    ) {
        let Compute {
            kernels,
            parallelism,
        } = compute;
        match self {
            Self::F32 => kernels.matmul(a, b, c, epilogue, parallelism),
            Self::Bf16 => kernels.matmul_as_bf16(a, b, c, epilogue, parallelism),
        }
    }
}

impl fmt::Display for ProductPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}
