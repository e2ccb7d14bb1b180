//! Connections on their way from who accepts them to a runtime.

use std::collections::VecDeque;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep_until};

/// A runtime that takes no connection for so long has threads that do not come back.
const PATIENCE: Duration = Duration::from_millis(250);
const STANDBY_THREADS: usize = 2;

/// A connection and its place among those that may be open, for who takes it first.
#[derive(Debug)]
pub(super) struct Handed(Mutex<Option<(TcpStream, OwnedSemaphorePermit)>>);

impl Handed {
    pub(super) fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some((stream, place)))))
    }

    pub(super) fn take(&self) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        self.lock().take()
    }

    fn is_waiting(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(TcpStream, OwnedSemaphorePermit)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those that were handed over of late, the oldest first.
#[derive(Debug, Default)]
pub(super) struct OnTheirWay(VecDeque<(Instant, Arc<Handed>)>);

impl OnTheirWay {
    pub(super) fn push(&mut self, handed: Arc<Handed>) {
        self.0.push_back((Instant::now() + PATIENCE, handed));
    }

    /// The next one that nobody has taken in time.
    pub(super) async fn left_behind(&mut self) -> Arc<Handed> {
        loop {
            match self.0.front() {
                Some((due, _)) => sleep_until(*due).await,
                None => std::future::pending().await,
            }
            if let Some((_, handed)) = self.0.pop_front()
                && handed.is_waiting()
            {
                return handed;
            }
        }
    }
}

/// The runtime for what the server's own one leaves behind, from when it is needed.
#[derive(Debug, Default)]
pub(super) struct Standby(OnceLock<Option<Runtime>>);

impl Standby {
    /// `None` where there are no threads to be had.
    pub(super) fn handle(&self) -> Option<&Handle> {
        let runtime = self.0.get_or_init(|| {
            tracing::warn!("the threads that serve take no connections: others serve beside them");
            Builder::new_multi_thread()
                .worker_threads(STANDBY_THREADS)
                .thread_name("maas-standby")
                .enable_all()
                .build()
                .inspect_err(|error| tracing::error!(%error, "no more threads can be had"))
                .ok()
        });
        runtime.as_ref().map(Runtime::handle)
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        if let Some(Some(runtime)) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
