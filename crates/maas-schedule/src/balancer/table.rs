use super::Balancer;
use super::membership::known;
use super::set::Weighted;
use super::status::{MemberRef, MemberStatus};
use crate::{Candidates, Error, HealthGroup, Policy};

/// What is known of the members.
impl<T, P: Policy> Balancer<T, P> {
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
        let now = self.clock.now();
        self.seen(&set.members, None, self.limit, |view| {
            let members = set.members.iter().enumerate();
            members
                .map(|(index, Weighted { member, weight })| {
                    member.status(*weight, view.is_available(index), now)
                })
                .collect()
        })
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

    /// What holds of the health of all members together, where [rules](Self::watched_by) watch them: how many are ejected, and
    /// whether so few are well that all are tried.
    ///
    /// ```
    /// use maas_schedule::{Balancer, HealthRules};
    /// let balancer = Balancer::over([("a", 1)])?.watched_by(HealthRules::default());
    /// assert!(!balancer.health().unwrap().is_panicking());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn health(&self) -> Option<&HealthGroup> {
        self.watch.as_ref().map(|watch| &*watch.group)
    }
}
