use std::fmt;
use std::net::SocketAddr;

use tokio::sync::oneshot;

use crate::Error;

/// A server that takes requests.
///
/// [`shutdown`](Self::shutdown) ends it in order. A running server that is dropped begins to end in the same way,
/// and nobody waits for it.
pub struct RunningServer {
    pub(super) address: SocketAddr,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) ended: oneshot::Receiver<Result<(), Error>>,
}

impl RunningServer {
    /// The address that it listens on.
    ///
    /// ```
    /// let server = maas_server::Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// assert!(server.addr().ip().is_loopback());
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address as clients want it: `http://HOST:PORT`.
    ///
    /// ```
    /// let server = maas_server::Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// assert_eq!(server.url(), format!("http://{}", server.addr()));
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new connections, answers what has begun, and ends.
    ///
    /// # Errors
    ///
    /// [`Error::CutOff`] when requests were still not answered after the drain timeout.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// maas_server::Server::new().bind("127.0.0.1:0").spawn().await?.shutdown().await
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn shutdown(self) -> Result<(), Error> {
        // If nobody listens any more, the server has ended, and says how.
        let _ = self.stop.send(());
        self.ended.await.unwrap_or(Err(Error::Ended))
    }

    /// As [`shutdown`](Self::shutdown), blocking this thread.
    ///
    /// # Errors
    ///
    /// Those of [`shutdown`](Self::shutdown).
    ///
    /// # Panics
    ///
    /// On a thread that runs asynchronous tasks: use [`shutdown`](Self::shutdown) there.
    ///
    /// ```
    /// maas_server::Server::new().bind("127.0.0.1:0").run_in_background()?.shutdown_blocking()?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn shutdown_blocking(self) -> Result<(), Error> {
        let _ = self.stop.send(());
        self.ended.blocking_recv().unwrap_or(Err(Error::Ended))
    }

    /// Blocks this thread for as long as the server runs: until the process ends.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] when the server ends by itself.
    ///
    /// # Panics
    ///
    /// On a thread that runs asynchronous tasks.
    ///
    /// ```no_run
    /// maas_server::Server::new().bind("127.0.0.1:0").run_in_background()?.wait_blocking()?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn wait_blocking(self) -> Result<(), Error> {
        let Self { stop, ended, .. } = self;
        let result = ended.blocking_recv().unwrap_or(Err(Error::Ended));
        drop(stop);
        result
    }
}

impl fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
