//! Takes connections until the server is to end.

use std::future::Future;
use std::io;
use std::net::TcpStream as StdStream;
use std::sync::Arc;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use super::connection::{Host, Phase};
use super::handed::{Handed, OnTheirWay, Standby};

/// A client that says nothing for so long is asked by TCP whether it is there, and then as often.
const SILENCE: Duration = Duration::from_secs(60);
const PROBES: Duration = Duration::from_secs(15);
/// As often some thread of the runtime is woken.
const PULSE: Duration = Duration::from_millis(250);
/// How long to wait where no connection can be had: at first, and at most.
const PAUSE: Duration = Duration::from_millis(5);
const PAUSES: Duration = Duration::from_secs(1);

pub(super) struct Acceptor {
    listener: TcpListener,
    places: Arc<Semaphore>,
    host: Arc<Host>,
    phase: watch::Sender<Phase>,
    connections: JoinSet<()>,
    /// Where connections are served.
    runtime: Handle,
    on_their_way: OnTheirWay,
    standby: Arc<Standby>,
}

impl Acceptor {
    pub(super) fn new(
        listener: TcpListener,
        host: Host,
        runtime: Handle,
        standby: Arc<Standby>,
    ) -> Self {
        let places = host.limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            listener,
            places: Arc::new(Semaphore::new(places)),
            host: Arc::new(host),
            phase: watch::Sender::new(Phase::Serving),
            connections: JoinSet::new(),
            runtime,
            on_their_way: OnTheirWay::default(),
            standby,
        }
    }

    /// Takes connections until `end`.
    pub(super) async fn accept_until(&mut self, end: impl Future<Output = ()>) {
        tokio::pin!(end);
        let mut pulse = interval(PULSE);
        loop {
            tokio::select! {
                biased;
                () = &mut end => return,
                handed = self.on_their_way.left_behind() => {
                    if let Some(standby) = self.standby.handle().cloned() {
                        self.serve(handed, &standby);
                    }
                }
                (stream, place) = next(&self.listener, &self.places) => {
                    let handed = Handed::new(stream, place);
                    self.on_their_way.push(Arc::clone(&handed));
                    self.serve(handed, &self.runtime.clone());
                }
                Some(_) = self.connections.join_next() => {}
                // A thread of the runtime that has looked after its sockets, and is then held by a model, wakes none of the others.
                _ = pulse.tick() => drop(self.runtime.spawn(async {})),
            }
        }
    }

    pub(super) fn ask_to_leave(&self) {
        self.phase.send_replace(Phase::Leaving);
    }

    /// Takes the connections that clients have already opened, stops to listen, and has all connections end.
    pub(super) fn close(mut self) -> JoinSet<()> {
        // Dropping a listener resets what waits in its queue.
        while let Some((stream, place)) = waiting(&self.listener, &self.places) {
            self.serve(Handed::new(stream, place), &self.runtime.clone());
        }
        self.phase.send_replace(Phase::Closing);
        self.connections
    }

    fn serve(&mut self, handed: Arc<Handed>, runtime: &Handle) {
        let (host, phase) = (Arc::clone(&self.host), self.phase.subscribe());
        let serving = async move {
            if let Some((stream, _place)) = handed.take()
                && let Ok(stream) = TcpStream::from_std(stream)
            {
                host.serve(stream, phase).await;
            }
        };
        self.connections.spawn_on(serving, runtime);
    }
}

fn prepare(stream: &StdStream) {
    // Without it small answers may wait for the client's acknowledgement.
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new().with_time(SILENCE).with_interval(PROBES);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// The next connection and its place among those that may be open.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (StdStream, OwnedSemaphorePermit) {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    let mut pause = PAUSE;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // It belongs to the runtime that takes it.
                if let Ok(stream) = stream.into_std() {
                    prepare(&stream);
                    return (stream, place);
                }
            }
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
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(StdStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).try_acquire_owned().ok()?;
    let (socket, _) = SockRef::from(listener).accept().ok()?;
    socket.set_nonblocking(true).ok()?;
    let stream = socket.into();
    prepare(&stream);
    Some((stream, place))
}
