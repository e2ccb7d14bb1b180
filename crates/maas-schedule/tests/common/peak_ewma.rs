//! Peak EWMA as tower 0.5 has it, which knows of no failures: two choices by the number of requests in flight and one, times
//! the last peak of the time that an answer took, which decays towards later answers, and towards 0 while there are none.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use maas_schedule::simulation::Told;
use maas_schedule::{Candidates, Moment, Policy, Random};

const DECAY: Duration = Duration::from_secs(15);
const UNKNOWN: f64 = 0.030;

/// Seconds that an answer takes at each member, and when that was known.
type Estimates = Arc<Mutex<Vec<(f64, Moment)>>>;

#[derive(Debug)]
pub(crate) struct PeakEwmaOfTower {
    estimates: Estimates,
    random: Random,
}

impl Policy for PeakEwmaOfTower {
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        let (one, other) = two(&self.random, candidates, now)?;
        let estimates = self.estimates.lock().unwrap();
        let cost = |member: usize| {
            let (seconds, at) = estimates[member];
            let queue = candidates.get(member).load.in_flight as f64 + 1.0;
            queue * seconds * kept(at, now)
        };
        Some(if cost(one) <= cost(other) { one } else { other })
    }
}

/// Two different members.
fn two(random: &Random, candidates: &dyn Candidates, now: Moment) -> Option<(usize, usize)> {
    let one = random.pick(candidates, now)?;
    let mut others = std::iter::repeat_with(|| random.pick(candidates, now));
    Some((one, others.find(|other| *other != Some(one))??))
}

fn kept(at: Moment, now: Moment) -> f64 {
    (-now.since(at).as_secs_f64() / DECAY.as_secs_f64()).exp()
}

/// The estimates of each balancer.
pub(crate) struct Peaks(Vec<Estimates>);

impl Peaks {
    pub(crate) fn new(balancers: usize, members: usize) -> Self {
        let fresh = || Arc::new(Mutex::new(vec![(UNKNOWN, Moment::ZERO); members]));
        Self(std::iter::repeat_with(fresh).take(balancers).collect())
    }

    pub(crate) fn policy(&self, balancer: usize) -> PeakEwmaOfTower {
        PeakEwmaOfTower {
            estimates: Arc::clone(&self.0[balancer]),
            random: Random::seeded(balancer as u64),
        }
    }

    pub(crate) fn learn(&self, told: &Told) {
        let (known, at) = &mut self.0[told.balancer].lock().unwrap()[told.replica];
        let elapsed = told.elapsed.as_secs_f64();
        *known = if *known < elapsed {
            elapsed
        } else {
            let kept = kept(*at, told.now);
            *known * kept + elapsed * (1.0 - kept)
        };
        *at = told.now;
    }
}
