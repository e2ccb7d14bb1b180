//! Replicas in trouble, to compare policies by.
//!
//! ```
//! use maas_schedule::LeastCost;
//! use maas_schedule::simulation::scenarios;
//!
//! let run = scenarios::one_failing().requests(20_000).run(|_| LeastCost::new());
//! assert!(run.errors() < 0.01);
//! ```

use std::time::Duration;

use super::{Condition, Replica, Simulation};

const SECOND: Duration = Duration::from_secs(1);

/// Three replicas of 4 slots, one of them 10 times slower, at half of what they can do together: 420 requests a second.
///
/// See the module for an example.
pub fn one_slow() -> Simulation {
    let slow = Replica::new(4).always(Condition::Slower(10.0));
    Simulation::new(vec![Replica::new(4), Replica::new(4), slow], 420.0)
}

/// The requests of [`one_slow`] for its two good replicas, without the slow one.
///
/// See the module for an example.
pub fn without_the_slow() -> Simulation {
    Simulation::new(vec![Replica::new(4); 2], 420.0)
}

/// 16 equal replicas of one slot at 80 % of what they can do.
///
/// See the module for an example.
pub fn equal() -> Simulation {
    Simulation::new(vec![Replica::new(1); 16], 1280.0)
}

/// Three replicas of 4 slots, one of which fails in 0.1 ms, at half of what the two others can do.
///
/// See the module for an example.
pub fn one_failing() -> Simulation {
    let failing = Replica::new(4).always(Condition::Failing(Duration::from_micros(100)));
    Simulation::new(vec![Replica::new(4), Replica::new(4), failing], 400.0)
}

/// Five replicas of 4 slots at half of what they can do for two minutes; replica 0 is 10 times slower until [`RECOVERY`].
///
/// See the module for an example.
pub fn one_recovering() -> Simulation {
    let mut replicas = vec![Replica::new(4); 5];
    replicas[0] = Replica::new(4).during(Duration::ZERO..RECOVERY, Condition::Slower(10.0));
    Simulation::new(replicas, 1000.0).requests(120_000)
}

/// When the replica of [`one_recovering`] is well again.
pub const RECOVERY: Duration = Duration::from_secs(60);

/// Five replicas of 4 slots at half of what they can do, one of which stands still for one second in ten.
///
/// See the module for an example.
pub fn one_freezing() -> Simulation {
    let span = 9 * SECOND..10 * SECOND;
    let frozen = Replica::new(4)
        .during(span, Condition::Frozen)
        .every(10 * SECOND);
    let mut replicas = vec![Replica::new(4); 4];
    replicas.push(frozen);
    Simulation::new(replicas, 1000.0)
}
