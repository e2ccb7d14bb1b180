//! Connections: how they are taken, what they speak and how they end.

mod accept;
mod activity;
mod answer;
mod connection;
mod drain;
mod handed;
mod launch;
mod limits;
mod linger;
mod listen;
mod protocols;
mod refused;
mod running;
mod signals;
#[cfg(feature = "tls")]
mod tls;
mod wakes;
mod watched;

pub(crate) use launch::{Start, run_in_background, spawn};
pub(crate) use limits::Limits;
pub(crate) use listen::listen;
pub use running::RunningServer;
#[cfg(feature = "tls")]
pub use tls::Tls;
pub(crate) use wakes::Quiet;
