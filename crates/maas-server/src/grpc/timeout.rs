//! How long a client waits for its answer.

use std::time::Duration;

use maas_schedule::{Clock, Moment, SystemClock};
use tonic::Status;
use tonic::metadata::MetadataMap;

/// When the answer is of no use any more, which the header `grpc-timeout` says: at most eight digits and a unit.
pub(super) fn deadline(metadata: &MetadataMap) -> Result<Option<Moment>, Status> {
    let Some(value) = metadata.get("grpc-timeout") else {
        return Ok(None);
    };
    let duration = value.to_str().ok().and_then(parse);
    let malformed = || {
        Status::invalid_argument(format!(
            "grpc-timeout must be at most 8 digits and one of H, M, S, m, u, n, found {value:?}"
        ))
    };
    let duration = duration.ok_or_else(malformed)?;
    Ok(Some(SystemClock.now() + duration))
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = is_number.then(|| digits.parse().ok())??;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_a_unit() {
        assert_eq!(parse("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parse("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parse("4S"), Some(Duration::from_secs(4)));
        assert_eq!(parse("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(parse("5u"), Some(Duration::from_micros(5)));
        assert_eq!(parse("0n"), Some(Duration::ZERO));
        for text in [
            "",
            "S",
            "1",
            "1s",
            "+1S",
            "-1S",
            "1.5S",
            "123456789S",
            "1 S",
            "1é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
