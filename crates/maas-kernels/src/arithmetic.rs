use crate::Kernels;
use crate::elementwise::{Map, Update, update};
use crate::kernels::Work;
use crate::simd::{Simd, Vectors};

/// Sums, products and affine maps, element by element.
impl Kernels {
    /// y ← y + x.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// let mut y = [1.0, 2.0];
    /// maas_kernels::Kernels::best().add(&[10.0, 20.0], &mut y);
    /// assert_eq!(y, [11.0, 22.0]);
    /// ```
    #[track_caller]
    pub fn add(self, x: &[f32], y: &mut [f32]) {
        self.update(Add, [x], y);
    }

    /// y ← y − x.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// let mut y = [11.0, 22.0];
    /// maas_kernels::Kernels::best().subtract(&[10.0, 20.0], &mut y);
    /// assert_eq!(y, [1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn subtract(self, x: &[f32], y: &mut [f32]) {
        self.update(Subtract, [x], y);
    }

    /// y ← y · x, element by element.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// let mut y = [1.0, 2.0];
    /// maas_kernels::Kernels::best().multiply(&[3.0, 4.0], &mut y);
    /// assert_eq!(y, [3.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn multiply(self, x: &[f32], y: &mut [f32]) {
        self.update(Multiply, [x], y);
    }

    /// y ← α·x + y, one fused multiply-add.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// let mut y = [1.0, 2.0];
    /// maas_kernels::Kernels::best().axpy(0.5, &[2.0, 4.0], &mut y);
    /// assert_eq!(y, [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn axpy(self, alpha: f32, x: &[f32], y: &mut [f32]) {
        self.update(Axpy(alpha), [x], y);
    }

    /// x ← α·x.
    ///
    /// ```
    /// let mut x = [1.0, 2.0];
    /// maas_kernels::Kernels::best().scale(3.0, &mut x);
    /// assert_eq!(x, [3.0, 6.0]);
    /// ```
    pub fn scale(self, alpha: f32, x: &mut [f32]) {
        self.update(Scale(alpha), [], x);
    }

    /// x\[i, j\] ← x\[i, j\] · (α · scale\[i\]); the rows follow from `scale`.
    ///
    /// # Panics
    /// When `x` is not made of as many equally long rows as `scale` has elements.
    ///
    /// ```
    /// let mut x = [1.0, 2.0, 3.0, 4.0];
    /// maas_kernels::Kernels::best().scale_rows(2.0, &[1.0, 10.0], &mut x);
    /// assert_eq!(x, [2.0, 4.0, 60.0, 80.0]);
    /// ```
    #[track_caller]
    pub fn scale_rows(self, alpha: f32, scale: &[f32], x: &mut [f32]) {
        let columns = x.len().checked_div(scale.len()).unwrap_or(0);
        assert_eq!(columns * scale.len(), x.len(), "rows of equal length");
        if columns > 0 {
            self.run(ScaleRows { alpha, scale, x });
        }
    }

    /// x ← value.
    ///
    /// ```
    /// let mut x = [1.0, 2.0];
    /// maas_kernels::Kernels::best().fill(7.0, &mut x);
    /// assert_eq!(x, [7.0, 7.0]);
    /// ```
    pub fn fill(self, value: f32, x: &mut [f32]) {
        x.fill(value);
    }

    /// y\[i, j\] = x\[i, j\] · scale\[j\] + offset\[j\], one fused multiply-add: what normalisation needs.
    ///
    /// The rows have `scale.len()` columns; their number follows from `x`.
    ///
    /// # Panics
    /// When `scale` and `offset` differ in length, or `x` and `y`, or `x` is not made of whole rows.
    ///
    /// ```
    /// let mut y = [0.0; 4];
    /// maas_kernels::Kernels::best().affine_columns(&[1.0, 2.0, 3.0, 4.0], &[1.0, 10.0], &[0.5, 0.0], &mut y);
    /// assert_eq!(y, [1.5, 20.0, 3.5, 40.0]);
    /// ```
    #[track_caller]
    pub fn affine_columns(self, x: &[f32], scale: &[f32], offset: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), y.len(), "slices of different lengths");
        assert_eq!(scale.len(), offset.len(), "slices of different lengths");
        let columns = scale.len();
        if columns == 0 {
            assert!(x.is_empty(), "values without columns");
            return;
        }
        assert_eq!(x.len() % columns, 0, "a part of a row");
        for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
            self.map(Affine, [x, scale, offset], y);
        }
    }
}

struct Add;

impl Update<1> for Add {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1], y: S::F) -> S::F {
        s.add(y, x)
    }
}

struct Subtract;

impl Update<1> for Subtract {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1], y: S::F) -> S::F {
        s.sub(y, x)
    }
}

struct Multiply;

impl Update<1> for Multiply {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1], y: S::F) -> S::F {
        s.mul(y, x)
    }
}

struct Axpy(f32);

impl Update<1> for Axpy {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1], y: S::F) -> S::F {
        s.fma(s.splat(self.0), x, y)
    }
}

struct Scale(f32);

impl Update<0> for Scale {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], x: S::F) -> S::F {
        s.mul(x, s.splat(self.0))
    }
}

struct ScaleRows<'a> {
    alpha: f32,
    scale: &'a [f32],
    x: &'a mut [f32],
}

impl Work for ScaleRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let columns = self.x.len() / self.scale.len();
        for (x, scale) in self.x.chunks_exact_mut(columns).zip(self.scale) {
            update(s, &Scale(self.alpha * scale), [], x);
        }
    }
}

struct Affine;

impl Map<3> for Affine {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x, scale, offset]: [S::F; 3]) -> S::F {
        s.fma(x, scale, offset)
    }
}
