//! Times of calls, taken in turns, so that what disturbs a machine disturbs all of them.

use std::time::{Duration, Instant};

use maas_core::{Model, Tensor, TensorView};
use maas_data::Dataset;
use serde::{Deserialize, Serialize};

use super::runner::Runner;
use super::sample::Sample;
use super::target::Target;
use crate::Error;

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

impl Latency {
    /// How long calls of these models take on this machine, with as many of the first rows of these data as the target has.
    /// The calls take turns, so that what disturbs one disturbs all.
    ///
    /// # Errors
    /// [`Error::Core`] when the data do not fit a model, or a call fails.
    ///
    /// ```
    /// use maas_compress::{CompressedNetwork, Latency, Target};
    /// use maas_core::Seed;
    /// use maas_data::Dataset;
    /// use maas_nn::Sequential;
    /// use ndarray::Array2;
    ///
    /// let network = Sequential::rows(4).dense(8).relu().dense(1).build(Seed(7))?;
    /// let data = Dataset::unlabelled(Array2::ones((10, 4)).view()).unwrap();
    /// let packed = CompressedNetwork::new(network.clone())?;
    /// let [before, after] = Latency::compare([&network, &packed], &Target::default(), &data)?;
    /// println!("{before} before, {after} after");
    /// # Ok::<(), maas_compress::Error>(())
    /// ```
    pub fn compare<const N: usize>(
        models: [&dyn Model; N],
        target: &Target,
        data: &Dataset,
    ) -> Result<[Self; N], Error> {
        compare(models, target, &Sample::of(data, target.rows))
    }
}

/// How long calls of these models take on this sample, taken in turns.
pub(crate) fn compare<const N: usize>(
    models: [&dyn Model; N],
    target: &Target,
    sample: &Sample,
) -> Result<[Latency; N], Error> {
    let signatures = models.iter().map(|model| model.signature());
    let tensors: Vec<Vec<Tensor>> = signatures
        .map(|signature| sample.tensors(signature))
        .collect::<Result<_, _>>()?;
    let mut calls = Vec::with_capacity(N);
    for (model, tensors) in models.into_iter().zip(&tensors) {
        let inputs: Vec<TensorView<'_>> = tensors.iter().map(Tensor::view).collect();
        let mut runner = Runner::new(model, target)?;
        calls.push(move || runner.call(&inputs));
    }
    let mut calls: Vec<&mut dyn FnMut() -> _> = calls.iter_mut().map(|call| call as _).collect();
    let latencies = in_turns(BUDGET, &mut calls)?;
    Ok(latencies.try_into().expect("each call has its latency"))
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

/// How long each model is timed.
const BUDGET: Duration = Duration::from_millis(50);

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
