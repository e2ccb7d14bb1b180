//! Where rows come from: a data set in memory, or a stream.

use std::time::Instant;

use maas_data::{Dataset, Source};
use maas_nn::Network;

use super::Trainer;
use super::feed::Feed;
use super::session::{Seeds, Session};
use crate::checkpoint::{CheckpointFault, identity};
use crate::{Ending, Error};

pub(super) enum Supply<'d> {
    Data { data: &'d Dataset, feed: Feed<'d> },
    Stream(&'d dyn Source),
}

impl<'d> Supply<'d> {
    pub(super) fn of_data(network: &Network, data: &'d Dataset) -> Result<Self, Error> {
        let feed = Feed::new(network, data, "training")?;
        Ok(Self::Data { data, feed })
    }

    /// Rows of an epoch, where they are known.
    pub(super) fn rows(&self) -> Option<u64> {
        match self {
            Self::Data { data, .. } => Some(data.rows() as u64),
            Self::Stream(source) => source.rows(),
        }
    }

    pub(super) fn steps(&self, trainer: &Trainer<'_>) -> Option<usize> {
        let rows = self.rows().and_then(|rows| usize::try_from(rows).ok())?;
        Some(rows.div_ceil(trainer.step_rows()))
    }

    /// What a checkpoint of it belongs to.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Data { data, .. } => identity::of_data(data),
            Self::Stream(source) => format!("a stream of {}", source.schema()),
        }
    }

    /// The chunks of an epoch that are left.
    pub(super) fn epoch(
        &mut self,
        session: &mut Session<'_, '_>,
        network: &mut Network,
        start: Instant,
    ) -> Result<Option<Ending>, Error> {
        let (trainer, epoch) = (session.trainer, session.place.epoch as u64);
        match self {
            Self::Data { feed, .. } => {
                let seeds = Seeds {
                    shuffle: trainer.seed,
                    number: epoch,
                    rows: trainer.seed,
                };
                session.chunk(network, feed, seeds, start)
            }
            Self::Stream(source) => {
                let over = session.place.chunk;
                let mut chunks = source.open(epoch)?;
                for chunk in 0..over {
                    let skipped = chunks.next().transpose()?;
                    if skipped.is_none() {
                        let fault = CheckpointFault::Stream { chunk: chunk + 1 };
                        return Err(fault.at(""));
                    }
                }
                for (number, chunk) in (over as u64..).zip(chunks) {
                    let chunk = chunk?;
                    let mut feed = Feed::new(network, &chunk, "training")?;
                    session.stepper.check(trainer, &feed)?;
                    let seed = trainer.seed.derive(STREAM).derive(number);
                    let seeds = Seeds {
                        shuffle: seed,
                        number: epoch,
                        rows: seed,
                    };
                    if let Some(ending) = session.chunk(network, &mut feed, seeds, start)? {
                        return Ok(Some(ending));
                    }
                    session.place.chunk += 1;
                    session.place.row = 0;
                }
                Ok(None)
            }
        }
    }
}

/// Keeps the orders of chunks apart from those of data sets.
const STREAM: u64 = u64::from_be_bytes(*b"stream\0\0");
