//! Times of calls, taken in turns, so that what disturbs a machine disturbs all of them.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How long a call takes.
///
/// ```
/// use std::time::Duration;
/// use maas_compress::Latency;
///
/// let latency = Latency { median: Duration::from_nanos(3_210), p99: Duration::from_micros(5) };
/// assert_eq!(latency.to_string(), "3.21 µs");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Microseconds", from = "Microseconds")]
pub struct Latency {
    /// Half of the calls took no longer.
    pub median: Duration,
    /// 99 of 100 calls took no longer.
    pub p99: Duration,
}

/// A latency in files.
#[derive(Serialize, Deserialize)]
struct Microseconds {
    median_us: f64,
    p99_us: f64,
}

impl From<Latency> for Microseconds {
    fn from(latency: Latency) -> Self {
        let microseconds = |time: Duration| time.as_nanos() as f64 / 1e3;
        Self {
            median_us: microseconds(latency.median),
            p99_us: microseconds(latency.p99),
        }
    }
}

impl From<Microseconds> for Latency {
    fn from(microseconds: Microseconds) -> Self {
        let time = |us: f64| Duration::from_nanos((us.max(0.0) * 1e3).round() as u64);
        Self {
            median: time(microseconds.median_us),
            p99: time(microseconds.p99_us),
        }
    }
}

impl std::fmt::Display for Latency {
    /// The median, to three digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nanoseconds = self.median.as_nanos() as f64;
        let (number, unit) = match nanoseconds {
            ..1e3 => (nanoseconds, "ns"),
            ..1e6 => (nanoseconds / 1e3, "µs"),
            ..1e9 => (nanoseconds / 1e6, "ms"),
            _ => (nanoseconds / 1e9, "s"),
        };
        let digits = match number {
            ..10.0 => 2,
            ..100.0 => 1,
            _ => 0,
        };
        write!(f, "{number:.digits$} {unit}")
    }
}

/// Calls each of these in turns, for about `budget` each, and at least eleven times.
///
/// # Errors
/// The first that a call reports.
pub(crate) fn in_turns<E>(
    budget: Duration,
    calls: &mut [&mut dyn FnMut() -> Result<(), E>],
) -> Result<Vec<Latency>, E> {
    let mut times = vec![Vec::new(); calls.len()];
    let mut spent = vec![Duration::ZERO; calls.len()];
    while spent.iter().any(|&spent| spent < budget) || times[0].len() < LEAST {
        for ((call, times), spent) in calls.iter_mut().zip(&mut times).zip(&mut spent) {
            // What the others have left in the caches is not this one's fault.
            call()?;
            for _ in 0..IN_A_ROW {
                let start = Instant::now();
                call()?;
                let time = start.elapsed();
                times.push(time);
                *spent += time;
            }
        }
    }
    Ok(times.into_iter().map(latency).collect())
}

fn latency(mut times: Vec<Duration>) -> Latency {
    times.sort_unstable();
    let at = |fraction: f64| times[((times.len() - 1) as f64 * fraction).round() as usize];
    Latency {
        median: at(0.5),
        p99: at(0.99),
    }
}

/// The fewest times of each call.
const LEAST: usize = 11;

/// Times of a call before it is the others' turn.
const IN_A_ROW: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_has_half_of_the_times_below() {
        let times = (1..=101).rev().map(Duration::from_nanos).collect();
        let expected = Latency {
            median: Duration::from_nanos(51),
            p99: Duration::from_nanos(100),
        };
        assert_eq!(latency(times), expected);
    }

    #[test]
    fn calls_take_turns() {
        let order = std::cell::RefCell::new(Vec::new());
        let mut a = || {
            order.borrow_mut().push('a');
            Ok::<(), ()>(())
        };
        let mut b = || {
            order.borrow_mut().push('b');
            Ok(())
        };
        let latencies = in_turns(Duration::ZERO, &mut [&mut a, &mut b]).unwrap();
        assert_eq!(latencies.len(), 2);
        let order = order.into_inner();
        assert_eq!(
            order.iter().filter(|&&call| call == 'a').count(),
            order.len() / 2
        );
        assert_ne!(order.last(), order.first());
    }

    #[test]
    fn a_call_that_fails_ends_it() {
        let mut calls = 0;
        let mut fails = || {
            calls += 1;
            Err::<(), _>("no")
        };
        assert_eq!(
            in_turns(Duration::from_secs(9), &mut [&mut fails]),
            Err("no")
        );
        assert_eq!(calls, 1);
    }
}
