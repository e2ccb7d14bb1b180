use serde::{Deserialize, Serialize};

use crate::{EpochRecord, Error, Figure, Goal};

/// Makes a rate smaller when a figure, watched once an epoch, stops getting better.
///
/// As Keras' `ReduceLROnPlateau`: when the figure has not been better than the best one by more than `min_delta` for
/// `patience` epochs, the rate is multiplied by `factor`, and for `cooldown` epochs nothing is counted. Keras'
/// defaults: factor 0.1, patience 10, `min_delta` 10⁻⁴, cooldown 0, floor 0. A trainer goes by the validation loss, or the
/// loss where nothing is validated, unless [`monitor`](Self::monitor) says otherwise.
///
/// ```
/// use maas_train::{LearningRate, Plateau};
///
/// let rate = LearningRate::constant(1e-3).on_plateau(Plateau::default().factor(0.5).patience(3));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[must_use]
pub struct Plateau {
    factor: f32,
    patience: u32,
    min_delta: f32,
    cooldown: u32,
    floor: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    monitor: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<Goal>,
}

impl Default for Plateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            min_delta: 1e-4,
            cooldown: 0,
            floor: 0.0,
            monitor: None,
            goal: None,
        }
    }
}

impl Plateau {
    /// What the rate is multiplied by, 0 ≤ factor < 1.
    ///
    /// ```
    /// let plateau = maas_train::Plateau::default().factor(0.5);
    /// ```
    pub fn factor(self, factor: f32) -> Self {
        Self { factor, ..self }
    }

    /// How many epochs without a better figure are borne.
    ///
    /// ```
    /// let plateau = maas_train::Plateau::default().patience(5);
    /// ```
    pub fn patience(self, patience: u32) -> Self {
        Self { patience, ..self }
    }

    /// By how much a figure has to be better to count, at least 0.
    ///
    /// ```
    /// let plateau = maas_train::Plateau::default().min_delta(0.0);
    /// ```
    pub fn min_delta(self, min_delta: f32) -> Self {
        Self { min_delta, ..self }
    }

    /// How many epochs after a reduction are not counted.
    ///
    /// ```
    /// let plateau = maas_train::Plateau::default().cooldown(2);
    /// ```
    pub fn cooldown(self, cooldown: u32) -> Self {
        Self { cooldown, ..self }
    }

    /// A rate that is not gone below, at least 0.
    ///
    /// ```
    /// let plateau = maas_train::Plateau::default().floor(1e-6);
    /// ```
    pub fn floor(self, floor: f32) -> Self {
        Self { floor, ..self }
    }

    /// Go by another figure.
    ///
    /// ```
    /// use maas_train::{Figure, Plateau};
    /// let plateau = Plateau::default().monitor(Figure::validation("accuracy"));
    /// ```
    pub fn monitor(self, monitor: Figure) -> Self {
        Self {
            monitor: Some(monitor),
            ..self
        }
    }

    /// Which way it is better, where that is not how [`Metric::goal`](crate::Metric::goal) has it; losses, and figures
    /// that [`Optimizer::observe`](crate::Optimizer::observe) is told, are to be small.
    ///
    /// ```
    /// use maas_train::{Goal, Plateau};
    /// let plateau = Plateau::default().goal(Goal::Maximize);
    /// ```
    pub fn goal(self, goal: Goal) -> Self {
        Self {
            goal: Some(goal),
            ..self
        }
    }

    /// Takes the goal of its figure over where it has none.
    pub(super) fn settle(
        &mut self,
        goal_of: impl Fn(&Figure) -> Result<Goal, Error>,
    ) -> Result<(), Error> {
        if let Some(figure) = &self.monitor {
            let goal = goal_of(figure)?;
            self.goal.get_or_insert(goal);
        }
        Ok(())
    }

    /// The figure that it goes by.
    pub(super) fn figure(&self, record: &EpochRecord) -> f64 {
        match &self.monitor {
            None => record.judged().into(),
            Some(figure) => figure.of(record).unwrap_or(f64::NAN),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let misfit = |name, range, value| Err(Error::Coefficient { name, range, value });
        if !(0.0..1.0).contains(&self.factor) {
            return misfit("factor", "[0, 1)", self.factor);
        }
        if !(0.0..f32::INFINITY).contains(&self.min_delta) {
            return misfit("min_delta", "[0, ∞)", self.min_delta);
        }
        if !(0.0..f32::INFINITY).contains(&self.floor) {
            return misfit("floor", "[0, ∞)", self.floor);
        }
        Ok(())
    }

    /// The rate α of the schedule as the plateaus so far have it.
    pub(super) fn rate(&self, rate: f64, memory: &Memory) -> f64 {
        if memory.scale == 1.0 {
            rate
        } else {
            // A schedule may lie below the floor by itself.
            (rate * memory.scale).max(f64::from(self.floor).min(rate))
        }
    }

    /// The figure of one more epoch. One that is not a number is no better than any other.
    pub(super) fn observe(&self, figure: f64, memory: &mut Memory) {
        let delta = f64::from(self.min_delta);
        if memory.cooldown > 0.0 {
            memory.cooldown -= 1.0;
            memory.wait = 0.0;
        }
        let better = memory.seen == 0.0
            || match self.goal.unwrap_or(Goal::Minimize) {
                Goal::Minimize => figure < memory.best - delta,
                Goal::Maximize => figure > memory.best + delta,
            };
        if better && !figure.is_nan() {
            (memory.best, memory.wait, memory.seen) = (figure, 0.0, 1.0);
        } else if memory.cooldown == 0.0 {
            memory.wait += 1.0;
            if memory.wait >= f64::from(self.patience) {
                memory.scale *= f64::from(self.factor);
                memory.cooldown = f64::from(self.cooldown);
                memory.wait = 0.0;
            }
        }
    }
}

/// What a plateau remembers between epochs, as numbers to be saved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Memory {
    scale: f64,
    seen: f64,
    best: f64,
    wait: f64,
    cooldown: f64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            scale: 1.0,
            seen: 0.0,
            best: 0.0,
            wait: 0.0,
            cooldown: 0.0,
        }
    }
}

impl Memory {
    pub(crate) const NUMBERS: usize = 5;

    pub(crate) fn to_numbers(self) -> [f64; Self::NUMBERS] {
        [self.scale, self.seen, self.best, self.wait, self.cooldown]
    }

    pub(crate) fn from_numbers([scale, seen, best, wait, cooldown]: [f64; Self::NUMBERS]) -> Self {
        Self {
            scale,
            seen,
            best,
            wait,
            cooldown,
        }
    }
}
