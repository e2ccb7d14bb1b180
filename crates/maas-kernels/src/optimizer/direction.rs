use super::along::{Along, Direct, Turn};
use super::{AdamStep, LookAhead, Moments, Momentum, Nesterov};
use crate::Kernels;
use crate::simd::Simd;

/// How an optimiser turns a gradient g into the direction u of θ ← θ − α·u, with the numbers of one step.
///
/// Each keeps [`buffers`](Direction::buffers) numbers of state for each parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Direction {
    /// u = g.
    Gradient,
    /// v′ = c·v + g, then u = v′, or with Nesterov u = μ·v′ + g.
    Momentum {
        /// c: μ, times the former rate over the present one where rates change.
        carry: f32,
        /// μ.
        momentum: f32,
        /// Which u.
        nesterov: Nesterov,
    },
    /// [`Kernels::scale_by_adam`].
    Adam(AdamStep),
    /// As Adam, with the largest v that there has been under the root: state m, v, v̂.
    AmsGrad(AdamStep),
    /// m and v as Adam's, u = (a·m′ + b·g) / (√(v′ / (1 − β₂ᵗ)) + ε).
    Nadam {
        /// β₁.
        beta_1: f32,
        /// β₂.
        beta_2: f32,
        /// ε.
        epsilon: f32,
        /// a.
        momentum_weight: f32,
        /// b.
        gradient_weight: f32,
        /// 1 − β₂ᵗ.
        bias_correction_2: f32,
    },
    /// v′ = v + (1 − ρ)(g² − v), u = g / √(v′ + ε).
    Rms {
        /// ρ.
        rho: f32,
        /// ε.
        epsilon: f32,
    },
    /// v as that of `Rms`, a′ = a + (1 − ρ)(g − a), u = g / √(max(v′ − a′², 0) + ε): state v, a.
    CenteredRms {
        /// ρ.
        rho: f32,
        /// ε.
        epsilon: f32,
    },
    /// s′ = s + g², u = g / √(s′ + ε).
    Adagrad {
        /// ε.
        epsilon: f32,
    },
    /// u = sign(m + (1 − β₁)(g − m)), m′ = m + (1 − β₂)(g − m).
    Lion {
        /// β₁.
        beta_1: f32,
        /// β₂.
        beta_2: f32,
    },
}

/// What stands around a [`Direction`] in one step of [`Kernels::step_along`]:
/// g ← clamp(scale·g, −limit, limit) before it, u ← u + decay·θ behind it, and θ ← θ − α·u at the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    /// What the gradient is multiplied by; 1 changes nothing.
    pub scale: f32,
    /// What elements of the gradient are clamped to; infinity changes nothing.
    pub limit: f32,
    /// The share of θ that is added to u.
    pub decay: Option<f32>,
    /// α.
    pub learning_rate: f32,
}

impl Around {
    /// Nothing but the step at rate α.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Around::step(0.1).scale, 1.0);
    /// ```
    #[must_use]
    pub const fn step(learning_rate: f32) -> Self {
        Self {
            scale: 1.0,
            limit: f32::INFINITY,
            decay: None,
            learning_rate,
        }
    }
}

impl Direction {
    /// Numbers of state for each parameter.
    ///
    /// ```
    /// assert_eq!(maas_kernels::Direction::Gradient.buffers(), 0);
    /// ```
    #[must_use]
    pub const fn buffers(&self) -> usize {
        match self {
            Self::Gradient => 0,
            Self::Momentum { .. } | Self::Rms { .. } | Self::Adagrad { .. } | Self::Lion { .. } => {
                1
            }
            Self::Adam(_) | Self::Nadam { .. } | Self::CenteredRms { .. } => 2,
            Self::AmsGrad(_) => 3,
        }
    }
}

/// Steps along directions, each one pass.
impl Kernels {
    /// `update` is g on entry and u on return. `state` holds [`Direction::buffers`] runs of `update.len()` floats.
    ///
    /// # Panics
    /// When `state` has another length.
    ///
    /// ```
    /// use maas_kernels::{Direction, Kernels};
    /// let (mut update, mut state) = ([3.0], [7.0]);
    /// Kernels::best().direct(&mut update, &mut state, Direction::Adagrad { epsilon: 0.0 });
    /// assert_eq!((update, state), ([0.75], [16.0]));
    /// ```
    #[track_caller]
    pub fn direct(self, update: &mut [f32], state: &mut [f32], direction: Direction) {
        check(update.len(), state, direction);
        self.dispatch(direction, Job::Direct { update, state });
    }

