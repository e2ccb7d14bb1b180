use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use maas_core::TensorView;
use maas_schedule::{BatchQueue, Clock, Moment, Part, SystemClock};

use super::cost::Cost;
use super::engine::Engine;
use super::job::{Answer, Job, Task};
use super::workspace::Workspace;
use crate::{ServeError, Spent, check};

/// What lives on a worker thread.
pub(crate) struct Worker {
    pub(crate) engine: Arc<Engine>,
    pub(crate) queue: BatchQueue<Task>,
    pub(crate) running: Arc<Running>,
    pub(crate) cost: Arc<Cost>,
    pub(crate) workspace: Option<Workspace>,
}

/// What a worker runs: known to others, so that callers can be answered whatever the model is doing.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    jobs: Vec<Arc<Job>>,
    killed: bool,
}

impl Worker {
    /// Answers what is in the queue until it is closed and empty, or until the worker is killed.
    pub(crate) fn run(mut self) {
        while let Some(mut batch) = self.queue.wait(&SystemClock) {
            let now = SystemClock.now();
            for part in batch.expired.drain(..) {
                let late = part
                    .deadline
                    .map_or_else(Default::default, |deadline| now.since(deadline));
                let expired = Err(ServeError::Expired { late });
                part.payload.answer(part.index, expired, &self.engine);
            }
            batch.parts.retain(|part| part.payload.is_wanted());
            if batch.parts.is_empty() {
                continue;
            }
            if !self.running.begin(&batch.parts) {
                return;
            }
            self.serve(&batch.parts, now);
            batch.done(SystemClock.now().since(now));
            // The callers may look at their tensors again as soon as they have their answers.
            drop(batch);
            if !self.running.end() {
                return;
            }
        }
    }

    /// Runs requests together; where that fails, each of them alone, so that one does not fail for another.
    fn serve(&mut self, parts: &[Part<Task>], start: Moment) {
        match (self.answers(parts, start), parts) {
            (Ok(answers), _) => {
                for (part, answer) in parts.iter().zip(answers) {
                    part.payload.answer(part.index, Ok(answer), &self.engine);
                }
            }
            (Err(error), [part]) => part.payload.answer(part.index, Err(error), &self.engine),
            (Err(_), _) => {
                for part in parts {
                    self.serve(std::slice::from_ref(part), SystemClock.now());
                }
            }
        }
    }

    fn answers(&mut self, parts: &[Part<Task>], start: Moment) -> Result<Vec<Answer>, ServeError> {
        let rows = parts.iter().map(|part| part.rows.len()).sum();
        let kept = self.workspace.take();
        let mut workspace = match kept.filter(|workspace| workspace.has_room_for(rows)) {
            Some(workspace) => workspace,
            None => Workspace::of(&self.engine, rows)?,
        };
        self.run_model(parts, rows, &mut workspace)?;
        let compute = SystemClock.now().since(start);
        self.cost.record(rows, compute);

        let mut first = 0;
        let answer = |part: &Part<Task>| {
            let its = first..first + part.rows.len();
            first = its.end;
            let outputs = self
                .engine
                .named(&part.payload.wanted, Vec::new(), |position| {
                    if its.len() == rows {
                        workspace.outputs.take(position)
                    } else {
                        workspace.outputs.get(position)?.copy_rows(its.clone())
                    }
                })?;
            let spent = Spent {
                queue: start.since(part.queued_at),
                compute,
                batch_rows: rows,
            };
            Ok(Answer { outputs, spent })
        };
        let answers = parts.iter().map(answer).collect();
        self.workspace = Some(workspace);
        answers
    }

    /// Runs the model on the rows of all parts; its outputs are in the workspace then.
    fn run_model(
        &self,
        parts: &[Part<Task>],
        rows: usize,
        workspace: &mut Workspace,
    ) -> Result<(), ServeError> {
        let engine = &*self.engine;
        let signature = &engine.description.signature;
        let Workspace {
            inputs,
            outputs,
            context,
            ..
        } = workspace;
        if let [part] = parts
            && part.parts == 1
        {
            let run = |views: &[TensorView<'_>], rows| engine.run(views, rows, outputs, context);
            return check::with_inputs(signature, &part.payload.inputs, run)?;
        }
        for (index, spec) in signature.inputs().iter().enumerate() {
            let mut pieces = Vec::with_capacity(parts.len());
            for part in parts {
                let input = check::input(spec, &part.payload.inputs)?;
                pieces.push((input, part.rows.clone()));
            }
            let gathered = inputs.gather(index, pieces.into_iter());
            gathered.map_err(ServeError::from_model)?;
        }
        let views: Vec<TensorView<'_>> = inputs.iter().collect();
        engine.run(&views, rows, outputs, context)
    }
}

impl Running {
    /// False when the worker was killed: then the callers hear of that.
    fn begin(&self, parts: &[Part<Task>]) -> bool {
        let mut state = self.state();
        if !state.killed {
            let jobs = parts.iter().map(|part| Arc::clone(part.payload.job()));
            state.jobs.extend(jobs);
        }
        !state.killed
    }

    /// False when the worker was killed: its callers have been told so and got no other answer.
    fn end(&self) -> bool {
        let mut state = self.state();
        state.jobs.clear();
        !state.killed
    }

    /// Lets the callers go, and the worker end when its model returns.
    pub(crate) fn kill(&self) {
        let jobs = {
            let mut state = self.state();
            state.killed = true;
            std::mem::take(&mut state.jobs)
        };
        jobs.iter().for_each(|job| job.stop());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
