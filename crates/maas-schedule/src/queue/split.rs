use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::Arc;

use crate::sync::{Mutex, lock};

/// What an entry carried: itself, or shared with the other parts of a split request.
///
/// ```
/// use maas_schedule::Payload;
/// let payload = Payload::Whole(vec![1, 2]);
/// assert_eq!(payload.len(), 2);
/// assert_eq!(payload.into_inner(), Some(vec![1, 2]));
/// ```
#[derive(Debug)]
pub enum Payload<T> {
    /// Of a request that runs in one batch.
    Whole(T),
    /// Of a request that runs in several.
    Shared(Arc<T>),
}

impl<T> Payload<T> {
    /// What was carried, for the last that holds it.
    #[must_use]
    pub fn into_inner(self) -> Option<T> {
        match self {
            Self::Whole(payload) => Some(payload),
            Self::Shared(payload) => Arc::into_inner(payload),
        }
    }
}

impl<T> Deref for Payload<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Self::Whole(payload) => payload,
            Self::Shared(payload) => payload,
        }
    }
}

/// Collects the results of the parts of one request, in any order and from any thread, and gives the whole once.
///
/// ```
/// use maas_schedule::Rejoin;
///
/// let rejoin = Rejoin::new(2);
/// assert_eq!(rejoin.finish::<&str>(1, Ok("b")), None);
/// assert_eq!(rejoin.finish::<&str>(0, Ok("a")), Some(Ok(vec!["a", "b"])));
///
/// let rejoin = Rejoin::<&str>::new(2);
/// assert_eq!(rejoin.finish(1, Err("broken")), Some(Err("broken")));
/// assert_eq!(rejoin.finish::<&str>(0, Ok("a")), None); // the caller was told already
/// ```
pub struct Rejoin<R>(Mutex<Vec<Option<R>>>);

impl<R> Rejoin<R> {
    /// Nothing yet of so many parts.
    #[must_use]
    pub fn new(parts: usize) -> Self {
        Self(Mutex::new((0..parts).map(|_| None).collect()))
    }

    /// Takes the result of a part. Answers once: with all results in the order of the parts when the last one
    /// comes, or with the first error. What comes later, or again, is dropped.
    pub fn finish<E>(&self, part: usize, result: Result<R, E>) -> Option<Result<Vec<R>, E>> {
        match result {
            Ok(result) => self.put(part, result).map(Ok),
            Err(error) => self.give_up().then_some(Err(error)),
        }
    }

    fn put(&self, part: usize, result: R) -> Option<Vec<R>> {
        let mut result = Some(result);
        let mut results = lock(&self.0);
        let place = results.get_mut(part)?;
        if place.is_none() {
            *place = result.take();
        }
        if result.is_some() || results.iter().any(Option::is_none) {
            return None;
        }
        Some(mem::take(&mut *results).into_iter().flatten().collect())
    }

    /// Whether nobody was told yet.
    fn give_up(&self) -> bool {
        let partial = mem::take(&mut *lock(&self.0));
        !partial.is_empty()
    }
}

impl<R> fmt::Debug for Rejoin<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejoin").finish_non_exhaustive()
    }
}
