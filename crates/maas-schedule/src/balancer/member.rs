use std::sync::OnceLock;
use std::time::Duration;

use super::gate::{Entry, Gate};
use super::signal::Signal;
use super::status::MemberStatus;
use super::visit::Visit;
use super::watch::{Look, Watched};
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
    pub(super) fn new(name: std::sync::Arc<str>, value: T) -> Self {
        Self {
            identity: identity(&name),
            name,
            value,
            gate: Gate::open(),
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

    /// How a request is here, which then has to leave; `None` where the member does not take it.
    #[inline]
    pub(super) fn enter(&self, look: Option<&Look<'_>>) -> Option<Visit> {
        match look {
            None => self.enter_gate().then(Visit::usual),
            Some(look) => self.enter_watched(look),
        }
    }

    fn enter_watched(&self, look: &Look<'_>) -> Option<Visit> {
        let Some(watched) = self.watched() else {
            return self.enter_gate().then(Visit::usual);
        };
        match look.enter(watched) {
            Admission::Closed => None,
            Admission::Open => self.enter_gate().then(Visit::usual),
            Admission::Trial => {
                let visit = self.enter_gate().then(Visit::trial);
                if visit.is_none() {
                    watched.health.leave_probation();
                }
                visit
            }
        }
    }

    #[inline]
    fn enter_gate(&self) -> bool {
        match self.gate.enter() {
            Entry::Open => true,
            Entry::Closed { empty } => {
                if empty {
                    self.empty.fire();
                }
                false
            }
        }
    }

    #[inline]
    pub(super) fn leave(&self, visit: &mut Visit) {
        if visit.is_trial()
            && let Some(watched) = self.watched()
        {
            watched.health.leave_probation();
        }
        if self.gate.leave() {
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
    pub(super) fn is_available(&self) -> bool {
        self.up.load(Ordering::Relaxed) && self.gate.is_open()
    }

    pub(super) fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
    }

    pub(super) fn record(&self, visit: &Visit, outcome: Outcome, elapsed: Duration, now: Moment) {
        self.estimate.record(outcome, elapsed, now);
        let count = match outcome {
            Outcome::Success => &self.served,
            Outcome::Failure => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(watched) = self.watched() {
            watched.record(outcome, visit.ends_trial(), now);
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
