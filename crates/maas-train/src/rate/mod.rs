//! How large a step is.

mod math;
mod plateau;
mod plot;
mod range;
mod schedule;
mod span;

use serde::{Deserialize, Serialize};

use crate::{EpochRecord, Error, Figure, Goal};
use schedule::Schedule;

pub(crate) use math::whole_power;
pub(crate) use plateau::Memory;
pub use plateau::Plateau;
pub use range::{RangeCurve, RangePoint, RangeTest};
pub use span::{Horizon, Span};

/// The learning rate α: how far a step goes along the direction that the optimiser chose, as a function of the step.
///
/// It is data: it can be compared, saved and loaded with serde. Numbers turn into a constant rate, and every place that
/// takes a rate takes `impl Into<LearningRate>`. Lengths are [`Span`]s in steps, epochs or shares of the run, and where
/// none is given a schedule takes the whole run. A rate is checked when it is used, so that building an optimiser cannot
/// fail. t counts steps from 0, as in Keras.
///
/// | rate | after t steps | source |
/// | --- | --- | --- |
/// | [`constant`](Self::constant) | α₀ | |
/// | [`step`](Self::step) | α₀ γ^⌊t/n⌋ | PyTorch's `StepLR`, Keras' `ExponentialDecay(staircase=True)` |
/// | [`piecewise`](Self::piecewise) | αᵢ in piece i | PyTorch's `MultiStepLR`, Keras' `PiecewiseConstantDecay` |
/// | [`exponential`](Self::exponential) | α₀ γ^(t/n) | Keras' `ExponentialDecay` |
/// | [`inverse_time`](Self::inverse_time) | α₀ / (1 + k t/n) | Keras' `InverseTimeDecay` |
/// | [`polynomial`](Self::polynomial), [`linear`](Self::linear) | α₁ + (α₀ − α₁)(1 − t/n)ᵖ | Keras' `PolynomialDecay` |
/// | [`cosine`](Self::cosine) | α₁ + ½ (α₀ − α₁)(1 + cos π t/n) | Keras' `CosineDecay` |
/// | [`warm_restarts`](Self::warm_restarts) | the same in cycles | Loshchilov & Hutter, *SGDR* (2017); Keras' `CosineDecayRestarts` |
/// | [`one_cycle`](Self::one_cycle) | up and down along cosines | Smith & Topin, *Super-convergence* (2018); PyTorch's `OneCycleLR` |
/// | [`table`](Self::table) | αᵢ in the i-th part | whatever a closure computes |
///
/// [`warm_up`](Self::warm_up) goes before any of them, and [`on_plateau`](Self::on_plateau) lowers any of them.
///
/// ```
/// use maas_train::{Horizon, LearningRate, Span};
///
/// let rate = LearningRate::cosine(1e-3).warm_up(Span::epochs(1.0));
/// let horizon = Horizon::new(100, 1000);
/// assert_eq!(rate.at(51, horizon)?, 0.5e-3);
/// assert_eq!(rate.at(101, horizon)?, 1e-3);
/// assert!(rate.at(1000, horizon)? < 1e-8);
/// assert!(LearningRate::constant(-0.1).at(1, horizon).is_err());
/// # Ok::<(), maas_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct LearningRate {
    schedule: Schedule,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warm_up: Option<WarmUp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plateau: Option<Plateau>,
    /// A setting that the schedule does not have.
    #[serde(skip)]
    unknown: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct WarmUp {
    from: f32,
    over: Span,
}

impl LearningRate {
    /// The same rate in every step. It must be finite and at least 0.
    ///
    /// ```
    /// assert_eq!(maas_train::LearningRate::constant(0.1), 0.1.into());
    /// ```
    pub const fn constant(rate: f32) -> Self {
        Self::new(Schedule::Constant { rate })
    }

