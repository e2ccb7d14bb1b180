//! Starts a server, on the caller's runtime or on one of its own.

use std::io;
use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{oneshot, watch};

#[cfg(feature = "tls")]
use super::Tls;
use super::accept::Acceptor;
use super::connection::Host;
use super::drain::{self, Order};
use super::handed::Standby;
use super::{Limits, RunningServer};
use crate::Error;
use crate::observe::Front;
use crate::shared::Shared;

/// What a server consists of when it starts.
pub(crate) struct Start {
    pub(crate) listener: StdListener,
    pub(crate) front: Front,
    pub(crate) shared: Arc<Shared>,
    pub(crate) limits: Limits,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<Tls>,
}

impl Start {
    fn scheme(&self) -> &'static str {
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            return "https";
        }
        "http"
    }
}

pub(crate) fn spawn(start: Start) -> Result<RunningServer, Error> {
    let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
    begin(start, runtime, None)
}

pub(crate) fn run_in_background(start: Start) -> Result<RunningServer, Error> {
    let runtime = Builder::new_multi_thread()
        .thread_name("maas-server")
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    begin(start, runtime.handle().clone(), Some(runtime))
}

/// Connections are accepted, and the server is ended, on a thread of its own: no model runs there, so that none can hold it.
/// They are served on `runtime`.
fn begin(start: Start, runtime: Handle, own: Option<Runtime>) -> Result<RunningServer, Error> {
    let bind_error = |source: io::Error| Error::Bind {
        address: "the socket".to_owned(),
        source,
    };
    let scheme = start.scheme();
    let (shared, limits) = (Arc::clone(&start.shared), start.limits);
    let listener = start.listener;
    let address = listener.local_addr().map_err(bind_error)?;
    listener.set_nonblocking(true).map_err(bind_error)?;
    let host = Host::new(start.front, start.shared, limits);
    #[cfg(feature = "tls")]
    let host = host.behind(start.tls);
    let control = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let listener = {
        let _within = control.enter();
        TcpListener::from_std(listener).map_err(bind_error)?
    };
    let standby = Arc::new(Standby::default());
    let acceptor = Acceptor::new(listener, host, runtime.clone(), Arc::clone(&standby));
    let orders = watch::Sender::new(Order::Serve);
    let given = orders.subscribe();
    let (end, ended) = oneshot::channel();
    let serving = async move {
        let (life, over) = oneshot::channel::<()>();
        let living = runtime.spawn(async move {
            let _life = life;
            std::future::pending::<()>().await;
        });
        tokio::select! {
            result = drain::serve(given, acceptor, &shared.ending, limits) => {
                // Nobody may wait for the end.
                let _ = end.send(result);
            }
            // The runtime is gone, and its connections with it.
            _ = over => {}
        }
        living.abort();
    };
    thread::Builder::new()
        .name("maas-server".to_owned())
        .spawn(move || {
            control.block_on(serving);
            drop((standby, own));
        })
        .map_err(Error::Runtime)?;
    Ok(RunningServer {
        address,
        scheme,
        orders,
        ended,
    })
}
