use std::sync::Arc;

use super::table::Table;
use crate::{Description, Readiness, Service};

/// A version as it is now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct VersionStatus {
    /// Its name.
    pub version: Arc<str>,
    /// What it takes and gives.
    pub description: Arc<Description>,
    /// How much it serves of the requests that ask for no version, beside the others.
    pub weight: u32,
    /// The labels that point to it.
    pub labels: Vec<Arc<str>>,
    /// Whether it gets copies of requests.
    pub shadow: bool,
    /// The requests that it has.
    pub in_flight: usize,
    /// Whether it takes requests.
    pub readiness: Readiness,
}

impl<S: Service> Table<S> {
    pub(super) fn statuses(&self) -> Vec<VersionStatus> {
        let statuses = self.entries.iter().map(|entry| self.status(entry));
        statuses.collect()
    }

    pub(super) fn status(&self, entry: &super::Entry<S>) -> VersionStatus {
        VersionStatus {
            version: Arc::clone(&entry.version.name),
            description: Arc::clone(&entry.version.description),
            weight: entry.weight,
            labels: self.labels_of(&entry.version.name).cloned().collect(),
            shadow: self.is_shadow(&entry.version.name),
            in_flight: entry.version.in_flight(),
            readiness: entry.version.service.ready(),
        }
    }

    /// What points to a version, if anything does.
    pub(super) fn role_of(&self, version: &str) -> Option<String> {
        let shadow = || self.is_shadow(version).then(|| "the shadow".to_owned());
        let mut labels = self.labels_of(version);
        labels
            .next()
            .map(|label| format!("the label `{label}`"))
            .or_else(shadow)
    }

    fn labels_of(&self, version: &str) -> impl Iterator<Item = &Arc<str>> {
        let labels = self.labels.iter();
        labels.filter_map(move |(label, name)| (**name == *version).then_some(label))
    }

    fn is_shadow(&self, version: &str) -> bool {
        let mirror = self.mirror.as_ref();
        mirror.is_some_and(|mirror| *mirror.version.name == *version)
    }
}