    /// α₀ γ^⌊t/n⌋: multiplied by a factor after every so many steps or epochs.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::step(0.1, 0.5, Span::epochs(10.0));
    /// assert_eq!(rate.at(2001, Horizon::new(100, 5000))?, 0.025);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn step(from: f32, factor: f32, every: Span) -> Self {
        Self::new(Schedule::Step {
            from,
            factor,
            every,
        })
    }

    /// The first rate for the first span, and so on, and `then` for the rest.
    ///
    /// Keras' `PiecewiseConstantDecay(boundaries=[b], ..)` keeps its first rate for b + 1 steps.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::piecewise([(0.1, Span::steps(10)), (0.01, Span::steps(20))], 0.001);
    /// let at = |step| rate.at(step, Horizon::unknown());
    /// assert_eq!((at(10)?, at(11)?, at(30)?, at(31)?), (0.1, 0.01, 0.01, 0.001));
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub fn piecewise(pieces: impl IntoIterator<Item = (f32, Span)>, then: f32) -> Self {
        let pieces = pieces.into_iter().collect();
        Self::new(Schedule::Piecewise { pieces, then })
    }

    /// α₀ γ^(t/n): a smooth fall by a factor each span.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::exponential(0.1, 0.25, Span::steps(100));
    /// assert_eq!(rate.at(51, Horizon::unknown())?, 0.05);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn exponential(from: f32, factor: f32, over: Span) -> Self {
        Self::new(Schedule::Exponential { from, factor, over })
    }

    /// α₀ / (1 + k t/n).
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::inverse_time(0.1, 1.0, Span::steps(100));
    /// assert_eq!(rate.at(101, Horizon::unknown())?, 0.05);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn inverse_time(from: f32, decay: f32, over: Span) -> Self {
        Self::new(Schedule::InverseTime { from, decay, over })
    }

    /// α₁ + (α₀ − α₁)(1 − t/n)ᵖ with the exponent p over the whole run, and α₁ afterwards.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::polynomial(0.1, 0.0, 2.0).over(Span::steps(100));
    /// assert_eq!(rate.at(51, Horizon::unknown())?, 0.025);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn polynomial(from: f32, to: f32, power: f32) -> Self {
        Self::new(Schedule::Polynomial {
            from,
            to,
            power,
            over: Span::run(),
        })
    }

    /// From one rate to another in a straight line over the whole run.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate};
    /// assert_eq!(LearningRate::linear(0.1, 0.0).at(51, Horizon::new(10, 100))?, 0.05);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn linear(from: f32, to: f32) -> Self {
        Self::polynomial(from, to, 1.0)
    }

    /// α₁ + ½ (α₀ − α₁)(1 + cos π t/n) over the whole run with α₁ = 0, and α₁ afterwards.
    ///
    /// Keras' `alpha` is α₁/α₀.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::cosine(0.75).to(0.25).over(Span::epochs(2.0));
    /// let horizon = Horizon::new(50, 500);
    /// assert_eq!((rate.at(51, horizon)?, rate.at(200, horizon)?), (0.5, 0.25));
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn cosine(from: f32) -> Self {
        Self::new(Schedule::Cosine {
            from,
            to: 0.0,
            over: Span::run(),
        })
    }

    /// Cosines that start anew: the first cycle takes `first`, each one [`lengthen`](Self::lengthen) times as long as
    /// that before it (Keras' `t_mul`, 2), and [`lower`](Self::lower) times as high (`m_mul`, 1).
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::warm_restarts(0.1, Span::steps(10));
    /// let at = |step| rate.at(step, Horizon::unknown());
    /// assert_eq!((at(1)?, at(6)?, at(11)?, at(21)?, at(31)?), (0.1, 0.05, 0.1, 0.05, 0.1));
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn warm_restarts(from: f32, first: Span) -> Self {
        Self::new(Schedule::WarmRestarts {
            from,
            to: 0.0,
            first,
            lengthen: 2.0,
            lower: 1.0,
        })
    }

    /// Up to the highest rate along a cosine in the first 30 % of the run, from a 25th of it, and down to a 250,000th
    /// along another one, as PyTorch's `OneCycleLR`; the momentum is not moved.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate};
    /// let rate = LearningRate::one_cycle(0.1);
    /// let horizon = Horizon::new(10, 100);
    /// assert_eq!((rate.at(1, horizon)?, rate.at(30, horizon)?), (0.004, 0.1));
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub const fn one_cycle(highest: f32) -> Self {
        Self::new(Schedule::OneCycle {
            highest,
            rise: 0.3,
            start_divisor: 25.0,
            end_divisor: 1e4,
            over: Span::run(),
        })
    }

    /// One rate after another, each for a span, and the last one for the rest: for what a closure computes.
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::table((0..10).map(|epoch| 0.1 / (1 + epoch) as f32), Span::epochs(1.0));
    /// assert_eq!(rate.at(150, Horizon::new(100, 1000))?, 0.05);
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub fn table(rates: impl IntoIterator<Item = f32>, every: Span) -> Self {
        let rates = rates.into_iter().collect();
        Self::new(Schedule::Table { rates, every })
    }

    /// Take so long, where the schedule has a length.
    ///
    /// ```
    /// use maas_train::{Error, Horizon, LearningRate, Span};
    /// let rate = LearningRate::constant(0.1).over(Span::steps(10));
    /// let error = rate.at(1, Horizon::unknown()).unwrap_err();
    /// assert!(matches!(error, Error::UnknownSetting { name: "over" }));
    /// ```
    pub fn over(mut self, span: Span) -> Self {
        match &mut self.schedule {
            Schedule::Step { every: over, .. }
            | Schedule::Exponential { over, .. }
            | Schedule::InverseTime { over, .. }
            | Schedule::Polynomial { over, .. }
            | Schedule::Cosine { over, .. }
            | Schedule::WarmRestarts { first: over, .. }
            | Schedule::OneCycle { over, .. }
            | Schedule::Table { every: over, .. } => *over = span,
            Schedule::Constant { .. } | Schedule::Piecewise { .. } => self.unknown = Some("over"),
        }
        self
    }

    /// Fall to this rate: of [`polynomial`](Self::polynomial), [`cosine`](Self::cosine) and
    /// [`warm_restarts`](Self::warm_restarts).
    ///
    /// ```
    /// let rate = maas_train::LearningRate::cosine(0.1).to(0.01);
    /// ```
    pub fn to(mut self, rate: f32) -> Self {
        match &mut self.schedule {
            Schedule::Polynomial { to, .. }
            | Schedule::Cosine { to, .. }
            | Schedule::WarmRestarts { to, .. } => *to = rate,
            _ => self.unknown = Some("to"),
        }
        self
    }

    /// How many times as long as the cycle before each cycle of [`warm_restarts`](Self::warm_restarts) is.
    ///
    /// ```
    /// use maas_train::{LearningRate, Span};
    /// let rate = LearningRate::warm_restarts(0.1, Span::epochs(5.0)).lengthen(1.0);
    /// ```
    pub fn lengthen(mut self, factor: f32) -> Self {
        match &mut self.schedule {
            Schedule::WarmRestarts { lengthen, .. } => *lengthen = factor,
            _ => self.unknown = Some("lengthen"),
        }
        self
    }

    /// How many times as high as the cycle before, measured from the rate that they fall to, each cycle of
    /// [`warm_restarts`](Self::warm_restarts) begins.
    ///
    /// ```
    /// use maas_train::{LearningRate, Span};
    /// let rate = LearningRate::warm_restarts(0.1, Span::epochs(5.0)).lower(0.8);
    /// ```
    pub fn lower(mut self, factor: f32) -> Self {
        match &mut self.schedule {
            Schedule::WarmRestarts { lower, .. } => *lower = factor,
            _ => self.unknown = Some("lower"),
        }
        self
    }

    /// The share of [`one_cycle`](Self::one_cycle) in which the rate rises: PyTorch's `pct_start`.
    ///
    /// ```
    /// let rate = maas_train::LearningRate::one_cycle(0.1).rise(0.4);
    /// ```
    pub fn rise(mut self, share: f32) -> Self {
        match &mut self.schedule {
            Schedule::OneCycle { rise, .. } => *rise = share,
            _ => self.unknown = Some("rise"),
        }
        self
    }

    /// Where [`one_cycle`](Self::one_cycle) begins and ends: at the highest rate divided by `start`, and at that divided
    /// by `end`; PyTorch's `div_factor` and `final_div_factor`.
    ///
    /// ```
    /// let rate = maas_train::LearningRate::one_cycle(0.1).divisors(10.0, 100.0);
    /// ```
    pub fn divisors(mut self, start: f32, end: f32) -> Self {
        match &mut self.schedule {
            Schedule::OneCycle {
                start_divisor,
                end_divisor,
                ..
            } => (*start_divisor, *end_divisor) = (start, end),
            _ => self.unknown = Some("divisors"),
        }
        self
    }

    /// Rise in a straight line from 0 to the schedule's first rate over this span; the schedule begins after it, and
    /// where its length is a share of the run, of what is left (Goyal et al., 2017; Keras' `warmup_steps`).
    ///
    /// ```
    /// use maas_train::{Horizon, LearningRate, Span};
    /// let rate = LearningRate::linear(0.1, 0.0).warm_up(Span::steps(10));
    /// let at = |step| rate.at(step, Horizon::new(11, 110));
    /// assert_eq!((at(1)?, at(6)?, at(11)?, at(61)?, at(111)?), (0.0, 0.05, 0.1, 0.05, 0.0));
    /// # Ok::<(), maas_train::Error>(())
    /// ```
    pub fn warm_up(self, over: Span) -> Self {
        self.warm_up_from(0.0, over)
    }

    /// As [`warm_up`](Self::warm_up), from another rate than 0.
    ///
    /// ```
    /// use maas_train::{LearningRate, Span};
    /// let rate = LearningRate::cosine(0.1).warm_up_from(0.01, Span::share(0.1));
    /// ```
    pub fn warm_up_from(mut self, from: f32, over: Span) -> Self {
        self.warm_up = Some(WarmUp { from, over });
        self
    }

    /// Lower the rate when the figure that [`Optimizer::observe`](crate::Optimizer::observe) is told stops getting
    /// better; in a trainer the validation loss, or what [`Plateau::monitor`] names.
    ///
    /// ```
    /// use maas_train::{LearningRate, Plateau};
    /// let rate = LearningRate::constant(1e-3).on_plateau(Plateau::default().patience(5));
    /// ```
    pub fn on_plateau(mut self, plateau: Plateau) -> Self {
        self.plateau = Some(plateau);
        self
    }

    /// The rate of step `number`, counted from 1, before any plateau.
    ///
    /// ```
    /// use maas_train::{Error, Horizon, LearningRate};
    ///
    /// let error = LearningRate::constant(f32::NAN).at(3, Horizon::unknown()).unwrap_err();
    /// assert!(matches!(error, Error::LearningRate { step: 3, .. }));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::LearningRate`] when the rate is negative, infinite or not a number; [`Error::Horizon`] when the schedule
    /// needs a length that the horizon does not know; [`Error::Span`] when a length is not positive;
    /// [`Error::UnknownSetting`] when a setting was given that the schedule does not have.
    pub fn at(&self, number: u64, horizon: Horizon) -> Result<f32, Error> {
        self.at_with(number, horizon, &Memory::default())
    }

    /// [`at`](Self::at) with what plateaus made of it.
    pub(crate) fn at_with(
        &self,
        number: u64,
        horizon: Horizon,
        memory: &Memory,
    ) -> Result<f32, Error> {
        if let Some(name) = self.unknown {
            return Err(Error::UnknownSetting { name });
        }
        let t = number.saturating_sub(1) as f64;
        let rate = match self.warm_up {
            None => self.schedule.at(t, horizon)?,
            Some(WarmUp { from, over }) => {
                let length = over.steps_in(horizon)?;
                let horizon = horizon.after(length);
                if t < length {
                    let (from, to) = (f64::from(from), self.schedule.at(0.0, horizon)?);
                    from + (to - from) * (t / length)
                } else {
                    self.schedule.at(t - length, horizon)?
                }
            }
        };
        let rate = match &self.plateau {
            None => rate,
            Some(plateau) => {
                plateau.check()?;
                plateau.rate(rate, memory)
            }
        } as f32;
        if rate.is_finite() && rate >= 0.0 {
            Ok(rate)
        } else {
            Err(Error::LearningRate {
                step: number,
                value: rate,
            })
        }
    }

    /// The figure of one more epoch.
    pub(crate) fn observe(&self, figure: f64, memory: &mut Memory) {
        if let Some(plateau) = &self.plateau {
            plateau.observe(figure, memory);
        }
    }

    /// One more epoch, of whose figures the plateau takes its own.
    pub(crate) fn observe_epoch(&self, record: &EpochRecord, memory: &mut Memory) {
        if let Some(plateau) = &self.plateau {
            plateau.observe(plateau.figure(record), memory);
        }
    }

    /// Takes over which way the plateau's figure is better; an error where it is not measured.
    pub(crate) fn settle(
        &mut self,
        goal_of: impl Fn(&Figure) -> Result<Goal, Error>,
    ) -> Result<(), Error> {
        self.plateau
            .as_mut()
            .map_or(Ok(()), |plateau| plateau.settle(goal_of))
    }

    const fn new(schedule: Schedule) -> Self {
        Self {
            schedule,
            warm_up: None,
            plateau: None,
            unknown: None,
        }
    }
}

impl From<f32> for LearningRate {
    fn from(rate: f32) -> Self {
        Self::constant(rate)
    }
}
