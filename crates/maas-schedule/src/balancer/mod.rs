//! Members that come and go while requests are given to them.

mod ask;
mod claims;
mod drain;
mod gate;
mod glance;
mod lease;
mod member;
mod membership;
mod picker;
mod picks;
mod probe;
mod refusal;
mod set;
mod signal;
mod status;
mod stripe;
mod table;
mod visit;
mod watch;

use std::fmt;
use std::num::NonZeroUsize;

pub use ask::Ask;
pub use drain::Drain;
pub(crate) use gate::{Entry, Gate, SHARED};
pub use lease::{Lease, OwnedLease};
pub use picker::Picker;
pub use probe::DueProbe;
pub use refusal::Refusal;
pub(crate) use signal::Signal;
pub use status::{MemberRef, MemberStatus};

use crate::swap::Swap;
use crate::sync::{Arc, AtomicUsize, Mutex};
use crate::{
    Clock, Error, HealthGroup, HealthRules, Policy, ProbeTiming, RoundRobin, StripedRoundRobin,
    SystemClock,
};
use claims::Claims;
use set::Set;
use watch::{Watch, Watched};

/// Gives each request to one of its members, by a policy; shared by `&self` by all threads.
///
/// A member is a name and a value: an address, a connection, a service. A pick is a lease of the value, counted at the member
/// until it is dropped. Members come, go and change while others pick: a pick never waits.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", "10.0.0.1:80"), ("b", "10.0.0.2:80")])?;
/// let lease = balancer.pick().expect("somebody is there");
/// assert_eq!(*lease, "10.0.0.1:80"); // connect to it; it has a request in flight until the lease is dropped
///
/// balancer.add("c", "10.0.0.3:80")?;
/// let drain = balancer.remove("a")?; // no other request starts there
/// drop(lease);
/// drain.wait(); // the last one has ended
/// # Ok::<(), maas_schedule::Error>(())
/// ```
///
/// Members are served in the order in which they were added, and round robin goes on with who would have been next,
/// however often members come and go: those who stay are served equally often, give or take one request.
pub struct Balancer<T, P = RoundRobin> {
    policy: P,
    clock: Box<dyn Clock>,
    watch: Option<Arc<Watch>>,
    timing: ProbeTiming,
    /// Of requests at one member.
    limit: Option<usize>,
    /// Whether members are neither watched nor limited.
    is_plain: bool,
    /// Of the counts of each member; none where each has one count.
    stripes: usize,
    /// Of the stripes, by pickers.
    claims: Claims,
    set: Swap<Set<T>>,
    /// Grows with each change of the set.
    version: AtomicUsize,
    /// Held by who changes the set.
    changing: Mutex<()>,
}

impl<T> Balancer<T> {
    /// A balancer over these members, everyone in turn.
    ///
    /// # Errors
    /// [`Error::MemberExists`] for a name that occurs twice.
    ///
    /// See the type for an example.
    pub fn over<N: Into<String>>(members: impl IntoIterator<Item = (N, T)>) -> Result<Self, Error> {
        Self::new(RoundRobin::default()).with(members)
    }
}

impl<T> Balancer<T, StripedRoundRobin> {
    /// A balancer without members, everyone in turn, for threads that each have a [`picker`](Self::picker): they write to no
    /// cache line that another one writes to, but where they record how requests ended. A member takes 128 bytes for each
    /// processor core, up to 16 of them.
    ///
    /// ```
    /// use maas_schedule::Balancer;
    ///
    /// let balancer = Balancer::striped().with([("a", 1), ("b", 2)])?;
    /// std::thread::scope(|scope| {
    ///     for _ in 0..2 {
    ///         let mut picker = balancer.picker();
    ///         scope.spawn(move || (0..100).all(|_| picker.pick().is_some()));
    ///     }
    /// });
    /// assert_eq!(balancer.members().iter().map(|row| row.started).sum::<u64>(), 200);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn striped() -> Self {
        let balancer = Self::new(StripedRoundRobin::default());
        Self {
            stripes: stripes(),
            ..balancer
        }
    }
}

impl<T, P: Policy> Balancer<T, P> {
    /// A balancer without members that picks by `policy`.
    ///
    /// ```
    /// use maas_schedule::{Balancer, RoundRobin};
    /// let balancer: Balancer<&str> = Balancer::new(RoundRobin::default());
    /// assert!(balancer.pick().is_none());
    /// ```
    pub fn new(policy: P) -> Self {
        Self {
            policy,
            clock: Box::new(SystemClock),
            watch: None,
            timing: ProbeTiming::default(),
            limit: None,
            is_plain: true,
            stripes: 0,
            claims: Claims::none(),
            set: Swap::new(Set::empty()),
            version: AtomicUsize::new(0),
            changing: Mutex::new(()),
        }
    }

    /// The balancer with these members added.
    ///
    /// # Errors
    /// [`Error::MemberExists`] for a name that occurs twice.
    ///
    /// ```
    /// use maas_schedule::{Balancer, RoundRobin};
    /// let balancer = Balancer::new(RoundRobin::default()).with([("a", 1), ("b", 2)])?;
    /// assert_eq!(balancer.len(), 2);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn with<N: Into<String>>(
        self,
        members: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, Error> {
        for (name, value) in members {
            self.add(name, value)?;
        }
        Ok(self)
    }

