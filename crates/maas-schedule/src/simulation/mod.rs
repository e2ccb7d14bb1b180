//! Balancers, clients and replicas in virtual time: what a policy does before it meets traffic.
//!
//! A [`Simulation`] runs real [`Balancer`]s with a policy of yours against replicas that queue, slow down, freeze, fail and
//! recover. The same seed gives the same run, and half an hour passes in a fraction of a second.
//!
//! ```
//! use maas_schedule::simulation::{Condition, Replica, Simulation};
//! use maas_schedule::{LeastCost, RoundRobin};
//!
//! let slow = Replica::new(4).always(Condition::Slower(10.0));
//! let simulation = Simulation::new(vec![Replica::new(4), Replica::new(4), slow], 420.0).requests(5000);
//! let by_cost = simulation.run(|_| LeastCost::new());
//! let in_turn = simulation.run(|_| RoundRobin::default());
//! assert!(by_cost.latency(0.99) * 10 < in_turn.latency(0.99));
//! ```
//!
//! Not modelled: the time that the network takes, clients that give up, arrivals that come in bursts.

mod draws;
mod engine;
mod replica;
mod run;
pub mod scenarios;

use std::time::Duration;

pub use replica::{Condition, Replica};
pub use run::{Run, Served, Told};

use crate::{Balancer, ManualClock, Moment, Outcome, Policy};
use draws::{Draws, seconds};
use engine::{Engine, Rules};

/// Requests that arrive at balancers, each with some work for one of the replicas.
///
/// A replica of `s` slots that is well serves `s / mean work` requests a second: 400 for 4 slots and 10 ms.
///
/// ```
/// use maas_schedule::LeastLoaded;
/// use maas_schedule::simulation::{Replica, Simulation};
///
/// // 16 replicas at 80 % of what they can do, behind 10 balancers that do not know of each other.
/// let run = Simulation::new(vec![Replica::new(1); 16], 1280.0)
///     .balancers(10)
///     .requests(10_000)
///     .run(|balancer| LeastLoaded::new());
/// println!("{:?}, {:?}", run.latency(0.5), run.latency(0.99));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Simulation {
    replicas: Vec<Replica>,
    rate: f64,
    arrivals: Arrivals,
    requests: usize,
    balancers: usize,
    seed: u64,
    mean_work: f64,
    sigma: f64,
    rules: Rules,
}

/// How requests arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrivals {
    Poisson,
    Paced,
}

impl Simulation {
    /// `rate` requests a second, in a Poisson process, for these replicas.
    ///
    /// One balancer, 200,000 requests sent once each, work of 10 ms on average (lognormal, sigma 0.5), seed 0.
    ///
    /// See the type for an example.
    pub fn new(replicas: Vec<Replica>, rate: f64) -> Self {
        Self {
            replicas,
            rate,
            arrivals: Arrivals::Poisson,
            requests: 200_000,
            balancers: 1,
            seed: 0,
            mean_work: 0.010,
            sigma: 0.5,
            rules: Rules {
                tries: 1,
                told: Outcome::Failure,
            },
        }
    }

    /// Ends after so many requests.
    ///
    /// See the type for an example.
    pub fn requests(self, requests: usize) -> Self {
        Self { requests, ..self }
    }

    /// Other requests a second.
    ///
    /// ```
    /// # use maas_schedule::{LeastLoaded, simulation::scenarios};
    /// let p99 = |rate| scenarios::equal().requests(10_000).rate(rate).run(|_| LeastLoaded::new()).latency(0.99);
    /// assert!(p99(1440.0) > p99(720.0));
    /// ```
    pub fn rate(self, rate: f64) -> Self {
        Self { rate, ..self }
    }

    /// So many balancers, each with counts and estimates of its own; a request comes to any of them. 0 is taken as 1.
    ///
    /// See the type for an example.
    pub fn balancers(self, balancers: usize) -> Self {
        let balancers = balancers.max(1);
        Self { balancers, ..self }
    }

    /// Other arrivals and other work.
    ///
    /// ```
    /// # use maas_schedule::{RoundRobin, simulation::{Replica, Simulation}};
    /// let simulation = Simulation::new(vec![Replica::new(1); 2], 100.0).requests(1000);
    /// let run = |seed| simulation.clone().seed(seed).run(|_| RoundRobin::default());
    /// assert_eq!(run(7), run(7));
    /// assert_ne!(run(7), run(8));
    /// ```
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Requests arrive at equal distances.
    ///
    /// ```
    /// # use maas_schedule::{RoundRobin, simulation::{Replica, Simulation}};
    /// # use std::time::Duration;
    /// let run = Simulation::new(vec![Replica::new(1); 2], 100.0)
    ///     .paced()
    ///     .work(Duration::from_millis(15), 0.0)
    ///     .requests(1000)
    ///     .run(|_| RoundRobin::default());
    /// assert_eq!(run.latency(1.0), Duration::from_millis(15)); // nobody waits
    /// ```
    pub fn paced(self) -> Self {
        let arrivals = Arrivals::Paced;
        Self { arrivals, ..self }
    }

