//! What became of the requests to one version of a model.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use maas_service::{ErrorKind, InferResponse, Protocol, ServeError, Spent};

use super::batches::{Batches, OfSize};
use super::histogram::{Durations, Histogram};
use crate::striped::Striped;

/// Counts, without a lock.
#[derive(Debug, Default)]
pub(crate) struct Statistics(Striped<Counts>);

#[derive(Debug, Default)]
struct Counts {
    protocols: [OfProtocol; Protocols::ALL.len()],
    queue: Histogram,
    compute: Histogram,
    batches: Batches,
    rows: AtomicU64,
    /// Milliseconds of Unix time.
    last: AtomicU64,
}

#[derive(Debug, Default)]
struct OfProtocol {
    /// By [`Outcome`].
    counts: [AtomicU64; Outcome::ALL.len()],
    succeeded: Histogram,
    failed: Histogram,
}

struct Protocols;

impl Protocols {
    const ALL: [Protocol; 3] = [Protocol::Local, Protocol::Http, Protocol::Grpc];

    fn position(protocol: Protocol) -> usize {
        let mut all = Self::ALL.iter();
        all.position(|&known| known == protocol).unwrap_or(0)
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    /// Nobody waited for the answer any more.
    Cancelled,
    Failed(ErrorKind),
}

impl Outcome {
    pub(crate) const ALL: [(Self, &'static str); 10] = [
        (Self::Ok, "ok"),
        (Self::Cancelled, "cancelled"),
        (Self::Failed(ErrorKind::NotFound), "not_found"),
        (Self::Failed(ErrorKind::Invalid), "invalid"),
        (Self::Failed(ErrorKind::Limited), "limited"),
        (Self::Failed(ErrorKind::Overloaded), "overloaded"),
        (Self::Failed(ErrorKind::Unavailable), "unavailable"),
        (Self::Failed(ErrorKind::Deadline), "deadline"),
        (Self::Failed(ErrorKind::Unsupported), "unsupported"),
        // The last one stands for kinds that are not known here.
        (Self::Failed(ErrorKind::Internal), "internal"),
    ];

    fn of(result: &Result<InferResponse, ServeError>) -> Self {
        match result {
            Ok(_) => Self::Ok,
            Err(error) => Self::Failed(error.kind()),
        }
    }

    fn position(self) -> usize {
        let mut all = Self::ALL.iter();
        all.position(|&(outcome, _)| outcome == self)
            .unwrap_or(Self::ALL.len() - 1)
    }
}

impl Statistics {
    pub(crate) fn record(
        &self,
        protocol: Protocol,
        rows: usize,
        took: Duration,
        result: &Result<InferResponse, ServeError>,
    ) {
        let counts = self.0.own();
        counts.count(protocol, Outcome::of(result), took);
        if let Ok(response) = result {
            counts.add(rows, response.spent);
        }
    }

    /// Counts a request that nobody waits for any more.
    pub(crate) fn count(&self, protocol: Protocol, outcome: Outcome, took: Duration) {
        self.0.own().count(protocol, outcome, took);
    }

    /// All counts; each is right, and they may be of slightly different moments.
    pub(crate) fn read(&self) -> Read {
        let all = || self.0.iter();
        let of = |protocol: usize| all().map(move |counts| &counts.protocols[protocol]);
        Read {
            protocols: std::array::from_fn(|protocol| ReadOfProtocol {
                protocol: Protocols::ALL[protocol],
                counts: std::array::from_fn(|outcome| {
                    let counts = of(protocol).map(|of| of.counts[outcome].load(Relaxed));
                    counts.sum()
                }),
                succeeded: of(protocol).map(|of| of.succeeded.read()).sum(),
                failed: of(protocol).map(|of| of.failed.read()).sum(),
            }),
            queue: all().map(|counts| counts.queue.read()).sum(),
            compute: all().map(|counts| counts.compute.read()).sum(),
            batches: Batches::read(all().map(|counts| &counts.batches)),
            rows: all().fold(0, |sum, counts| counts.rows.load(Relaxed).wrapping_add(sum)),
            last: all()
                .map(|counts| counts.last.load(Relaxed))
                .max()
                .unwrap_or(0),
        }
    }
}

impl Counts {
    fn count(&self, protocol: Protocol, outcome: Outcome, took: Duration) {
        let of = &self.protocols[Protocols::position(protocol)];
        of.counts[outcome.position()].fetch_add(1, Relaxed);
        let ended = if outcome == Outcome::Ok {
            &of.succeeded
        } else {
            &of.failed
        };
        ended.record(took);
    }

    fn add(&self, rows: usize, spent: Spent) {
        self.rows.fetch_add(rows as u64, Relaxed);
        self.queue.record(spent.queue);
        self.compute.record(spent.compute);
        self.batches.record(rows, spent);
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.last
            .store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }
}

/// What [`Statistics`] had counted.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) protocols: [ReadOfProtocol; Protocols::ALL.len()],
    pub(crate) queue: Durations,
    pub(crate) compute: Durations,
    /// By the rows that a batch had.
    pub(crate) batches: Vec<OfSize>,
    pub(crate) rows: u64,
    /// Milliseconds of Unix time; 0 before the first request.
    pub(crate) last: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct ReadOfProtocol {
    pub(crate) protocol: Protocol,
    /// In the order of [`Outcome::ALL`].
    pub(crate) counts: [u64; Outcome::ALL.len()],
    pub(crate) succeeded: Durations,
    pub(crate) failed: Durations,
}

impl Read {
    /// How many requests succeeded, and how long they took together.
    pub(crate) fn succeeded(&self) -> (u64, Duration) {
        self.total(|of| &of.succeeded)
    }

    /// How many did not, and how long they took together.
    pub(crate) fn failed(&self) -> (u64, Duration) {
        self.total(|of| &of.failed)
    }

    /// How long the requests took that succeeded.
    pub(crate) fn latency(&self) -> Durations {
        self.protocols.iter().map(|of| of.succeeded).sum()
    }

    fn total(&self, which: impl Fn(&ReadOfProtocol) -> &Durations) -> (u64, Duration) {
        let all = self.protocols.iter().map(which);
        all.fold((0, Duration::ZERO), |(count, sum), durations| {
            (count + durations.count(), sum + durations.sum)
        })
    }

    /// How often the model ran.
    pub(crate) fn executions(&self) -> u64 {
        self.batches.iter().map(|of_size| of_size.batches).sum()
    }
}
