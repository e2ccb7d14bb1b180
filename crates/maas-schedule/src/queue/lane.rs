use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::queued::{Address, Place, Queued};
use super::{Part, Ready};
use crate::Moment;

/// What one tenant has in one class: by deadline while the wait is short, newest first when it is long.
pub(super) struct Lane<T> {
    orders: BTreeMap<u64, Order<T>>,
    rows: usize,
}

/// The entries of one key. Requests are numbered as they come.
struct Order<T> {
    timed: BTreeMap<u64, Queued<T>>,
    due: BTreeSet<(Moment, u64)>,
    untimed: BTreeMap<u64, Queued<T>>,
    started: Option<u64>,
    rows: usize,
}

/// Less goes first: what was begun, then entries with a deadline, then the others.
type Rank = (u8, u64, u64);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    EarliestDeadline,
    NewestFirst,
}

/// What the entries of a key in a lane ask of the time at which a batch closes.
pub(super) struct Urgency {
    pub(super) rows: usize,
    pub(super) oldest: Moment,
    pub(super) first_due: Option<(Moment, Moment)>,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            orders: BTreeMap::new(),
            rows: 0,
        }
    }
}

impl<T> Lane<T> {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(super) fn push(&mut self, queued: Queued<T>) {
        let rows = queued.place.rows_left();
        self.rows += rows;
        self.orders
            .entry(queued.place.address.key)
            .or_default()
            .push(queued, rows);
    }

    /// The place of what goes next among the keys that are ready.
    pub(super) fn peek(
        &self,
        now: Moment,
        limit: Option<Duration>,
        ready: &Ready,
    ) -> Option<&Place> {
        let rule = if self.is_overloaded(now, limit) {
            Rule::NewestFirst
        } else {
            Rule::EarliestDeadline
        };
        let ready = self.orders.iter().filter(|&(&key, _)| ready.admits(key));
        let next = ready.filter_map(|(_, order)| order.next(rule));
        next.min_by_key(|(rank, _)| *rank).map(|(_, place)| place)
    }

    /// Whether the oldest entry with a deadline has waited longer than `limit`, or than half of its time.
    pub(super) fn is_overloaded(&self, now: Moment, limit: Option<Duration>) -> bool {
        self.orders.values().any(|order| {
            order.timed.first_key_value().is_some_and(|(_, oldest)| {
                let Place {
                    queued_at,
                    deadline,
                    ..
                } = oldest.place;
                let half = deadline.map_or(Duration::MAX, |deadline| deadline.since(queued_at) / 2);
                now.since(queued_at) > limit.unwrap_or(half)
            })
        })
    }

    /// The next part of an entry; the entry leaves with its last.
    pub(super) fn take(&mut self, address: Address) -> Option<Part<T>> {
        let order = self.orders.get_mut(&address.key)?;
        let part = order.split_off(address.request);
        let part = match part {
            Some(part) => {
                self.rows -= part.rows.len();
                part
            }
            None => self.remove(address)?.into_rest(),
        };
        Some(part)
    }

    pub(super) fn remove(&mut self, address: Address) -> Option<Queued<T>> {
        let order = self.orders.get_mut(&address.key)?;
        let queued = order.remove(address.request)?;
        self.rows -= queued.place.rows_left();
        if order.rows == 0 {
            self.orders.remove(&address.key);
        }
        Some(queued)
    }

    pub(super) fn urgencies(&self) -> impl Iterator<Item = (u64, Urgency)> + '_ {
        self.orders
            .iter()
            .map(|(&key, order)| (key, order.urgency()))
    }
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self {
            timed: BTreeMap::new(),
            due: BTreeSet::new(),
            untimed: BTreeMap::new(),
            started: None,
            rows: 0,
        }
    }
}

impl<T> Order<T> {
    fn push(&mut self, queued: Queued<T>, rows: usize) {
        let request = queued.place.address.request;
        self.rows += rows;
        if let Some(deadline) = queued.place.deadline {
            self.due.insert((deadline, request));
            self.timed.insert(request, queued);
        } else {
            self.untimed.insert(request, queued);
        }
    }

    fn next(&self, rule: Rule) -> Option<(Rank, &Place)> {
        let find = |request: u64| {
            self.timed
                .get(&request)
                .or_else(|| self.untimed.get(&request))
        };
        let (rank, queued) = if let Some(begun) = self.started {
            ((0, 0, begun), find(begun)?)
        } else if let (Rule::NewestFirst, Some((&newest, queued))) =
            (rule, self.timed.last_key_value())
        {
            ((1, 0, u64::MAX - newest), queued)
        } else if let Some(&(deadline, request)) = self.due.first() {
            ((1, deadline.as_nanos(), request), find(request)?)
        } else {
            let (&oldest, queued) = self.untimed.first_key_value()?;
            ((2, 0, oldest), queued)
        };
        Some((rank, &queued.place))
    }

    fn split_off(&mut self, request: u64) -> Option<Part<T>> {
        let queued = self.timed.get_mut(&request);
        let queued = queued.or_else(|| self.untimed.get_mut(&request))?;
        let part = queued.split_off()?;
        self.started = Some(request);
        self.rows -= part.rows.len();
        Some(part)
    }

    fn remove(&mut self, request: u64) -> Option<Queued<T>> {
        let queued = self.timed.remove(&request);
        let queued = queued.or_else(|| self.untimed.remove(&request))?;
        if let Some(deadline) = queued.place.deadline {
            self.due.remove(&(deadline, request));
        }
        self.started = self.started.filter(|&begun| begun != request);
        self.rows -= queued.place.rows_left();
        Some(queued)
    }

    fn urgency(&self) -> Urgency {
        let firsts = [self.timed.first_key_value(), self.untimed.first_key_value()];
        let oldest = firsts
            .into_iter()
            .flatten()
            .map(|(_, queued)| queued.place.queued_at);
        let due = self.due.first().and_then(|(deadline, request)| {
            let queued = self.timed.get(request)?;
            Some((queued.place.queued_at, *deadline))
        });
        Urgency {
            rows: self.rows,
            oldest: oldest.min().unwrap_or_default(),
            first_due: due,
        }
    }
}
