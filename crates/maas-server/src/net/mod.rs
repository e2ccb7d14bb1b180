//! Connections: how they are taken, what they speak and how they end.

mod accept;
mod launch;
mod limits;
mod protocols;
mod running;

pub(crate) use launch::{run_in_background, spawn};
pub(crate) use limits::Limits;
pub use running::RunningServer;
