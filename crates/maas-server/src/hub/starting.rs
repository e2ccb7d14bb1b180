use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Models are being put together for the first time: see [`Models::starting`](crate::Models::starting).
#[derive(Debug)]
#[must_use = "servers are ready as soon as this is dropped"]
pub struct Starting(Arc<AtomicUsize>);

/// How many of these there are.
#[derive(Debug, Default)]
pub(super) struct Starts(Arc<AtomicUsize>);

impl Starts {
    pub(super) fn begin(&self) -> Starting {
        self.0.fetch_add(1, Ordering::AcqRel);
        Starting(Arc::clone(&self.0))
    }

    pub(super) fn are_over(&self) -> bool {
        self.0.load(Ordering::Acquire) == 0
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
