//! Elementary functions of one vector, each in a file: polynomials on exactly rounded operations, at most 2 ulp off.

mod erf;
mod exp;
mod ln;
mod sigmoid;
mod tanh;

pub(crate) use erf::erf;
pub(crate) use exp::{exp, exp_m1_below_zero};
pub(crate) use ln::{ln, ln_1p_of_exp};
pub(crate) use sigmoid::sigmoid;
pub(crate) use tanh::tanh;

use crate::Kernels;
use crate::elementwise::Map;
use crate::simd::Vectors;

macro_rules! function {
    ($(#[$doc:meta])* $method:ident, $op:ident, $function:path) => {
        struct $op;

        impl Map<1> for $op {
            #[inline(always)]
            fn apply<S: Vectors>(&self, s: S, [x]: [S::F; 1]) -> S::F {
                $function(s, x)
            }
        }

        impl Kernels {
            $(#[$doc])*
            ///
            /// # Panics
            /// When `x` and `y` differ in length.
            pub fn $method(self, x: &[f32], y: &mut [f32]) {
                self.map($op, [x], y);
            }
        }
    };
}

function! {
    /// y = eˣ, at most 2 ulp off, with gradual underflow.
    ///
    /// ```
    /// let mut y = [0.0; 2];
    /// maas_kernels::Kernels::best().exp(&[0.0, f32::NEG_INFINITY], &mut y);
    /// assert_eq!(y, [1.0, 0.0]);
    /// ```
    exp, Exp, exp
}

function! {
    /// y = ln x, at most 2 ulp off; −∞ at ±0 and NaN below.
    ///
    /// ```
    /// let mut y = [0.0; 2];
    /// maas_kernels::Kernels::best().ln(&[1.0, 0.0], &mut y);
    /// assert_eq!(y, [0.0, f32::NEG_INFINITY]);
    /// ```
    ln, Ln, ln
}

function! {
    /// y = tanh x, at most 2 ulp off.
    ///
    /// ```
    /// let mut y = [0.0; 2];
    /// maas_kernels::Kernels::best().tanh(&[0.0, -30.0], &mut y);
    /// assert_eq!(y, [0.0, -1.0]);
    /// ```
    tanh, Tanh, tanh
}

function! {
    /// y = erf x = 2/√π ∫₀ˣ exp(−t²) dt, at most 2 ulp off.
    ///
    /// ```
    /// let mut y = [0.0; 2];
    /// maas_kernels::Kernels::best().erf(&[0.0, -30.0], &mut y);
    /// assert_eq!(y, [0.0, -1.0]);
    /// ```
    erf, Erf, erf
}

function! {
    /// y = 1 / (1 + e⁻ˣ), at most 2 ulp off on both sides.
    ///
    /// ```
    /// let mut y = [0.0; 2];
    /// maas_kernels::Kernels::best().sigmoid(&[0.0, 200.0], &mut y);
    /// assert_eq!(y, [0.5, 1.0]);
    /// ```
    sigmoid, Sigmoid, sigmoid
}
