//! The terms of a request that stand beside it: until when it is of use, and whose it is.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use maas_schedule::{Clock, SystemClock};
use maas_service::InferRequest;

use super::Refusal;
use crate::access::Caller;
use crate::wire::TIMEOUT;

/// The client's own limit, and that which Envoy passes on.
const TIMEOUTS: [HeaderName; 2] = [
    TIMEOUT,
    HeaderName::from_static("x-envoy-expected-rq-timeout-ms"),
];
/// Later than that nobody waits any more.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Sets them from the headers and the caller.
pub(super) fn apply(
    headers: &HeaderMap,
    caller: Option<&Caller>,
    request: &mut InferRequest,
) -> Result<(), Refusal> {
    for name in TIMEOUTS {
        let Some(value) = headers.get(&name) else {
            continue;
        };
        let milliseconds = value
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse().ok());
        let milliseconds = milliseconds.ok_or_else(|| {
            Refusal::bad(format!(
                "{name} must be a number of milliseconds, found {value:?}"
            ))
        })?;
        if milliseconds != 0 {
            within(request, Duration::from_millis(milliseconds));
        }
    }
    request.tenant = caller.map(|caller| Arc::clone(&caller.0));
    Ok(())
}

/// Of several deadlines the first counts.
fn within(request: &mut InferRequest, time: Duration) {
    let deadline = SystemClock.now() + time.min(LONGEST);
    request.deadline = Some(
        request
            .deadline
            .map_or(deadline, |other| other.min(deadline)),
    );
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what is tested is there")]

    use super::*;

    fn left(request: &InferRequest) -> Duration {
        request.deadline.unwrap().since(SystemClock.now())
    }

    #[test]
    fn the_first_deadline_counts() {
        let mut headers = HeaderMap::new();
        headers.insert(&TIMEOUTS[0], "60000".parse().unwrap());
        headers.insert(&TIMEOUTS[1], "50000".parse().unwrap());
        let mut request = InferRequest::new("m");
        apply(&headers, None, &mut request).unwrap();
        assert!((40..=50).contains(&left(&request).as_secs()));
        headers.insert(&TIMEOUTS[0], "soon".parse().unwrap());
        let refusal = apply(&headers, None, &mut request).unwrap_err();
        assert_eq!(
            refusal.message,
            "x-request-timeout-ms must be a number of milliseconds, found \"soon\""
        );
    }

    #[test]
    fn the_caller_is_the_tenant() {
        let mut request = InferRequest::new("m");
        apply(
            &HeaderMap::new(),
            Some(&Caller("shop".into())),
            &mut request,
        )
        .unwrap();
        assert_eq!(request.tenant.as_deref(), Some("shop"));
    }
}
