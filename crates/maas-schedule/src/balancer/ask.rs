use std::fmt;

use crate::Load;

/// What is known of a request that asks for a member.
///
/// ```
/// use maas_schedule::{Ask, Balancer, Load};
///
/// /// A connection that has room for two requests.
/// struct Connection {
///     queue: usize,
/// }
///
/// let members = [("a", Connection { queue: 2 }), ("b", Connection { queue: 1 }), ("c", Connection { queue: 0 })];
/// let balancer = Balancer::over(members)?;
/// let has_room = |connection: &Connection| (connection.queue < 2).then(|| Load::of(connection.queue));
///
/// let first = balancer.ask(Ask::new().seeing(&has_room)).expect("two have room");
/// assert_eq!(first.name(), "b");
/// let tried = [first.identity()];
/// let second = balancer.ask(Ask::new().key(7).without(&tried).seeing(&has_room)).expect("one has room");
/// assert_eq!(second.name(), "c");
/// # Ok::<(), maas_schedule::Error>(())
/// ```
pub struct Ask<'a, T: ?Sized> {
    pub(super) key: Option<u64>,
    /// The identities of members where it was tried.
    pub(super) tried: &'a [u64],
    pub(super) seen: Option<Sight<'a, T>>,
}

/// What a member says of itself.
pub(super) type Sight<'a, T> = &'a dyn Fn(&T) -> Option<Load>;

impl<'a, T: ?Sized> Ask<'a, T> {
    /// A request of which nothing is known.
    ///
    /// ```
    /// # use maas_schedule::{Ask, Balancer};
    /// # let balancer = Balancer::over([("a", 1)])?;
    /// assert_eq!(*balancer.ask(Ask::new()).unwrap(), 1);
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            key: None,
            tried: &[],
            seen: None,
        }
    }

    /// The request has this key, for policies that go by keys.
    ///
    /// ```
    /// use maas_schedule::{Ask, Balancer, ConsistentHash};
    /// let balancer = Balancer::new(ConsistentHash::new()).with([("a", 1), ("b", 2)])?;
    /// let member = |key| *balancer.ask(Ask::new().key(key)).unwrap();
    /// assert_eq!(member(7), member(7));
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn key(self, key: u64) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    /// The members with these identities are left out, such as those where the request was tried.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn without(self, identities: &'a [u64]) -> Self {
        Self {
            tried: identities,
            ..self
        }
    }

    /// Members are seen as they say themselves: `None` of who cannot take the request, who is left out, and else the member's
    /// own load. Of its requests in flight and those that the balancer counts the larger number holds, of what is known of
    /// success the lower one, and what the member does not say is taken as the balancer knows it.
    ///
    /// A policy may look at a member several times for one pick, so `sight` should be quick.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn seeing(self, sight: &'a dyn Fn(&T) -> Option<Load>) -> Self {
        Self {
            seen: Some(sight),
            ..self
        }
    }
}

impl<T: ?Sized> Default for Ask<'_, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized> Clone for Ask<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Ask<'_, T> {}

impl<T: ?Sized> fmt::Debug for Ask<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("key", &self.key)
            .field("without", &self.tried)
            .field("seeing", &self.seen.is_some())
            .finish()
    }
}
