//! What a request says of its haste, as parameters of the protocol.

use std::time::Duration;

use maas_schedule::{Clock, Priority, SystemClock};
use maas_service::{InferRequest, ServeError};

/// Microseconds until the answer is of no use.
const TIMEOUT: &str = "timeout";
/// 1 is the highest; 0, or nothing, is the usual one.
const PRIORITY: &str = "priority";

/// How long is waited for the answer: `most`, or until the request's deadline.
pub(super) fn limit(request: &InferRequest, most: Duration) -> Result<Duration, ServeError> {
    let Some(deadline) = request.deadline else {
        return Ok(most);
    };
    let now = SystemClock.now();
    if deadline <= now {
        let late = now.since(deadline);
        return Err(ServeError::Expired { late });
    }
    Ok(deadline.since(now).min(most))
}

/// Writes deadline and priority into the parameters, where the server reads them.
pub(super) fn write(request: &mut InferRequest) {
    if let Some(deadline) = request.deadline {
        let rest = deadline.since(SystemClock.now()).as_micros();
        let rest = i64::try_from(rest).unwrap_or(i64::MAX);
        request.parameters.set(TIMEOUT, rest.max(1));
    }
    match request.priority {
        Priority::High => request.parameters.set(PRIORITY, 1_i64),
        Priority::Normal => {}
        Priority::Low => request.parameters.set(PRIORITY, 3_i64),
    }
}
