use super::Balancer;
use super::drain::Drain;
use super::member::Member;
use super::set::{Set, Weighted};
use super::watch::Watched;
use crate::sync::{Arc, Ordering, lock};
use crate::{Error, Policy};

/// Members come, go and change.
impl<T, P: Policy> Balancer<T, P> {
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
            let member = Arc::new(Member::new(name.into(), value, self.stripes));
            if let Some(watch) = &self.watch {
                member.watch(|| Watched::newcomer(watch, self.clock.now()));
            }
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

    pub(super) fn put(&self, before: &Set<T>, members: Vec<Weighted<T>>) {
        let policy = self.policy_of(before);
        let prepared = self.seen(&before.members, None, self.limit, |before| {
            self.seen(&members, None, self.limit, |after| {
                policy.prepare(before, after)
            })
        });
        self.set.store(Set {
            members,
            prepared,
            by_time: self.policy.goes_by_time(),
        });
        self.version.fetch_add(1, Ordering::Release);
    }
}

pub(super) fn known<T>(set: &Set<T>, name: &str) -> Result<usize, Error> {
    set.position(name).ok_or_else(|| Error::UnknownMember {
        name: name.to_owned(),
    })
}
