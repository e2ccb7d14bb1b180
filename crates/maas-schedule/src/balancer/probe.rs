use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use super::Balancer;
use super::member::Member;
use crate::sync::Arc;
use crate::{Moment, Policy};

/// A member that is to be probed now, by who holds this and nobody else; see [`Balancer::due_probes`].
///
/// Dropped without a [`record`](Self::record), the probe says nothing.
pub struct DueProbe<T> {
    member: Arc<Member<T>>,
    begun: Moment,
    timeout: Duration,
}

impl<T> DueProbe<T> {
    /// The member's name.
    ///
    /// See [`Balancer::due_probes`] for an example.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.member.name
    }

    /// Says whether the member is well, `now` by the balancer's clock. A probe that took longer than its time has failed.
    ///
    /// See [`Balancer::due_probes`] for an example.
    pub fn record(self, is_well: bool, now: Moment) {
        if let Some(watched) = self.member.watched() {
            let ok = is_well && now.since(self.begun) <= self.timeout;
            watched.health.probe_result(ok, now);
        }
    }
}

impl<T> Deref for DueProbe<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.member.value
    }
}

impl<T> Drop for DueProbe<T> {
    fn drop(&mut self) {
        if let Some(watched) = self.member.watched() {
            watched.ends_probe();
        }
    }
}

impl<T> fmt::Debug for DueProbe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DueProbe").field(&self.name()).finish()
    }
}

impl<T, P: Policy> Balancer<T, P> {
    /// Probes the members that are due, by a closure that says whether one is well, and returns how long it is until the next
    /// one is due, at most an interval. Where no [rules](Self::watched_by) watch the members, nobody is ever due.
    ///
    /// To be called from any thread or timer, and from several at once where probes block: a member is probed by one of them.
    /// While a probe takes longer than an interval, the member counts as failing.
    ///
    /// ```
    /// use std::net::{TcpListener, TcpStream};
    /// use std::sync::Arc;
    /// use std::thread;
    /// use std::time::Duration;
    /// use maas_schedule::{Balancer, HealthRules, HealthState, ProbeTiming};
    ///
    /// let server = TcpListener::bind("127.0.0.1:0")?;
    /// let dead = "127.0.0.1:1".parse()?;
    /// let balancer = Balancer::over([("a", server.local_addr()?), ("b", dead)])?
    ///     .watched_by(HealthRules::default().probes(1, 1))
    ///     .probed(ProbeTiming::default().interval(Duration::from_millis(10)));
    /// let balancer = Arc::new(balancer);
    ///
    /// let watched = Arc::downgrade(&balancer);
    /// thread::spawn(move || {
    ///     while let Some(balancer) = watched.upgrade() {
    ///         let wait = Duration::from_millis(500);
    ///         let pause = balancer.probe(|_name, address| TcpStream::connect_timeout(address, wait).is_ok());
    ///         drop(balancer);
    ///         thread::sleep(pause);
    ///     }
    /// });
    /// while balancer.members()[1].health != Some(HealthState::Unhealthy) {
    ///     thread::yield_now();
    /// }
    /// assert_eq!(balancer.pick().unwrap().name(), "a");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn probe(&self, mut probe: impl FnMut(&str, &T) -> bool) -> Duration {
        for due in self.due_probes() {
            let is_well = probe(due.name(), &due);
            due.record(is_well, self.clock.now());
        }
        let now = self.clock.now();
        let set = self.set.load();
        let watched = set.members.iter().filter_map(|each| each.member.watched());
        let pauses = watched.map(|watched| watched.due().since(now));
        pauses.fold(self.timing.interval, Duration::min)
    }

    /// The members that are due to be probed, for probes that are not closures; each begins when the iterator gives it.
    ///
    /// ```
    /// use maas_schedule::{Balancer, Clock, HealthRules, HealthState, ManualClock};
    ///
    /// let clock = ManualClock::new();
    /// let rules = HealthRules::default().probes(1, 1);
    /// let balancer = Balancer::over([("a", 1), ("b", 2)])?.clock(clock.clone()).watched_by(rules);
    /// for probe in balancer.due_probes() {
    ///     let is_well = probe.name() == "a"; // in earnest: asks the member, may be in a task of its own
    ///     probe.record(is_well, clock.now());
    /// }
    /// assert_eq!(balancer.due_probes().count(), 0); // until an interval has passed
    /// assert_eq!(balancer.members()[1].health, Some(HealthState::Unhealthy));
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn due_probes(&self) -> impl Iterator<Item = DueProbe<T>> + '_ {
        let set = Arc::clone(&self.set.load());
        (0..set.members.len()).filter_map(move |index| {
            let member = &set.members[index].member;
            let begun = self.clock.now();
            let begins = member.watched()?.begins_probe(begun, &self.timing);
            begins.then(|| DueProbe {
                member: Arc::clone(member),
                begun,
                timeout: self.timing.timeout,
            })
        })
    }
}
