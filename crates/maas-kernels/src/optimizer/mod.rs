//! Optimisers' passes.

mod along;
mod direction;
mod links;

use crate::Kernels;
use crate::elementwise::{Update, UpdateAll};
use crate::simd::Simd;
pub use direction::{Around, Direction};
use direction::{mean, mean_square};

/// What turns a velocity into an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Nesterov {
    /// u = v′.
    #[default]
    No,
    /// u = μ·v′ + g: the gradient seen from where the velocity leads.
    Yes,
}

/// The numbers of one step of Adam (Kingma & Ba, 2015), in Keras' form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// α.
    pub learning_rate: f32,
    /// β₁, the decay of the mean of gradients.
    pub beta_1: f32,
    /// β₂, the decay of the mean of their squares.
    pub beta_2: f32,
    /// ε, added to the root.
    pub epsilon: f32,
    /// 1 − β₁ᵗ for the step's number t, from 1.
    pub bias_correction_1: f32,
    /// 1 − β₂ᵗ.
    pub bias_correction_2: f32,
}

/// The optimisers' passes over parameters, gradients and their own state, all of one layout.
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

    /// v′ = μ·v + g, then u = v′, or with Nesterov u = μ·v′ + g. `update` is g on entry and u on return.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{Kernels, Nesterov};
    /// let (mut update, mut velocity) = ([1.0], [2.0]);
    /// Kernels::best().momentum(&mut update, &mut velocity, 0.5, Nesterov::Yes);
    /// assert_eq!((update, velocity), ([2.0], [2.0]));
    /// ```
    #[track_caller]
    pub fn momentum(
        self,
        update: &mut [f32],
        velocity: &mut [f32],
        momentum: f32,
        nesterov: Nesterov,
    ) {
        match nesterov {
            Nesterov::No => self.update_all(Momentum(momentum), [], [update, velocity]),
            Nesterov::Yes => {
                let op = LookAhead {
                    carry: momentum,
                    momentum,
                };
                self.update_all(op, [], [update, velocity]);
            }
        }
    }

    /// One step of Adam: m′ = m + (1 − β₁)(g − m), v′ = v + (1 − β₂)(g² − v),
    /// θ ← θ − α·u with u = √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m′ / (√v′ + ε).
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{AdamStep, Kernels};
    /// let step = AdamStep {
    ///     learning_rate: 0.1, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7,
    ///     bias_correction_1: 1.0 - 0.9, bias_correction_2: 1.0 - 0.999,
    /// };
    /// let (mut theta, mut m, mut v) = ([1.0], [0.0], [0.0]);
    /// Kernels::best().adam(&mut theta, &[5.0], &mut m, &mut v, step);
    /// assert!((theta[0] - 0.9).abs() < 1e-5); // the first step has length α
    /// ```
    #[track_caller]
    pub fn adam(
        self,
        theta: &mut [f32],
        gradient: &[f32],
        m: &mut [f32],
        v: &mut [f32],
        step: AdamStep,
    ) {
        let adam = Adam {
            moments: Moments::new(step),
            descent: Descent(step.learning_rate),
        };
        self.update_all(adam, [gradient], [theta, m, v]);
    }

    /// As [`Kernels::adam`] without the step itself: `update` is g on entry and u on return, so that a following
    /// [`Kernels::gradient_descent`] gives the same bits. `learning_rate` is not looked at.
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::{AdamStep, Kernels};
    /// let step = AdamStep {
    ///     learning_rate: 0.1, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7,
    ///     bias_correction_1: 1.0 - 0.9, bias_correction_2: 1.0 - 0.999,
    /// };
    /// let (mut update, mut m, mut v) = ([5.0], [0.0], [0.0]);
    /// Kernels::best().scale_by_adam(&mut update, &mut m, &mut v, step);
    /// assert!((update[0] - 1.0).abs() < 1e-5);
    /// ```
    #[track_caller]
    pub fn scale_by_adam(self, update: &mut [f32], m: &mut [f32], v: &mut [f32], step: AdamStep) {
        self.update_all(Moments::new(step), [], [update, m, v]);
    }
}

struct Descent(f32);

impl Update<1> for Descent {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [update]: [S::F; 1], theta: S::F) -> S::F {
        s.fnma(s.splat(self.0), update, theta)
    }
}

struct Momentum(f32);

impl UpdateAll<0, 2> for Momentum {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, []: [S::F; 0], [gradient, velocity]: [S::F; 2]) -> [S::F; 2] {
        let velocity = s.fma(s.splat(self.0), velocity, gradient);
        [velocity, velocity]
    }
}

struct LookAhead {
    carry: f32,
    momentum: f32,
}

impl UpdateAll<0, 2> for LookAhead {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, []: [S::F; 0], [gradient, velocity]: [S::F; 2]) -> [S::F; 2] {
        let velocity = s.fma(s.splat(self.carry), velocity, gradient);
        [s.fma(s.splat(self.momentum), velocity, gradient), velocity]
    }
}

/// Adam's running moments and the direction that they give.
struct Moments {
    weight_1: f32,
    weight_2: f32,
    epsilon: f32,
    scale: f32,
}

impl Moments {
    fn new(step: AdamStep) -> Self {
        Self {
            weight_1: 1.0 - step.beta_1,
            weight_2: 1.0 - step.beta_2,
            epsilon: step.epsilon,
            scale: step.bias_correction_2.sqrt() / step.bias_correction_1,
        }
    }

    #[inline(always)]
    fn means<S: Simd>(&self, s: S, gradient: S::F, m: S::F, v: S::F) -> (S::F, S::F) {
        (
            mean(s, self.weight_1, gradient, m),
            mean_square(s, self.weight_2, gradient, v),
        )
    }

    #[inline(always)]
    fn along<S: Simd>(&self, s: S, m: S::F, v: S::F) -> S::F {
        let root = s.add(s.sqrt(v), s.splat(self.epsilon));
        s.mul(s.splat(self.scale), s.div(m, root))
    }
}

impl UpdateAll<0, 3> for Moments {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, []: [S::F; 0], [gradient, m, v]: [S::F; 3]) -> [S::F; 3] {
        let (m, v) = self.means(s, gradient, m, v);
        [self.along(s, m, v), m, v]
    }
}

struct Adam {
    moments: Moments,
    descent: Descent,
}

impl UpdateAll<1, 3> for Adam {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [gradient]: [S::F; 1], [theta, m, v]: [S::F; 3]) -> [S::F; 3] {
        let [update, m, v] = self.moments.apply(s, [], [gradient, m, v]);
        [self.descent.apply(s, [update], theta), m, v]
    }
}
