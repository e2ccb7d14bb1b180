use maas_core::{Context, Outputs};

use super::engine::Engine;
use crate::ServeError;

/// The first scratch has room for as many rows; it is made larger when a request needs it.
const FIRST_ROWS: usize = 32;

/// What one run at a time of a model needs, kept from run to run.
pub(crate) struct Workspace {
    pub(crate) context: Context,
    /// Rows that the context has room for.
    rows: usize,
    /// What the model writes.
    pub(crate) outputs: Outputs<'static>,
    /// What it reads, where the rows of several requests are put together.
    pub(crate) inputs: Outputs<'static>,
}

impl Workspace {
    pub(crate) fn of(engine: &Engine, rows: usize) -> Result<Self, ServeError> {
        let rows = rows
            .max(FIRST_ROWS)
            .checked_next_power_of_two()
            .unwrap_or(rows)
            .min(engine.max_rows.max(rows));
        let mut context = Context::of(&*engine.model, rows).map_err(ServeError::Model)?;
        context.threads = engine.threads;
        Ok(Self {
            context,
            rows,
            outputs: Outputs::new(),
            inputs: Outputs::new(),
        })
    }

    pub(crate) fn has_room_for(&self, rows: usize) -> bool {
        rows <= self.rows
    }
}
