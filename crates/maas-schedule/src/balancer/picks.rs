use super::Balancer;
use super::ask::Ask;
use super::lease::OwnedLease;
use super::picker::Picker;
use super::set::{Set, View, Weighted};
use super::visit::Visit;
use super::watch::{Look, Watch};
use crate::sync::{Arc, Ordering};
use crate::{Moment, Policy};

/// Members are picked.
impl<T, P: Policy> Balancer<T, P> {
    /// Who serves next; `None` when no member is available.
    ///
    /// The lease owns a share of the member, which is a counter that threads share; a [`picker`](Self::picker) saves that.
    ///
    /// See the type for an example.
    pub fn pick(&self) -> Option<OwnedLease<T>> {
        self.ask(Ask::new())
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
        loop {
            let version = self.version.load(Ordering::Acquire);
            let set = self.set.load();
            match self.enter(&set, ask) {
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

    /// Picks for a thread that picks often.
    ///
    /// See [`Picker`] for an example.
    pub fn picker(&self) -> Picker<'_, T, P> {
        Picker::of(self)
    }

    /// The index of a member that was picked and entered.
    #[inline]
    pub(super) fn enter(&self, set: &Set<T>, ask: Ask<'_, T>) -> Option<(usize, Visit)> {
        let policy = self.policy_of(set);
        let now = set.by_time.then(|| self.clock.now());
        let look = self.watch.as_ref().map(|watch| self.look(watch, set));
        let view = View::of(&set.members, now, ask, look);
        // A member may be closed or ejected between pick and entry: then it is not picked again, so there is an end.
        loop {
            let index = view.pick(policy)?;
            // A policy that breaks its contract picks somebody who is not there.
            let member = &set.members.get(index)?.member;
            if let Some(visit) = member.enter(view.look.as_ref()) {
                return Some((index, visit));
            }
        }
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

    #[inline]
    pub(super) fn policy_of<'a>(&'a self, set: &'a Set<T>) -> &'a dyn Policy {
        match &set.prepared {
            Some(prepared) => &**prepared,
            None => &self.policy,
        }
    }

    /// The members as they are for a request of which nothing is known.
    pub(super) fn view<'a>(&'a self, members: &'a [Weighted<T>], now: Moment) -> View<'a, T> {
        let watch = self.watch.as_ref();
        let look = watch.map(|watch| Look::new(watch, &*self.clock).keen());
        View::of(members, Some(now), Ask::new(), look)
    }
}
