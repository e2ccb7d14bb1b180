use super::along::{Along, Direct, Turn};
use super::rules::{
    Adagrad, AmsGrad, CenteredRms, Lion, LookAhead, Moments, Momentum, Nadam, Plain, Rms,
};
use crate::Kernels;

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
    /// m′ = m + (1 − β₁)(g − m), v′ = v + (1 − β₂)(g² − v), u = √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m′ / (√v′ + ε).
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

/// What turns a velocity into an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Nesterov {
    /// u = v′.
    #[default]
    No,
    /// u = μ·v′ + g: the gradient seen from where the velocity leads.
    Yes,
}

/// The numbers of one step of Adam (Kingma & Ba, 2015) without its rate, in Keras' form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
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
