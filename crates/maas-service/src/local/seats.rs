#![expect(
    clippy::vec_box,
    reason = "seats come and go with each request: a pointer is moved"
)]

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, Cache};

use super::engine::Engine;
use super::life::Life;
use super::stopwatch::Stopwatch;
use super::watch::Mark;
use super::workspace::Workspace;
use crate::ServeError;

/// What a caller needs to run the model on its own thread, kept for the next one.
pub(crate) struct Seat {
    pub(crate) workspace: Workspace,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) mark: Arc<Mark>,
    /// The life that goes on, looked up only when there is a new one.
    pub(crate) life: Cache<Arc<ArcSwap<Life>>, Arc<Life>>,
}

/// Seats that nobody has just now.
pub(crate) struct Seats(Mutex<Vec<Box<Seat>>>);

impl Seats {
    pub(crate) fn none() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// A seat with room for so many rows; a new one has such a mark.
    pub(crate) fn take(
        &self,
        engine: &Engine,
        rows: usize,
        life: &Arc<ArcSwap<Life>>,
        mark: impl FnOnce() -> Arc<Mark>,
    ) -> Result<Box<Seat>, ServeError> {
        let free = self.lock().pop();
        match free {
            Some(seat) if seat.workspace.has_room_for(rows) => Ok(seat),
            _ => Ok(Box::new(Seat {
                workspace: Workspace::of(engine, rows)?,
                stopwatch: Stopwatch::default(),
                mark: mark(),
                life: Cache::new(Arc::clone(life)),
            })),
        }
    }

    pub(crate) fn give_back(&self, seat: Box<Seat>) {
        self.lock().push(seat);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Box<Seat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seats").field(&self.lock().len()).finish()
    }
}
