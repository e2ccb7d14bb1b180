//! What to do when a try fails or takes long: budgets, deadlines, limits, and the machine that ties them together.
//!
//! A request is sent again only if that can do no harm: it is idempotent, or it never reached anybody. And only
//! within a budget, so that an overloaded service is not loaded further.
//!
//! ```
//! use maas_schedule::{Moment, Next, TryOutcome, Repeatable, Retries};
//!
//! let retries = Retries::default();
//! let mut attempts = retries.begin(Repeatable::Always, Moment::ZERO);
//! attempts.sent(7, Moment::ZERO);
//! assert_eq!(attempts.ended(TryOutcome::Failed, Moment::ZERO), Next::Retry { not: &[7] });
//! attempts.sent(8, Moment::ZERO);
//! assert_eq!(attempts.ended(TryOutcome::Answered, Moment::ZERO), Next::Done);
//! ```

mod budget;
mod deadlines;
mod hedge;
mod latencies;
mod limit;
mod machine;
mod retries;

pub use budget::RetryBudget;
pub use deadlines::Deadlines;
pub use hedge::Hedge;
pub use limit::{ConcurrencyLimit, OwnedPermit, Permit};
pub use machine::{Attempts, GiveUp, Next, Repeatable, TryOutcome};
pub use retries::Retries;
