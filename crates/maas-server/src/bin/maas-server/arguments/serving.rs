use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};
use maas_schedule::{
    LeastCost, LeastLoaded, PeakEwma, Policy, PowerOfTwoChoices, QueueOptions, Random, RoundRobin,
};

use super::seconds;

/// How each model is served.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "How models are served")]
pub(crate) struct Serving {
    /// How many replicas of each model there are
    #[arg(long, value_name = "N", env = "MAAS_REPLICAS", default_value = "1")]
    pub(crate) replicas: NonZeroUsize,

    /// Which replica is asked
    #[arg(long, env = "MAAS_POLICY", default_value = "round-robin")]
    policy: Balancing,

    /// The rows that a request may have
    #[arg(long, value_name = "N", env = "MAAS_MAX_ROWS", default_value = "1024")]
    pub(crate) max_rows: NonZeroUsize,

    /// The rows that a model is given at once, of requests that wait together
    #[arg(long, value_name = "N", env = "MAAS_BATCH_ROWS", default_value = "256")]
    batch_rows: NonZeroUsize,

    /// How long a request waits for others to fill its batch
    #[arg(long, value_name = "SECONDS", env = "MAAS_BATCH_DELAY", default_value = "0", value_parser = seconds)]
    batch_delay: Duration,

    /// The rows that may wait before each replica; what comes beyond them is answered 503
    #[arg(
        long,
        value_name = "N",
        env = "MAAS_QUEUE_ROWS",
        default_value = "131072"
    )]
    queue_rows: NonZeroUsize,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Balancing {
    /// One after the other
    RoundRobin,
    /// Any
    Random,
    /// Who has the fewest requests
    LeastLoaded,
    /// Of two that are drawn who has fewer requests
    PowerOfTwo,
    /// Of two that are drawn who has answered sooner of late, by its requests
    PeakEwma,
    /// Who is expected to be done first
    LeastCost,
}

impl Serving {
    pub(crate) fn policy(&self) -> Box<dyn Policy> {
        match self.policy {
            Balancing::RoundRobin => Box::new(RoundRobin::new(self.replicas.get())),
            Balancing::Random => Box::new(Random::default()),
            Balancing::LeastLoaded => Box::new(LeastLoaded::new()),
            Balancing::PowerOfTwo => Box::new(PowerOfTwoChoices::default()),
            Balancing::PeakEwma => Box::new(PeakEwma::default()),
            Balancing::LeastCost => Box::new(LeastCost::new()),
        }
    }

    pub(crate) fn batching(&self) -> QueueOptions {
        QueueOptions::default()
            .max_rows(self.batch_rows.get())
            .max_delay(self.batch_delay)
            .max_queued_rows(self.queue_rows.get())
            .max_queued_bytes(QUEUED_BYTES)
    }
}

const QUEUED_BYTES: usize = 256 << 20;
