/// What a policy may know of the work that a member has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Requests that were given to the member and are not finished.
    pub in_flight: usize,
}

impl Load {
    /// A member with `in_flight` unfinished requests.
    ///
    /// ```
    /// assert_eq!(maas_schedule::Load::of(2).in_flight, 2);
    /// ```
    #[must_use]
    pub fn of(in_flight: usize) -> Self {
        Self { in_flight }
    }
}

/// Whether a member may be given a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Availability {
    /// The member takes requests.
    Available,
    /// The member is down, draining, or was already tried for this request.
    Unavailable,
}

/// One member as a policy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Whether it may be picked.
    pub availability: Availability,
    /// The work that it has.
    pub load: Load,
}

impl Candidate {
    /// An available member with nothing to do.
    ///
    /// ```
    /// use maas_schedule::Candidate;
    /// assert_eq!(Candidate::idle(), Candidate::busy(0));
    /// ```
    #[must_use]
    pub fn idle() -> Self {
        Self::busy(0)
    }

    /// An available member with `in_flight` unfinished requests.
    ///
    /// ```
    /// assert!(maas_schedule::Candidate::busy(7).is_available());
    /// ```
    #[must_use]
    pub fn busy(in_flight: usize) -> Self {
        Self {
            availability: Availability::Available,
            load: Load::of(in_flight),
        }
    }

    /// The same member, not to be picked.
    ///
    /// ```
    /// assert!(!maas_schedule::Candidate::idle().unavailable().is_available());
    /// ```
    #[must_use]
    pub fn unavailable(self) -> Self {
        Self {
            availability: Availability::Unavailable,
            ..self
        }
    }

    /// Whether the member may be picked.
    ///
    /// ```
    /// assert!(maas_schedule::Candidate::idle().is_available());
    /// ```
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.availability == Availability::Available
    }
}

/// The members that a policy chooses from, numbered `0..len()`.
///
/// A slice, an array or a `Vec` of [`Candidate`]s is one; a balancer implements it over its own members, so that
/// nothing is collected for a pick.
///
/// ```
/// use maas_schedule::{Candidate, Candidates};
/// let members: &dyn Candidates = &vec![Candidate::idle(); 3];
/// assert_eq!(members.len(), 3);
/// ```
pub trait Candidates {
    /// How many members there are.
    fn len(&self) -> usize;

    /// The member `index` as it is now. What an index of `len()` or more gives is up to the implementation, which
    /// may panic: policies do not ask for one.
    fn get(&self, index: usize) -> Candidate;

    /// Whether there are no members at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Candidates for [Candidate] {
    fn len(&self) -> usize {
        <[Candidate]>::len(self)
    }

    fn get(&self, index: usize) -> Candidate {
        self[index]
    }
}

impl<const N: usize> Candidates for [Candidate; N] {
    fn len(&self) -> usize {
        N
    }

    fn get(&self, index: usize) -> Candidate {
        self[index]
    }
}

impl Candidates for Vec<Candidate> {
    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn get(&self, index: usize) -> Candidate {
        self[index]
    }
}