    /// [`direct`](Self::direct) with what stands around it and the step itself, with the bits that one after another
    /// has: [`scale`](Self::scale), [`clip`](Self::clip), `direct`, [`axpy`](Self::axpy) with the decay,
    /// [`gradient_descent`](Self::gradient_descent).
    ///
    /// # Panics
    /// When lengths differ.
    ///
    /// ```
    /// use maas_kernels::{Around, Direction, Kernels};
    /// let (mut theta, mut state) = ([1.0], [7.0]);
    /// let around = Around { decay: Some(0.25), ..Around::step(0.5) };
    /// Kernels::best().step_along(&mut theta, &[3.0], &mut state, Direction::Adagrad { epsilon: 0.0 }, around);
    /// assert_eq!((theta, state), ([0.5], [16.0]));
    /// ```
    #[track_caller]
    pub fn step_along(
        self,
        theta: &mut [f32],
        gradient: &[f32],
        state: &mut [f32],
        direction: Direction,
        around: Around,
    ) {
        assert_eq!(theta.len(), gradient.len(), "slices of different lengths");
        check(theta.len(), state, direction);
        self.dispatch(
            direction,
            Job::Along {
                theta,
                gradient,
                state,
                around,
            },
        );
    }

    fn dispatch(self, direction: Direction, job: Job<'_>) {
        match direction {
            Direction::Gradient => self.job(Plain, job),
            Direction::Momentum {
                carry,
                momentum,
                nesterov,
            } => match nesterov {
                Nesterov::No => self.job(Momentum(carry), job),
                Nesterov::Yes => self.job(LookAhead { carry, momentum }, job),
            },
            Direction::Adam(step) => self.job(Moments::new(step), job),
            Direction::AmsGrad(step) => self.job(AmsGrad(Moments::new(step)), job),
            Direction::Nadam {
                beta_1,
                beta_2,
                epsilon,
                momentum_weight,
                gradient_weight,
                bias_correction_2,
            } => self.job(
                Nadam {
                    weight_1: 1.0 - beta_1,
                    weight_2: 1.0 - beta_2,
                    epsilon,
                    momentum_weight,
                    gradient_weight,
                    correction: 1.0 / bias_correction_2,
                },
                job,
            ),
            Direction::Rms { rho, epsilon } => self.job(
                Rms {
                    weight: 1.0 - rho,
                    epsilon,
                },
                job,
            ),
            Direction::CenteredRms { rho, epsilon } => self.job(
                CenteredRms {
                    weight: 1.0 - rho,
                    epsilon,
                },
                job,
            ),
            Direction::Adagrad { epsilon } => self.job(Adagrad { epsilon }, job),
            Direction::Lion { beta_1, beta_2 } => self.job(
                Lion {
                    weight_1: 1.0 - beta_1,
                    weight_2: 1.0 - beta_2,
                },
                job,
            ),
        }
    }

    fn job<D: Direct<K>, const K: usize>(self, op: D, job: Job<'_>) {
        match job {
            Job::Direct { update, state } => self.run(Turn::<_, K> { op, update, state }),
            Job::Along {
                theta,
                gradient,
                state,
                around,
            } => match around.decay {
                None => self.run(Along::<_, K, false> {
                    op,
                    theta,
                    gradient,
                    state,
                    around,
                }),
                Some(_) => self.run(Along::<_, K, true> {
                    op,
                    theta,
                    gradient,
                    state,
                    around,
                }),
            },
        }
    }
}

enum Job<'a> {
    Direct {
        update: &'a mut [f32],
        state: &'a mut [f32],
    },
    Along {
        theta: &'a mut [f32],
        gradient: &'a [f32],
        state: &'a mut [f32],
        around: Around,
    },
}

