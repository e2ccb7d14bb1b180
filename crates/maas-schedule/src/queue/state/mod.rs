mod admit;

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::TakenParts;
use super::fair::{Fair, Weights};
use super::queued::{Address, Place, Queued};
use super::ready::{Fillings, Ready};
use super::{Entry, Part, QueueOptions, QueueStats, Rate, Reason, Refused};
use crate::Moment;

/// The queue without its lock.
pub(super) struct State<T> {
    options: QueueOptions,
    classes: [Fair<T>; 3],
    weights: Weights,
    deadlines: BTreeMap<(Moment, u64), Address>,
    rate: Rate,
    stats: QueueStats,
    requests: u64,
    closed: bool,
    /// The workers that wait to be woken.
    pub(super) waiting: usize,
}

/// What a worker gets that asks, before it knows its queue.
pub(super) enum Next<T> {
    Batch(TakenParts<T>),
    Wait(Moment),
    Empty,
    Closed,
}

impl<T> State<T> {
    pub(super) fn new(options: QueueOptions) -> Self {
        Self {
            rate: options.rate(),
            options,
            classes: <[Fair<T>; 3]>::default(),
            weights: Weights::default(),
            deadlines: BTreeMap::new(),
            stats: QueueStats::default(),
            requests: 0,
            closed: false,
            waiting: 0,
        }
    }

    pub(super) fn stats(&self) -> QueueStats {
        self.stats
    }

    pub(super) fn set_weight(&mut self, tenant: u64, weight: u32) {
        self.weights.set(tenant, weight);
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn measure(&mut self, rows: usize, elapsed: Duration) {
        self.rate.measure(rows, elapsed);
    }

    pub(super) fn expired_in_batch(&mut self, parts: usize) {
        self.stats.expired += parts as u64;
    }

    pub(super) fn push(&mut self, entry: Entry<T>, now: Moment) -> Result<Address, Refused<T>> {
        if let Err(error) = self.admit(&entry, now) {
            self.stats.refused.count(&error);
            return Err(Refused { entry, error });
        }
        let request = self.requests;
        self.requests += 1;
        let queued = Queued::new(entry, request, self.options.max_rows, now);
        let place = queued.place;
        self.stats.accepted += 1;
        self.stats.queued += 1;
        self.stats.queued_rows += place.rows_left();
        self.stats.queued_bytes += place.bytes;
        if let Some(deadline) = place.deadline {
            self.deadlines.insert((deadline, request), place.address);
        }
        self.classes[place.address.priority as usize].push(queued);
        Ok(place.address)
    }

    pub(super) fn cancel(&mut self, address: Address) -> Option<Queued<T>> {
        let queued = self.remove(address)?;
        self.stats.cancelled += 1;
        Some(queued)
    }

    pub(super) fn take(&mut self, now: Moment) -> Next<T> {
        let expired = self.expire(now);
        let ready = match self.ready(now) {
            _ if self.stats.queued == 0 && expired.is_empty() => {
                return if self.closed {
                    Next::Closed
                } else {
                    Next::Empty
                };
            }
            Err(moment) if expired.is_empty() => return Next::Wait(moment),
            ready => ready.ok(),
        };
        let first = ready.as_ref().and_then(|ready| self.peek(now, ready));
        let (Some(ready), Some(first)) = (ready, first) else {
            return Next::Batch(TakenParts {
                parts: Vec::new(),
                expired,
                key: 0,
                reason: Reason::Deadline,
            });
        };
        let key = first.address.key;
        let (parts, full) = self.fill(first, now);
        let reason = match ready.reason(key) {
            _ if full => Reason::Full,
            Reason::WorkerFree if self.stats.queued > 0 => Reason::ShapeChanged,
            reason => reason,
        };
        self.stats.closed.count(reason);
        Next::Batch(TakenParts {
            parts,
            expired,
            key,
            reason,
        })
    }

    /// What goes with the first part into one batch, and whether that is all that fits.
    fn fill(&mut self, first: Place, now: Moment) -> (Vec<Part<T>>, bool) {
        let only = Ready::Only(first.address.key);
        let mut room = self.options.max_rows;
        let mut parts = Vec::with_capacity(room.min(self.stats.queued));
        let mut next = Some(first);
        while let Some(place) = next {
            let fits = place.next_rows() <= room;
            let Some(part) = fits.then(|| self.take_part(place)).flatten() else {
                return (parts, true);
            };
            room -= part.rows.len();
            parts.push(part);
            if room == 0 {
                return (parts, true);
            }
            next = self.peek(now, &only);
        }
        (parts, false)
    }

    fn peek(&self, now: Moment, ready: &Ready) -> Option<Place> {
        let limit = self.options.overload_after;
        self.classes
            .iter()
            .find_map(|class| class.peek(now, limit, ready))
    }

    fn ready(&self, now: Moment) -> Result<Ready, Moment> {
        if self.closed {
            return Ok(Ready::All(Reason::Closing));
        }
        if self.options.max_delay.is_zero() {
            return Ok(Ready::All(Reason::WorkerFree));
        }
        let mut fillings = Fillings::new(self.options.max_rows, self.options.max_delay);
        for (key, urgency) in self.classes.iter().flat_map(Fair::urgencies) {
            fillings.add(key, &urgency, self.rate);
        }
        fillings.close(now)
    }

    fn take_part(&mut self, place: Place) -> Option<Part<T>> {
        let address = place.address;
        let part = self.classes[address.priority as usize].take(address, &self.weights)?;
        self.stats.rows += part.rows.len() as u64;
        self.stats.queued_rows -= part.rows.len();
        if part.index + 1 == part.parts {
            self.forget(&place);
        }
        Some(part)
    }

    fn expire(&mut self, now: Moment) -> Vec<Part<T>> {
        let mut expired = Vec::new();
        while let Some((&(deadline, _), &address)) = self.deadlines.first_key_value() {
            if deadline > now {
                break;
            }
            let Some(queued) = self.remove(address) else {
                break;
            };
            self.stats.expired += 1;
            expired.push(queued.into_rest());
        }
        expired
    }

    fn remove(&mut self, address: Address) -> Option<Queued<T>> {
        let queued = self.classes[address.priority as usize].remove(address)?;
        self.stats.queued_rows -= queued.place.rows_left();
        self.forget(&queued.place);
        Some(queued)
    }

    /// An entry has left, its rows are counted already.
    fn forget(&mut self, place: &Place) {
        self.stats.queued -= 1;
        self.stats.queued_bytes -= place.bytes;
        if let Some(deadline) = place.deadline {
            self.deadlines.remove(&(deadline, place.address.request));
        }
    }
}
