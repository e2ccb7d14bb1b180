//! Errors as gRPC statuses.

use std::time::Duration;

use maas_service::{ErrorKind, ServeError};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::Error;
use crate::told::told;
use crate::wire::{PUSHBACK, Rejection};

pub(super) fn of(error: &ServeError) -> Status {
    let mut status = Status::new(code(error.kind()), told(error));
    if let Some(wait) = error.retry_after() {
        let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let value = MetadataValue::from(milliseconds);
        status.metadata_mut().insert(PUSHBACK, value);
    }
    status
}

/// When a server said that it is worth asking again.
pub(super) fn retry_after(status: &Status) -> Option<Duration> {
    let milliseconds = status.metadata().get(PUSHBACK)?.to_str().ok()?;
    milliseconds.parse().ok().map(Duration::from_millis)
}

pub(super) fn of_rejection(rejection: Rejection) -> Status {
    let code = match rejection {
        Rejection::Malformed(_) => Code::InvalidArgument,
        Rejection::Unsupported(_) => Code::Unimplemented,
    };
    Status::new(code, rejection.into_reason())
}

/// What becomes of a stream whose messages cannot be read on. tonic has `OUT_OF_RANGE` for one that is too long.
pub(super) fn of_broken(broken: Status) -> Status {
    match broken.code() {
        Code::OutOfRange => Status::resource_exhausted(broken.message()),
        _ => broken,
    }
}

pub(super) fn of_change(error: &Error) -> Status {
    match error {
        Error::Model(error) => of(error),
        error => Status::new(code(error.kind()), error.to_string()),
    }
}

fn code(kind: ErrorKind) -> Code {
    Code::from_i32(kind.grpc_code().into())
}
