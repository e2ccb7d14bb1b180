use std::sync::OnceLock;
use std::time::Duration;

use super::gate::{Entry, Gate, SHARED};
use super::set::Terms;
use super::signal::Signal;
use super::status::MemberStatus;
use super::visit::Visit;
use super::watch::Watched;
use crate::health::Entry as Admission;
use crate::random::mix;
use crate::sync::{AtomicBool, AtomicU64, Ordering};
use crate::{Estimate, Load, Moment, Outcome};

/// Someone who serves, as long as anybody has a use for it: the sets that it is in, and requests.
#[derive(Debug)]
pub(super) struct Member<T> {
    pub(super) name: std::sync::Arc<str>,
    /// Made of the name, so that every process has the same.
    pub(super) identity: u64,
    pub(super) value: T,
    gate: Gate,
    up: AtomicBool,
    empty: Signal,
    estimate: Estimate,
    served: AtomicU64,
    failed: AtomicU64,
    /// Set before requests are given to the member, or not at all.
    watched: OnceLock<Box<Watched>>,
}

impl<T> Member<T> {
    /// With counts in so many stripes, or one count for none.
    pub(super) fn new(name: std::sync::Arc<str>, value: T, stripes: usize) -> Self {
        Self {
            identity: identity(&name),
            name,
            value,
            gate: Gate::striped(stripes),
            up: AtomicBool::new(true),
            empty: Signal::default(),
            estimate: Estimate::new(),
            served: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            watched: OnceLock::new(),
        }
    }

    /// Has the member watched, if it is not yet.
    pub(super) fn watch(&self, watched: impl FnOnce() -> Watched) {
        self.watched.get_or_init(|| Box::new(watched()));
    }

    pub(super) fn watched(&self) -> Option<&Watched> {
        self.watched.get().map(|watched| &**watched)
    }

    /// Whether nothing is known of its health for which it would not take a request.
    #[inline]
    pub(super) fn takes_all(&self, now: impl FnOnce() -> Moment) -> bool {
        self.watched()
            .is_none_or(|watched| watched.health.takes_all(now))
    }

    /// How a request is here, which then has to leave; `None` where the member does not take it.
    #[inline]
    pub(super) fn enter(&self, stripe: usize, terms: Option<&Terms<'_>>) -> Option<Visit> {
        match terms {
            None => self
                .enters(self.gate.enter(stripe))
                .then(|| Visit::by(stripe)),
            Some(terms) => self.enter_on(terms, stripe),
        }
    }

    #[inline(never)]
    fn enter_on(&self, terms: &Terms<'_>, stripe: usize) -> Option<Visit> {
        let enter = || match terms.limit {
            None => (self.enters(self.gate.enter(stripe))).then(|| Visit::by(stripe)),
            Some(limit) => (self.enters(self.gate.enter_below(limit))).then(|| Visit::by(SHARED)),
        };
        let (Some(look), Some(watched)) = (&terms.look, self.watched()) else {
            return enter();
        };
        match look.enter(watched) {
            Admission::Closed => None,
            Admission::Open => enter(),
            Admission::Trial => {
                let number = watched.begins_trial();
                let visit = enter();
                if visit.is_none() {
                    watched.leave_trial(number);
                }
                visit.map(|visit| visit.trying(number))
            }
        }
    }

    #[inline]
    fn enters(&self, entry: Entry) -> bool {
        if entry == (Entry::Closed { empty: true }) {
            self.empty.fire();
        }
        entry == Entry::Open
    }

    #[inline]
    pub(super) fn leave(&self, visit: Visit) {
        if let (Some(number), Some(watched)) = (visit.trial(), self.watched()) {
            watched.leave_trial(number);
        }
        if self.gate.leave(visit.stripe()) {
            self.empty.fire();
        }
    }

    /// Of a member that its balancer has no more.
    pub(super) fn close(&self) {
        if let Some(watched) = self.watched() {
            watched.health.leave_group();
        }
        if self.gate.close() {
            self.empty.fire();
        }
    }

    /// That the member is closed and nobody is served there any more.
    pub(super) fn empty(&self) -> &Signal {
        &self.empty
    }

    #[inline]
    pub(super) fn is_available(&self, stripe: usize) -> bool {
        self.is_up() && self.gate.is_open(stripe)
    }

    #[inline]
    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
    }

    pub(super) fn record(&self, visit: Visit, outcome: Outcome, elapsed: Duration, now: Moment) {
        self.estimate.record(outcome, elapsed, now);
        let count = match outcome {
            Outcome::Success => &self.served,
            Outcome::Failure => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(watched) = self.watched() {
            watched.record(outcome, visit.trial(), now);
        }
    }

    pub(super) fn load(&self, now: Moment) -> Load {
        self.estimate.load(self.in_flight(), now)
    }

    /// How the member is, with what its set knows of it.
    pub(super) fn status(&self, weight: u32, is_available: bool, now: Moment) -> MemberStatus {
        MemberStatus {
            name: self.name.to_string(),
            identity: self.identity,
            weight,
            is_available,
            health: self.watched().map(|watched| watched.health.state(now)),
            ejected: self.watched().map(|watched| watched.health.ejected()),
            in_flight: self.in_flight(),
            started: self.gate.entries(),
            served: self.served.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }

    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        self.gate.count()
    }
}

/// FNV-1a, mixed so that names that differ in a letter lie far apart.
fn identity(name: &str) -> u64 {
    mix(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }))
}
