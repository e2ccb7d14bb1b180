//! How a local model answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use maas_core::{Fnv, TensorView};
use maas_schedule::{Clock, Entry, Moment, OwnedInFlightGuard, QueueError, SystemClock};

use super::job::{Answer, Job};
use super::workspace::Workspace;
use super::{LocalModel, Placement};
use crate::check::Wanted;
use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, ServeError, Service, Spent, check,
};

/// To hand a request over and to wake two threads takes some 10 us; a task of a runtime may well take 50 us.
const CHEAP: Duration = Duration::from_micros(50);

impl LocalModel {
    /// Runs the model on this thread.
    fn answer_here(
        &self,
        inputs: &[TensorView<'_>],
        rows: usize,
        wanted: &Wanted,
        deadline: Option<Moment>,
    ) -> Result<Answer, ServeError> {
        let life = self.life.load();
        let _in_flight = life.in_flight.enter().ok_or_else(|| life.refusal())?;
        let start = SystemClock.now();
        if let Some(deadline) = deadline.filter(|&deadline| deadline <= start) {
            return Err(ServeError::Expired {
                late: start.since(deadline),
            });
        }
        let engine = &*self.engine;
        let mut workspace = self.workspaces.take(engine, rows)?;
        let Workspace {
            outputs, context, ..
        } = &mut workspace;
        engine.run(inputs, rows, outputs, context)?;
        let compute = SystemClock.now().since(start);
        self.cost.record(rows, compute);
        let outputs = engine.named(wanted, |position| outputs.take(position))?;
        self.workspaces.give_back(workspace);
        let spent = Spent {
            queue: Duration::ZERO,
            compute,
            batch_rows: rows,
        };
        Ok(Answer { outputs, spent })
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
        let (job, answer) = Job::new(inputs, wanted, parts, in_flight);
        let mut entry = Entry::rows(rows, job)
            .bytes(bytes)
            .key(key)
            .tenant(request.tenant.as_deref().map_or(0, tenant))
            .priority(request.priority);
        if let Some(deadline) = request.deadline {
            entry = entry.deadline(deadline);
        }
        // Dropped with this future, the ticket takes from the queue what nobody waits for.
        let _ticket = {
            let life = self.life.load();
            let workers = life.workers(&self.engine, &self.cost, &self.queue, self.workers)?;
            let pushed = workers.queue.push(entry, SystemClock.now());
            pushed.map_err(|refused| match refused.error {
                QueueError::Closed => life.refusal(),
                error => ServeError::Queue(error),
            })?
        };
        answer.await.map_err(|_| ServeError::Stopped)?
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
            Placement::Measured => self.cost.of(rows).is_some_and(|cost| cost < CHEAP),
        }
    }
}

/// Where a request is answered.
enum Place {
    Here(Answer),
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
                let answer = self.answer_here(inputs, rows, &wanted, request.deadline)?;
                return Ok(Place::Here(answer));
            }
            Ok(Place::There(Asked {
                rows,
                key: engine.key(inputs),
                bytes: inputs.iter().map(|input| input.bytes().len()).sum(),
            }))
        };
        let answer = match check::with_inputs(signature, &request.inputs, run)?? {
            Place::Here(answer) => answer,
            Place::There(asked) => self.answer_there(&mut request, wanted, asked).await?,
        };
        self.served.fetch_add(1, Ordering::Relaxed);
        Ok(InferResponse::from_parts(
            request,
            answer.outputs,
            answer.spent,
        ))
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
}
