use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::striped::Striped;

/// Connections and answers of a server, counted without a lock.
#[derive(Debug)]
pub(crate) struct Traffic {
    since: Instant,
    connections: AtomicUsize,
    responses: Striped<Responses>,
}

/// By status, from the first one that there is.
#[derive(Debug)]
struct Responses([AtomicU64; STATUSES]);

const FIRST: u16 = 100;
const STATUSES: usize = 500;

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Connected<'a>(&'a Traffic);

impl Default for Traffic {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            connections: AtomicUsize::new(0),
            responses: Striped::of(|_| Responses(std::array::from_fn(|_| AtomicU64::new(0)))),
        }
    }
}

impl Traffic {
    pub(crate) fn connect(&self) -> Connected<'_> {
        self.connections.fetch_add(1, Relaxed);
        Connected(self)
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        let slot = usize::from(status.as_u16().saturating_sub(FIRST));
        if let Some(count) = self.responses.own().0.get(slot) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn uptime(&self) -> Duration {
        self.since.elapsed()
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Relaxed)
    }

    /// Statuses that were sent, and how often.
    pub(super) fn responses(&self) -> impl Iterator<Item = (u16, u64)> {
        let count = |slot: usize| {
            let counts = self.responses.iter();
            counts.map(|counts| counts.0[slot].load(Relaxed)).sum()
        };
        let counts = (FIRST..).zip((0..STATUSES).map(count));
        counts.filter(|&(_, count)| count > 0)
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Relaxed);
    }
}
