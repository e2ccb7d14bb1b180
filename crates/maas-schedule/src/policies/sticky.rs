use std::collections::HashMap;

use crate::sync::{Arc, Mutex, lock};
use crate::{Candidates, Moment, Policy, Prepared};

/// A key stays with the member that it was given to, for as long as that one is available; any policy decides on new keys.
///
/// So a session finds its state, and a new one goes where there is room. Keys are remembered up to a capacity; beyond it one
/// is forgotten that was not asked for lately (the clock algorithm, Corbató 1968). Picks without a key are those of the policy.
///
/// ```
/// use maas_schedule::{Candidate, Moment, Policy, RoundRobin, Sticky};
///
/// let policy = Sticky::new(RoundRobin::default(), 1000);
/// let members = [Candidate::idle(); 3];
/// let mut picks = [7, 8, 7, 9, 8].map(|session| policy.pick_for(session, &members, Moment::ZERO));
/// assert_eq!(picks, [Some(0), Some(1), Some(0), Some(2), Some(1)]);
/// ```
#[derive(Debug)]
pub struct Sticky<P> {
    policy: P,
    /// Shared with who goes on when members change.
    memory: Arc<Mutex<Memory>>,
}

impl<P: Policy> Sticky<P> {
    /// Asks `policy` about new keys and remembers `capacity` of them; 0 is taken as 1.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new(policy: P, capacity: usize) -> Self {
        Self {
            policy,
            memory: Arc::new(Mutex::new(Memory::of(capacity.max(1)))),
        }
    }
}

impl<P: Policy> Policy for Sticky<P> {
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        self.policy.pick(candidates, now)
    }

    fn pick_for(&self, key: u64, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        let home = lock(&self.memory).recall(key);
        let there = home.and_then(|identity| {
            let mut members = 0..candidates.len();
            members.find(|&index| candidates.identity(index) == identity)
        });
        if let Some(member) = there
            && candidates.is_available(member)
        {
            return Some(member);
        }
        let member = self.policy.pick_for(key, candidates, now)?;
        lock(&self.memory).keep(key, candidates.identity(member));
        Some(member)
    }

    fn goes_by_time(&self) -> bool {
        self.policy.goes_by_time()
    }

    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
        let policy = self.policy.prepare(before, after)?;
        let memory = Arc::clone(&self.memory);
        Some(Prepared::new(Sticky { policy, memory }))
    }
}

/// Keys with their members' identities.
#[derive(Debug)]
struct Memory {
    capacity: usize,
    places: HashMap<u64, usize>,
    entries: Vec<Entry>,
    /// The entry that is looked at next when one has to go.
    hand: usize,
}

#[derive(Debug)]
struct Entry {
    key: u64,
    identity: u64,
    /// Asked for since the hand passed.
    used: bool,
}

impl Memory {
    fn of(capacity: usize) -> Self {
        Self {
            capacity,
            places: HashMap::new(),
            entries: Vec::new(),
            hand: 0,
        }
    }

    fn recall(&mut self, key: u64) -> Option<u64> {
        let entry = &mut self.entries[*self.places.get(&key)?];
        entry.used = true;
        Some(entry.identity)
    }

    fn keep(&mut self, key: u64, identity: u64) {
        let entry = Entry {
            key,
            identity,
            used: false,
        };
        if let Some(&place) = self.places.get(&key) {
            self.entries[place] = entry;
        } else if self.entries.len() < self.capacity {
            self.places.insert(key, self.entries.len());
            self.entries.push(entry);
        } else {
            let place = self.unused();
            self.places.remove(&self.entries[place].key);
            self.places.insert(key, place);
            self.entries[place] = entry;
        }
    }

    /// The next entry that was not asked for since the hand passed it.
    fn unused(&mut self) -> usize {
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.entries.len();
            if !std::mem::take(&mut self.entries[place].used) {
                return place;
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_stays_and_the_memory_is_bounded() {
        let mut memory = Memory::of(3);
        for key in 0..1000 {
            memory.keep(key, key);
            assert_eq!(memory.recall(0), Some(0), "asked for again and again");
            assert!(memory.entries.len() <= 3 && memory.places.len() == memory.entries.len());
        }
        assert_eq!(memory.recall(999), Some(999));
        assert_eq!(memory.recall(500), None);
    }
}
