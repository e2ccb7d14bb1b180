//! Models that come from a source: loaded and warmed up away from requests, then put in place at once.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use maas_core::{Dimension, Tensor, TensorSpec};
use maas_service::{BoxService, ErrorKind, InferRequest, ServeError, Service};

use super::{ModelIndex, ModelState, Models, Source, SourceError, VersionPolicy, lock};
use crate::Error;

/// Who loads or unloads a model waits for others who do.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<BTreeMap<String, Arc<Mutex<()>>>>);

impl Turns {
    fn in_turn<R>(&self, model: &str, work: impl FnOnce() -> R) -> R {
        let turn = Arc::clone(lock(&self.0).entry(model.to_owned()).or_default());
        let result = {
            let _turn = lock(&turn);
            work()
        };
        let mut turns = lock(&self.0);
        let others = Arc::strong_count(&turn) - 2;
        if others == 0 {
            turns.remove(model);
        }
        result
    }
}

impl<S: Source + 'static> From<S> for Models {
    /// None yet, and a source from which they may be [loaded](Models::load).
    fn from(source: S) -> Self {
        let mut models = Self::new();
        if let Some(inner) = Arc::get_mut(&mut models.0) {
            inner.source = Some(Arc::new(source));
        }
        models
    }
}

impl Models {
    /// Which versions of a model are served when it is loaded, in place of those that [`default_policy`](Self::default_policy)
    /// says.
    ///
    /// ```
    /// use maas_server::{Models, VersionPolicy};
    /// Models::new().policy("wine", VersionPolicy::All);
    /// ```
    pub fn policy(&self, model: impl Into<String>, policy: VersionPolicy) {
        lock(&self.0.policies).insert(model.into(), policy);
    }

    /// Which versions are served of models for which nothing else is said, in place of the highest.
    ///
    /// ```
    /// use maas_server::{Models, VersionPolicy};
    /// Models::new().default_policy(VersionPolicy::Latest(2));
    /// ```
    pub fn default_policy(&self, policy: VersionPolicy) {
        *lock(&self.0.default_policy) = policy;
    }

    /// Loads those versions of a model that its [policy](Self::policy) names, anew if they are served already, and takes out those
    /// that it does not name any more but that are not in use by a label or as the shadow. It blocks.
    ///
    /// Each version is loaded and warmed up first and then put in place at once: until then, and if it fails, what was there
    /// answers. So do requests that have begun. One that fails keeps no other from being loaded, and none is taken out then.
    ///
    /// # Errors
    ///
    /// [`Error::NoSource`], [`Error::UnknownModel`] for a model that the source does not have, [`Error::NoVersion`] for one of
    /// which it has other versions than the policy names, [`Error::Load`], and [`Error::LoadSeveral`] where several versions
    /// fail.
    ///
    /// See [`Source`] for an example.
    pub fn load(&self, model: &str) -> Result<(), Error> {
        let source = self.source()?;
        let load = || self.load_wanted(&*source, model);
        self.0.turns.in_turn(model, load)
    }

    /// Loads all models that the source has.
    ///
    /// # Errors
    ///
    /// [`Error::NoSource`], those of [`load`](Self::load) where one version of one model fails, and else
    /// [`Error::LoadSeveral`] with each of them; the others are loaded all the same.
    ///
    /// ```
    /// # let models = maas_server::Models::new();
    /// if let Err(error) = models.load_all() {
    ///     error.into_each().iter().for_each(|error| eprintln!("{error}"));
    /// }
    /// ```
    pub fn load_all(&self) -> Result<(), Error> {
        let source = self.source()?;
        let names = guarded(|| source.models()).map_err(|source| Error::Load {
            model: String::new(),
            version: String::new(),
            source,
        })?;
        let failed = names.iter().filter_map(|model| self.load(model).err());
        Error::of_loads(failed.flat_map(Error::into_each).collect())
    }

    /// Takes a model out, whose versions finish the requests that they have. It may be [loaded](Self::load) again.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`].
    ///
    /// ```
    /// assert!(maas_server::Models::new().unload("wine").is_err());
    /// ```
    pub fn unload(&self, model: &str) -> Result<(), ServeError> {
        self.0.turns.in_turn(model, || {
            for (version, retired) in self.remove(model)? {
                self.0.states.unloading(model, &version, retired);
            }
            Ok(())
        })
    }

