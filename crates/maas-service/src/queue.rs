//! The bounded queue between callers and one worker thread.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
use maas_core::Tensor;
use maas_schedule::OwnedInFlightGuard;

use crate::ServeError;

/// The outputs of a model, in the signature's order, or why there are none.
pub(crate) type Answer = Result<Vec<Tensor>, ServeError>;

/// A request on its way to the worker.
pub(crate) struct Job {
    pub(crate) inputs: Vec<Arc<Tensor>>,
    pub(crate) rows: usize,
    pub(crate) reply: Reply,
}

/// Where an answer goes. Dropped without one, it tells the caller that the worker was stopped.
pub(crate) struct Reply {
    pub(crate) sender: oneshot::Sender<Answer>,
    pub(crate) in_flight: OwnedInFlightGuard,
}

impl Reply {
    /// Counts the request as done before the caller hears of it.
    fn send(self, answer: Answer) {
        drop(self.in_flight);
        // A caller that no longer listens has given the request up.
        let _ = self.sender.send(answer);
    }
}

pub(crate) enum Refused {
    Full { queued: usize },
    Closed,
}

/// The reply of the request that runs is kept here and not with the worker, so that closing the queue answers its
/// caller at once, whatever the model is doing.
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    limit: usize,
}

struct State {
    waiting: VecDeque<Job>,
    running: Option<Reply>,
    open: bool,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            running: None,
            open: true,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            limit,
        }
    }

    pub(crate) fn push(&self, job: Job) -> Result<(), Refused> {
        let mut state = self.lock();
        if !state.open {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.limit {
            state.waiting.retain(|job| !job.reply.sender.is_canceled());
        }
        if state.waiting.len() >= self.limit {
            return Err(Refused::Full {
                queued: state.waiting.len(),
            });
        }
        state.waiting.push_back(job);
        self.changed.notify_one();
        Ok(())
    }

    /// The next request that somebody still waits for, or `None` when the queue is closed. The worker answers it by
    /// [`finish`](Self::finish).
    pub(crate) fn next(&self) -> Option<(Vec<Arc<Tensor>>, usize)> {
        let mut state = self.lock();
        while state.open {
            match state.waiting.pop_front() {
                Some(job) if job.reply.sender.is_canceled() => {}
                Some(Job {
                    inputs,
                    rows,
                    reply,
                }) => {
                    state.running = Some(reply);
                    return Some((inputs, rows));
                }
                None => {
                    let woken = self.changed.wait(state);
                    state = woken.unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        None
    }

    /// Answers the request that [`next`](Self::next) gave. False when the queue was closed meanwhile: its caller has
    /// been told so and gets no second answer.
    pub(crate) fn finish(&self, answer: Answer) -> bool {
        let running = self.lock().running.take();
        let answered = running.is_some();
        if let Some(reply) = running {
            reply.send(answer);
        }
        answered
    }

    /// Takes nothing more and drops all replies, also that of the request that runs.
    pub(crate) fn close(&self) {
        let (waiting, running) = {
            let mut state = self.lock();
            state.open = false;
            (std::mem::take(&mut state.waiting), state.running.take())
        };
        self.changed.notify_all();
        // Callers wake up when their replies are dropped: not under the lock.
        drop((waiting, running));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
