use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::lane::{Lane, Urgency};
use super::queued::{Address, Place, Queued};
use super::{Part, Ready};
use crate::Moment;

/// One row of a tenant of weight 1, in virtual time.
const ROW: u128 = 1 << 32;

/// The weights of tenants; 1 where nothing is said.
#[derive(Default)]
pub(super) struct Weights(BTreeMap<u64, u32>);

impl Weights {
    pub(super) fn set(&mut self, tenant: u64, weight: u32) {
        self.0.insert(tenant, weight.max(1));
    }

    fn of(&self, tenant: u64) -> u32 {
        self.0.get(&tenant).copied().unwrap_or(1)
    }
}

/// The tenants of one class, by start-time fair queueing over rows: who was served least, by weight, goes next.
///
/// Each tenant has a virtual time that moves by rows / weight when it is served. A tenant that comes joins at the
/// time of the least served, so that nobody saves up; one that leaves is remembered until the others have caught up.
pub(super) struct Fair<T> {
    tenants: BTreeMap<u64, Account<T>>,
    active: BTreeSet<(u128, u64)>,
    idle: BTreeSet<(u128, u64)>,
    rows: usize,
}

struct Account<T> {
    time: u128,
    lane: Lane<T>,
}

impl<T> Default for Fair<T> {
    fn default() -> Self {
        Self {
            tenants: BTreeMap::new(),
            active: BTreeSet::new(),
            idle: BTreeSet::new(),
            rows: 0,
        }
    }
}

impl<T> Fair<T> {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn tenant_rows(&self, tenant: u64) -> usize {
        self.tenants
            .get(&tenant)
            .map_or(0, |account| account.lane.rows())
    }

    pub(super) fn push(&mut self, queued: Queued<T>) {
        let tenant = queued.place.address.tenant;
        let least = self.active.first().map_or(0, |&(time, _)| time);
        self.rows += queued.place.rows_left();
        let account = self.tenants.entry(tenant).or_insert_with(|| Account {
            time: least,
            lane: Lane::default(),
        });
        if account.lane.is_empty() {
            self.idle.remove(&(account.time, tenant));
            account.time = account.time.max(least);
            self.active.insert((account.time, tenant));
        }
        account.lane.push(queued);
    }

    /// The place of what goes next among the keys that are ready.
    pub(super) fn peek(
        &self,
        now: Moment,
        limit: Option<Duration>,
        ready: &Ready,
    ) -> Option<Place> {
        self.lanes()
            .find_map(|lane| lane.peek(now, limit, ready).copied())
    }

    pub(super) fn take(&mut self, address: Address, weights: &Weights) -> Option<Part<T>> {
        let account = self.tenants.get_mut(&address.tenant)?;
        let part = account.lane.take(address)?;
        self.rows -= part.rows.len();
        self.active.remove(&(account.time, address.tenant));
        account.time += ROW * part.rows.len() as u128 / u128::from(weights.of(address.tenant));
        self.active.insert((account.time, address.tenant));
        self.settle(address.tenant);
        Some(part)
    }

    pub(super) fn remove(&mut self, address: Address) -> Option<Queued<T>> {
        let account = self.tenants.get_mut(&address.tenant)?;
        let queued = account.lane.remove(address)?;
        self.rows -= queued.place.rows_left();
        self.settle(address.tenant);
        Some(queued)
    }

    pub(super) fn urgencies(&self) -> impl Iterator<Item = (u64, Urgency)> + '_ {
        self.lanes().flat_map(Lane::urgencies)
    }

    /// How many rows of this class, at most, are served before a newcomer of the tenant that waits its turn.
    pub(super) fn rows_ahead(&self, tenant: u64, weights: &Weights) -> usize {
        let own = self.tenant_rows(tenant) as u128;
        let all = self
            .active
            .iter()
            .map(|&(_, tenant)| u128::from(weights.of(tenant)));
        let ahead = own * all.sum::<u128>() / u128::from(weights.of(tenant));
        usize::try_from(ahead).map_or(self.rows, |ahead| ahead.min(self.rows))
    }

    pub(super) fn is_overloaded(&self, tenant: u64, now: Moment, limit: Option<Duration>) -> bool {
        let account = self.tenants.get(&tenant);
        account.is_some_and(|account| account.lane.is_overloaded(now, limit))
    }

    fn lanes(&self) -> impl Iterator<Item = &Lane<T>> {
        let accounts = self
            .active
            .iter()
            .filter_map(|(_, tenant)| self.tenants.get(tenant));
        accounts.map(|account| &account.lane)
    }

    /// Puts a tenant that has nothing left aside, and forgets those whom the others have caught up with.
    fn settle(&mut self, tenant: u64) {
        let Some(account) = self.tenants.get(&tenant) else {
            return;
        };
        if account.lane.is_empty() && self.active.remove(&(account.time, tenant)) {
            self.idle.insert((account.time, tenant));
        }
        let Some(&(least, _)) = self.active.first() else {
            *self = Self::default();
            return;
        };
        while let Some(&(time, tenant)) = self.idle.first().filter(|(time, _)| *time <= least) {
            self.idle.remove(&(time, tenant));
            self.tenants.remove(&tenant);
        }
    }
}
