//! How a local model answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use maas_core::{Fnv, TensorView};
use maas_schedule::{Clock, Entry, Moment, OwnedInFlightGuard, QueueError, SystemClock};

use super::job::{Answer, Job};
use super::seats::Seat;
use super::stopwatch::Took;
use super::workspace::Workspace;
use super::{LocalModel, Placement};
use crate::check::Wanted;
use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, Report, ServeError, Service, Spent,
    check,
};

/// To hand a request over and to wake two threads takes some 10 us; a task of a runtime may well take 50 us.
const CHEAP: Duration = Duration::from_micros(50);

impl LocalModel {
    /// Answers what is to be answered on this thread.
    fn begin(&self, request: &mut InferRequest) -> Result<Begun, ServeError> {
        let engine = &*self.engine;
        let signature = &engine.description.signature;
        let wanted = check::outputs(signature, &request.outputs)?;
        let run = |inputs: &[TensorView<'_>], rows| {
            if rows > engine.max_rows {
                return Err(ServeError::TooManyRows {
                    limit: engine.max_rows,
                    found: rows,
                });
            }
            if self.is_cheap(rows) {
                let (seat, spent) = self.run_here(inputs, rows, request.deadline)?;
                return Ok(Place::Here(seat, spent));
            }
            Ok(Place::There(Asked {
                rows,
                key: engine.key(inputs),
                bytes: inputs.iter().map(|input| input.bytes().len()).sum(),
            }))
        };
        match check::with_inputs(signature, &request.inputs, run)?? {
            Place::There(asked) => Ok(Begun::Asked(wanted, asked)),
            Place::Here(mut seat, spent) => {
                // The inputs have been read: their list can have the outputs.
                let mut list = std::mem::take(&mut request.inputs);
                list.clear();
                let take = |position| seat.workspace.outputs.take(position);
                let outputs = engine.named(&wanted, list, take)?;
                self.seats.give_back(seat);
                Ok(Begun::Answered(Answer { outputs, spent }))
            }
        }
    }

    /// Runs the model on this thread; its outputs are in the seat then.
    fn run_here(
        &self,
        inputs: &[TensorView<'_>],
        rows: usize,
        deadline: Option<Moment>,
    ) -> Result<(Box<Seat>, Spent), ServeError> {
        let engine = &*self.engine;
        let mark = || match self.placement {
            Placement::Measured => self.watched.mark(),
            Placement::Inline | Placement::Queued => Arc::default(),
        };
        let mut seat = self.seats.take(engine, rows, &self.life, mark)?;
        let Seat {
            workspace,
            stopwatch,
            mark,
            life,
        } = &mut *seat;
        let life = life.load();
        let in_flight = life.in_flight.enter().ok_or_else(|| life.refusal())?;
        if let Some(deadline) = deadline {
            let now = SystemClock.now();
            if deadline <= now {
                let late = now.since(deadline);
                return Err(ServeError::Expired { late });
            }
        }
        let Workspace {
            outputs, context, ..
        } = workspace;
        let took = stopwatch.time(rows, || {
            let _run = mark.run();
            engine.run(inputs, rows, outputs, context)
        })?;
        if let Took::Measured(took) = took {
            self.cost.record(rows, took);
        }
        drop(in_flight);
        let spent = Spent {
            queue: Duration::ZERO,
            compute: took.duration(),
            batch_rows: rows,
        };
        Ok((seat, spent))
    }

    /// Has a worker run the model.
    async fn answer_there(
        &self,
        request: &mut InferRequest,
        wanted: Wanted,
        asked: Asked,
    ) -> Result<Answer, ServeError> {
        let in_flight = self.admit()?;
        let Asked { rows, key, bytes } = asked;
        let inputs = std::mem::take(&mut request.inputs);
        let parts = self.queue.parts(rows);
        let (job, answer) = Job::begin(inputs, wanted, parts, in_flight);
        let mut entry = Entry::rows(rows, job)
            .bytes(bytes)
            .key(key)
            .tenant(request.tenant.as_deref().map_or(0, tenant))
            .priority(request.priority);
        if let Some(deadline) = request.deadline {
            entry = entry.deadline(deadline);
        }
        // Dropped with this future, the ticket takes from the queue what nobody waits for.
        let ticket = {
            let life = self.life.load();
            let workers = life.workers(&self.engine, &self.cost, &self.queue, self.workers)?;
            let pushed = workers.queue.push(entry, SystemClock.now());
            pushed.map_err(|refused| match refused.error {
                QueueError::Closed => life.refusal(),
                error => ServeError::Queue(error),
            })?
        };
        let answer = answer.await?;
        // Of what is answered nothing is in the queue.
        ticket.detach();
        Ok(answer)
    }

    #[inline]
    fn response(&self, request: InferRequest, answer: Answer) -> InferResponse {
        self.served.fetch_add(1, Ordering::Relaxed);
        InferResponse::from_parts(request, answer.outputs, answer.spent)
    }

    fn admit(&self) -> Result<OwnedInFlightGuard, ServeError> {
        let life = self.life.load();
        let admitted = life.in_flight.enter_owned();
        admitted.ok_or_else(|| life.refusal())
    }

    fn is_cheap(&self, rows: usize) -> bool {
        match self.placement {
            // Nothing to wait for, and nothing that a queue could hold.
            _ if rows == 0 => true,
            Placement::Inline => true,
            Placement::Queued => false,
            Placement::Measured => {
                self.cost.of(rows).is_some_and(|cost| cost < CHEAP)
                    && !self.watched.holds_a_thread()
            }
        }
    }
}

/// A request whose inputs are checked.
enum Begun {
    Answered(Answer),
    Asked(Wanted, Asked),
}

/// Where a request is answered.
enum Place {
    Here(Box<Seat>, Spent),
    There(Asked),
}

/// What the queue has to know of a request.
struct Asked {
    rows: usize,
    key: u64,
    bytes: usize,
}

fn tenant(name: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.update(name.as_bytes());
    hash.finish()
}

impl Service for LocalModel {
    async fn infer(&self, mut request: InferRequest) -> Result<InferResponse, ServeError> {
        let answer = match self.begin(&mut request)? {
            Begun::Answered(answer) => answer,
            Begun::Asked(wanted, asked) => self.answer_there(&mut request, wanted, asked).await?,
        };
        Ok(self.response(request, answer))
    }

    /// Without a future where the answer is there at once.
    fn infer_blocking(&self, mut request: InferRequest) -> Result<InferResponse, ServeError> {
        let answer = match self.begin(&mut request)? {
            Begun::Answered(answer) => answer,
            Begun::Asked(wanted, asked) => {
                pollster::block_on(self.answer_there(&mut request, wanted, asked))?
            }
        };
        Ok(self.response(request, answer))
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.engine.description)
    }

    fn ready(&self) -> Readiness {
        self.life.load().readiness()
    }

    fn load(&self) -> Load {
        Load::of(self.in_flight())
    }

    fn report(&self) -> Report {
        Report {
            queue: self.queue_stats(),
            members: Vec::new(),
        }
    }
}