    /// Work that takes so long on average at a replica that is well; `sigma` is the deviation of its logarithm.
    ///
    /// See [`paced`](Self::paced) for an example.
    pub fn work(self, mean: Duration, sigma: f64) -> Self {
        let mean_work = mean.as_secs_f64();
        Self {
            mean_work,
            sigma,
            ..self
        }
    }

    /// A request that failed is sent again at once, to another replica each time, so many times in all.
    ///
    /// ```
    /// # use maas_schedule::{RoundRobin, simulation::{Condition, Replica, Simulation}};
    /// # use std::time::Duration;
    /// let failing = Replica::new(1).always(Condition::Failing(Duration::from_micros(100)));
    /// let run = Simulation::new(vec![Replica::new(1), failing], 20.0)
    ///     .requests(1000)
    ///     .tries(2)
    ///     .run(|_| RoundRobin::default());
    /// assert_eq!(run.errors(), 0.0);
    /// ```
    pub fn tries(mut self, tries: usize) -> Self {
        self.rules.tries = tries;
        self
    }

    /// Balancers take failures for answers, as those do that know connections but no requests.
    ///
    /// ```
    /// # use maas_schedule::{LeastCost, simulation::{Condition, Replica, Simulation}};
    /// # use std::time::Duration;
    /// let failing = Replica::new(4).always(Condition::Failing(Duration::from_micros(100)));
    /// let replicas = vec![Replica::new(4), Replica::new(4), failing];
    /// let run = Simulation::new(replicas, 400.0).requests(5000).failures_unnoticed().run(|_| LeastCost::new());
    /// assert!(run.errors() > 0.5); // who fails at once looks fast
    /// ```
    pub fn failures_unnoticed(mut self) -> Self {
        self.rules.told = Outcome::Success;
        self
    }

    /// Runs to the end of the last request. Each balancer has the policy that `policy` makes for its number.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn run<P: Policy>(&self, policy: impl FnMut(usize) -> P) -> Run {
        self.run_watched(policy, |_| ())
    }

    /// As [`run`](Self::run); `watch` is told all that balancers are, so that a policy can have estimates of its own.
    ///
    /// ```
    /// # use maas_schedule::{RoundRobin, simulation::{Replica, Simulation}};
    /// let mut answers = 0;
    /// let simulation = Simulation::new(vec![Replica::new(1); 2], 100.0).requests(1000);
    /// let run = simulation.run_watched(|_| RoundRobin::default(), |told| answers += 1);
    /// assert_eq!(answers, run.served().len());
    /// ```
    #[must_use]
    pub fn run_watched<P: Policy>(
        &self,
        policy: impl FnMut(usize) -> P,
        mut watch: impl FnMut(&Told),
    ) -> Run {
        let clock = ManualClock::new();
        let balancers = (0..self.balancers)
            .map(policy)
            .map(|policy| self.balancer(policy, &clock));
        let balancers = balancers.collect();
        let mut engine = Engine::new(
            clock.clone(),
            balancers,
            &self.replicas,
            self.rules,
            &mut watch,
        );
        let mut draws = Draws::seeded(self.seed);
        let mut now = Moment::ZERO;
        for _ in 0..self.requests {
            let mean_pause = 1.0 / self.rate;
            now = now
                + match self.arrivals {
                    Arrivals::Poisson => draws.pause(mean_pause),
                    Arrivals::Paced => seconds(mean_pause),
                };
            let work = draws.work(self.mean_work, self.sigma);
            engine.arrive(now, work, draws.below(self.balancers));
        }
        Run::of(engine.finish())
    }

    fn balancer<P: Policy>(&self, policy: P, clock: &ManualClock) -> Balancer<usize, P> {
        let balancer = Balancer::new(policy).clock(clock.clone());
        for (index, replica) in self.replicas.iter().enumerate() {
            let name = index.to_string();
            balancer.add(&*name, index).expect("numbers differ");
            balancer
                .set_weight(&name, replica.weight())
                .expect("a member that was added");
        }
        balancer
    }
}
