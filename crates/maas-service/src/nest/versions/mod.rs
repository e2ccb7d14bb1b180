//! Versions of one model behind one service.

mod mirror;
mod retired;
mod serve;
mod shadow;
mod split;
mod status;
mod table;
mod worker;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

pub use retired::Retired;
pub use shadow::{Compared, Shadow};
pub use split::Split;
pub use status::VersionStatus;

use crate::{Description, ServeError, Service};
use mirror::Mirror;
use table::{Entry, Table, Version};
use worker::{Spawn, worker};

/// The versions of one model as one service: a request goes to the version that it asks for, by name or by label, or else to one
/// of those that share the requests.
///
/// Versions come, go and change their shares while requests run, and labels move from one to another; each change is seen as a
/// whole or not at all, and no request waits for it. A removed version finishes what it has. The response says which version
/// answered; a request for a version that is not there ends in [`ServeError::UnknownVersion`].
///
/// The service of a version is asked without a version: it is that version.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = || FnModel::new(signature.clone(), |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use maas_service::{InferRequest, LocalModel, Service, Shadow, Versions};
///
/// let wine = Versions::new("wine", "1", LocalModel::new(model()));
/// wine.add("2", LocalModel::new(model()))?; // gets no requests yet but those that ask for it
/// wine.shadow(Shadow::of("2").share(0.5))?; // answers half of them for nobody
/// wine.weigh([("1", 9), ("2", 1)])?; // gets a tenth
/// wine.label("stable", "1")?;
///
/// let request = || InferRequest::of_rows(&wine.describe().signature, ndarray::array![[1.0]].view());
/// let stable = wine.infer_blocking(request()?.version("stable"))?;
/// assert_eq!(stable.version.as_deref(), Some("1"));
/// assert!(wine.infer_blocking(request()?.version("3")).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Versions<S> {
    model: Arc<str>,
    table: ArcSwap<Table<S>>,
    /// Held by who changes the table.
    changing: Mutex<()>,
    split: Split,
    spawn: Box<Spawn>,
    /// Of the first version, for a time without any.
    description: Arc<Description>,
}

