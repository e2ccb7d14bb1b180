use std::time::Duration;

use super::State;
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_timeout};

/// The queue's lock and where its workers sleep.
pub(super) struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    pub(super) fn new(state: State<T>) -> Self {
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }

    /// Lets the state go, and one sleeper look at what is in it.
    pub(super) fn wake_one(&self, state: MutexGuard<'_, State<T>>) {
        let wake = state.waiting > 0 && state.stats().queued > 0;
        drop(state);
        if wake {
            self.changed.notify_one();
        }
    }

    pub(super) fn wake_all(&self) {
        self.changed.notify_all();
    }

    /// One sleeper where all should wake: a mistake that the model has to find.
    #[cfg(loom)]
    pub(super) fn wake_only_one(&self) {
        self.changed.notify_one();
    }

    pub(super) fn sleep<'a>(
        &self,
        mut state: MutexGuard<'a, State<T>>,
    ) -> MutexGuard<'a, State<T>> {
        state.waiting += 1;
        let mut state = wait(&self.changed, state);
        state.waiting -= 1;
        state
    }

    pub(super) fn sleep_for<'a>(
        &self,
        mut state: MutexGuard<'a, State<T>>,
        time: Duration,
    ) -> MutexGuard<'a, State<T>> {
        state.waiting += 1;
        let mut state = wait_timeout(&self.changed, state, time);
        state.waiting -= 1;
        state
    }
}
