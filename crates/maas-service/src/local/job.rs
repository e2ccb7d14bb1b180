use std::fmt;
use std::future::Future;
use std::mem;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use maas_core::Outputs;
use maas_schedule::{OwnedInFlightGuard, Rejoin};

use super::engine::Engine;
use crate::check::Wanted;
use crate::{NamedTensor, ServeError, Spent};

/// The outputs asked for, or some rows of them.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outputs: Vec<NamedTensor>,
    pub(crate) spent: Spent,
}

/// A request that a worker answers.
pub(crate) struct Job {
    pub(crate) inputs: Vec<NamedTensor>,
    pub(crate) wanted: Wanted,
    /// Where the parts of a request that is too large for one batch come together.
    parts: Option<Rejoin<Answer>>,
    reply: Mutex<Reply>,
}

/// What became of a request.
enum Reply {
    /// It is counted, and its caller waits, who may have said whom to wake.
    Awaited(OwnedInFlightGuard, Option<Waker>),
    Sent(Result<Answer, ServeError>),
    /// Nobody waits any more.
    Over,
}

/// The worker's end of a job, on its way to it. Dropped without an answer, it tells the caller that the worker was stopped.
pub(crate) struct Task(Arc<Job>);

/// The caller's end. Dropped without an answer, it tells the worker that nobody waits.
pub(crate) struct Waiting(Arc<Job>);

impl Job {
    /// The two ends of a job of so many parts.
    pub(crate) fn begin(
        inputs: Vec<NamedTensor>,
        wanted: Wanted,
        parts: usize,
        in_flight: OwnedInFlightGuard,
    ) -> (Task, Waiting) {
        let job = Arc::new(Self {
            inputs,
            wanted,
            parts: (parts > 1).then(|| Rejoin::new(parts)),
            reply: Mutex::new(Reply::Awaited(in_flight, None)),
        });
        (Task(Arc::clone(&job)), Waiting(job))
    }

    /// Whether anybody waits for the answer.
    pub(crate) fn is_wanted(&self) -> bool {
        matches!(*self.reply(), Reply::Awaited(..))
    }

    /// One part is answered; the caller hears of it when all are, or when one has failed.
    pub(crate) fn answer(&self, part: usize, answer: Result<Answer, ServeError>, engine: &Engine) {
        let Some(parts) = &self.parts else {
            return self.send(answer);
        };
        match answer {
            Err(error) => self.send(Err(error)),
            Ok(answer) => {
                let all = parts.finish::<ServeError>(part, Ok(answer));
                if let Some(answers) = all {
                    self.send(answers.and_then(|answers| joined(&answers, &self.wanted, engine)));
                }
            }
        }
    }

    /// Lets the caller know that nobody will answer.
    pub(crate) fn stop(&self) {
        self.send(Err(ServeError::Stopped));
    }

    /// Counts the request as done before the caller hears of it. Only the first answer counts, and none where nobody waits.
    fn send(&self, answer: Result<Answer, ServeError>) {
        let mut reply = self.reply();
        if !matches!(*reply, Reply::Awaited(..)) {
            return;
        }
        let awaited = mem::replace(&mut *reply, Reply::Sent(answer));
        if let Reply::Awaited(in_flight, waker) = awaited {
            drop(in_flight);
            drop(reply);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn reply(&self) -> MutexGuard<'_, Reply> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    pub(crate) fn job(&self) -> &Arc<Job> {
        &self.0
    }
}

impl Deref for Task {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.0
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Future for Waiting {
    type Output = Result<Answer, ServeError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut reply = self.0.reply();
        if let Reply::Awaited(_, waker) = &mut *reply {
            match waker {
                Some(waker) => waker.clone_from(context.waker()),
                None => *waker = Some(context.waker().clone()),
            }
            return Poll::Pending;
        }
        match mem::replace(&mut *reply, Reply::Over) {
            Reply::Sent(answer) => Poll::Ready(answer),
            _ => Poll::Ready(Err(ServeError::Stopped)),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let left = mem::replace(&mut *self.0.reply(), Reply::Over);
        drop(left);
    }
}

/// The answers to the parts of one request, as one.
fn joined(parts: &[Answer], wanted: &Wanted, engine: &Engine) -> Result<Answer, ServeError> {
    let mut outputs = Outputs::new();
    let mut places = 0..;
    let joined = engine.named(wanted, Vec::new(), |_| {
        let place = places.next().unwrap_or(0);
        let pieces = parts.iter().map(|part| &*part.outputs[place].tensor);
        outputs.gather(0, pieces.map(|piece| (piece.view(), 0..piece.rows())))?;
        outputs.take(0)
    })?;
    let mut spent = Spent::default();
    for part in parts {
        spent.queue = spent.queue.max(part.spent.queue);
        spent.compute += part.spent.compute;
        spent.batch_rows = spent.batch_rows.max(part.spent.batch_rows);
    }
    Ok(Answer {
        outputs: joined,
        spent,
    })
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").finish()
    }
}
