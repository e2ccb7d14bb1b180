use std::time::Duration;

/// What a policy may know of the work that a member has.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Load {
    /// Requests that were given to the member and are not finished.
    pub in_flight: usize,
    /// What a request has taken there, as far as is known; nothing where no request has ended yet.
    pub service_time: Option<Duration>,
    /// The fraction of requests that end well there, as far as is known: 1 where none has ended yet.
    pub success: f32,
}

impl Load {
    /// A member with `in_flight` unfinished requests, of which nothing else is known.
    ///
    /// ```
    /// let load = maas_schedule::Load::of(2);
    /// assert_eq!((load.in_flight, load.service_time, load.success), (2, None, 1.0));
    /// ```
    #[must_use]
    pub fn of(in_flight: usize) -> Self {
        Self {
            in_flight,
            service_time: None,
            success: 1.0,
        }
    }
}

/// Nothing to do, and nothing known.
impl Default for Load {
    fn default() -> Self {
        Self::of(0)
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
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// Whether it may be picked.
    pub availability: Availability,
    /// The work that it has.
    pub load: Load,
    /// How much it serves beside the others, where the policy goes by weights. A member of weight 0 is served by nobody.
    pub weight: u32,
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
            weight: 1,
        }
    }

    /// The same member with this weight, in place of 1.
    ///
    /// ```
    /// assert_eq!(maas_schedule::Candidate::idle().weighing(3).weight, 3);
    /// ```
    #[must_use]
    pub fn weighing(self, weight: u32) -> Self {
        Self { weight, ..self }
    }

    /// The same member, of which this is known: what a request takes there, and the fraction of requests that end well.
    ///
    /// ```
    /// use maas_schedule::Candidate;
    /// use std::time::Duration;
    ///
    /// let known = Candidate::busy(2).known(Duration::from_millis(5), 0.99);
    /// assert_eq!(known.load.service_time, Some(Duration::from_millis(5)));
    /// ```
    #[must_use]
    pub fn known(self, service_time: Duration, success: f32) -> Self {
        let load = Load {
            service_time: Some(service_time),
            success,
            ..self.load
        };
        Self { load, ..self }
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

    /// Whether the member `index` may be picked: what [`get`](Self::get) says, for who needs nothing else.
    fn is_available(&self, index: usize) -> bool {
        self.get(index).is_available()
    }

    /// Who the member `index` is: a number that stays its own when others come and go. Its index, where nobody does.
    fn identity(&self, index: usize) -> u64 {
        index as u64
    }

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
