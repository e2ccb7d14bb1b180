use crate::Kernels;
use crate::elementwise::{Map, Update};
use crate::math;
use crate::simd::Simd;

/// A function applied to every element of a layer's output.
///
/// ```
/// use maas_kernels::{Activation, Kernels};
///
/// let mut y = [0.0; 3];
/// Kernels::best().activate(Activation::Relu, &[-1.0, 0.0, 2.0], &mut y);
/// assert_eq!(y, [0.0, 0.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[non_exhaustive]
pub enum Activation {
    /// y = x.
    #[default]
    Linear,
    /// y = max(x, 0). A NaN stays a NaN; −0 becomes +0.
    Relu,
    /// y = x above zero, slope · x below.
    LeakyRelu {
        /// The factor below zero.
        slope: f32,
    },
    /// y = x·Φ(x) = x/2 · (1 + erf(x/√2)): exact, not the tanh approximation.
    Gelu,
    /// y = x·σ(x).
    Silu,
    /// y = tanh x.
    Tanh,
    /// y = σ(x) = 1 / (1 + e⁻ˣ).
    Sigmoid,
}

impl Activation {
    /// Whether the derivative follows from the output y; otherwise it needs the input x.
    ///
    /// ```
    /// use maas_kernels::Activation;
    /// assert!(Activation::Tanh.derivative_from_output());
    /// assert!(!Activation::Gelu.derivative_from_output());
    /// ```
    #[must_use]
    pub fn derivative_from_output(self) -> bool {
        match self {
            Self::Linear | Self::Relu | Self::Tanh | Self::Sigmoid => true,
            // With a negative slope the sign of the output no longer tells the sides apart.
            Self::LeakyRelu { slope } => slope >= 0.0,
            Self::Gelu | Self::Silu => false,
        }
    }
}

macro_rules! with_operation {
    ($activation:expr, $op:ident => $body:expr) => {
        match $activation {
            Activation::Linear => {
                let $op = Linear;
                $body
            }
            Activation::Relu => {
                let $op = Relu;
                $body
            }
            Activation::LeakyRelu { slope } => {
                let $op = LeakyRelu(slope);
                $body
            }
            Activation::Gelu => {
                let $op = Gelu;
                $body
            }
            Activation::Silu => {
                let $op = Silu;
                $body
            }
            Activation::Tanh => {
                let $op = Tanh;
                $body
            }
            Activation::Sigmoid => {
                let $op = Sigmoid;
                $body
            }
        }
    };
}

/// Activations and their derivatives.
impl Kernels {
    /// y = act(x), element by element.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{Activation, Kernels};
    /// let mut y = [0.0];
    /// Kernels::best().activate(Activation::Sigmoid, &[0.0], &mut y);
    /// assert_eq!(y, [0.5]);
    /// ```
    #[track_caller]
    pub fn activate(self, activation: Activation, x: &[f32], y: &mut [f32]) {
        with_operation!(activation, op => self.map(Forward(op), [x], y));
    }

    /// x ← act(x), element by element; the same bits as [`Kernels::activate`].
    ///
    /// ```
    /// use maas_kernels::{Activation, Kernels};
    /// let mut x = [-2.0, 2.0];
    /// Kernels::best().activate_in_place(Activation::LeakyRelu { slope: 0.5 }, &mut x);
    /// assert_eq!(x, [-1.0, 2.0]);
    /// ```
    pub fn activate_in_place(self, activation: Activation, x: &mut [f32]) {
        if activation != Activation::Linear {
            with_operation!(activation, op => self.update(Forward(op), [], x));
        }
    }

    /// dx = act′ · dy, element by element.
    ///
    /// `saved` is the output y where [`Activation::derivative_from_output`] says so, else the input x. At the kink of
    /// `Relu` and `LeakyRelu` the derivative from the left is taken.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{Activation, Kernels};
    /// let mut dx = [0.0; 2];
    /// Kernels::best().activation_gradient(Activation::Relu, &[0.0, 3.0], &[5.0, 7.0], &mut dx);
    /// assert_eq!(dx, [0.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn activation_gradient(
        self,
        activation: Activation,
        saved: &[f32],
        dy: &[f32],
        dx: &mut [f32],
    ) {
        with_operation!(activation, op => self.map(Gradient(op), [saved, dy], dx));
    }

    /// dy ← act′ · dy in place; the same bits as [`Kernels::activation_gradient`].
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{Activation, Kernels};
    /// let mut dy = [5.0, 7.0];
    /// Kernels::best().activation_gradient_in_place(Activation::Relu, &[0.0, 3.0], &mut dy);
    /// assert_eq!(dy, [0.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn activation_gradient_in_place(
        self,
        activation: Activation,
        saved: &[f32],
        dy: &mut [f32],
    ) {
        if activation == Activation::Linear {
            assert_eq!(saved.len(), dy.len(), "slices of different lengths");
            return;
        }
        with_operation!(activation, op => self.update(Gradient(op), [saved], dy));
    }
}

