//! The order in which a server ends.

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Limits;
use super::accept::Acceptor;
use crate::Error;
use crate::shared::Ending;

/// What a server is told to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    Serve,
    Drain,
    End,
}

/// Serves until the orders say otherwise or nobody can give any more; then says that it is not ready, serves on for the
/// delay, stops to listen and answers what is under way.
pub(super) async fn serve(
    mut orders: watch::Receiver<Order>,
    mut acceptor: Acceptor,
    ending: &watch::Sender<Ending>,
    limits: Limits,
) -> Result<(), Error> {
    let drain = async {
        let _ = orders.wait_for(|order| *order != Order::Serve).await;
    };
    acceptor.accept_until(drain).await;
    ending.send_replace(Ending::Draining);
    if !limits.drain_delay.is_zero() {
        acceptor.ask_to_leave();
        let delay = async {
            tokio::select! {
                () = told_to_end(&mut orders) => {}
                () = sleep(limits.drain_delay) => {}
            }
        };
        acceptor.accept_until(delay).await;
    }
    ending.send_replace(Ending::Closing);
    let mut connections = acceptor.close();
    tokio::select! {
        biased;
        () = all(&mut connections) => return Ok(()),
        () = told_to_end(&mut orders) => {}
        () = sleep(limits.drain_timeout) => {}
    }
    while connections.try_join_next().is_some() {}
    match connections.len() {
        0 => Ok(()),
        connections => Err(Error::CutOff { connections }),
    }
}

async fn told_to_end(orders: &mut watch::Receiver<Order>) {
    if orders.wait_for(|order| *order == Order::End).await.is_err() {
        std::future::pending::<()>().await;
    }
}

async fn all(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}
