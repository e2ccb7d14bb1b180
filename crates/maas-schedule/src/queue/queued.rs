use std::ops::Range;
use std::sync::Arc;

use super::{Entry, Part, Payload, Priority};
use crate::Moment;

/// Where a queued entry is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) priority: Priority,
    pub(super) tenant: u64,
    pub(super) key: u64,
    pub(super) request: u64,
}

/// An entry in the queue. It stays there until its last part is handed out.
pub(super) struct Queued<T> {
    pub(super) place: Place,
    payload: Payload<T>,
}

/// All of a queued entry but what it carries.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) address: Address,
    pub(super) bytes: usize,
    pub(super) queued_at: Moment,
    pub(super) deadline: Option<Moment>,
    rows: usize,
    part_rows: usize,
    next: usize,
}

impl<T> Queued<T> {
    pub(super) fn new(entry: Entry<T>, request: u64, part_rows: usize, now: Moment) -> Self {
        let payload = if entry.rows > part_rows {
            Payload::Shared(Arc::new(entry.payload))
        } else {
            Payload::Whole(entry.payload)
        };
        let address = Address {
            priority: entry.priority,
            tenant: entry.tenant,
            key: entry.key,
            request,
        };
        let place = Place {
            address,
            bytes: entry.bytes,
            queued_at: now,
            deadline: entry.deadline,
            rows: entry.rows,
            part_rows,
            next: 0,
        };
        Self { place, payload }
    }

    /// The next part, while it is not the last.
    pub(super) fn split_off(&mut self) -> Option<Part<T>> {
        let (Payload::Shared(payload), true) = (&self.payload, self.place.is_split()) else {
            return None;
        };
        let start = self.place.start();
        let rows = start..start + self.place.part_rows;
        let part = self.place.part(rows, Payload::Shared(Arc::clone(payload)));
        self.place.next += 1;
        Some(part)
    }

    /// All that is left, as one part.
    pub(super) fn into_rest(self) -> Part<T> {
        let rows = self.place.start()..self.place.rows;
        self.place.part(rows, self.payload)
    }
}

impl Place {
    pub(super) fn rows_left(&self) -> usize {
        self.rows - self.start()
    }

    pub(super) fn next_rows(&self) -> usize {
        self.rows_left().min(self.part_rows)
    }

    fn is_split(&self) -> bool {
        self.rows_left() > self.part_rows
    }

    fn start(&self) -> usize {
        self.next * self.part_rows
    }

    fn part<T>(&self, rows: Range<usize>, payload: Payload<T>) -> Part<T> {
        Part {
            request: self.address.request,
            index: self.next,
            parts: self.rows.div_ceil(self.part_rows),
            rows,
            tenant: self.address.tenant,
            priority: self.address.priority,
            queued_at: self.queued_at,
            deadline: self.deadline,
            payload,
        }
    }
}
