//! Where connections live: the answers that callers await come through channels, so callers need no runtime.

use std::future::Future;
use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime as Tokio};
use tokio::task::JoinHandle;
use tokio::time::{self, Timeout};

use crate::Error;

/// Moves the bytes of connections.
#[derive(Clone, Debug)]
pub(super) struct Runtime(Handle);

impl Runtime {
    /// One that all clients of the process share and that never ends: a runtime of the caller might end before its clients
    /// do, and who blocks its only thread on an answer would block the connection as well.
    pub(super) fn shared() -> Result<Self, Error> {
        static SHARED: LazyLock<io::Result<Tokio>> = LazyLock::new(|| {
            Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("maas-client")
                .enable_all()
                .build()
        });
        match &*SHARED {
            Ok(runtime) => Ok(Self(runtime.handle().clone())),
            Err(error) => Err(Error::Runtime(error.kind().into())),
        }
    }

    pub(super) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.0.spawn(future)
    }

    /// What the closure makes within the runtime.
    #[cfg(feature = "grpc")]
    pub(super) fn enter<T>(&self, make: impl FnOnce() -> T) -> T {
        let _entered = self.0.enter();
        make()
    }

    /// The future's output, if it is there in time.
    pub(super) fn within<F: Future>(&self, limit: Duration, future: F) -> Timeout<F> {
        let _entered = self.0.enter();
        time::timeout(limit, future)
    }
}

/// They only move bytes.
const THREADS: usize = 2;
