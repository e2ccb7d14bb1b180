use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use maas_service::{Retired, ServeError, Service, VersionStatus, Versions};

use super::measured::Measured;
use super::order::compare;
use super::statistics::Read;

/// One model with its versions.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) name: Arc<str>,
    pub(crate) versions: Versions<Measured>,
    /// Whether somebody has said who gets the requests that ask for no version; until then it is the highest.
    is_weighed: AtomicBool,
}

impl Hosted {
    pub(super) fn new(name: Arc<str>, version: Arc<str>, service: impl Service + 'static) -> Self {
        let versions = Versions::new(Arc::clone(&name), version, Measured::new(service));
        Self {
            name,
            versions,
            is_weighed: AtomicBool::new(false),
        }
    }

    pub(super) fn add(
        &self,
        version: &str,
        service: impl Service + 'static,
    ) -> Result<(), ServeError> {
        self.versions.add(version, Measured::new(service))?;
        self.follow_highest()
    }

    /// Has the service be the version, whether there is one of this name or not.
    pub(super) fn put(
        &self,
        version: &str,
        service: impl Service + 'static,
    ) -> Result<(), ServeError> {
        match self.named(version) {
            Some(before) => drop(self.versions.replace(version, before.with(service))?),
            None => self.add(version, service)?,
        }
        Ok(())
    }

    pub(super) fn remove(&self, version: &str) -> Result<Retired, ServeError> {
        let retired = self.versions.remove(version)?;
        self.follow_highest()?;
        Ok(retired)
    }

    /// Takes all versions out, whatever they are used for.
    pub(super) fn clear(&self) -> Vec<(Arc<str>, Retired)> {
        self.versions.unshadow();
        let versions = self.versions.versions();
        let labels = versions.iter().flat_map(|status| &status.labels);
        labels.for_each(|label| self.versions.unlabel(label));
        let remove = |status: VersionStatus| {
            let retired = self.versions.remove(&status.version).ok()?;
            Some((status.version, retired))
        };
        versions.into_iter().filter_map(remove).collect()
    }

    pub(super) fn weigh<'a>(
        &self,
        weights: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Result<(), ServeError> {
        self.versions.weigh(weights)?;
        self.is_weighed.store(true, Ordering::Release);
        Ok(())
    }

    /// All versions, the highest first.
    pub(crate) fn statuses(&self) -> Vec<VersionStatus> {
        let mut statuses = self.versions.versions();
        statuses.sort_by(|a, b| compare(&b.version, &a.version));
        statuses
    }

    /// The version of this name or label, or else the one that requests get that do not ask for one.
    pub(crate) fn status(&self, version: Option<&str>) -> Result<VersionStatus, ServeError> {
        let found = match version {
            Some(version) => self.versions.version(version),
            None => {
                let mut statuses = self.statuses();
                let shared = statuses.iter().position(|status| status.weight > 0);
                let first = shared.unwrap_or(0);
                (first < statuses.len()).then(|| statuses.swap_remove(first))
            }
        };
        found.ok_or_else(|| ServeError::UnknownVersion {
            model: self.name.to_string(),
            version: version.unwrap_or_default().to_owned(),
        })
    }

    /// The version itself, not what a label of this name points to.
    fn named(&self, version: &str) -> Option<Measured> {
        let status = self.versions.version(version)?;
        (*status.version == *version).then(|| self.versions.service(version))?
    }

    /// What became of the requests to the version of this name or label.
    pub(crate) fn read(&self, version: &str) -> Option<Read> {
        Some(self.versions.service(version)?.statistics.read())
    }

    fn follow_highest(&self) -> Result<(), ServeError> {
        if self.is_weighed.load(Ordering::Acquire) {
            return Ok(());
        }
        let statuses = self.statuses();
        let highest = statuses.first().map(|status| (&*status.version, 1));
        self.versions.weigh(highest)
    }
}
