//! The answers that are kept, within their bounds.

use std::hash::RandomState;
use std::sync::Arc;

use maas_schedule::Moment;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{OptionsBuilder, Weighter};

use super::key::{Key, bytes_of};
use crate::InferResponse;

pub(super) type Store = Cache<Key, Arc<Kept>, Weight, RandomState>;

/// Leave to be the one who asks; the others wait until it is dropped.
pub(super) type Turn<'a> =
    PlaceholderGuard<'a, Key, Arc<Kept>, Weight, RandomState, DefaultLifecycle<Key, Arc<Kept>>>;

pub(super) struct Kept {
    pub(super) response: InferResponse,
    pub(super) made: Moment,
    bytes: u64,
}

impl Kept {
    pub(super) fn new(key: &Key, response: InferResponse, made: Moment) -> Self {
        let bytes = OVERHEAD + key.bytes() + bytes_of(&response.outputs);
        Self {
            response,
            made,
            bytes: bytes as u64,
        }
    }
}

/// What an entry takes beside names and tensors, roughly.
const OVERHEAD: usize = 512;

#[derive(Clone, Copy, Debug)]
pub(super) enum Weight {
    Entries,
    Bytes,
}

impl Weighter<Key, Arc<Kept>> for Weight {
    fn weight(&self, _key: &Key, kept: &Arc<Kept>) -> u64 {
        match self {
            Self::Entries => 1,
            Self::Bytes => kept.bytes,
        }
    }
}

/// Below these bounds there is one shard, so that they hold exactly; above, threads do not wait for each other.
const MANY_ENTRIES: usize = 1024;
const MANY_BYTES: usize = 64 << 20;
const SHARDS: usize = 16;

pub(super) fn of_entries(entries: usize) -> Store {
    store(entries, entries, entries >= MANY_ENTRIES, Weight::Entries)
}

pub(super) fn of_bytes(bytes: usize) -> Store {
    store(
        bytes / (2 * OVERHEAD),
        bytes,
        bytes >= MANY_BYTES,
        Weight::Bytes,
    )
}

fn store(entries: usize, capacity: usize, many: bool, weight: Weight) -> Store {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(entries)
        .weight_capacity(capacity as u64)
        .shards(if many { SHARDS } else { 1 })
        .build()
        .expect("both capacities are given");
    Store::with_options(
        options,
        weight,
        RandomState::new(),
        DefaultLifecycle::default(),
    )
}
