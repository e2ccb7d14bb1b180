//! Who serves next: lock-free round robin, a trait for every other rule, and time as a value.
//!
//! ```
//! use maas_schedule::RoundRobin;
//!
//! let servers = RoundRobin::new(3);
//! let turns: Vec<usize> = (0..7).map(|_| servers.next()).collect();
//! assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]); // next ← (current + 1) mod 3
//! ```
//!
//! The crate knows no network, no runtime and no model: a member is an index, and what the rule may know of it is
//! a [`Candidate`].
//!
//! - [`Balancer`] gives requests to members that come and go, by any rule; a pick is a lease that counts the request, and
//!   an [`Ask`] says what is known of it.
//! - [`RoundRobin`] is the rule `next ← (current + 1) mod N`, shared by `&self`, exact over every window.
//! - [`WeightedRoundRobin`] goes by weights, [`StripedRoundRobin`] keeps threads apart, [`Random`] draws.
//! - [`LeastCost`] goes by queues, speed and failures, and is the one to take where members differ; [`LeastLoaded`],
//!   [`PowerOfTwoChoices`] and [`PeakEwma`] are its simpler kin. [`Estimate`] knows how fast and reliable a member is.
//! - [`ConsistentHash`] gives the same key to the same member; [`Sticky`] remembers where a key was.
//! - [`Policy`] is any rule: it picks one of the [`Candidates`], each with its [`Load`], at a [`Moment`].
//! - [`Health`] says whether a member is well, by its requests and its probes, [`HealthGroup`] how many may be ejected.
//! - [`Retries`] says what to do when a request fails or takes long: [`RetryBudget`], [`Hedge`], [`Deadlines`],
//!   [`ConcurrencyLimit`].
//! - [`InFlight`] counts what is being served, by guards that cannot leak, until it is closed.
//! - [`BatchQueue`] says what runs next: requests wait in it until a worker takes some of them as one batch.
//! - [`simulation`] runs a policy against replicas that slow down, freeze, fail and recover, in virtual time.
//! - [`Clock`] tells the time: [`SystemClock`] in production, [`ManualClock`] in tests and simulations.
//!
//! # Your own policy
//!
//! ```
//! use maas_schedule::{Candidate, Candidates, Moment, Policy};
//!
//! /// The available member with the least work on it.
//! #[derive(Debug)]
//! struct LeastBusy;
//!
//! impl Policy for LeastBusy {
//!     fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
//!         (0..candidates.len())
//!             .filter(|&member| candidates.get(member).is_available())
//!             .min_by_key(|&member| candidates.get(member).load.in_flight)
//!     }
//! }
//!
//! let members = [Candidate::busy(4), Candidate::busy(1), Candidate::busy(0).unavailable()];
//! assert_eq!(LeastBusy.pick(&members, Moment::ZERO), Some(1));
//! ```
//!
//! [`laws::check_policy`] tries it on all that it has to keep.

mod attempts;
mod balancer;
mod candidate;
mod clock;
mod error;
mod estimate;
mod health;
mod in_flight;
pub mod laws;
mod policies;
mod policy;
mod queue;
mod random;
pub mod simulation;
mod swap;
mod sync;

pub use attempts::{
    Attempts, ConcurrencyLimit, Deadlines, GiveUp, Hedge, Next, OwnedPermit, Permit, Repeatable,
    Retries, RetryBudget, TryOutcome,
};
pub use balancer::{
    Ask, Balancer, Drain, DueProbe, Lease, MemberRef, MemberStatus, OwnedLease, Picker, Refusal,
};
pub use candidate::{Availability, Candidate, Candidates, Load};
pub use clock::{Clock, ManualClock, Moment, SystemClock};
pub use error::Error;
pub use estimate::{Estimate, Outcome};
pub use health::{
    Admission, EjectedCounts, Health, HealthGroup, HealthRules, HealthState, Probation,
    ProbeTiming, Prober, SlowStart,
};
pub use in_flight::{Emptied, InFlight, InFlightGuard, OwnedInFlightGuard};
pub use policies::{
    ConsistentHash, LeastCost, LeastLoaded, PeakEwma, PowerOfTwoChoices, Prepared, Random,
    RoundRobin, Sticky, StripedRoundRobin, WeightedRoundRobin,
};
pub use policy::{FnPolicy, Policy};
pub use queue::{
    Batch, BatchQueue, ClosedCounts, Entry, Part, Payload, Priority, QueueError, QueueOptions,
    QueueStats, Reason, Refused, RefusedCounts, Rejoin, Taken, Ticket,
};
