//! Takes connections until the server is to end.

use std::future::Future;
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::connection::{Host, Phase};

/// A client that says nothing for so long is asked by TCP whether it is there, and then as often.
const SILENCE: Duration = Duration::from_secs(60);
const PROBES: Duration = Duration::from_secs(15);
/// How long to wait where no connection can be had: at first, and at most.
const PAUSE: Duration = Duration::from_millis(5);
const PAUSES: Duration = Duration::from_secs(1);

pub(super) struct Acceptor {
    listener: TcpListener,
    places: Arc<Semaphore>,
    host: Arc<Host>,
    phase: watch::Sender<Phase>,
    connections: JoinSet<()>,
}

impl Acceptor {
    pub(super) fn new(listener: TcpListener, host: Host) -> Self {
        let places = host.limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            listener,
            places: Arc::new(Semaphore::new(places)),
            host: Arc::new(host),
            phase: watch::Sender::new(Phase::Serving),
            connections: JoinSet::new(),
        }
    }

    /// Takes connections until `end`.
    pub(super) async fn accept_until(&mut self, end: impl Future<Output = ()>) {
        tokio::pin!(end);
        loop {
            tokio::select! {
                biased;
                () = &mut end => return,
                (stream, place) = next(&self.listener, &self.places) => self.serve(stream, place),
                Some(_) = self.connections.join_next() => {}
            }
        }
    }

    pub(super) fn ask_to_leave(&self) {
        self.phase.send_replace(Phase::Leaving);
    }

    /// Takes the connections that clients have already opened, stops to listen, and has all connections end.
    pub(super) fn close(mut self) -> JoinSet<()> {
        // Dropping a listener resets what waits in its queue.
        if let Ok(listener) = self.listener.into_std() {
            while let Some((stream, place)) = waiting(&listener, &self.places) {
                self.connections
                    .spawn(serve(&self.host, &self.phase, stream, place));
            }
        }
        self.phase.send_replace(Phase::Closing);
        self.connections
    }

    fn serve(&mut self, stream: TcpStream, place: OwnedSemaphorePermit) {
        let serving = serve(&self.host, &self.phase, stream, place);
        self.connections.spawn(serving);
    }
}

fn serve(
    host: &Arc<Host>,
    phase: &watch::Sender<Phase>,
    stream: TcpStream,
    place: OwnedSemaphorePermit,
) -> impl Future<Output = ()> + Send + use<> {
    // Without it small answers may wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(SILENCE).with_interval(PROBES);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    let (host, phase) = (Arc::clone(host), phase.subscribe());
    async move {
        host.serve(stream, phase).await;
        drop(place);
    }
}

/// The next connection and its place among those that may be open.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    let mut pause = PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) if client_has_gone(&error) => {}
            Err(error) => {
                // Most likely there are no file descriptors left: connections that end give theirs back.
                tracing::warn!(%error, ?pause, "no connection can be taken");
                sleep(pause).await;
                pause = (2 * pause).min(PAUSES);
            }
        }
    }
}

fn client_has_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

fn waiting(
    listener: &StdListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).try_acquire_owned().ok()?;
    let (stream, _) = listener.accept().ok()?;
    stream.set_nonblocking(true).ok()?;
    Some((TcpStream::from_std(stream).ok()?, place))
}
