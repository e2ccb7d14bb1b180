use super::set::View;
use crate::{Moment, Policy};

/// What is known of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ask<'a> {
    key: Option<u64>,
    /// The identities of members where it was tried.
    pub(super) tried: &'a [u64],
}

impl<'a> Ask<'a> {
    pub(super) fn with_key(key: u64) -> Self {
        Self {
            key: Some(key),
            tried: &[],
        }
    }

    pub(super) fn without(tried: &'a [u64]) -> Self {
        Self { key: None, tried }
    }

    #[inline]
    pub(super) fn pick<T>(self, policy: &dyn Policy, view: &View<'_, T>) -> Option<usize> {
        let now = view.now.unwrap_or(Moment::ZERO);
        match self.key {
            Some(key) => policy.pick_for(key, view, now),
            None => policy.pick(view, now),
        }
    }
}
