use super::member::Member;
use crate::sync::Arc;
use crate::{Candidate, Candidates, Policy};

/// The members at one time, with the policy for them.
#[derive(Debug)]
pub(super) struct Set<T> {
    pub(super) members: Vec<Weighted<T>>,
    /// Of the policy for these members, where it has one.
    pub(super) prepared: Option<Box<dyn Policy>>,
    /// Whether picks depend on the moment.
    pub(super) by_time: bool,
}

#[derive(Debug)]
pub(super) struct Weighted<T> {
    pub(super) member: Arc<Member<T>>,
    pub(super) weight: u32,
}

impl<T> Clone for Weighted<T> {
    fn clone(&self) -> Self {
        Self {
            member: Arc::clone(&self.member),
            weight: self.weight,
        }
    }
}

impl<T> Set<T> {
    pub(super) fn empty() -> Self {
        Self {
            members: Vec::new(),
            prepared: None,
            by_time: false,
        }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let mut members = self.members.iter();
        members.position(|weighted| &*weighted.member.name == name)
    }
}

impl<T> Candidates for Set<T> {
    fn len(&self) -> usize {
        self.members.len()
    }

    #[inline]
    fn get(&self, index: usize) -> Candidate {
        let Weighted { member, weight } = &self.members[index];
        let candidate = Candidate::busy(member.in_flight()).weighing(*weight);
        if member.is_available() {
            candidate
        } else {
            candidate.unavailable()
        }
    }

    #[inline]
    fn is_available(&self, index: usize) -> bool {
        self.members[index].member.is_available()
    }

    fn identity(&self, index: usize) -> u64 {
        self.members[index].member.identity
    }
}

/// A set without those that were tried for a request.
pub(super) struct Untried<'a, T> {
    pub(super) set: &'a Set<T>,
    pub(super) tried: &'a [u64],
}

impl<T> Candidates for Untried<'_, T> {
    fn len(&self) -> usize {
        self.set.len()
    }

    fn get(&self, index: usize) -> Candidate {
        let candidate = self.set.get(index);
        if self.tried.contains(&self.identity(index)) {
            candidate.unavailable()
        } else {
            candidate
        }
    }

    fn identity(&self, index: usize) -> u64 {
        self.set.identity(index)
    }
}
