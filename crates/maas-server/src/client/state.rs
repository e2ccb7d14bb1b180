use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use maas_schedule::{Clock, Moment, SystemClock};
use maas_service::{InferResponse, Readiness, ServeError};
use tokio::sync::Notify;

/// How a server is, as far as its last answers tell.
#[derive(Debug, Default)]
pub(super) struct State {
    down: AtomicBool,
    /// Until when it has asked to be left alone, in nanoseconds of the system's clock.
    busy: AtomicU64,
    in_flight: AtomicUsize,
    /// Wakes the probe before its time.
    doubt: Notify,
}

/// A server that asks for more than this is looked after again nevertheless.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl State {
    pub(super) fn readiness(&self) -> Readiness {
        if self.down.load(Ordering::Relaxed) {
            return Readiness::Down;
        }
        let busy = self.busy.load(Ordering::Relaxed);
        if busy == 0 {
            return Readiness::Ready;
        }
        match Moment::from_nanos(busy).since(SystemClock.now()) {
            Duration::ZERO => Readiness::Ready,
            retry_after => Readiness::Overloaded { retry_after },
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request until what is returned is dropped.
    pub(super) fn count(&self) -> Counted<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Counted(self)
    }

    /// Takes in what the answer to a request says of the server.
    pub(super) fn learn(&self, answer: &Result<InferResponse, ServeError>) {
        match answer {
            Err(ServeError::Refused {
                status: 503,
                retry_after: Some(pause),
                ..
            }) => {
                let until = SystemClock.now() + (*pause).min(LONGEST_PAUSE);
                self.busy.store(until.as_nanos(), Ordering::Relaxed);
            }
            Err(ServeError::Unreachable { .. } | ServeError::Untrusted { .. }) => {
                self.doubt.notify_one();
            }
            _ => {}
        }
    }

    /// Takes in what a probe has found.
    pub(super) fn found(&self, is_ready: bool) {
        self.down.store(!is_ready, Ordering::Relaxed);
    }

    /// Ends when there is doubt whether the server is well.
    pub(super) async fn doubted(&self) {
        self.doubt.notified().await;
    }
}

pub(super) struct Counted<'a>(&'a State);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
