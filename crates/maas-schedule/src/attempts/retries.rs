use super::budget::RetryBudget;
use super::deadlines::Deadlines;
use super::hedge::Hedge;
use super::machine::{Attempts, MOST_TRIES, Repeatable};
use crate::Moment;

/// The rules for sending requests again, which all requests of a service share.
///
/// ```
/// use maas_schedule::{Deadlines, Hedge, Retries, RetryBudget};
/// use std::time::Duration;
///
/// let retries = Retries::default()
///     .tries(2)
///     .budget(RetryBudget::new(0.1))
///     .deadlines(Deadlines::none().per_try(Duration::from_secs(1)))
///     .hedge(Hedge::after(0.95));
/// ```
#[derive(Debug)]
pub struct Retries {
    pub(super) tries: usize,
    pub(super) budget: RetryBudget,
    pub(super) deadlines: Deadlines,
    pub(super) hedge: Option<Hedge>,
}

impl Retries {
    /// How often a request is sent at most, in place of 3, the first try and hedges among them. From 1 to 8.
    ///
    /// ```
    /// let never_again = maas_schedule::Retries::default().tries(1);
    /// ```
    #[must_use]
    pub fn tries(self, tries: usize) -> Self {
        let tries = tries.clamp(1, MOST_TRIES);
        Self { tries, ..self }
    }

    /// How many retries there may be, in place of 20 % of the requests and 10 a second.
    ///
    /// ```
    /// use maas_schedule::{Retries, RetryBudget};
    /// let retries = Retries::default().budget(RetryBudget::new(0.1));
    /// ```
    #[must_use]
    pub fn budget(self, budget: RetryBudget) -> Self {
        Self { budget, ..self }
    }

    /// How long tries and requests may take, in place of no limit.
    ///
    /// ```
    /// use maas_schedule::{Deadlines, Retries};
    /// let total = Deadlines::none().total(std::time::Duration::from_secs(5));
    /// let retries = Retries::default().deadlines(total);
    /// ```
    #[must_use]
    pub fn deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// Sends what takes long a second time, in place of waiting.
    ///
    /// ```
    /// use maas_schedule::{Hedge, Retries};
    /// let retries = Retries::default().hedge(Hedge::after(0.95));
    /// ```
    #[must_use]
    pub fn hedge(self, hedge: Hedge) -> Self {
        let hedge = Some(hedge);
        Self { hedge, ..self }
    }

    /// Whether a request may be sent a second time while the first is on its way.
    ///
    /// ```
    /// assert!(!maas_schedule::Retries::default().has_hedges());
    /// ```
    #[must_use]
    pub fn has_hedges(&self) -> bool {
        self.hedge.is_some()
    }

    /// Begins a request.
    ///
    /// ```
    /// use maas_schedule::{Moment, Repeatable, Retries};
    /// let retries = Retries::default();
    /// let attempts = retries.begin(Repeatable::IfNotSent, Moment::ZERO);
    /// ```
    #[must_use]
    pub fn begin(&self, repeatable: Repeatable, now: Moment) -> Attempts<'_> {
        self.budget.deposit();
        Attempts::new(self, repeatable, now)
    }
}

/// 3 tries, a budget of 20 % and 10 a second, no deadlines, no hedges.
impl Default for Retries {
    fn default() -> Self {
        Self {
            tries: 3,
            budget: RetryBudget::default(),
            deadlines: Deadlines::none(),
            hedge: None,
        }
    }
}
