//! Which versions there are, replaced as a whole with each change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use maas_core::Fnv;
use maas_schedule::{Candidate, Candidates, InFlight, Moment, Policy};

use super::mirror::Mirror;
use super::retired::Retired;
use crate::{Description, Service};

pub(super) struct Version<S> {
    pub(super) name: Arc<str>,
    pub(super) service: S,
    pub(super) description: Arc<Description>,
    pub(super) in_flight: InFlight,
    /// Dropped behind the service: whoever listens hears that all of it is gone.
    gone: Mutex<Option<oneshot::Sender<()>>>,
}

impl<S: Service> Version<S> {
    pub(super) fn new(name: Arc<str>, service: S) -> Self {
        Self {
            name,
            description: service.describe(),
            service,
            in_flight: InFlight::new(),
            gone: Mutex::new(None),
        }
    }

    pub(super) fn retire(&self) -> Retired {
        let (sender, receiver) = oneshot::channel();
        *self.gone.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        Retired::when_gone(receiver)
    }

    /// What it was given, or what it says itself, whichever is more.
    pub(super) fn in_flight(&self) -> usize {
        let own = self.service.load().in_flight;
        own.max(self.in_flight.count())
    }
}

pub(super) struct Entry<S> {
    pub(super) version: Arc<Version<S>>,
    pub(super) weight: u32,
}

impl<S> Clone for Entry<S> {
    fn clone(&self) -> Self {
        Self {
            version: Arc::clone(&self.version),
            weight: self.weight,
        }
    }
}

pub(super) struct Table<S> {
    pub(super) entries: Vec<Entry<S>>,
    /// Labels and the names of versions that they point to, all of which are there.
    pub(super) labels: BTreeMap<Arc<str>, Arc<str>>,
    pub(super) mirror: Option<Arc<Mirror<S>>>,
    pub(super) policy: Arc<dyn Policy>,
}

impl<S> Clone for Table<S> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            labels: self.labels.clone(),
            mirror: self.mirror.clone(),
            policy: Arc::clone(&self.policy),
        }
    }
}

impl<S: Service> Table<S> {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        let mut entries = self.entries.iter();
        entries.position(|entry| &*entry.version.name == name)
    }

    /// The version of this name, or else the one that the label points to.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry<S>> {
        let labelled = || self.position(self.labels.get(name)?);
        Some(&self.entries[self.position(name).or_else(labelled)?])
    }

    /// Whose turn it is.
    pub(super) fn pick(&self, key: Option<u64>) -> Option<&Arc<Version<S>>> {
        let index = match key {
            Some(key) => self.policy.pick_for(key, self, Moment::ZERO),
            None => self.policy.pick(self, Moment::ZERO),
        };
        Some(&self.entries.get(index?)?.version)
    }

    /// What requests that ask for no version are answered by, or else by those that come first.
    pub(super) fn described(&self) -> Option<&Arc<Description>> {
        let mut all = self.entries.iter();
        let shared = all.clone().find(|entry| entry.weight > 0);
        let entry = shared.or_else(|| all.next())?;
        Some(&entry.version.description)
    }

    /// A version that has requests shared with it and does not take or give what another of those does.
    pub(super) fn misfit(&self) -> Option<&Arc<str>> {
        let signature = &self.described()?.signature;
        let differs = |version: &Version<S>| version.description.signature != *signature;
        let mut shared = self.entries.iter().filter(|entry| entry.weight > 0);
        let among = shared.find(|entry| differs(&entry.version));
        let shadow = self.mirror.as_ref().map(|mirror| &mirror.version);
        let shadow = shadow.filter(|version| differs(version));
        Some(&among.map(|entry| &entry.version).or(shadow)?.name)
    }

    /// The table with a policy that knows its versions and weights, and goes on where it was with those `before`.
    pub(super) fn prepared(mut self, before: &Self) -> Self {
        if let Some(policy) = before.policy.prepare(before, &self) {
            self.policy = Arc::new(policy);
        }
        self
    }
}

impl<S: Service> Candidates for Table<S> {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn get(&self, index: usize) -> Candidate {
        let entry = &self.entries[index];
        let candidate = Candidate::busy(entry.version.in_flight.count()).weighing(entry.weight);
        if self.is_available(index) {
            candidate
        } else {
            candidate.unavailable()
        }
    }

    fn is_available(&self, index: usize) -> bool {
        self.entries[index].version.service.ready().is_ready()
    }

    fn identity(&self, index: usize) -> u64 {
        hash(&self.entries[index].version.name)
    }
}

/// The same in every process, so that whoever is sent somewhere is sent there by other processes too.
pub(super) fn hash(text: &str) -> u64 {
    let mut hash = Fnv::new();
    hash.update(text.as_bytes());
    hash.finish()
}
