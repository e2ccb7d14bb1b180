use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Error;
use crate::rest::Shared;

/// A server that takes requests.
///
/// [`shutdown`](Self::shutdown) ends it in order. A running server that is dropped begins to end in the same way,
/// and nobody waits for it.
pub struct RunningServer {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<Result<(), Error>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) head_timeout: Duration,
    pub(crate) drain_timeout: Duration,
    pub(crate) connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs(30);
        Self {
            head_timeout: seconds,
            drain_timeout: seconds,
            connections: 1024,
        }
    }
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

pub(crate) fn spawn(
    listener: StdListener,
    router: Router,
    shared: Arc<Shared>,
    limits: Limits,
) -> Result<RunningServer, Error> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| Error::NoRuntime)?;
    let (running, serving) = start(listener, router, shared, limits)?;
    runtime.spawn(serving);
    Ok(running)
}

pub(crate) fn run_in_background(
    listener: StdListener,
    router: Router,
    shared: Arc<Shared>,
    limits: Limits,
) -> Result<RunningServer, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("maas-server")
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let (running, serving) = {
        let _within = runtime.enter();
        start(listener, router, shared, limits)?
    };
    thread::Builder::new()
        .name("maas-server".to_owned())
        .spawn(move || runtime.block_on(serving))
        .map_err(Error::Runtime)?;
    Ok(running)
}

fn start(
    listener: StdListener,
    router: Router,
    shared: Arc<Shared>,
    limits: Limits,
) -> Result<(RunningServer, impl Future<Output = ()> + Send), Error> {
    let bind_error = |source: io::Error| Error::Bind {
        address: "the socket".to_owned(),
        source,
    };
    let address = listener.local_addr().map_err(bind_error)?;
    listener.set_nonblocking(true).map_err(bind_error)?;
    let listener = TcpListener::from_std(listener).map_err(bind_error)?;
    let (stop, stopped) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let serving = async move {
        let result = accept_until(stopped, listener, router, &shared, limits).await;
        // Nobody may wait for the end.
        let _ = end.send(result);
    };
    Ok((
        RunningServer {
            address,
            stop,
            ended,
        },
        serving,
    ))
}

/// Serves until `stopped` has a message or its sender is gone, then drains.
async fn accept_until(
    stopped: oneshot::Receiver<()>,
    listener: TcpListener,
    router: Router,
    shared: &Shared,
    limits: Limits,
) -> Result<(), Error> {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(
        limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout);
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut stopped => break,
            accepted = next_connection(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, place)) = accepted else {
            break;
        };
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            // A connection that breaks is its client's affair.
            let _ = connection.await;
            drop(place);
        });
    }
    shared.draining.store(true, Ordering::Release);
    drop(listener);
    let drained = timeout(limits.drain_timeout, graceful.shutdown()).await;
    while connections.try_join_next().is_some() {}
    match drained {
        Ok(()) => Ok(()),
        Err(_) => Err(Error::CutOff {
            connections: connections.len(),
        }),
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection and its place among those that may be open; `None` when the places are gone for good.
async fn next_connection(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, Place)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without it small answers may wait for the client's acknowledgement.
                let _ = stream.set_nodelay(true);
                return Some((stream, place));
            }
            // Out of file descriptors, or the client has gone already: others may end meanwhile.
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}
