//! The worker thread's side of a local model.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use maas_core::{Context, Model, Outputs, Tensor, TensorView};

use crate::ServeError;
use crate::queue::{Answer, Queue};

/// The first scratch has room for as many rows; it is made larger when a request needs it.
const FIRST_ROWS: usize = 32;

/// What lives on the worker thread.
pub(crate) struct Runner {
    model: Arc<dyn Model>,
    threads: NonZeroUsize,
    max_rows: usize,
    /// The scratch, and for how many rows it was made.
    context: Option<(usize, Context)>,
}

impl Runner {
    pub(crate) fn new(model: Arc<dyn Model>, threads: NonZeroUsize, max_rows: usize) -> Self {
        Self {
            model,
            threads,
            max_rows,
            context: None,
        }
    }

    /// Answers what is in the queue until it is closed.
    pub(crate) fn run(mut self, queue: &Queue) {
        while let Some((inputs, rows)) = queue.next() {
            let answer = catch_unwind(AssertUnwindSafe(|| self.predict(&inputs, rows)))
                .unwrap_or_else(|panic| {
                    // What the model left behind in its scratch is not to be trusted.
                    self.context = None;
                    Err(ServeError::Panicked {
                        message: message(panic.as_ref()),
                    })
                });
            // The caller may look at its tensors again as soon as it has the answer.
            drop(inputs);
            if !queue.finish(answer) {
                return;
            }
        }
    }

    fn predict(&mut self, inputs: &[Arc<Tensor>], rows: usize) -> Answer {
        let mut context = match self.context.take() {
            Some((room, context)) if rows <= room => (room, context),
            _ => self.context_for(rows)?,
        };
        let views: Vec<TensorView<'_>> = inputs.iter().map(|tensor| tensor.view()).collect();
        let mut outputs = Outputs::new();
        let result = self.model.predict(&views, &mut outputs, &mut context.1);
        self.context = Some(context);
        result.map_err(ServeError::from_model)?;
        self.model
            .signature()
            .check_outputs(&outputs, rows)
            .map_err(ServeError::Model)?;
        outputs.into_tensors().map_err(ServeError::Model)
    }

    fn context_for(&self, rows: usize) -> Result<(usize, Context), ServeError> {
        let room = rows
            .max(FIRST_ROWS)
            .checked_next_power_of_two()
            .unwrap_or(rows)
            .min(self.max_rows.max(rows));
        let mut context = Context::of(&*self.model, room).map_err(ServeError::Model)?;
        context.threads = self.threads;
        Ok((room, context))
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
        .to_owned()
}
