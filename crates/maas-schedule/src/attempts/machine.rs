use std::time::Duration;

use super::hedge::Hedge;
use super::retries::Retries;
use crate::Moment;

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeatable {
    /// It is idempotent: served twice, it does what it does served once. A prediction is.
    Always,
    /// Only if it never reached anybody.
    IfNotSent,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryOutcome {
    /// There is an answer, be it a good one or one that another try would not better.
    Answered,
    /// The member may have worked on it: it broke off, answered that it failed, or took too long.
    Failed,
    /// The member did not work on it: no connection, or it was full and said so.
    NotSent,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next<'a> {
    /// The request is answered. Tries that are on their way may be dropped.
    Done,
    /// Send it (again) at once, to somebody who is not among `not`; to anybody when there is nobody else.
    Retry {
        /// The identities of members that were tried.
        not: &'a [u64],
    },
    /// Wait for an answer; when there is none `after` this long, ask [`Attempts::overdue`].
    Hedge {
        /// How long most answers take.
        after: Duration,
    },
    /// Wait for the tries that are on their way.
    Wait,
    /// There is no answer and there will be none.
    GiveUp(GiveUp),
}

/// Why a request is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GiveUp {
    /// It may have taken effect, and must not twice.
    #[error("the request may have been served and is not repeatable")]
    NotRepeatable,
    /// It was sent as often as it may.
    #[error("all {tries} tries failed")]
    TriesSpent {
        /// The most tries.
        tries: usize,
    },
    /// Too many requests are being retried.
    #[error("the budget for retries is spent")]
    BudgetSpent,
    /// Its time is over.
    #[error("the deadline has passed")]
    DeadlinePassed,
}

