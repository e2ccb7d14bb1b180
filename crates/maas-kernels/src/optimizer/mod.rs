//! Optimisers' passes over parameters, gradients and their own state, all of one layout.

mod along;
mod direction;
mod links;
mod rules;

use crate::Kernels;
use crate::elementwise::Update;
use crate::simd::Vectors;
pub use direction::{AdamStep, Around, Direction, Nesterov};

/// The step itself.
impl Kernels {
    /// θ ← θ − α·g, one fused multiply-add.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// let mut theta = [1.0, 2.0];
    /// maas_kernels::Kernels::best().gradient_descent(&mut theta, &[4.0, -4.0], 0.25);
    /// assert_eq!(theta, [0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn gradient_descent(self, theta: &mut [f32], gradient: &[f32], learning_rate: f32) {
        self.update(Descent(learning_rate), [gradient], theta);
    }
}

struct Descent(f32);

impl Update<1> for Descent {
    #[inline(always)]
    fn apply<S: Vectors>(&self, s: S, [update]: [S::F; 1], theta: S::F) -> S::F {
        s.fnma(s.splat(self.0), update, theta)
    }
}
