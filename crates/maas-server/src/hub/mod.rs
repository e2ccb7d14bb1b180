//! The models that a server has.

mod batched;
mod batches;
mod folder;
mod histogram;
mod hosted;
mod loading;
mod measured;
mod order;
mod policy;
mod source;
mod starting;
mod state;
mod statistics;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use maas_service::{ErrorKind, Retired, ServeError, Service, Shadow};

use crate::Error;

pub(crate) use batched::{is_batched, max_batch_size};
pub(crate) use batches::OfSize;
pub use folder::Folder;
pub(crate) use histogram::{BOUNDS, Durations};
pub(crate) use hosted::Hosted;
pub use policy::VersionPolicy;
pub use source::{Source, SourceError};
pub use starting::Starting;
use starting::Starts;
use state::States;
pub use state::{ModelIndex, ModelState};
pub(crate) use statistics::{Outcome, Read};

/// The models that a server has, each with its versions. They come, go and change their shares while requests run.
///
/// A clone is another handle to the same models.
///
/// Who asks for no version is answered by the highest, where numbers count by value and more than other texts, until
/// [`weigh`](Self::weigh) says otherwise. See [`Versions`](maas_service::Versions) for what weights, labels and shadows are.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
/// use maas_server::{Models, Server};
/// use maas_service::LocalModel;
///
/// let models = Models::new();
/// models.add("wine", "1", LocalModel::new(model()))?;
/// let server = Server::new().models(models.clone()).bind("127.0.0.1:0").run_in_background()?;
///
/// models.label("wine", "stable", "1")?;
/// models.add("wine", "2", LocalModel::new(model()))?; // answers at once: it is the highest
/// models.weigh("wine", [("1", 9), ("2", 1)])?; // answers a tenth
/// models.weigh("wine", [("2", 1)])?; // answers all
/// models.label("wine", "stable", "2")?;
/// models.remove_version("wine", "1")?.wait(); // its last request has ended
/// # server.shutdown_blocking()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Models(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    table: ArcSwap<Table>,
    /// Held by who changes the table or a model.
    changing: Mutex<()>,
    source: Option<Arc<dyn Source>>,
    policies: Mutex<BTreeMap<String, VersionPolicy>>,
    /// For models that have none of their own.
    default_policy: Mutex<VersionPolicy>,
    states: States,
    starts: Starts,
    turns: loading::Turns,
}

type Table = BTreeMap<Arc<str>, Arc<Hosted>>;

impl Models {
    /// None yet.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a version of a model, which may be the first.
    ///
    /// # Errors
    ///
    /// [`ServeError::VersionExists`].
    ///
    /// See the type for an example.
    pub fn add(
        &self,
        model: impl Into<Arc<str>>,
        version: impl Into<Arc<str>>,
        service: impl Service + 'static,
    ) -> Result<(), ServeError> {
        let (model, version) = (model.into(), version.into());
        self.change(|table| match table.get(&model) {
            Some(hosted) => hosted.add(&version, service),
            None => {
                let hosted = Hosted::new(Arc::clone(&model), version, service);
                table.insert(model, Arc::new(hosted));
                Ok(())
            }
        })
    }