/// One request and its tries: told what happens, it says what to do next.
///
/// It sends nothing and waits for nothing itself. The caller says [`sent`](Self::sent) for every try, and
/// [`ended`](Self::ended) for every one that has ended.
///
/// ```
/// use maas_schedule::{GiveUp, Moment, Next, TryOutcome, Repeatable, Retries};
///
/// let now = Moment::ZERO;
/// let retries = Retries::default();
/// let mut attempts = retries.begin(Repeatable::IfNotSent, now);
/// attempts.sent(1, now);
/// assert_eq!(attempts.ended(TryOutcome::NotSent, now), Next::Retry { not: &[1] });
/// attempts.sent(2, now);
/// assert_eq!(attempts.ended(TryOutcome::Failed, now), Next::GiveUp(GiveUp::NotRepeatable));
/// ```
#[derive(Debug)]
pub struct Attempts<'a> {
    retries: &'a Retries,
    repeatable: Repeatable,
    started: Moment,
    tried: [u64; MOST_TRIES],
    sent: usize,
    on_the_way: usize,
    /// Some try may have taken effect.
    worked_on: bool,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(retries: &'a Retries, repeatable: Repeatable, now: Moment) -> Self {
        Self {
            retries,
            repeatable,
            started: now,
            tried: [0; MOST_TRIES],
            sent: 0,
            on_the_way: 0,
            worked_on: false,
        }
    }

    /// When a try that is sent now has to be over; nothing when it is too late for one.
    ///
    /// ```
    /// use maas_schedule::{Moment, Repeatable, Retries};
    /// let retries = Retries::default();
    /// let attempts = retries.begin(Repeatable::Always, Moment::ZERO);
    /// assert_eq!(attempts.deadline(Moment::ZERO), Some(Moment::from_nanos(u64::MAX)));
    /// ```
    #[must_use]
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        self.retries.deadlines.next_try(now, self.started)
    }

    /// The identities of the members that were tried, in order; of the last ones, when there were more than 8.
    ///
    /// ```
    /// use maas_schedule::{Moment, Repeatable, Retries};
    /// let retries = Retries::default();
    /// let mut attempts = retries.begin(Repeatable::Always, Moment::ZERO);
    /// attempts.sent(5, Moment::ZERO);
    /// assert_eq!(attempts.tried(), [5]);
    /// ```
    #[must_use]
    pub fn tried(&self) -> &[u64] {
        &self.tried[..self.sent.min(MOST_TRIES)]
    }

    /// Says that the request was sent to the member of this identity: to wait, and whether for a hedge.
    ///
    /// ```
    /// use maas_schedule::{Moment, Next, Repeatable, Retries};
    /// let retries = Retries::default();
    /// let mut attempts = retries.begin(Repeatable::Always, Moment::ZERO);
    /// assert_eq!(attempts.sent(5, Moment::ZERO), Next::Wait);
    /// ```
    pub fn sent(&mut self, member: u64, now: Moment) -> Next<'_> {
        if self.sent >= MOST_TRIES {
            self.tried.rotate_left(1);
        }
        self.tried[self.sent.min(MOST_TRIES - 1)] = member;
        self.sent += 1;
        self.on_the_way += 1;
        let hedge = self.retries.hedge.as_ref().and_then(Hedge::delay);
        match hedge {
            Some(after) if self.refusal(now).is_none() && self.repeatable == Repeatable::Always => {
                Next::Hedge { after }
            }
            _ => Next::Wait,
        }
    }

    /// Says that a try has ended.
    ///
    /// ```
    /// use maas_schedule::{Moment, Next, TryOutcome, Repeatable, Retries};
    /// let retries = Retries::default();
    /// let mut attempts = retries.begin(Repeatable::Always, Moment::ZERO);
    /// attempts.sent(5, Moment::ZERO);
    /// assert_eq!(attempts.ended(TryOutcome::Answered, Moment::ZERO), Next::Done);
    /// ```
    pub fn ended(&mut self, outcome: TryOutcome, now: Moment) -> Next<'_> {
        self.on_the_way = self.on_the_way.saturating_sub(1);
        match outcome {
            TryOutcome::Answered => {
                if let Some(hedge) = &self.retries.hedge {
                    hedge.record(now.since(self.started));
                }
                return Next::Done;
            }
            TryOutcome::Failed => self.worked_on = true,
            TryOutcome::NotSent => {}
        }
        let repeatable = self.repeatable == Repeatable::Always || !self.worked_on;
        let refusal = if repeatable {
            self.refusal(now)
        } else {
            Some(GiveUp::NotRepeatable)
        };
        let refusal = refusal.or_else(|| {
            let spent = !self.retries.budget.withdraw(now);
            spent.then_some(GiveUp::BudgetSpent)
        });
        match refusal {
            None => Next::Retry { not: self.tried() },
            Some(_) if self.on_the_way > 0 => Next::Wait,
            Some(why) => Next::GiveUp(why),
        }
    }

    /// Says that there is no answer after the delay of [`Next::Hedge`]: to send the request a second time, or to wait.
    ///
    /// ```
    /// use maas_schedule::{Moment, Next, Repeatable, Retries};
    /// let retries = Retries::default();
    /// let mut attempts = retries.begin(Repeatable::Always, Moment::ZERO);
    /// attempts.sent(5, Moment::ZERO);
    /// assert_eq!(attempts.overdue(Moment::ZERO), Next::Wait); // these rules have no hedges
    /// ```
    pub fn overdue(&mut self, now: Moment) -> Next<'_> {
        let hedge = self.retries.hedge.as_ref();
        let sends = self.repeatable == Repeatable::Always
            && self.refusal(now).is_none()
            && hedge.is_some_and(|hedge| hedge.withdraw(now));
        if sends {
            Next::Retry { not: self.tried() }
        } else {
            Next::Wait
        }
    }

    /// Why there can be no other try, whatever the budget says.
    fn refusal(&self, now: Moment) -> Option<GiveUp> {
        if self.deadline(now).is_none() {
            Some(GiveUp::DeadlinePassed)
        } else if self.sent >= self.retries.tries {
            let tries = self.retries.tries;
            Some(GiveUp::TriesSpent { tries })
        } else {
            None
        }
    }
}

pub(super) const MOST_TRIES: usize = 8;
