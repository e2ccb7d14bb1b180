//! Those who ask: a blocking client, and models elsewhere as services.

mod address;
mod blocking;
mod connect;
mod dial;
mod http;
mod metadata;
mod remote;
mod rest;
mod runtime;
mod state;
mod terms;
#[cfg(feature = "tls")]
mod tls;
mod way;

pub use blocking::Client;
pub use connect::Connect;
#[cfg(feature = "grpc")]
pub(crate) use dial::Dial;
pub use remote::RemoteModel;
#[cfg(all(feature = "grpc", feature = "tls"))]
pub(crate) use tls::untrusted;
#[cfg(feature = "tls")]
pub use tls::{ClientTls, TlsFailure};
