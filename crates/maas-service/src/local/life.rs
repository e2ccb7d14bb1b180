use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use maas_schedule::{Emptied, InFlight, QueueOptions, QueueStats};

use super::cost::Cost;
use super::engine::Engine;
use super::workers::Workers;
use crate::{Readiness, ServeError};

/// A local model from its start to its end; a restart begins another.
#[derive(Debug, Default)]
pub(crate) struct Life {
    pub(crate) in_flight: Arc<InFlight>,
    killed: AtomicBool,
    /// Started by the first request that needs them, which is told if they cannot be.
    workers: OnceLock<Workers>,
    starting: Mutex<()>,
}

impl Life {
    pub(crate) fn workers(
        &self,
        engine: &Arc<Engine>,
        cost: &Arc<Cost>,
        options: &QueueOptions,
        count: NonZeroUsize,
    ) -> Result<&Workers, ServeError> {
        if let Some(workers) = self.workers.get() {
            return Ok(workers);
        }
        let _starting = self.starting();
        if let Some(workers) = self.workers.get() {
            return Ok(workers);
        }
        let started = Workers::start(engine, cost, options.clone(), count);
        let workers = started.map_err(ServeError::Worker)?;
        let workers = self.workers.get_or_init(|| workers);
        if self.killed.load(Ordering::SeqCst) {
            workers.kill();
        }
        Ok(workers)
    }

    pub(crate) fn stats(&self) -> Option<QueueStats> {
        Some(self.workers.get()?.queue.stats())
    }

    pub(crate) fn readiness(&self) -> Readiness {
        if self.killed.load(Ordering::SeqCst) {
            Readiness::Down
        } else if self.in_flight.is_open() {
            Readiness::Ready
        } else {
            Readiness::Draining
        }
    }

    /// Takes nothing new, and finishes what it has.
    pub(crate) fn shut_down(&self) -> Emptied {
        self.in_flight.close()
    }

    /// Takes nothing new, and lets callers go.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        drop(self.in_flight.close());
        // Whoever starts workers just now either sees that this is killed, or has started them when this goes on.
        let _starting = self.starting();
        if let Some(workers) = self.workers.get() {
            workers.kill();
        }
    }

    fn starting(&self) -> MutexGuard<'_, ()> {
        self.starting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a request does not begin.
    pub(crate) fn refusal(&self) -> ServeError {
        if self.killed.load(Ordering::SeqCst) {
            ServeError::Stopped
        } else {
            ServeError::Draining
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.kill();
    }
}