/// One activation on a vector. Both functions must be `#[inline(always)]`.
pub(crate) trait Operation {
    fn forward<S: Simd>(&self, s: S, x: S::F) -> S::F;
    fn gradient<S: Simd>(&self, s: S, saved: S::F, dy: S::F) -> S::F;
}

struct Forward<O>(O);

impl<O: Operation> Map<1> for Forward<O> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        self.0.forward(s, x)
    }
}

impl<O: Operation> Update<0> for Forward<O> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, []: [S::F; 0], x: S::F) -> S::F {
        self.0.forward(s, x)
    }
}

struct Gradient<O>(O);

impl<O: Operation> Map<2> for Gradient<O> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [saved, dy]: [S::F; 2]) -> S::F {
        self.0.gradient(s, saved, dy)
    }
}

impl<O: Operation> Update<1> for Gradient<O> {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [saved]: [S::F; 1], dy: S::F) -> S::F {
        self.0.gradient(s, saved, dy)
    }
}

pub(crate) struct Linear;

impl Operation for Linear {
    #[inline(always)]
    fn forward<S: Simd>(&self, _: S, x: S::F) -> S::F {
        x
    }

    #[inline(always)]
    fn gradient<S: Simd>(&self, _: S, _: S::F, dy: S::F) -> S::F {
        dy
    }
}

pub(crate) struct Relu;

impl Operation for Relu {
    #[inline(always)]
    fn forward<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.clear(s.le(x, s.zero()), x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.clear(s.le(y, s.zero()), dy)
    }
}

pub(crate) struct LeakyRelu(pub(crate) f32);

impl Operation for LeakyRelu {
    #[inline(always)]
    fn forward<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.select(s.le(x, s.zero()), s.mul(x, s.splat(self.0)), x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.select(s.le(y, s.zero()), s.mul(dy, s.splat(self.0)), dy)
    }
}

struct Gelu;

impl Operation for Gelu {
    #[inline(always)]
    fn forward<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.mul(x, normal_distribution(s, x))
    }

    /// Φ(x) + x·φ(x).
    #[inline(always)]
    fn gradient<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        let density = s.mul(
            s.splat(FRAC_1_SQRT_2PI),
            math::exp(s, s.mul(s.splat(-0.5), s.mul(x, x))),
        );
        s.mul(dy, s.fma(x, density, normal_distribution(s, x)))
    }
}

/// Φ(x) = (1 + erf(x/√2)) / 2.
#[inline(always)]
fn normal_distribution<S: Simd>(s: S, x: S::F) -> S::F {
    let erf = math::erf(s, s.mul(x, s.splat(std::f32::consts::FRAC_1_SQRT_2)));
    s.fma(s.splat(0.5), erf, s.splat(0.5))
}

const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;

struct Silu;

impl Operation for Silu {
    #[inline(always)]
    fn forward<S: Simd>(&self, s: S, x: S::F) -> S::F {
        s.mul(x, math::sigmoid(s, x))
    }

    /// σ(x)·(1 + x·(1 − σ(x))).
    #[inline(always)]
    fn gradient<S: Simd>(&self, s: S, x: S::F, dy: S::F) -> S::F {
        let sigma = math::sigmoid(s, x);
        let slope = s.mul(sigma, s.fma(x, s.sub(s.splat(1.0), sigma), s.splat(1.0)));
        s.mul(dy, slope)
    }
}

struct Tanh;

impl Operation for Tanh {
    #[inline(always)]
    fn forward<S: Simd>(&self, s: S, x: S::F) -> S::F {
        math::tanh(s, x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.mul(dy, s.fnma(y, y, s.splat(1.0)))
    }
}

struct Sigmoid;

impl Operation for Sigmoid {
    #[inline(always)]
    fn forward<S: Simd>(&self, s: S, x: S::F) -> S::F {
        math::sigmoid(s, x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(&self, s: S, y: S::F, dy: S::F) -> S::F {
        s.mul(dy, s.mul(y, s.sub(s.splat(1.0), y)))
    }
}
