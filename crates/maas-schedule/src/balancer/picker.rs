use std::fmt;

use super::Balancer;
use super::ask::Ask;
use super::claims::Claim;
use super::glance::Glance;
use super::lease::Lease;
use super::refusal::Refusal;
use super::set::Set;
use super::visit::Visit;
use crate::Policy;
use crate::policies::Seat;
use crate::sync::{Arc, Ordering};

/// Picks for one thread, without a write that another thread waits for but those of the policy and of the member's count.
///
/// It remembers the members, and looks at each pick whether they are still the same; so a pick never waits for a change. Where
/// picks follow each other within a millisecond, one look at the clock serves for 16 of them.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", 1), ("b", 2), ("c", 3)])?;
/// let mut picker = balancer.picker();
/// let mut pick = || picker.pick().map(|lease| *lease);
/// assert_eq!([pick(), pick(), pick(), pick()], [Some(1), Some(2), Some(3), Some(1)]);
/// # Ok::<(), maas_schedule::Error>(())
/// ```
pub struct Picker<'a, T, P> {
    balancer: &'a Balancer<T, P>,
    /// Its own, as far as there are enough.
    stripe: usize,
    seat: Seat,
    version: usize,
    set: Arc<Set<T>>,
    claim: Option<Claim<'a>>,
    glance: Glance,
}

impl<'a, T, P: Policy> Picker<'a, T, P> {
    pub(super) fn of(balancer: &'a Balancer<T, P>) -> Self {
        let claim = balancer.claims.claim(balancer.stripes);
        let slot = claim.as_ref().map(|claim| claim.stripe);
        let version = balancer.version.load(Ordering::Acquire);
        Self {
            balancer,
            stripe: slot.unwrap_or_else(|| balancer.stripe()),
            seat: Seat::new(slot),
            version,
            set: Arc::clone(&balancer.set.load()),
            claim,
            glance: Glance::default(),
        }
    }

    /// Who serves next; `None` when no member is available.
    ///
    /// See the type for an example.
    #[inline]
    pub fn pick(&mut self) -> Option<Lease<'_, T>> {
        self.given(None)
    }

    /// Who serves the request with this key next; `None` when no member is available.
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
    /// assert!(balancer.picker().pick_for(7).is_some());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[inline]
    pub fn pick_for(&mut self, key: u64) -> Option<Lease<'_, T>> {
        self.ask(Ask::new().key(key))
    }

    /// Who serves this request next; `None` when no member is available for it.
    ///
    /// ```
    /// # use maas_schedule::{Ask, Balancer};
    /// # let balancer = Balancer::over([("a", 1), ("b", 2)])?;
    /// let tried = [balancer.get("a").unwrap().identity()];
    /// assert_eq!(*balancer.picker().ask(Ask::new().without(&tried)).unwrap(), 2);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[inline]
    pub fn ask(&mut self, ask: Ask<'_, T>) -> Option<Lease<'_, T>> {
        self.given(Some(&ask))
    }

    /// As [`ask`](Self::ask), telling why nobody takes the request.
    ///
    /// # Errors
    /// [`Refusal`], as of [`Balancer::try_ask`].
    ///
    /// ```
    /// use maas_schedule::{Ask, Balancer, Refusal};
    /// let balancer = Balancer::over([("a", 1)])?.limited_to(0);
    /// assert_eq!(balancer.picker().try_ask(Ask::new()).unwrap_err(), Refusal::AllFull);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    pub fn try_ask(&mut self, ask: Ask<'_, T>) -> Result<Lease<'_, T>, Refusal> {
        let balancer = self.balancer;
        self.ask(ask).ok_or_else(|| balancer.refusal(&ask))
    }

    #[inline]
    fn given(&mut self, ask: Option<&Ask<'_, T>>) -> Option<Lease<'_, T>> {
        self.refresh();
        let in_turn = match ask {
            None => self.in_turn(),
            Some(_) => None,
        };
        let (index, visit) = match in_turn {
            Some(entered) => entered,
            None => self.entered(ask)?,
        };
        Some(Lease::of(&self.set.members[index].member, visit))
    }

    #[inline]
    fn in_turn(&mut self) -> Option<(usize, Visit)> {
        let now = || self.glance.now(&*self.balancer.clock);
        self.balancer
            .enter_in_turn(&self.set, &mut self.seat, self.stripe, now)
    }

    /// By the policy, where the member whose turn it is cannot take the request, or nobody has a turn.
    #[inline]
    fn entered(&mut self, ask: Option<&Ask<'_, T>>) -> Option<(usize, Visit)> {
        loop {
            let clock = &*self.balancer.clock;
            let now = self.set.by_time.then(|| self.glance.now(clock));
            let entered = self.balancer.enter(&self.set, ask, now, self.stripe);
            // If all were gone, of a set that has been replaced meanwhile: or nobody is there.
            if entered.is_some() || !self.refresh() {
                return entered;
            }
        }
    }

    /// Whether the members have changed.
    #[inline]
    fn refresh(&mut self) -> bool {
        let changed = self.balancer.version.load(Ordering::Acquire) != self.version;
        if changed {
            self.reload();
        }
        changed
    }

    #[cold]
    fn reload(&mut self) {
        self.version = self.balancer.version.load(Ordering::Acquire);
        self.set = Arc::clone(&self.balancer.set.load());
        self.seat = Seat::new(self.claim.as_ref().map(|claim| claim.stripe));
    }
}

impl<T, P: fmt::Debug> fmt::Debug for Picker<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picker")
            .field("balancer", &self.balancer)
            .finish_non_exhaustive()
    }
}
