use super::rows_of;
use crate::Kernels;
use crate::elementwise::{Map, Update, map, update};
use crate::kernels::Work;
use crate::reduce::{Dot, Reduction, Sum, reduce};
use crate::simd::{Simd, Vectors};

/// Normalisation of each row by its own mean and variance.
impl Kernels {
    /// y\[i, j\] = (x\[i, j\] − mᵢ)·rᵢ·gamma\[j\] + beta\[j\], with the mean mᵢ of row i and rᵢ = 1/√(vᵢ + ε), where vᵢ is
    /// the mean of the squares of x\[i, j\] − mᵢ.
    ///
    /// Sums are those of [`Kernels::sum`] and [`Kernels::dot`]. Where `statistics` is given, row i's mᵢ and rᵢ are
    /// written to it, one after the other.
    ///
    /// # Panics
    /// When x and y differ in length, gamma and beta too, x is not made of whole rows, or there are not two statistics a
    /// row.
    ///
    /// ```
    /// let (mut y, mut statistics) = ([0.0; 4], [0.0; 4]);
    /// let kernels = maas_kernels::Kernels::best();
    /// let x = [1.0, 3.0, 10.0, 6.0];
    /// kernels.normalize_rows(&x, 0.0, &[1.0, 2.0], &[0.0, 0.5], &mut y, Some(&mut statistics));
    /// assert_eq!((y, statistics), ([-1.0, 2.5, 1.0, -1.5], [2.0, 1.0, 8.0, 0.5]));
    /// ```
    #[track_caller]
    pub fn normalize_rows(
        self,
        x: &[f32],
        epsilon: f32,
        gamma: &[f32],
        beta: &[f32],
        y: &mut [f32],
        statistics: Option<&mut [f32]>,
    ) {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        assert_eq!(gamma.len(), beta.len(), "as many gammas as betas");
        let rows = rows_of(x.len(), gamma.len());
        if let Some(statistics) = &statistics {
            assert_eq!(statistics.len(), 2 * rows, "two statistics a row");
        }
        self.run(NormalizeRows {
            x,
            epsilon,
            gamma,
            beta,
            y,
            statistics,
        });
    }

    /// The gradient through [`Kernels::normalize_rows`]: with x̂ = (x − m)·r and g = dy·gamma, and means over the row,
    /// dx = r·(g − mean(g) − x̂·mean(g·x̂)).
    ///
    /// # Panics
    /// When x, dy and dx differ in length, x is not made of whole rows, or there are not two statistics a row.
    ///
    /// ```
    /// let mut dx = [0.0; 2];
    /// let kernels = maas_kernels::Kernels::best();
    /// kernels.normalize_rows_gradient(&[1.0, 3.0], &[2.0, 1.0], &[1.0, 1.0], &[1.0, 0.0], &mut dx);
    /// assert_eq!(dx, [0.0, 0.0]); // two numbers have nothing but a mean and a deviation
    /// ```
    #[track_caller]
    pub fn normalize_rows_gradient(
        self,
        x: &[f32],
        statistics: &[f32],
        gamma: &[f32],
        dy: &[f32],
        dx: &mut [f32],
    ) {
        assert_eq!(x.len(), dx.len(), "slices of different lengths");
        assert_eq!(x.len(), dy.len(), "slices of different lengths");
        let rows = rows_of(x.len(), gamma.len());
        assert_eq!(statistics.len(), 2 * rows, "two statistics a row");
        self.run(NormalizeRowsGradient {
            x,
            statistics,
            gamma,
            dy,
            dx,
        });
    }
}

struct NormalizeRows<'a> {
    x: &'a [f32],
    epsilon: f32,
    gamma: &'a [f32],
    beta: &'a [f32],
    y: &'a mut [f32],
    statistics: Option<&'a mut [f32]>,
}

impl Work for NormalizeRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let width = self.gamma.len().max(1);
        let count = width as f32;
        let rows = self.x.chunks_exact(width);
        for (row, (x, y)) in rows.zip(self.y.chunks_exact_mut(width)).enumerate() {
            let mean = reduce(s, &Sum, [x]) / count;
            map(s, &Less(mean), [x], y);
            let variance = reduce(s, &Dot, [&*y, &*y]) / count;
            let inverse = 1.0 / (variance + self.epsilon).sqrt();
            update(s, &Scaled(inverse), [self.gamma, self.beta], y);
            if let Some(statistics) = &mut self.statistics {
                statistics[2 * row..2 * row + 2].copy_from_slice(&[mean, inverse]);
            }
        }
    }
}

struct Less(f32);

impl Map<1> for Less {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        s.sub(x, s.splat(self.0))
    }
}

struct Scaled(f32);

impl Update<2> for Scaled {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [gamma, beta]: [S::F; 2], y: S::F) -> S::F {
        s.fma(s.mul(y, s.splat(self.0)), gamma, beta)
    }
}

struct NormalizeRowsGradient<'a> {
    x: &'a [f32],
    statistics: &'a [f32],
    gamma: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Work for NormalizeRowsGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (gamma, width) = (self.gamma, self.gamma.len().max(1));
        let count = width as f32;
        let (statistics, _) = self.statistics.as_chunks::<2>();
        let rows = self.x.chunks_exact(width).zip(self.dy.chunks_exact(width));
        let rows = rows.zip(self.dx.chunks_exact_mut(width));
        for (((x, dy), dx), &[mean, inverse]) in rows.zip(statistics) {
            let along = Along { mean, inverse };
            let back = Back {
                mean,
                inverse,
                level: reduce(s, &Dot, [dy, gamma]) / count,
                slope: reduce(s, &along, [x, dy, gamma]) / count,
            };
            map(s, &back, [x, dy, gamma], dx);
        }
    }
}

/// Σ dy·gamma·x̂.
struct Along {
    mean: f32,
    inverse: f32,
}

impl Reduction<3> for Along {
    const START: f32 = 0.0;
    const PADDING: f32 = 0.0;

    #[inline(always)]
    fn step<S: Simd>(&self, s: S, lanes: S::F, [x, dy, gamma]: [S::F; 3]) -> S::F {
        let normal = s.mul(s.sub(x, s.splat(self.mean)), s.splat(self.inverse));
        s.fma(s.mul(dy, gamma), normal, lanes)
    }

    #[inline(always)]
    fn join(&self, a: f32, b: f32) -> f32 {
        a + b
    }
}

struct Back {
    mean: f32,
    inverse: f32,
    level: f32,
    slope: f32,
}

impl Map<3> for Back {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x, dy, gamma]: [S::F; 3]) -> S::F {
        let inverse = s.splat(self.inverse);
        let normal = s.mul(s.sub(x, s.splat(self.mean)), inverse);
        let level = s.fma(dy, gamma, s.splat(-self.level));
        s.mul(inverse, s.fnma(normal, s.splat(self.slope), level))
    }
}
