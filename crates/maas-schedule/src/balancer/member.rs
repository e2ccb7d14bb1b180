use std::time::Duration;

use super::gate::{Entry, Gate};
use super::signal::Signal;
use super::status::MemberStatus;
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
        }
    }

    /// Whether the member takes the request, which then has to leave.
    #[inline]
    pub(super) fn enter(&self) -> bool {
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
    pub(super) fn leave(&self) {
        if self.gate.leave() {
            self.empty.fire();
        }
    }

    pub(super) fn close(&self) {
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

    pub(super) fn record(&self, outcome: Outcome, elapsed: Duration, now: Moment) {
        self.estimate.record(outcome, elapsed, now);
        let count = match outcome {
            Outcome::Success => &self.served,
            Outcome::Failure => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn load(&self, now: Moment) -> Load {
        self.estimate.load(self.in_flight(), now)
    }

    /// How the member is, with what its set knows of it.
    pub(super) fn status(&self, weight: u32, is_available: bool) -> MemberStatus {
        MemberStatus {
            name: self.name.to_string(),
            identity: self.identity,
            weight,
            is_available,
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
