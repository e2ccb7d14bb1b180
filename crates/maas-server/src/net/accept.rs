//! Takes connections until the server is to end, and waits for those that are busy.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::Limits;
use super::protocols::protocols;
use crate::Error;
use crate::observe::Front;
use crate::shared::Shared;

/// Serves until `stopped` has a message or its sender is gone, then drains.
pub(super) async fn accept_until(
    stopped: oneshot::Receiver<()>,
    listener: TcpListener,
    front: Front,
    shared: &Arc<Shared>,
    limits: Limits,
) -> Result<(), Error> {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(
        limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let protocols = protocols(&limits);
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
        let connected = Arc::clone(shared);
        let connection = graceful.watch(
            protocols
                .serve_connection(TokioIo::new(stream), front.clone())
                .into_owned(),
        );
        connections.spawn(async move {
            let _connected = connected.traffic.connect();
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
