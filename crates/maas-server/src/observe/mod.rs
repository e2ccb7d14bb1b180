//! What operators see of a server: metrics, spans and ids of requests.

mod exposition;
mod front;
mod insides;
mod metrics;
mod page;
mod process;
mod request_id;
mod status;
mod trace;
mod traffic;
mod triton;

pub(crate) use front::{Front, record};
pub(crate) use metrics::metrics;
pub(crate) use page::page;
pub(crate) use status::status;
pub(crate) use traffic::Traffic;
