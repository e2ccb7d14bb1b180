//! Networks that become smaller and predict the same.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;
mod fold;
mod graphs;
mod kept;
mod laws;
mod oracle;
mod random;
mod units;
