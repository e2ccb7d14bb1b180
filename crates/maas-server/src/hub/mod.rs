//! The models that a server has, by name and version.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use maas_service::{BoxService, ServeError};

use crate::Error;

#[derive(Debug, Default)]
pub(crate) struct Shelf(BTreeMap<Arc<str>, Vec<Shelved>>);

/// A version of a model; the highest is first in its list.
#[derive(Debug)]
pub(crate) struct Shelved {
    pub(crate) version: Arc<str>,
    pub(crate) service: BoxService,
}

impl Shelf {
    pub(crate) fn new(models: Vec<(Arc<str>, Arc<str>, BoxService)>) -> Result<Self, Error> {
        let mut shelf = Self::default();
        for (model, version, service) in models {
            if model.is_empty() {
                return Err(Error::UnnamedModel);
            }
            if version.is_empty() {
                return Err(Error::UnnamedVersion {
                    model: model.to_string(),
                });
            }
            let versions = shelf.0.entry(Arc::clone(&model)).or_default();
            if versions.iter().any(|shelved| shelved.version == version) {
                return Err(Error::DuplicateModel {
                    model: model.to_string(),
                    version: version.to_string(),
                });
            }
            versions.push(Shelved { version, service });
            versions.sort_by(|a, b| compare(&b.version, &a.version));
        }
        Ok(shelf)
    }

    /// The name as it is kept here, and all versions of the model.
    pub(crate) fn versions(&self, model: &str) -> Result<(&Arc<str>, &[Shelved]), ServeError> {
        let (name, versions) =
            self.0
                .get_key_value(model)
                .ok_or_else(|| ServeError::UnknownModel {
                    model: model.to_owned(),
                })?;
        Ok((name, versions))
    }

    /// The version asked for, or the highest.
    pub(crate) fn find(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<(&Arc<str>, &Shelved), ServeError> {
        let (name, versions) = self.versions(model)?;
        let found = versions
            .iter()
            .find(|shelved| version.is_none_or(|version| *shelved.version == *version));
        let unknown = || ServeError::UnknownVersion {
            model: model.to_owned(),
            version: version.unwrap_or_default().to_owned(),
        };
        Ok((name, found.ok_or_else(unknown)?))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Shelved)> {
        self.0
            .iter()
            .flat_map(|(name, versions)| versions.iter().map(move |shelved| (&**name, shelved)))
    }
}

/// Numbers by value and above all other texts.
fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}
