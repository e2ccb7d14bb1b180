use super::rows_of;
use crate::Kernels;
use crate::elementwise::{Map, map};
use crate::kernels::Work;
use crate::simd::{Simd, Vectors};

/// Maps whose coefficients go by column.
impl Kernels {
    /// y\[i, j\] = (x\[i, j\] − means\[j\])·scales\[j\] + offsets\[j\], the difference rounded, then one fused
    /// multiply-add.
    ///
    /// # Panics
    /// When x and y differ in length, the coefficients in number, or x is not made of whole rows.
    ///
    /// ```
    /// let mut y = [0.0; 4];
    /// let (means, scales, offsets) = (&[2.0, 4.0], &[10.0, 1.0], &[0.5, 0.0]);
    /// maas_kernels::Kernels::best().normalize_columns(&[1.0, 5.0, 3.0, 5.0], means, scales, offsets, &mut y);
    /// assert_eq!(y, [-9.5, 1.0, 10.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn normalize_columns(
        self,
        x: &[f32],
        means: &[f32],
        scales: &[f32],
        offsets: &[f32],
        y: &mut [f32],
    ) {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        rows_of(x.len(), means.len());
        assert_eq!(means.len(), scales.len(), "as many scales as means");
        assert_eq!(means.len(), offsets.len(), "as many offsets as means");
        self.run(Normalize {
            x,
            columns: [means, scales, offsets],
            y,
        });
    }

    /// dx\[i, j\] = dy\[i, j\]·a\[j\] + ((x\[i, j\] − means\[j\])·b\[j\] + c\[j\]), in two fused multiply-adds: the
    /// gradient through a normalisation by column whose statistics are those of x, or, with b and c of zero, others.
    ///
    /// # Panics
    /// When x, dy and dx differ in length, the coefficients in number, or x is not made of whole rows.
    ///
    /// ```
    /// let mut dx = [0.0; 2];
    /// let coefficients = [&[2.0][..], &[10.0], &[0.5]];
    /// maas_kernels::Kernels::best().normalize_columns_gradient(&[1.0, 3.0], &[2.0], &[1.0, 1.0], coefficients, &mut dx);
    /// assert_eq!(dx, [-7.5, 12.5]);
    /// ```
    #[track_caller]
    pub fn normalize_columns_gradient(
        self,
        x: &[f32],
        means: &[f32],
        dy: &[f32],
        coefficients: [&[f32]; 3],
        dx: &mut [f32],
    ) {
        assert_eq!(x.len(), dx.len(), "slices of different lengths");
        assert_eq!(x.len(), dy.len(), "slices of different lengths");
        rows_of(x.len(), means.len());
        for coefficients in coefficients {
            assert_eq!(
                means.len(),
                coefficients.len(),
                "as many coefficients as means"
            );
        }
        self.run(NormalizeGradient {
            x,
            dy,
            means,
            coefficients,
            dx,
        });
    }
}

struct Normalize<'a> {
    x: &'a [f32],
    columns: [&'a [f32]; 3],
    y: &'a mut [f32],
}

impl Work for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [means, scales, offsets] = self.columns;
        let width = means.len().max(1);
        for (x, y) in self
            .x
            .chunks_exact(width)
            .zip(self.y.chunks_exact_mut(width))
        {
            map(s, &Standardise, [x, means, scales, offsets], y);
        }
    }
}

struct Standardise;

impl Map<4> for Standardise {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x, mean, scale, offset]: [S::F; 4]) -> S::F {
        s.fma(s.sub(x, mean), scale, offset)
    }
}

struct NormalizeGradient<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    means: &'a [f32],
    coefficients: [&'a [f32]; 3],
    dx: &'a mut [f32],
}

impl Work for NormalizeGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (means, [a, b, c]) = (self.means, self.coefficients);
        let width = means.len().max(1);
        let rows = self.x.chunks_exact(width).zip(self.dy.chunks_exact(width));
        for ((x, dy), dx) in rows.zip(self.dx.chunks_exact_mut(width)) {
            map(s, &Back, [x, means, dy, a, b, c], dx);
        }
    }
}

struct Back;

impl Map<6> for Back {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x, mean, dy, a, b, c]: [S::F; 6]) -> S::F {
        s.fma(dy, a, s.fma(s.sub(x, mean), b, c))
    }
}
