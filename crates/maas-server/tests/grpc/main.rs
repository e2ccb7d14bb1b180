//! The protocol over gRPC, asked with tonic's client over a real socket.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod bare;
mod callers;
mod calls;
mod drain;
mod errors;
mod forms;
mod framing;
mod messages;
mod metadata;
mod port;
mod repository;
mod statistics;
mod streams;
mod told;
mod types;
mod versions;
mod watching;

mod proto {
    #![allow(
        dead_code,
        missing_docs,
        unreachable_pub,
        clippy::all,
        reason = "generated code"
    )]
    include!("../../src/grpc/generated/inference.rs");
}
