//! Functions applied element by element, and their derivatives.

mod bounded;
mod piecewise;
mod smooth;

pub(crate) use piecewise::{LeakyRelu, Relu};

use bounded::{HardSigmoid, Sigmoid, Softsign, Tanh};
use piecewise::{Elu, Linear, Selu};
use smooth::{Gelu, GeluTanh, Mish, Silu, Softplus};

use crate::Kernels;
use crate::elementwise::{Map, Update};
use crate::simd::Vectors;

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
    /// y = x above zero, alpha · (eˣ − 1) below (Clevert et al., 2015). Keras' alpha is 1.
    Elu {
        /// The depth that is reached far below zero.
        alpha: f32,
    },
    /// y = 1.05070098 · elu(x) with alpha = 1.67326324, which keep mean 0 and variance 1 (Klambauer et al., 2017).
    Selu,
    /// y = x·Φ(x) = x/2 · (1 + erf(x/√2)): exact, not the tanh approximation.
    Gelu,
    /// y = x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))): the approximation of [`Activation::Gelu`] (Hendrycks and
    /// Gimpel, 2016), of which it is at most 5e-4 off.
    GeluTanh,
    /// y = x·σ(x).
    Silu,
    /// y = x·tanh(ln(1 + eˣ)) (Misra, 2019).
    Mish,
    /// y = tanh x.
    Tanh,
    /// y = σ(x) = 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// y = min(max(x + 3, 0), 6) / 6, as Keras 3 defines it.
    HardSigmoid,
    /// y = ln(1 + eˣ).
    Softplus,
    /// y = x / (1 + |x|). Not a number at ±∞.
    Softsign,
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
            Self::Linear
            | Self::Relu
            | Self::Selu
            | Self::Tanh
            | Self::Sigmoid
            | Self::HardSigmoid
            | Self::Softplus
            | Self::Softsign => true,
            // With a negative slope the sign of the output no longer tells the sides apart.
            Self::LeakyRelu { slope } => slope >= 0.0,
            Self::Elu { alpha } => alpha >= 0.0,
            Self::Gelu | Self::GeluTanh | Self::Silu | Self::Mish => false,
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
            Activation::Elu { alpha } => {
                let $op = Elu(alpha);
                $body
            }
            Activation::Selu => {
                let $op = Selu;
                $body
            }
            Activation::Gelu => {
                let $op = Gelu;
                $body
            }
            Activation::GeluTanh => {
                let $op = GeluTanh;
                $body
            }
            Activation::Silu => {
                let $op = Silu;
                $body
            }
            Activation::Mish => {
                let $op = Mish;
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
            Activation::HardSigmoid => {
                let $op = HardSigmoid;
                $body
            }
            Activation::Softplus => {
                let $op = Softplus;
                $body
            }
            Activation::Softsign => {
                let $op = Softsign;
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
    /// `saved` is the output y where [`Activation::derivative_from_output`] says so, else the input x. At a kink, such as
    /// that of `Relu`, the derivative from the left is taken.
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
    fn forward<S: Vectors>(&self, s: S, x: S::F) -> S::F;
    fn gradient<S: Vectors>(&self, s: S, saved: S::F, dy: S::F) -> S::F;
}

struct Forward<O>(O);

impl<O: Operation> Map<1> for Forward<O> {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1]) -> S::F {
        self.0.forward(s, x)
    }
}

impl<O: Operation> Update<0> for Forward<O> {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, []: [S::F; 0], x: S::F) -> S::F {
        self.0.forward(s, x)
    }
}

struct Gradient<O>(O);

impl<O: Operation> Map<2> for Gradient<O> {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [saved, dy]: [S::F; 2]) -> S::F {
        self.0.gradient(s, saved, dy)
    }
}

impl<O: Operation> Update<1> for Gradient<O> {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [saved]: [S::F; 1], dy: S::F) -> S::F {
        self.0.gradient(s, saved, dy)
    }
}
