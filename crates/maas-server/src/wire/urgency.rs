use std::time::Duration;

use maas_schedule::{Clock, SystemClock};
use maas_service::{InferRequest, Parameter, Parameters, Priority};

const PRIORITY: &str = "priority";
const TIMEOUT: &str = "timeout";

/// Takes out of a request's parameters what the protocol says of its haste: `priority`, of which 1 is the highest and 0
/// the usual one, and `timeout`, the microseconds that the request may wait.
pub(crate) fn urgency(request: &mut InferRequest) -> Result<(), String> {
    if let Some(priority) = whole(&request.parameters, PRIORITY)? {
        request.priority = match priority {
            0 | 2 => Priority::Normal,
            1 => Priority::High,
            _ => Priority::Low,
        };
    }
    if let Some(timeout) = whole(&request.parameters, TIMEOUT)?
        && timeout > 0
    {
        let timeout = SystemClock.now() + Duration::from_micros(timeout);
        let deadline = request
            .deadline
            .map_or(timeout, |deadline| deadline.min(timeout));
        request.deadline = Some(deadline);
    }
    let names = [PRIORITY, TIMEOUT];
    if names
        .iter()
        .any(|name| request.parameters.get(name).is_some())
    {
        let all = std::mem::take(&mut request.parameters).into_iter();
        let others = all.filter(|(name, _)| !names.contains(&&**name));
        request.parameters = others.collect();
    }
    Ok(())
}

fn whole(parameters: &Parameters, name: &str) -> Result<Option<u64>, String> {
    let value = |parameter: &Parameter| {
        parameter.as_u64().ok_or_else(|| {
            format!("parameter `{name}` must be a whole number that is not negative, found {parameter:?}")
        })
    };
    parameters.get(name).map(value).transpose()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends where something fails")]
mod tests {
    use super::*;

    #[test]
    fn priorities_and_timeouts_are_no_parameters_of_the_model() {
        for (value, priority) in [
            (0_u64, Priority::Normal),
            (1, Priority::High),
            (2, Priority::Normal),
            (9, Priority::Low),
        ] {
            let mut request = InferRequest::new("m")
                .parameter("priority", value)
                .parameter("a", 1_i64);
            urgency(&mut request).unwrap();
            assert_eq!(request.priority, priority);
            assert_eq!(request.deadline, None);
            assert_eq!(
                request
                    .parameters
                    .iter()
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>(),
                ["a"]
            );
        }
        let mut request = InferRequest::new("m").parameter("timeout", 0_u64);
        urgency(&mut request).unwrap();
        assert_eq!(request.deadline, None);
        let soon = SystemClock.now();
        let mut request = InferRequest::new("m")
            .parameter("timeout", 1_000_u64)
            .deadline(soon);
        urgency(&mut request).unwrap();
        assert_eq!(
            (request.deadline, request.parameters.len()),
            (Some(soon), 0)
        );
        let mut request = InferRequest::new("m").parameter("timeout", u64::MAX);
        urgency(&mut request).unwrap();
        assert!(request.deadline.unwrap() > soon);
    }

    #[test]
    fn what_is_no_whole_number_is_refused() {
        for (name, value) in [("priority", "1"), ("timeout", "1")] {
            let error = urgency(&mut InferRequest::new("m").parameter(name, value)).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert!(urgency(&mut InferRequest::new("m").parameter("priority", -1_i64)).is_err());
    }
}