    /// Has a service be a version of a model, whether there is such a version or not. Requests that have begun end where they
    /// are, and not one fails.
    ///
    /// # Errors
    ///
    /// [`ServeError::DifferentSignatures`] when it is to share requests with others and does not take or give what they do.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// # use maas_server::Models;
    /// # use maas_service::LocalModel;
    /// let models = Models::new();
    /// models.put("wine", "1", LocalModel::new(model()))?;
    /// models.put("wine", "1", LocalModel::new(model()))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn put(
        &self,
        model: &str,
        version: &str,
        service: impl Service + 'static,
    ) -> Result<(), ServeError> {
        self.change(|table| match table.get(model) {
            Some(hosted) => hosted.put(version, service),
            None => {
                let hosted = Hosted::new(model.into(), version.into(), service);
                table.insert(Arc::clone(&hosted.name), Arc::new(hosted));
                Ok(())
            }
        })
    }

    /// Takes a version out: no request starts there any more, and those that it has may end. A model goes with its last version.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`], [`ServeError::UnknownVersion`], and [`ServeError::VersionInUse`] while a label points to it
    /// or it is the shadow.
    ///
    /// See the type for an example.
    pub fn remove_version(&self, model: &str, version: &str) -> Result<Retired, ServeError> {
        self.change(|table| {
            let hosted = known(table, model)?;
            let retired = hosted.remove(version)?;
            if hosted.versions.versions().is_empty() {
                table.remove(model);
            }
            Ok(retired)
        })
    }

    /// Takes a model out with all its versions and labels; what is returned says when each has finished its requests.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`].
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// # use maas_server::Models;
    /// # use maas_service::LocalModel;
    /// let models = Models::new();
    /// models.add("wine", "1", LocalModel::new(model))?;
    /// models.remove("wine")?.into_iter().for_each(|(_version, retired)| retired.wait());
    /// assert!(models.names().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&self, model: &str) -> Result<Vec<(Arc<str>, Retired)>, ServeError> {
        let hosted = self.change(|table| {
            let hosted = Arc::clone(known(table, model)?);
            table.remove(model);
            Ok(hosted)
        })?;
        Ok(hosted.clear())
    }

    /// Divides the requests to a model that ask for no version by these weights; versions that are not named get none.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`], and those of [`Versions::weigh`](maas_service::Versions::weigh).
    ///
    /// See the type for an example.
    pub fn weigh<'a>(
        &self,
        model: &str,
        weights: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Result<(), ServeError> {
        self.within(model, |hosted| hosted.weigh(weights))
    }

    /// Has a label of a model point to a version, wherever it pointed before.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`], [`ServeError::UnknownVersion`].
    ///
    /// See the type for an example.
    pub fn label(
        &self,
        model: &str,
        label: impl Into<Arc<str>>,
        version: &str,
    ) -> Result<(), ServeError> {
        self.within(model, |hosted| hosted.versions.label(label, version))
    }

    /// Takes a label of a model away; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`].
    ///
    /// ```
    /// assert!(maas_server::Models::new().unlabel("wine", "stable").is_err());
    /// ```
    pub fn unlabel(&self, model: &str, label: &str) -> Result<(), ServeError> {
        self.within(model, |hosted| {
            hosted.versions.unlabel(label);
            Ok(())
        })
    }

    /// Gives a version of a model copies of requests that others answer.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`], and those of [`Versions::shadow`](maas_service::Versions::shadow).
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// # use maas_server::Models;
    /// # use maas_service::{LocalModel, Shadow};
    /// let models = Models::new();
    /// models.add("wine", "1", LocalModel::new(model()))?;
    /// models.weigh("wine", [("1", 1)])?;
    /// models.add("wine", "2", LocalModel::new(model()))?;
    /// models.shadow("wine", Shadow::of("2").share(0.1))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shadow(&self, model: &str, shadow: Shadow) -> Result<(), ServeError> {
        self.within(model, |hosted| hosted.versions.shadow(shadow))
    }

    /// Has no version of a model be the shadow.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownModel`].
    ///
    /// ```
    /// assert!(maas_server::Models::new().unshadow("wine").is_err());
    /// ```
    pub fn unshadow(&self, model: &str) -> Result<(), ServeError> {
        self.within(model, |hosted| {
            hosted.versions.unshadow();
            Ok(())
        })
    }

    /// For as long as what is returned is there, servers of these models say that they are not ready: they can be reached
    /// while their models are loaded, and get no requests before.
    ///
    /// ```no_run
    /// # fn load(_: &std::path::Path) -> Result<maas_service::BoxService, maas_server::SourceError> { Err("as the application does".into()) }
    /// use maas_server::{Folder, Models, Server};
    ///
    /// let models = Models::from(Folder::new("models", |path| load(path)));
    /// let starting = models.starting();
    /// let server = Server::new().models(models.clone()).run_in_background()?; // is live
    /// models.load_all()?;
    /// drop(starting); // is ready
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn starting(&self) -> Starting {
        self.0.starts.begin()
    }

    /// Whether all that is to be there at first is there.
    pub(crate) fn have_started(&self) -> bool {
        self.0.starts.are_over()
    }

    /// The names of the models that are served.
    ///
    /// ```
    /// assert!(maas_server::Models::new().names().is_empty());
    /// ```
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0
            .table
            .load()
            .keys()
            .map(ToString::to_string)
            .collect()
    }

    pub(crate) fn find(&self, model: &str) -> Result<Arc<Hosted>, ServeError> {
        known(&self.0.table.load(), model).cloned()
    }

    /// All models that are served, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Hosted>> {
        self.0.table.load().values().cloned().collect()
    }

    /// Works on the models for a client, on a thread that may wait for disks and locks.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let models = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&models)).await;
        let done = done.unwrap_or(Err(Error::Ended));
        if let Err(error) = &done
            && error.kind() == ErrorKind::Internal
        {
            tracing::warn!(%error, "what a client wants of the models cannot be done");
        }
        done
    }

    /// Changes one of the models, which is there until that has ended.
    fn within<R>(
        &self,
        model: &str,
        change: impl FnOnce(&Hosted) -> Result<R, ServeError>,
    ) -> Result<R, ServeError> {
        let _changing = lock(&self.0.changing);
        change(&*self.find(model)?)
    }

    fn change<R>(
        &self,
        change: impl FnOnce(&mut Table) -> Result<R, ServeError>,
    ) -> Result<R, ServeError> {
        let _changing = lock(&self.0.changing);
        let mut table = Table::clone(&self.0.table.load());
        let result = change(&mut table)?;
        self.0.table.store(Arc::new(table));
        Ok(result)
    }
}

fn known<'a>(table: &'a Table, model: &str) -> Result<&'a Arc<Hosted>, ServeError> {
    table.get(model).ok_or_else(|| ServeError::UnknownModel {
        model: model.to_owned(),
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
