//! Members that come and go while requests are given to them.

mod ask;
mod drain;
mod gate;
mod lease;
mod member;
mod picker;
mod set;
mod signal;
mod status;

use std::fmt;

pub use ask::Ask;
pub use drain::Drain;
pub(crate) use gate::{Entry, Gate};
pub use lease::{Lease, OwnedLease};
pub use picker::Picker;
pub(crate) use signal::Signal;
pub use status::{MemberRef, MemberStatus};

use crate::swap::Swap;
use crate::sync::{Arc, AtomicUsize, Mutex, Ordering, lock};
use crate::{Candidates, Clock, Error, Policy, RoundRobin, SystemClock};
use member::Member;
use set::{Set, View, Weighted};

/// Gives each request to one of its members, by a policy; shared by `&self` by all threads.
///
/// A member is a name and a value: an address, a connection, a service. A pick is a lease of the value, counted at the member
/// until it is dropped. Members come, go and change while others pick: a pick never waits.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", "10.0.0.1:80"), ("b", "10.0.0.2:80")])?;
/// let lease = balancer.pick().expect("somebody is there");
/// assert_eq!(*lease, "10.0.0.1:80"); // connect to it; it has a request in flight until the lease is dropped
///
/// balancer.add("c", "10.0.0.3:80")?;
/// balancer.remove("a")?; // no other request starts there; what it returns says when the last one has ended
/// # Ok::<(), maas_schedule::Error>(())
/// ```
///
/// Members are served in the order in which they were added, and round robin goes on with who would have been next,
/// however often members come and go: those who stay are served equally often, give or take one request.
pub struct Balancer<T, P = RoundRobin> {
    policy: P,
    clock: Box<dyn Clock>,
    set: Swap<Set<T>>,
    /// Grows with each change of the set.
    version: AtomicUsize,
    /// Held by who changes the set.
    changing: Mutex<()>,
}

impl<T> Balancer<T> {
    /// A balancer over these members, everyone in turn.
    ///
    /// # Errors
    /// [`Error::MemberExists`] for a name that occurs twice.
    ///
    /// See the type for an example.
    pub fn over<N: Into<String>>(members: impl IntoIterator<Item = (N, T)>) -> Result<Self, Error> {
        Self::new(RoundRobin::default()).with(members)
    }
}

impl<T, P: Policy> Balancer<T, P> {
    /// A balancer without members that picks by `policy`.
    ///
    /// ```
    /// use maas_schedule::{Balancer, RoundRobin};
    /// let balancer: Balancer<&str> = Balancer::new(RoundRobin::default());
    /// assert!(balancer.pick().is_none());
    /// ```
    pub fn new(policy: P) -> Self {
        Self {
            policy,
            clock: Box::new(SystemClock),
            set: Swap::new(Set::empty()),
            version: AtomicUsize::new(0),
            changing: Mutex::new(()),
        }
    }

    /// The balancer with these members added.
    ///
    /// # Errors
    /// [`Error::MemberExists`] for a name that occurs twice.
    ///
    /// ```
    /// use maas_schedule::{Balancer, RoundRobin};
    /// let balancer = Balancer::new(RoundRobin::default()).with([("a", 1), ("b", 2)])?;
    /// assert_eq!(balancer.len(), 2);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn with<N: Into<String>>(
        self,
        members: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Self, Error> {
        for (name, value) in members {
            self.add(name, value)?;
        }
        Ok(self)
    }

