//! Services around services.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

mod all;
#[cfg(feature = "cache")]
mod cache;
mod fallback;
mod limit;
mod script;
mod tap;
mod timeout;
mod timer;
mod versions;
