use std::sync::atomic::{AtomicBool, Ordering};

/// How a request is at a member.
#[derive(Debug)]
pub(super) struct Visit {
    /// Whether it is the one request that tries the member, until somebody says how it ended. No other request sees this, so a
    /// model need not.
    is_trial: AtomicBool,
}

impl Visit {
    #[inline]
    pub(super) fn usual() -> Self {
        Self {
            is_trial: AtomicBool::new(false),
        }
    }

    pub(super) fn trial() -> Self {
        Self {
            is_trial: AtomicBool::new(true),
        }
    }

    /// Whether the request was a trial until now.
    pub(super) fn ends_trial(&self) -> bool {
        self.is_trial.load(Ordering::Relaxed) && self.is_trial.swap(false, Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn is_trial(&mut self) -> bool {
        *self.is_trial.get_mut()
    }
}