impl<S: Service + 'static> Versions<S> {
    /// The versions of `model`, of which there is one yet.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new(model: impl Into<Arc<str>>, version: impl Into<Arc<str>>, service: S) -> Self {
        let description = service.describe();
        let split = Split::default();
        let first = Entry {
            version: Arc::new(Version::new(version.into(), service)),
            weight: 1,
        };
        let empty = Table {
            entries: Vec::new(),
            labels: BTreeMap::new(),
            mirror: None,
            policy: split.policy(),
        };
        let table = Table {
            entries: vec![first],
            ..empty.clone()
        };
        Self {
            model: model.into(),
            table: ArcSwap::from_pointee(table.prepared(&empty)),
            changing: Mutex::new(()),
            split,
            spawn: worker(),
            description,
        }
    }

    /// How requests that ask for no version are divided.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{LocalModel, Split, Versions};
    /// let wine = Versions::new("wine", "1", LocalModel::new(model)).split(Split::ByTenant);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn split(mut self, split: Split) -> Self {
        self.split = split;
        let mut table = Table::clone(&self.table.load());
        table.policy = split.policy();
        let table = table.clone().prepared(&table);
        self.table.store(Arc::new(table));
        self
    }

    /// Has shadows run by `spawn`, which returns at once, in place of a thread of their own: `|run| drop(tokio::spawn(run))`.
    /// A shadow may panic in there.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{LocalModel, Versions};
    /// let wine = Versions::new("wine", "1", LocalModel::new(model))
    ///     .spawn_by(|run| drop(std::thread::spawn(|| pollster::block_on(run))));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn spawn_by(
        mut self,
        spawn: impl Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    ) -> Self {
        self.spawn = Box::new(spawn);
        self
    }

    /// Adds a version, which gets those requests that ask for it, and others when it is [given a weight](Self::weigh). It may take
    /// and give something else than the versions that share requests.
    ///
    /// # Errors
    ///
    /// [`ServeError::VersionExists`].
    ///
    /// See the type for an example.
    pub fn add(&self, version: impl Into<Arc<str>>, service: S) -> Result<(), ServeError> {
        let version = Arc::new(Version::new(version.into(), service));
        self.change(|table| {
            if table.position(&version.name).is_some() {
                return Err(ServeError::VersionExists {
                    model: self.model.to_string(),
                    version: version.name.to_string(),
                });
            }
            table.entries.push(Entry { version, weight: 0 });
            Ok(())
        })
    }

    /// Has another service be the version, with the weight and labels that it has. Requests that have begun end where they are.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownVersion`], and [`ServeError::DifferentSignatures`] when it shares requests with others and does not
    /// take or give what they do.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// use maas_service::{LocalModel, Versions};
    ///
    /// let wine = Versions::new("wine", "1", LocalModel::new(model()));
    /// wine.replace("1", LocalModel::new(model()))?.wait(); // the service that was there is gone
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace(&self, version: &str, service: S) -> Result<Retired, ServeError> {
        self.change(|table| {
            let position = self.known(table, version)?;
            let entry = &mut table.entries[position];
            let after = Arc::new(Version::new(Arc::clone(&entry.version.name), service));
            let before = std::mem::replace(&mut entry.version, Arc::clone(&after));
            if let Some(mirror) = &mut table.mirror
                && Arc::ptr_eq(&mirror.version, &before)
            {
                *mirror = Arc::new(mirror.of(after));
            }
            Self::fits(table)?;
            Ok(before.retire())
        })
    }

    /// Takes a version out: no request starts there any more, and those that it has may end.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownVersion`], and [`ServeError::VersionInUse`] while a label points to it or it is the shadow.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// use maas_service::{LocalModel, Versions};
    ///
    /// let wine = Versions::new("wine", "1", LocalModel::new(model()));
    /// wine.add("2", LocalModel::new(model()))?;
    /// wine.weigh([("2", 1)])?;
    /// wine.remove("1")?.wait(); // its last request has ended, and its memory is free
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&self, version: &str) -> Result<Retired, ServeError> {
        self.change(|table| {
            let position = self.known(table, version)?;
            if let Some(role) = table.role_of(version) {
                return Err(ServeError::VersionInUse {
                    model: self.model.to_string(),
                    version: version.to_owned(),
                    role,
                });
            }
            Ok(table.entries.remove(position).version.retire())
        })
    }

    /// Divides the requests that ask for no version by these weights; versions that are not named get none.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownVersion`], and [`ServeError::DifferentSignatures`] for versions that do not take and give the same;
    /// then nothing has changed.
    ///
    /// See the type for an example.
    pub fn weigh<'a>(
        &self,
        weights: impl IntoIterator<Item = (&'a str, u32)>,
    ) -> Result<(), ServeError> {
        self.change(|table| {
            for entry in &mut table.entries {
                entry.weight = 0;
            }
            for (version, weight) in weights {
                let position = self.known(table, version)?;
                table.entries[position].weight = weight;
            }
            Self::fits(table)
        })
    }

    /// Has a label point to a version, wherever it pointed before. A version of the label's name goes before the label.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownVersion`].
    ///
    /// See the type for an example.
    pub fn label(&self, label: impl Into<Arc<str>>, version: &str) -> Result<(), ServeError> {
        self.change(|table| {
            let position = self.known(table, version)?;
            let name = Arc::clone(&table.entries[position].version.name);
            table.labels.insert(label.into(), name);
            Ok(())
        })
    }

    /// Takes a label away; one that is not there is no error.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// # use maas_service::{LocalModel, Versions};
    /// let wine = Versions::new("wine", "1", LocalModel::new(model));
    /// wine.label("stable", "1")?;
    /// wine.unlabel("stable");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn unlabel(&self, label: &str) {
        let Ok(_) = self.change(|table| Ok::<_, Infallible>(table.labels.remove(label)));
    }

    /// Gives a version copies of requests that others answer, in place of a shadow that there was.
    ///
    /// The caller neither waits for the shadow nor hears of its failures: copies run on a thread of their own, together, or
    /// where [`spawn_by`](Self::spawn_by) says, and when there are [as many as may be](Shadow::at_most), no more are made.
    /// One that never ends keeps its place: a [`Timeout`](crate::Timeout) around the version's service frees it. Requests that
    /// the version answers itself, and streams, are not copied.
    ///
    /// # Errors
    ///
    /// [`ServeError::UnknownVersion`], and [`ServeError::DifferentSignatures`] for a version that does not take and give what those
    /// do that share requests.
    ///
    /// See the type for an example.
    pub fn shadow(&self, shadow: Shadow) -> Result<(), ServeError> {
        self.change(|table| {
            let position = self.known(table, &shadow.version)?;
            let version = Arc::clone(&table.entries[position].version);
            table.mirror = Some(Arc::new(Mirror::new(version, shadow)));
            Self::fits(table)
        })
    }

    /// Has no version be the shadow. Copies that run go on.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// # use maas_service::{LocalModel, Versions};
    /// let wine = Versions::new("wine", "1", LocalModel::new(model));
    /// wine.unshadow();
    /// # Ok::<(), Error>(())
    /// ```
    pub fn unshadow(&self) {
        let Ok(_) = self.change(|table| Ok::<_, Infallible>(table.mirror.take()));
    }

    /// All versions, in the order in which they were added.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// # use maas_service::{LocalModel, Versions};
    /// let wine = Versions::new("wine", "1", LocalModel::new(model));
    /// let versions = wine.versions();
    /// assert_eq!((&*versions[0].version, versions[0].weight), ("1", 1));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn versions(&self) -> Vec<VersionStatus> {
        self.table.load().statuses()
    }

    /// The version of this name, or else the one that the label of this name points to.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// # use maas_service::{LocalModel, Versions};
    /// let wine = Versions::new("wine", "1", LocalModel::new(model));
    /// wine.label("stable", "1")?;
    /// assert_eq!(wine.version("stable").map(|version| version.weight), Some(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn version(&self, name: &str) -> Option<VersionStatus> {
        let table = self.table.load();
        let entry = table.entry(name)?;
        Some(table.status(entry))
    }

    /// The service of a version that is named so, or that the label of this name points to.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// # use maas_service::{LocalModel, Versions};
    /// use std::sync::Arc;
    /// let wine = Versions::new("wine", "1", Arc::new(LocalModel::new(model)));
    /// assert_eq!(wine.service("1").map(|model| model.served()), Some(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn service(&self, name: &str) -> Option<S>
    where
        S: Clone,
    {
        let table = self.table.load();
        Some(table.entry(name)?.version.service.clone())
    }

    fn fits(table: &Table<S>) -> Result<(), ServeError> {
        match table.misfit() {
            Some(name) => Err(ServeError::DifferentSignatures {
                name: name.to_string(),
            }),
            None => Ok(()),
        }
    }

    fn change<R, E>(&self, change: impl FnOnce(&mut Table<S>) -> Result<R, E>) -> Result<R, E> {
        // Dropped behind the lock, and with it perhaps a service, which may take its time.
        let before;
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        before = self.table.load_full();
        let mut after = Table::clone(&before);
        let result = change(&mut after)?;
        self.table.store(Arc::new(after.prepared(&before)));
        Ok(result)
    }

    fn known(&self, table: &Table<S>, version: &str) -> Result<usize, ServeError> {
        table.position(version).ok_or_else(|| self.unknown(version))
    }

    fn unknown(&self, version: &str) -> ServeError {
        ServeError::UnknownVersion {
            model: self.model.to_string(),
            version: version.to_owned(),
        }
    }
}

impl<S: Service + 'static> fmt::Debug for Versions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Versions")
            .field("model", &self.model)
            .field("versions", &self.versions())
            .field("split", &self.split)
            .finish_non_exhaustive()
    }
}
