use crate::Kernels;
use crate::elementwise::{Map, Update, map, update};
use crate::kernels::Work;
use crate::math;
use crate::reduce::{Dot, Max, Sum, reduce};
use crate::simd::{Simd, Vectors};

/// Softmax over rows.
impl Kernels {
    /// y\[i, j\] = exp(x\[i, j\] − maxₖ x\[i, k\]) / Σₖ exp(x\[i, k\] − max), row by row of `columns` elements.
    ///
    /// A row that holds NaN or +∞, or nothing above −∞, becomes NaN.
    ///
    /// # Panics
    /// When the lengths differ or the data is not made of whole rows.
    ///
    /// ```
    /// let mut y = [0.0; 4];
    /// maas_kernels::Kernels::best().softmax_rows(&[1000.0, 1000.0, 0.0, f32::NEG_INFINITY], 2, &mut y);
    /// assert_eq!(y, [0.5, 0.5, 1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn softmax_rows(self, x: &[f32], columns: usize, y: &mut [f32]) {
        check_rows(x.len(), columns);
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        self.run(SoftmaxRows { x, columns, y });
    }

    /// dx\[i, j\] = y\[i, j\]·(dy\[i, j\] − Σₖ y\[i, k\]·dy\[i, k\]): the gradient through a softmax whose output was y.
    ///
    /// # Panics
    /// When the lengths differ or the data is not made of whole rows.
    ///
    /// ```
    /// let mut dx = [0.0; 2];
    /// maas_kernels::Kernels::best().softmax_gradient(&[0.5, 0.5], &[1.0, 0.0], 2, &mut dx);
    /// assert_eq!(dx, [0.25, -0.25]);
    /// ```
    #[track_caller]
    pub fn softmax_gradient(self, y: &[f32], dy: &[f32], columns: usize, dx: &mut [f32]) {
        check_rows(y.len(), columns);
        assert_eq!(y.len(), dy.len(), "slices of different lengths");
        assert_eq!(y.len(), dx.len(), "slices of different lengths");
        self.run(SoftmaxGradient { y, dy, columns, dx });
    }
}

#[track_caller]
pub(crate) fn check_rows(len: usize, columns: usize) {
    if columns == 0 {
        assert_eq!(len, 0, "values without columns");
    } else {
        assert_eq!(len % columns, 0, "a part of a row");
    }
}

/// y = exp(x − max x) for one row; returns max x and Σ y.
#[inline(always)]
pub(crate) fn shifted_exp<S: Simd>(s: S, x: &[f32], y: &mut [f32]) -> (f32, f32) {
    let max = reduce(s, &Max, [x]);
    map(s, &ShiftedExp(max), [x], y);
    (max, reduce(s, &Sum, [&*y]))
}

struct SoftmaxRows<'a> {
    x: &'a [f32],
    columns: usize,
    y: &'a mut [f32],
}

impl Work for SoftmaxRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let columns = self.columns.max(1);
        for (x, y) in self
            .x
            .chunks_exact(columns)
            .zip(self.y.chunks_exact_mut(columns))
        {
            let (_, sum) = shifted_exp(s, x, y);
            update(s, &Multiply(1.0 / sum), [], y);
        }
    }
}

struct SoftmaxGradient<'a> {
    y: &'a [f32],
    dy: &'a [f32],
    columns: usize,
    dx: &'a mut [f32],
}

impl Work for SoftmaxGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let columns = self.columns.max(1);
        let rows = self
            .y
            .chunks_exact(columns)
            .zip(self.dy.chunks_exact(columns));
        for ((y, dy), dx) in rows.zip(self.dx.chunks_exact_mut(columns)) {
            let mean = reduce(s, &Dot, [y, dy]);
            map(s, &Centred(mean), [y, dy], dx);
        }
    }
}

struct ShiftedExp(f32);

impl Map<1> for ShiftedExp {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        math::exp(s, s.sub(x, s.splat(self.0)))
    }
}

pub(crate) struct Multiply(pub(crate) f32);

impl Update<0> for Multiply {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], y: S::F) -> S::F {
        s.mul(y, s.splat(self.0))
    }
}

struct Centred(f32);

impl Map<2> for Centred {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [y, dy]: [S::F; 2]) -> S::F {
        s.mul(y, s.sub(dy, s.splat(self.0)))
    }
}
