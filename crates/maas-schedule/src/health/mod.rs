//! Who is well: what requests and probes say of a member, and how it comes back.
//!
//! A member that fails is ejected for a while, longer each time. Then it is on probation: one request may try it.
//! When that goes well, its share of the requests grows slowly back to its full one. Members of one [`HealthGroup`] are
//! never all ejected, and when too few of them are well, all are tried.
//!
//! ```
//! use maas_schedule::{Admission, Health, HealthRules, Moment};
//! use std::time::Duration;
//!
//! let health = Health::new(HealthRules::default());
//! let now = Moment::ZERO + Duration::from_secs(100);
//! for _ in 0..5 {
//!     health.record(false, now);
//! }
//! assert!(matches!(health.admits(now), Admission::No));
//!
//! let later = now + Duration::from_secs(31);
//! let Admission::Probation(trial) = health.admits(later) else { panic!("the ejection is over") };
//! assert!(matches!(health.admits(later), Admission::No)); // only one at a time
//! trial.record(true, later);
//! assert!(matches!(health.admits(later), Admission::Yes));
//! assert_eq!(health.weight(later), 0.1);
//! assert_eq!(health.weight(later + Duration::from_secs(5)), 1.0);
//! ```

mod ejected;
mod ejections;
mod group;
mod member;
mod probation;
mod prober;
mod rules;
mod slow_start;
mod state;
mod window;

pub use ejected::EjectedCounts;
pub use group::HealthGroup;
pub(crate) use member::Entry;
pub use member::Health;
pub use probation::{Admission, Probation};
pub use prober::{ProbeTiming, Prober};
pub use rules::HealthRules;
pub use slow_start::SlowStart;
pub use state::HealthState;
