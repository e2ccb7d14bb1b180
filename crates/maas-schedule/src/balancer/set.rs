use super::ask::{Ask, Sight};
use super::member::Member;
use super::watch::Look;
use crate::sync::Arc;
use crate::{Candidate, Candidates, Load, Moment, Policy, Prepared};

/// The members at one time, with the policy for them.
#[derive(Debug)]
pub(super) struct Set<T> {
    pub(super) members: Vec<Weighted<T>>,
    /// Of the policy for these members, where it has one.
    pub(super) prepared: Option<Prepared>,
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

/// What has to hold of every member that takes a request, but that it is up and open.
#[derive(Debug)]
pub(super) struct Terms<'a> {
    /// So many requests one member may have.
    pub(super) limit: Option<usize>,
    /// The health of members, where it is watched.
    pub(super) look: Option<Look<'a>>,
}

/// The members as they are at one moment for a request.
#[derive(Debug)]
pub(super) struct View<'a, T> {
    members: &'a [Weighted<T>],
    /// `None` where nobody asks for it: then nothing is said of speed and failures, which would have to fade until now.
    now: Option<Moment>,
    /// `None` of a request of which nothing is known.
    ask: Option<&'a Ask<'a, T>>,
    /// The stripe of who asks.
    stripe: usize,
    /// `None` where members are neither watched nor limited.
    terms: Option<&'a Terms<'a>>,
}

impl<'a, T> View<'a, T> {
    #[inline(always)]
    pub(super) fn of(
        members: &'a [Weighted<T>],
        now: Option<Moment>,
        ask: Option<&'a Ask<'a, T>>,
        stripe: usize,
        terms: Option<&'a Terms<'a>>,
    ) -> Self {
        Self {
            members,
            now,
            ask,
            stripe,
            terms,
        }
    }

    /// Who `policy` picks of them. Those that start slowly are held back, unless nobody else is there.
    #[inline(always)]
    pub(super) fn pick(&self, policy: &impl Policy) -> Option<usize> {
        let pick = self.picked(policy);
        match self.look() {
            Some(look) if pick.is_none() && look.grows_keen() => self.picked(policy),
            _ => pick,
        }
    }

    #[inline(always)]
    fn picked(&self, policy: &impl Policy) -> Option<usize> {
        let now = self.now.unwrap_or(Moment::ZERO);
        match self.ask.and_then(|ask| ask.key) {
            Some(key) => policy.pick_for(key, self, now),
            None => policy.pick(self, now),
        }
    }

    /// Out of the way of requests of which nothing is known.
    #[inline(never)]
    fn takes(&self, member: &Member<T>) -> bool {
        let sees = |sight: Sight<'_, T>| sight(&member.value).is_some();
        self.may_take(member) && self.sight().is_none_or(sees)
    }

    /// Whether the member is well and not full, and the request was not tried there.
    fn may_take(&self, member: &Member<T>) -> bool {
        let is_seen = |look: &Look<'_>| {
            let watched = member.watched();
            watched.is_none_or(|watched| look.sees(member.identity, watched))
        };
        let was_tried = |ask: &Ask<'_, T>| ask.tried.contains(&member.identity);
        let has_room = |limit| member.in_flight() < limit;
        !self.ask.is_some_and(was_tried)
            && self.look().is_none_or(is_seen)
            && self.limit().is_none_or(has_room)
    }

    /// What the member says of itself beside what is counted; `None` where it cannot take the request.
    fn load_of(&self, member: &Member<T>) -> Option<Load> {
        match self.sight() {
            None => Some(self.counted(member)),
            Some(sight) => Some(joined(sight(&member.value)?, self.counted(member))),
        }
    }

    #[inline]
    fn look(&self) -> Option<&'a Look<'a>> {
        self.terms.and_then(|terms| terms.look.as_ref())
    }

    fn limit(&self) -> Option<usize> {
        self.terms.and_then(|terms| terms.limit)
    }

    fn sight(&self) -> Option<Sight<'a, T>> {
        self.ask.and_then(|ask| ask.seen)
    }

    /// What the balancer knows.
    fn counted(&self, member: &Member<T>) -> Load {
        match self.now {
            Some(now) => member.load(now),
            None => Load::of(member.in_flight()),
        }
    }
}

impl<T> Candidates for View<'_, T> {
    fn len(&self) -> usize {
        self.members.len()
    }

    fn get(&self, index: usize) -> Candidate {
        let Weighted { member, weight } = &self.members[index];
        let candidate = Candidate::idle().weighing(*weight);
        let is_there = member.is_available(self.stripe) && self.may_take(member);
        match is_there.then(|| self.load_of(member)).flatten() {
            Some(load) => Candidate { load, ..candidate },
            None => candidate.unavailable(),
        }
    }

    #[inline]
    fn is_available(&self, index: usize) -> bool {
        let member = &self.members[index].member;
        let is_plain = self.ask.is_none() && self.terms.is_none();
        member.is_available(self.stripe) && (is_plain || self.takes(member))
    }

    fn identity(&self, index: usize) -> u64 {
        self.members[index].member.identity
    }
}

/// A member's own load beside what is counted of it.
fn joined(own: Load, counted: Load) -> Load {
    Load {
        in_flight: own.in_flight.max(counted.in_flight),
        service_time: own.service_time.or(counted.service_time),
        success: own.success.min(counted.success),
    }
}