#[track_caller]
fn check(len: usize, state: &[f32], direction: Direction) {
    assert_eq!(
        state.len(),
        len * direction.buffers(),
        "a number of state for each parameter and buffer"
    );
}

struct Plain;

impl Direct<0> for Plain {
    #[inline(always)]
    fn direct<S: Simd>(&self, _: S, gradient: S::F, []: [S::F; 0]) -> (S::F, [S::F; 0]) {
        (gradient, [])
    }
}

impl Direct<1> for Momentum {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [velocity]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let velocity = s.fma(s.splat(self.0), velocity, gradient);
        (velocity, [velocity])
    }
}

impl Direct<1> for LookAhead {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [velocity]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let velocity = s.fma(s.splat(self.carry), velocity, gradient);
        (
            s.fma(s.splat(self.momentum), velocity, gradient),
            [velocity],
        )
    }
}

impl Direct<2> for Moments {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [m, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let (m, v) = self.means(s, gradient, m, v);
        (self.along(s, m, v), [m, v])
    }
}

struct AmsGrad(Moments);

impl Direct<3> for AmsGrad {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [m, v, top]: [S::F; 3]) -> (S::F, [S::F; 3]) {
        let (m, v) = self.0.means(s, gradient, m, v);
        let top = s.larger(top, v);
        (self.0.along(s, m, top), [m, v, top])
    }
}

struct Nadam {
    weight_1: f32,
    weight_2: f32,
    epsilon: f32,
    momentum_weight: f32,
    gradient_weight: f32,
    correction: f32,
}

impl Direct<2> for Nadam {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [m, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let m = mean(s, self.weight_1, gradient, m);
        let v = mean_square(s, self.weight_2, gradient, v);
        let ahead = s.mul(s.splat(self.gradient_weight), gradient);
        let ahead = s.fma(s.splat(self.momentum_weight), m, ahead);
        let root = s.sqrt(s.mul(v, s.splat(self.correction)));
        (s.div(ahead, s.add(root, s.splat(self.epsilon))), [m, v])
    }
}

struct Rms {
    weight: f32,
    epsilon: f32,
}

impl Direct<1> for Rms {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [v]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let v = mean_square(s, self.weight, gradient, v);
        let root = s.sqrt(s.add(v, s.splat(self.epsilon)));
        (s.div(gradient, root), [v])
    }
}

struct CenteredRms {
    weight: f32,
    epsilon: f32,
}

impl Direct<2> for CenteredRms {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [v, a]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        let v = mean_square(s, self.weight, gradient, v);
        let a = mean(s, self.weight, gradient, a);
        let variance = s.larger(s.zero(), s.fnma(a, a, v));
        let root = s.sqrt(s.add(variance, s.splat(self.epsilon)));
        (s.div(gradient, root), [v, a])
    }
}

struct Adagrad {
    epsilon: f32,
}

impl Direct<1> for Adagrad {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [sum]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let sum = s.fma(gradient, gradient, sum);
        let root = s.sqrt(s.add(sum, s.splat(self.epsilon)));
        (s.div(gradient, root), [sum])
    }
}

struct Lion {
    weight_1: f32,
    weight_2: f32,
}

impl Direct<1> for Lion {
    #[inline(always)]
    fn direct<S: Simd>(&self, s: S, gradient: S::F, [m]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let ahead = mean(s, self.weight_1, gradient, m);
        let one = s.with_sign(s.splat(1.0), ahead);
        let sign = s.clear(s.le(s.abs(ahead), s.zero()), one);
        let sign = s.select(s.is_nan(ahead), ahead, sign);
        (sign, [mean(s, self.weight_2, gradient, m)])
    }
}

/// m + w (g − m).
#[inline(always)]
pub(super) fn mean<S: Simd>(s: S, weight: f32, gradient: S::F, m: S::F) -> S::F {
    s.fma(s.splat(weight), s.sub(gradient, m), m)
}

/// v + w (g² − v).
#[inline(always)]
pub(super) fn mean_square<S: Simd>(s: S, weight: f32, gradient: S::F, v: S::F) -> S::F {
    let excess = s.fma(gradient, gradient, s.neg(v));
    s.fma(s.splat(weight), excess, v)
}
