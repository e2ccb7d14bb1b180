//! Starts a server, on the caller's runtime or on one of its own.

use std::future::Future;
use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::accept::Acceptor;
use super::connection::Host;
use super::drain::{self, Order};
use super::{Limits, RunningServer};
use crate::Error;
use crate::observe::Front;
use crate::shared::Shared;

pub(crate) fn spawn(
    listener: StdListener,
    front: Front,
    shared: Arc<Shared>,
    limits: Limits,
) -> Result<RunningServer, Error> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|_| Error::NoRuntime)?;
    let (running, serving) = start(listener, front, shared, limits)?;
    runtime.spawn(serving);
    Ok(running)
}

pub(crate) fn run_in_background(
    listener: StdListener,
    front: Front,
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
        start(listener, front, shared, limits)?
    };
    thread::Builder::new()
        .name("maas-server".to_owned())
        .spawn(move || runtime.block_on(serving))
        .map_err(Error::Runtime)?;
    Ok(running)
}

fn start(
    listener: StdListener,
    front: Front,
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
    let acceptor = Acceptor::new(listener, Host::new(front, Arc::clone(&shared), limits));
    let orders = watch::Sender::new(Order::Serve);
    let given = orders.subscribe();
    let (end, ended) = oneshot::channel();
    let serving = async move {
        let result = drain::serve(given, acceptor, &shared.draining, limits).await;
        // Nobody may wait for the end.
        let _ = end.send(result);
    };
    Ok((
        RunningServer {
            address,
            orders,
            ended,
        },
        serving,
    ))
}
