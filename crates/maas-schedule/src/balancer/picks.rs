use std::num::NonZeroUsize;

use super::Balancer;
use super::ask::Ask;
use super::gate::SHARED;
use super::lease::OwnedLease;
use super::picker::Picker;
use super::refusal::Refusal;
use super::set::{Set, Terms, View, Weighted};
use super::visit::Visit;
use super::watch::{Look, Watch};
use crate::policies::{Seat, home};
use crate::sync::{Arc, Ordering};
use crate::{Candidates, Moment, Policy};

/// How often a request may come too late to members that fill and empty all the time, beside once to each that closes.
const LOST_RACES: usize = 64;

/// Members are picked.
impl<T, P: Policy> Balancer<T, P> {
    /// Who serves next; `None` when no member is available.
    ///
    /// The lease owns a share of the member, which is a counter that threads share; a [`picker`](Self::picker) saves that.
    ///
    /// See the type for an example.
    pub fn pick(&self) -> Option<OwnedLease<T>> {
        self.given(None)
    }

    /// Who serves the request with this key next; `None` when no member is available.
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
    /// assert_eq!(*balancer.pick_for(7).unwrap(), 1);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn pick_for(&self, key: u64) -> Option<OwnedLease<T>> {
        self.ask(Ask::new().key(key))
    }

    /// Who serves next, but for those members: the ones where this request was tried.
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1), ("b", 2)])?;
    /// let first = balancer.pick().unwrap();
    /// let second = balancer.pick_other(&[first.identity()]).unwrap();
    /// assert_eq!((*first, *second), (1, 2));
    /// assert!(balancer.pick_other(&[first.identity(), second.identity()]).is_none());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn pick_other(&self, tried: &[u64]) -> Option<OwnedLease<T>> {
        self.ask(Ask::new().without(tried))
    }

    /// Who serves this request next; `None` when no member is available for it.
    ///
    /// See [`Ask`] for an example.
    pub fn ask(&self, ask: Ask<'_, T>) -> Option<OwnedLease<T>> {
        self.given(Some(&ask))
    }

    /// As [`ask`](Self::ask), telling why nobody takes the request.
    ///
    /// # Errors
    /// [`Refusal`], which has an example.
    pub fn try_ask(&self, ask: Ask<'_, T>) -> Result<OwnedLease<T>, Refusal> {
        self.ask(ask).ok_or_else(|| self.refusal(&ask))
    }

    /// Picks for a thread that picks often.
    ///
    /// See [`Picker`] for an example.
    pub fn picker(&self) -> Picker<'_, T, P> {
        Picker::of(self)
    }

    fn given(&self, ask: Option<&Ask<'_, T>>) -> Option<OwnedLease<T>> {
        let stripe = self.stripe();
        loop {
            let version = self.version.load(Ordering::Acquire);
            let set = self.set.load();
            let now = set.by_time.then(|| self.clock.now());
            match self.enter(&set, ask, now, stripe) {
                Some((index, visit)) => {
                    let member = Arc::clone(&set.members[index].member);
                    return Some(OwnedLease::of(member, visit));
                }
                // All were gone, of a set that has been replaced.
                None if self.version.load(Ordering::Acquire) != version => {}
                None => return None,
            }
        }
    }

    /// The stripe of this thread, which others may have too.
    pub(super) fn stripe(&self) -> usize {
        home().checked_rem(self.stripes).unwrap_or(SHARED)
    }

    /// A member whose turn it is, who was entered: where picks are turns, and the member is there.
    #[inline]
    pub(super) fn enter_in_turn(
        &self,
        set: &Set<T>,
        seat: &mut Seat,
        stripe: usize,
        now: impl FnOnce() -> Moment,
    ) -> Option<(usize, Visit)> {
        if !self.takes_turns() {
            return None;
        }
        let members = NonZeroUsize::new(set.members.len())?;
        let index = set.prepared.as_ref()?.turn(seat, members)?;
        let member = &set.members[index].member;
        let takes = member.is_up() && (self.is_plain || member.takes_all(now));
        let visit = takes.then(|| member.enter(stripe, None));
        Some((index, visit.flatten()?))
    }

    /// Whether a member whose turn it is has to be asked for nothing but its own state.
    #[inline]
    fn takes_turns(&self) -> bool {
        let is_quiet = |watch: &Arc<Watch>| !watch.is_comparison_due();
        self.is_plain || (self.limit.is_none() && self.watch.as_ref().is_none_or(is_quiet))
    }

    /// The index of a member that was picked and entered.
    #[inline(always)]
    pub(super) fn enter(
        &self,
        set: &Set<T>,
        ask: Option<&Ask<'_, T>>,
        now: Option<Moment>,
        stripe: usize,
    ) -> Option<(usize, Visit)> {
        if self.is_plain {
            self.enter_by(stripe, None, set, ask, now)
        } else {
            self.enter_ruled(stripe, set, ask, now)
        }
    }

    /// Where members are watched or limited, out of the way of balancers that do neither.
    #[inline(never)]
    fn enter_ruled(
        &self,
        stripe: usize,
        set: &Set<T>,
        ask: Option<&Ask<'_, T>>,
        now: Option<Moment>,
    ) -> Option<(usize, Visit)> {
        let terms = Terms {
            limit: self.limit,
            look: self.watch.as_ref().map(|watch| self.look(watch, set)),
        };
        self.enter_by(stripe, Some(&terms), set, ask, now)
    }

    /// The health of the members for a request, which compares them where that is due.
    fn look<'a>(&'a self, watch: &'a Watch, set: &Set<T>) -> Look<'a> {
        if watch.takes_comparison() {
            let watched = set.members.iter().filter_map(|each| each.member.watched());
            let healths = watched.map(|watched| &watched.health);
            watch.group.eject_outliers(healths, self.clock.now());
        }
        Look::new(watch, &*self.clock)
    }

    #[inline(always)]
    fn enter_by(
        &self,
        stripe: usize,
        terms: Option<&Terms<'_>>,
        set: &Set<T>,
        ask: Option<&Ask<'_, T>>,
        now: Option<Moment>,
    ) -> Option<(usize, Visit)> {
        let view = View::of(&set.members, now, ask, stripe, terms);
        // A member may be closed, ejected or filled between pick and entry: then it is not picked again. A policy that breaks its
        // contract may pick it for ever.
        for _ in 0..set.members.len() + LOST_RACES {
            // Each by its type: so a policy of this crate and what it sees of members grow together.
            let index = match &set.prepared {
                Some(prepared) => view.pick(prepared)?,
                None => view.pick(&self.policy)?,
            };
            // A policy that breaks its contract picks somebody who is not there.
            let member = &set.members.get(index)?.member;
            if let Some(visit) = member.enter(stripe, terms) {
                return Some((index, visit));
            }
        }
        None
    }

    /// Why nobody takes a request.
    #[cold]
    pub(super) fn refusal(&self, ask: &Ask<'_, T>) -> Refusal {
        let set = self.set.load();
        if set.members.is_empty() {
            return Refusal::Empty;
        }
        let has_takers = |limit| {
            self.seen(&set.members, Some(ask), limit, |view| {
                (0..view.len()).any(|index| view.is_available(index))
            })
        };
        if self.limit.is_some() && has_takers(None) {
            Refusal::AllFull
        } else {
            Refusal::NoneAvailable
        }
    }

    #[inline]
    pub(super) fn policy_of<'a>(&'a self, set: &'a Set<T>) -> &'a dyn Policy {
        match &set.prepared {
            Some(prepared) => prepared,
            None => &self.policy,
        }
    }

    /// What `what` sees of the members as they are now, those too that start slowly.
    pub(super) fn seen<R>(
        &self,
        members: &[Weighted<T>],
        ask: Option<&Ask<'_, T>>,
        limit: Option<usize>,
        what: impl FnOnce(&View<'_, T>) -> R,
    ) -> R {
        let watch = self.watch.as_ref();
        let terms = Terms {
            limit,
            look: watch.map(|watch| Look::new(watch, &*self.clock).keen()),
        };
        let now = self.clock.now();
        what(&View::of(members, Some(now), ask, SHARED, Some(&terms)))
    }
}
