use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;
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

/// A request on its way to a worker.
pub(crate) struct Job {
    pub(crate) inputs: Vec<NamedTensor>,
    pub(crate) wanted: Wanted,
    /// Where the parts of a request that is too large for one batch come together.
    parts: Option<Rejoin<Answer>>,
    reply: Mutex<Option<Reply>>,
}

/// Where an answer goes. Dropped without one, it tells the caller that the worker was stopped.
struct Reply {
    sender: oneshot::Sender<Result<Answer, ServeError>>,
    in_flight: OwnedInFlightGuard,
}

pub(crate) type Waiting = oneshot::Receiver<Result<Answer, ServeError>>;

impl Job {
    /// A job of so many parts, and where its caller waits.
    pub(crate) fn new(
        inputs: Vec<NamedTensor>,
        wanted: Wanted,
        parts: usize,
        in_flight: OwnedInFlightGuard,
    ) -> (Arc<Self>, Waiting) {
        let (sender, waiting) = oneshot::channel();
        let job = Self {
            inputs,
            wanted,
            parts: (parts > 1).then(|| Rejoin::new(parts)),
            reply: Mutex::new(Some(Reply { sender, in_flight })),
        };
        (Arc::new(job), waiting)
    }

    /// Whether anybody waits for the answer.
    pub(crate) fn is_wanted(&self) -> bool {
        let reply = self.reply();
        reply
            .as_ref()
            .is_some_and(|reply| !reply.sender.is_canceled())
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
    pub(crate) fn drop_reply(&self) {
        let reply = self.reply().take();
        drop(reply);
    }

    /// Counts the request as done before the caller hears of it.
    fn send(&self, answer: Result<Answer, ServeError>) {
        let reply = self.reply().take();
        if let Some(Reply { sender, in_flight }) = reply {
            drop(in_flight);
            // A caller that no longer listens has given the request up.
            let _ = sender.send(answer);
        }
    }

    fn reply(&self) -> MutexGuard<'_, Option<Reply>> {
        self.reply.lock().unwrap_or_else(PoisonError::into_inner)
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