    /// Tells policies the time by this clock in place of the system's.
    ///
    /// ```
    /// use maas_schedule::{Balancer, ManualClock};
    /// let balancer = Balancer::over([("a", 1)])?.clock(ManualClock::new());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            ..self
        }
    }

    /// The same members, for another policy.
    ///
    /// ```
    /// use maas_schedule::{Balancer, LeastLoaded};
    /// let balancer = Balancer::over([("a", 1), ("b", 2)])?.balanced_by(LeastLoaded::new());
    /// let _busy = balancer.pick().unwrap();
    /// assert_eq!(*balancer.pick().unwrap(), 2);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn balanced_by<Q: Policy>(self, policy: Q) -> Balancer<T, Q> {
        let members = self.set.load().members.clone();
        let balancer = Balancer {
            policy,
            clock: self.clock,
            watch: self.watch,
            timing: self.timing,
            limit: self.limit,
            is_plain: self.is_plain,
            stripes: self.stripes,
            claims: self.claims,
            set: Swap::new(Set::empty()),
            version: self.version,
            changing: self.changing,
        };
        balancer.put(&Set::empty(), members);
        balancer
    }

    /// Watches the health of the members, of those that are there and of those that come, by these rules: who is ejected or
    /// whose probes fail is not picked, unless so many are ill that all are tried. Rules that were given before stay.
    ///
    /// - [`Lease::record`] tells how requests end. Who fails too often, or more often than the others, is ejected for a while.
    /// - Then one request tries it. It decides, unless its lease is dropped without a word: then the next one tries.
    /// - Who came back is at first seen by a part of the requests only, which grows.
    /// - [`probe`](Self::probe) tells of members without requests.
    ///
    /// ```
    /// use maas_schedule::{Balancer, Clock, HealthRules, ManualClock, Outcome};
    /// use std::time::Duration;
    ///
    /// let clock = ManualClock::new();
    /// let rules = HealthRules::default().consecutive_failures(1);
    /// let balancer = Balancer::over([("a", 1), ("b", 2)])?.clock(clock.clone()).watched_by(rules);
    ///
    /// let lease = balancer.pick().unwrap();
    /// lease.record(Outcome::Failure, Duration::from_millis(1), clock.now());
    /// assert_eq!([*balancer.pick().unwrap(), *balancer.pick().unwrap()], [2, 2]);
    ///
    /// clock.advance(Duration::from_secs(31));
    /// let trial = balancer.get("a").map(|member| member.identity());
    /// let leases = [balancer.pick().unwrap(), balancer.pick().unwrap(), balancer.pick().unwrap()];
    /// assert_eq!(leases.iter().filter(|lease| Some(lease.identity()) == trial).count(), 1);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn watched_by(self, rules: HealthRules) -> Self {
        self.watched_in(HealthGroup::new(), rules)
    }

    /// As [`watched_by`](Self::watched_by), where this group says what must hold of all members together.
    ///
    /// ```
    /// use maas_schedule::{Balancer, HealthGroup, HealthRules};
    /// let group = HealthGroup::new().at_most_ejected(0.5);
    /// let balancer = Balancer::over([("a", 1), ("b", 2)])?.watched_in(group, HealthRules::default());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn watched_in(self, group: HealthGroup, rules: HealthRules) -> Self {
        if self.watch.is_some() {
            return self;
        }
        let watch = Arc::new(Watch::new(rules, group));
        for weighted in &self.set.load().members {
            weighted.member.watch(|| Watched::new(&watch));
        }
        Self {
            watch: Some(watch),
            is_plain: false,
            ..self
        }
    }

    /// No member has more than so many requests at a time: one that is full is not picked. Requests that had begun before are
    /// counted and may end.
    ///
    /// ```
    /// use maas_schedule::Balancer;
    /// let balancer = Balancer::over([("a", 1), ("b", 2)])?.limited_to(1);
    /// let leases = [balancer.pick(), balancer.pick()];
    /// assert!(balancer.pick().is_none());
    /// drop(leases);
    /// assert!(balancer.pick().is_some());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    ///
    /// [`try_ask`](Self::try_ask) tells a balancer whose members are full from one whose members are not available.
    #[must_use]
    pub fn limited_to(self, requests: usize) -> Self {
        Self {
            limit: Some(requests),
            is_plain: false,
            ..self
        }
    }

    /// When members are [probed](Self::probe), in place of every 10 s for 1 s each.
    ///
    /// ```
    /// use maas_schedule::{Balancer, HealthRules, ProbeTiming};
    /// use std::time::Duration;
    /// let balancer = Balancer::over([("a", 1)])?
    ///     .watched_by(HealthRules::default())
    ///     .probed(ProbeTiming::default().interval(Duration::from_secs(1)));
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn probed(self, timing: ProbeTiming) -> Self {
        Self { timing, ..self }
    }
}

impl<T, P: fmt::Debug> fmt::Debug for Balancer<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balancer")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// One for each core, as far as they are worth their memory; in a model two.
fn stripes() -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    if cfg!(loom) { 2 } else { cores().min(16) }
}
