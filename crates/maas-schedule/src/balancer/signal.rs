use std::task::{Context, Poll, Waker};

use crate::sync::{Condvar, Mutex, lock, wait};

/// Something that happens once, to be waited for by threads and by tasks.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    fired: Condvar,
}

#[derive(Debug, Default)]
struct State {
    fired: bool,
    wakers: Vec<Waker>,
}

impl Signal {
    pub(crate) fn fire(&self) {
        let mut state = lock(&self.state);
        state.fired = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.fired.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn has_fired(&self) -> bool {
        lock(&self.state).fired
    }

    pub(crate) fn wait(&self) {
        let mut state = lock(&self.state);
        while !state.fired {
            state = wait(&self.fired, state);
        }
    }

    pub(crate) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.fired {
            return Poll::Ready(());
        }
        let waker = context.waker();
        if !state.wakers.iter().any(|other| other.will_wake(waker)) {
            state.wakers.push(waker.clone());
        }
        Poll::Pending
    }
}
