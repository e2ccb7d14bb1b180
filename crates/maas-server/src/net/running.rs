use std::fmt;
use std::net::SocketAddr;

use tokio::sync::{oneshot, watch};

use super::drain::Order;
use super::signals::Signals;
use crate::Error;

/// A server that takes requests.
///
/// [`shutdown`](Self::shutdown) ends it in order. A running server that is dropped begins to end in the same way,
/// and nobody waits for it.
pub struct RunningServer {
    pub(super) address: SocketAddr,
    pub(super) scheme: &'static str,
    pub(super) orders: watch::Sender<Order>,
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

    /// The address as clients want it: `http://HOST:PORT`, or `https://HOST:PORT` with TLS.
    ///
    /// ```
    /// let server = maas_server::Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// assert_eq!(server.url(), format!("http://{}", server.addr()));
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Ends in order: it is not ready from now on, serves on for the [delay](crate::Server::drain_delay) and asks
    /// clients to leave, then takes no new connections, answers what has begun, and closes.
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
        self.orders.send_replace(Order::Drain);
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
        self.orders.send_replace(Order::Drain);
        self.ended.blocking_recv().unwrap_or(Err(Error::Ended))
    }

    /// Runs until the process is asked to end (SIGTERM or SIGINT; Ctrl-C where there are no signals), then ends in order
    /// as by [`shutdown`](Self::shutdown). A second request ends it at once. Signals are caught from this call on, whenever its
    /// future is awaited.
    ///
    /// # Errors
    ///
    /// Those of [`shutdown`](Self::shutdown), and [`Error::Signals`] when the system gives none.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O.
    ///
    /// ```no_run
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// maas_server::Server::new().bind("0.0.0.0:8000").spawn().await?.until_signal().await
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn until_signal(mut self) -> impl Future<Output = Result<(), Error>> + Send {
        let signals = Signals::new().map_err(Error::Signals);
        async move {
            let mut signals = signals?;
            for order in [Order::Drain, Order::End] {
                tokio::select! {
                    biased;
                    result = &mut self.ended => return result.unwrap_or(Err(Error::Ended)),
                    () = signals.next() => self.orders.send_replace(order),
                };
            }
            self.ended.await.unwrap_or(Err(Error::Ended))
        }
    }

    /// As [`until_signal`](Self::until_signal), blocking this thread.
    ///
    /// # Errors
    ///
    /// Those of [`until_signal`](Self::until_signal), and [`Error::Runtime`] when there are no means to wait.
    ///
    /// # Panics
    ///
    /// On a thread that runs asynchronous tasks.
    ///
    /// ```no_run
    /// maas_server::Server::new().bind("0.0.0.0:8000").run_in_background()?.until_signal_blocking()?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn until_signal_blocking(self) -> Result<(), Error> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::Runtime)?
            .block_on(async { self.until_signal().await })
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
        let Self { orders, ended, .. } = self;
        let result = ended.blocking_recv().unwrap_or(Err(Error::Ended));
        drop(orders);
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