    /// Tells policies the time by this clock in place of the system's.
    ///
    /// ```
    /// use maas_schedule::{Balancer, ManualClock};
    /// let balancer = Balancer::over([("a", 1)])?.clock(ManualClock::new());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self {
            clock: Box::new(clock),
            ..self
        }
    }

    /// The same members, for another policy.
    ///
    /// ```
    /// use maas_schedule::{Balancer, LeastLoaded};
    /// let balancer = Balancer::over([("a", 1), ("b", 2)])?.balanced_by(LeastLoaded::new());
    /// let _busy = balancer.pick().unwrap();
    /// assert_eq!(*balancer.pick().unwrap(), 2);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn balanced_by<Q: Policy>(self, policy: Q) -> Balancer<T, Q> {
        let members = self.set.load().members.clone();
        let balancer = Balancer {
            policy,
            clock: self.clock,
            set: Swap::new(Set::empty()),
            version: self.version,
            changing: self.changing,
        };
        balancer.put(&Set::empty(), members);
        balancer
    }

    /// Adds a member behind the others.
    ///
    /// # Errors
    /// [`Error::MemberExists`] if there is one of this name.
    ///
    /// ```
    /// use maas_schedule::{Balancer, Error};
    /// let balancer = Balancer::over([("a", 1)])?;
    /// let again = balancer.add("a", 2).unwrap_err();
    /// assert_eq!(again, Error::MemberExists { name: "a".into() });
    /// # Ok::<(), Error>(())
    /// ```
    pub fn add(&self, name: impl Into<String>, value: T) -> Result<(), Error> {
        let name = name.into();
        self.change(|set| {
            if set.position(&name).is_some() {
                return Err(Error::MemberExists { name });
            }
            let member = Arc::new(Member::new(name.into(), value));
            let mut members = set.members.clone();
            members.push(Weighted { member, weight: 1 });
            Ok((members, ()))
        })
    }

    /// Takes a member out: no request starts there any more, and those that it has may end.
    ///
    /// # Errors
    /// [`Error::UnknownMember`].
    ///
    /// See [`Drain`] for an example.
    pub fn remove(&self, name: &str) -> Result<Drain<T>, Error> {
        let removed = self.change(|set| {
            let position = known(set, name)?;
            let mut members = set.members.clone();
            let removed = members.remove(position).member;
            Ok((members, removed))
        })?;
        // Behind the change: who meets a closed member in an older set finds another one in the new set.
        removed.close();
        Ok(Drain::of(removed))
    }

    /// Has a member serve more or less than others, for policies that go by weights. All have 1 until told; with 0 it is
    /// not served. What it has in flight and whether it is up stay as they are.
    ///
    /// # Errors
    /// [`Error::UnknownMember`].
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
    /// balancer.set_weight("a", 3)?;
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn set_weight(&self, name: &str, weight: u32) -> Result<(), Error> {
        self.change(|set| {
            let position = known(set, name)?;
            let mut members = set.members.clone();
            members[position].weight = weight;
            Ok((members, ()))
        })
    }

    /// Says that a member is down, or up again: it gets no requests while it is down.
    ///
    /// # Errors
    /// [`Error::UnknownMember`].
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1), ("b", 2)])?;
    /// balancer.set_up("a", false)?;
    /// assert_eq!(*balancer.pick().unwrap(), 2);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn set_up(&self, name: &str, up: bool) -> Result<(), Error> {
        let set = self.set.load();
        set.members[known(&set, name)?].member.set_up(up);
        Ok(())
    }

    /// Requests that a member has.
    ///
    /// # Errors
    /// [`Error::UnknownMember`].
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
    /// let lease = balancer.pick();
    /// assert_eq!(balancer.in_flight("a")?, 1);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn in_flight(&self, name: &str) -> Result<usize, Error> {
        let set = self.set.load();
        Ok(set.members[known(&set, name)?].member.in_flight())
    }

    /// The names of the members, in the order in which they were added.
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1), ("b", 2)])?;
    /// assert_eq!(balancer.names(), ["a", "b"]);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let set = self.set.load();
        let members = set.members.iter();
        members
            .map(|weighted| weighted.member.name.to_string())
            .collect()
    }

    /// How each member is, in the order in which they were added.
    ///
    /// See [`MemberStatus`] for an example.
    #[must_use]
    pub fn members(&self) -> Vec<MemberStatus> {
        let set = self.set.load();
        let view = self.view(&set.members);
        let members = set.members.iter().enumerate();
        members
            .map(|(index, Weighted { member, weight })| {
                member.status(*weight, view.is_available(index))
            })
            .collect()
    }

    /// The member of this name, without a request.
    ///
    /// See [`MemberRef`] for an example.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<MemberRef<T>> {
        let set = self.set.load();
        let position = set.position(name)?;
        Some(MemberRef::of(&set.members[position].member))
    }

    /// Every member, without a request, in the order in which they were added.
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1), ("b", 2)])?;
    /// assert_eq!(balancer.values().iter().map(|member| **member).sum::<i32>(), 3);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn values(&self) -> Vec<MemberRef<T>> {
        let set = self.set.load();
        let members = set.members.iter();
        members
            .map(|weighted| MemberRef::of(&weighted.member))
            .collect()
    }

    /// How many members there are.
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
    /// assert_eq!(balancer.len(), 1);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.set.load().members.len()
    }

    /// Whether there are no members.
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
    /// assert!(!balancer.is_empty());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

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
                Some(index) => {
                    return Some(OwnedLease::of(Arc::clone(&set.members[index].member)));
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
    fn enter(&self, set: &Set<T>, ask: Ask<'_, T>) -> Option<usize> {
        let policy = self.policy_of(set);
        let now = set.by_time.then(|| self.clock.now());
        let view = View::of(&set.members, now, ask);
        // A member may be closed between pick and entry. It stays closed, so there is an end.
        loop {
            let index = view.pick(policy)?;
            // A policy that breaks its contract picks somebody who is not there.
            if set.members.get(index)?.member.enter() {
                return Some(index);
            }
        }
    }

    /// The members as they are now for a request of which nothing is known.
    fn view<'a>(&self, members: &'a [Weighted<T>]) -> View<'a, T> {
        View::of(members, Some(self.clock.now()), Ask::new())
    }

    #[inline]
    fn policy_of<'a>(&'a self, set: &'a Set<T>) -> &'a dyn Policy {
        match &set.prepared {
            Some(prepared) => &**prepared,
            None => &self.policy,
        }
    }

    /// Replaces the set by one with the members that `change` makes of it.
    fn change<R>(
        &self,
        change: impl FnOnce(&Set<T>) -> Result<(Vec<Weighted<T>>, R), Error>,
    ) -> Result<R, Error> {
        let _changing = lock(&self.changing);
        let before = self.set.load();
        let (members, result) = change(&before)?;
        self.put(&before, members);
        Ok(result)
    }

    fn put(&self, before: &Set<T>, members: Vec<Weighted<T>>) {
        let prepared = self
            .policy_of(before)
            .prepare(&self.view(&before.members), &self.view(&members));
        self.set.store(Set {
            members,
            prepared,
            by_time: self.policy.goes_by_time(),
        });
        self.version.fetch_add(1, Ordering::Release);
    }
}

fn known<T>(set: &Set<T>, name: &str) -> Result<usize, Error> {
    set.position(name).ok_or_else(|| Error::UnknownMember {
        name: name.to_owned(),
    })
}

impl<T, P: fmt::Debug> fmt::Debug for Balancer<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Balancer")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