    /// All versions of models that are served, that are coming or going, and all models that the source could load.
    ///
    /// ```
    /// assert!(maas_server::Models::new().index().is_empty());
    /// ```
    #[must_use]
    pub fn index(&self) -> Vec<ModelIndex> {
        let mut index = self.0.states.read();
        for hosted in self.all() {
            for status in hosted.statuses() {
                let is_ready = status.readiness.is_ready();
                index.retain(|entry| {
                    (&*entry.name, &*entry.version) != (&*hosted.name, &*status.version)
                });
                index.push(ModelIndex {
                    name: hosted.name.to_string(),
                    version: status.version.to_string(),
                    state: if is_ready {
                        ModelState::Ready
                    } else {
                        ModelState::Unavailable
                    },
                    reason: if is_ready {
                        String::new()
                    } else {
                        "it takes no requests now".to_owned()
                    },
                });
            }
        }
        let names = self
            .0
            .source
            .as_ref()
            .and_then(|source| guarded(|| source.models()).ok());
        for name in names.unwrap_or_default() {
            if !index.iter().any(|entry| entry.name == name) {
                index.push(ModelIndex {
                    name,
                    version: String::new(),
                    state: ModelState::Unavailable,
                    reason: "not loaded".to_owned(),
                });
            }
        }
        index.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        index
    }

    fn source(&self) -> Result<Arc<dyn Source>, Error> {
        self.0.source.clone().ok_or(Error::NoSource)
    }

    fn load_wanted(&self, source: &dyn Source, model: &str) -> Result<(), Error> {
        let found = guarded(|| source.versions(model));
        let found = found.map_err(|source| Error::Load {
            model: model.to_owned(),
            version: String::new(),
            source,
        })?;
        if found.is_empty() {
            return Err(Error::UnknownModel {
                model: model.to_owned(),
            });
        }
        let own = lock(&self.0.policies).get(model).cloned();
        let policy = own.unwrap_or_else(|| lock(&self.0.default_policy).clone());
        let wanted = policy.of(found.clone());
        if wanted.is_empty() {
            return Err(Error::NoVersion {
                model: model.to_owned(),
                found,
            });
        }
        let load = |version: &String| self.load_version(source, model, version).err();
        Error::of_loads(wanted.iter().filter_map(load).collect())?;
        self.retire_others(model, &wanted);
        Ok(())
    }

    fn load_version(&self, source: &dyn Source, model: &str, version: &str) -> Result<(), Error> {
        self.0.states.loading(model, version);
        let loaded = guarded(|| {
            let service = source.load(model, version)?;
            warm_up(&service)?;
            self.put(model, version, service)?;
            Ok(())
        });
        match loaded {
            Ok(()) => {
                tracing::info!(model, version, "loaded");
                self.0.states.served(model, version);
                Ok(())
            }
            Err(source) => {
                self.0.states.failed(model, version, source.to_string());
                Err(Error::Load {
                    model: model.to_owned(),
                    version: version.to_owned(),
                    source,
                })
            }
        }
    }

    fn retire_others(&self, model: &str, wanted: &[String]) {
        let Ok(hosted) = self.find(model) else {
            return;
        };
        for status in hosted.statuses() {
            if wanted.iter().any(|version| **version == *status.version) {
                continue;
            }
            // One that is in use stays.
            if let Ok(retired) = self.remove_version(model, &status.version) {
                self.0.states.unloading(model, &status.version, retired);
            }
        }
    }
}

/// Asks for one row of zeros, so that whatever is made at the first request is there at the first one of a client.
fn warm_up(service: &BoxService) -> Result<(), SourceError> {
    let description = service.describe();
    let mut request = InferRequest::new("");
    for spec in description.signature.inputs() {
        request = request.input(spec.name(), zeros(spec)?);
    }
    match service.infer_blocking(request) {
        // A model may have its reasons not to like zeros.
        Err(error) if error.kind() != ErrorKind::Invalid => Err(error.into()),
        _ => Ok(()),
    }
}

/// Everything that is free is 1.
fn zeros(spec: &TensorSpec) -> Result<Tensor, maas_core::Error> {
    let length = |dimension: &Dimension| match *dimension {
        Dimension::Fixed(length) => length,
        _ => 1,
    };
    let shape: Vec<usize> = spec.shape().iter().map(length).collect();
    Tensor::zeros(spec.dtype(), shape)
}

/// What a source says, or that it panicked.
fn guarded<T>(ask: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| Err("the source panicked".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_source_nothing_is_loaded() {
        let models = Models::new();
        assert!(matches!(models.load("wine"), Err(Error::NoSource)));
        assert_eq!(VersionPolicy::default(), VersionPolicy::Latest(1));
    }
}
