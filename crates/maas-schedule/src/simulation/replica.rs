use std::ops::Range;
use std::time::Duration;

use super::draws::seconds;
use crate::{Moment, Outcome};

/// Someone who serves in a [`Simulation`](super::Simulation): so many requests at a time, the others wait in order.
///
/// It is well, unless told otherwise for some spans of time.
///
/// ```
/// use maas_schedule::simulation::{Condition, Replica};
/// use std::time::Duration;
///
/// let second = Duration::from_secs(1);
/// let recovers = Replica::new(4).during(Duration::ZERO..30 * second, Condition::Slower(10.0));
/// let freezes = Replica::new(4).during(9 * second..10 * second, Condition::Frozen).every(10 * second);
/// # let _ = (recovers, freezes);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Replica {
    slots: usize,
    weight: u32,
    conditions: Vec<(Range<Duration>, Condition)>,
    period: Duration,
}

/// How a replica is.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// It does the work of a request in the time that the work takes.
    Well,
    /// It takes so many times as long.
    Slower(f64),
    /// It stands still; what it has begun goes on afterwards.
    Frozen,
    /// What it begins fails after so long.
    Failing(Duration),
}

impl Replica {
    /// A replica that serves `slots` requests at a time; 0 is taken as 1.
    ///
    /// See the type for an example.
    pub fn new(slots: usize) -> Self {
        Self {
            slots: slots.max(1),
            weight: 1,
            conditions: Vec::new(),
            period: Duration::MAX,
        }
    }

    /// In this span the replica is so. Where spans overlap, the last one that was told counts.
    ///
    /// See the type for an example.
    pub fn during(mut self, span: Range<Duration>, condition: Condition) -> Self {
        self.conditions.push((span, condition));
        self
    }

    /// The replica is so from the start to the end.
    ///
    /// ```
    /// use maas_schedule::simulation::{Condition, Replica};
    /// let slow = Replica::new(1).always(Condition::Slower(10.0));
    /// ```
    pub fn always(self, condition: Condition) -> Self {
        self.during(Duration::ZERO..Duration::MAX, condition)
    }

    /// All spans come again in each period.
    ///
    /// See the type for an example.
    pub fn every(self, period: Duration) -> Self {
        Self { period, ..self }
    }

    /// The weight that balancers give it, in place of 1.
    ///
    /// ```
    /// let fast = maas_schedule::simulation::Replica::new(8).weighing(2);
    /// ```
    pub fn weighing(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    pub(super) fn weight(&self) -> u32 {
        self.weight
    }

    /// When a request that begins now ends, and how.
    pub(super) fn serve(&self, work: Duration, begun: Moment) -> (Moment, Outcome) {
        let mut now = begun;
        let mut left = work.as_secs_f64();
        loop {
            let (condition, span) = self.condition(now);
            let factor = match condition {
                Condition::Failing(after) if now == begun => {
                    return (now + after, Outcome::Failure);
                }
                Condition::Well | Condition::Failing(_) => 1.0,
                Condition::Slower(factor) => factor,
                Condition::Frozen => f64::INFINITY,
            };
            let needed = seconds(left * factor);
            if needed <= span {
                return (now + needed, Outcome::Success);
            }
            left = (left - span.as_secs_f64() / factor).max(0.0);
            now = now + span;
        }
    }

    /// How the replica is, and for how long at least.
    fn condition(&self, now: Moment) -> (Condition, Duration) {
        let since = now.since(Moment::ZERO).as_nanos();
        let since = Duration::from_nanos((since % self.period.as_nanos().max(1)) as u64);
        let condition = self
            .conditions
            .iter()
            .rev()
            .find(|(span, _)| span.contains(&since));
        let borders = self
            .conditions
            .iter()
            .flat_map(|(span, _)| [span.start, span.end]);
        let next = borders.filter(|border| *border > since).min();
        let until = next.unwrap_or(self.period).min(self.period);
        let condition = condition.map_or(Condition::Well, |(_, condition)| *condition);
        (condition, until.saturating_sub(since))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn work_goes_on_at_the_speed_of_the_moment() {
        let slow = Replica::new(1).during(SECOND..3 * SECOND, Condition::Slower(4.0));
        let ends = |work: f64| slow.serve(seconds(work), Moment::ZERO);
        assert_eq!(ends(0.5), (Moment::ZERO + SECOND / 2, Outcome::Success));
        assert_eq!(ends(1.25), (Moment::ZERO + 2 * SECOND, Outcome::Success));
        assert_eq!(ends(2.0), (Moment::ZERO + seconds(3.5), Outcome::Success));
    }

    #[test]
    fn the_frozen_go_on_and_the_failing_fail_what_they_begin() {
        let frozen = Replica::new(1)
            .during(SECOND..2 * SECOND, Condition::Frozen)
            .every(4 * SECOND);
        assert_eq!(
            frozen.serve(3 * SECOND, Moment::ZERO).0,
            Moment::ZERO + 4 * SECOND
        );
        assert_eq!(
            frozen.serve(SECOND, Moment::ZERO + 5 * SECOND).0,
            Moment::ZERO + 7 * SECOND
        );
        let failing = Replica::new(1).during(SECOND..2 * SECOND, Condition::Failing(SECOND / 2));
        assert_eq!(
            failing.serve(3 * SECOND, Moment::ZERO).0,
            Moment::ZERO + 3 * SECOND
        );
        assert_eq!(
            failing.serve(SECOND, Moment::ZERO + SECOND),
            (Moment::ZERO + seconds(1.5), Outcome::Failure)
        );
    }
}
