use super::member::Member;
use crate::sync::Arc;
use crate::{Candidate, Candidates, Load, Moment, Policy};

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

/// The members as they are at one moment, without those that were tried for a request.
#[derive(Debug)]
pub(super) struct View<'a, T> {
    pub(super) members: &'a [Weighted<T>],
    /// `None` where nobody asks for it: then nothing is said of speed and failures, which would have to fade until now.
    pub(super) now: Option<Moment>,
    pub(super) tried: &'a [u64],
}

impl<T> Candidates for View<'_, T> {
    fn len(&self) -> usize {
        self.members.len()
    }

    fn get(&self, index: usize) -> Candidate {
        let Weighted { member, weight } = &self.members[index];
        let candidate = Candidate {
            load: match self.now {
                Some(now) => member.load(now),
                None => Load::of(member.in_flight()),
            },
            ..Candidate::idle().weighing(*weight)
        };
        if self.is_available(index) {
            candidate
        } else {
            candidate.unavailable()
        }
    }

    #[inline]
    fn is_available(&self, index: usize) -> bool {
        let member = &self.members[index].member;
        member.is_available() && !self.tried.contains(&member.identity)
    }

    fn identity(&self, index: usize) -> u64 {
        self.members[index].member.identity
    }
}
