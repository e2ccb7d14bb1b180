//! Those who ask: a blocking client, and models elsewhere as services.

mod address;
mod blocking;
mod connect;
mod http;
mod metadata;
mod remote;
mod rest;
mod runtime;
mod state;
mod terms;
mod way;

pub use blocking::Client;
pub use connect::Connect;
pub use remote::RemoteModel;
