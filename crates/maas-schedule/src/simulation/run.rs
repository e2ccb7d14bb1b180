use std::time::Duration;

use crate::{Moment, Outcome};

/// A request of a [`Simulation`](super::Simulation), as its client saw it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Served {
    /// When the client asked.
    pub arrived: Moment,
    /// When it had its answer, or the last try had failed.
    pub ended: Moment,
    /// The replica that answered or failed last; none where there was no other to try.
    pub replica: Option<usize>,
    /// How often it was sent.
    pub tries: usize,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a balancer was told of the end of a request; see [`Simulation::run_watched`](super::Simulation::run_watched).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Told {
    /// The balancer.
    pub balancer: usize,
    /// The replica.
    pub replica: usize,
    /// How the request ended, as far as the balancer knows.
    pub outcome: Outcome,
    /// How long it took, the wait at the replica included.
    pub elapsed: Duration,
    /// When it ended.
    pub now: Moment,
}

/// What became of the requests of a [`Simulation`](super::Simulation), in the order in which they ended.
///
/// ```
/// use maas_schedule::RoundRobin;
/// use maas_schedule::simulation::{Condition, Replica, Simulation};
/// use std::time::Duration;
///
/// let ms = Duration::from_millis(1);
/// let failing = Replica::new(1).always(Condition::Failing(ms));
/// let run = Simulation::new(vec![Replica::new(1), failing], 50.0).requests(1000).run(|_| RoundRobin::default());
/// assert_eq!((run.errors(), run.share(1)), (0.5, 0.5));
/// let first = run.between(Duration::ZERO, Duration::from_secs(1));
/// assert!(first.served().len() < 100 && first.latency(0.5) > 5 * ms);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    served: Vec<Served>,
}

impl Run {
    pub(super) fn of(served: Vec<Served>) -> Self {
        Self { served }
    }

    /// Every request.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn served(&self) -> &[Served] {
        &self.served
    }

    /// What ended from then on and before then, counted from the start.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn between(&self, from: Duration, until: Duration) -> Self {
        let before = |time| {
            let moment = Moment::ZERO + time;
            self.served.partition_point(|served| served.ended < moment)
        };
        let (first, last) = (before(from), before(until));
        Self::of(self.served[first..last.max(first)].to_vec())
    }

    /// Of the requests that ended well, the time in which this part had their answer: 0.99 for 99 of 100.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn latency(&self, part: f64) -> Duration {
        let well = self
            .served
            .iter()
            .filter(|served| served.outcome == Outcome::Success);
        let mut times: Vec<Duration> = well
            .map(|served| served.ended.since(served.arrived))
            .collect();
        if times.is_empty() {
            return Duration::ZERO;
        }
        let rank = (times.len() - 1) as f64 * part.clamp(0.0, 1.0);
        *times.select_nth_unstable(rank as usize).1
    }

    /// The part of the requests that failed.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn errors(&self) -> f64 {
        self.part(|served| served.outcome == Outcome::Failure)
    }

    /// The part of the requests that ended at this replica.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn share(&self, replica: usize) -> f64 {
        self.part(|served| served.replica == Some(replica))
    }

    fn part(&self, is_in: impl Fn(&Served) -> bool) -> f64 {
        let part = self.served.iter().filter(|served| is_in(served)).count();
        part as f64 / self.served.len().max(1) as f64
    }
}
