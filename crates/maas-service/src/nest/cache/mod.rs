//! Answers that are given again.

mod key;
mod store;

use std::fmt;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_core::Stream;
use maas_schedule::{Clock, Moment, SystemClock};

use super::generate::Piece;
use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, Report, ServeError, Service, Spent,
};
use key::{Asking, Key};
use store::{Kept, Store, Turn};

/// A service whose answers are kept, and given again to who asks the same; needs the feature `cache`.
///
/// The same are requests that name the same model and version and have equal inputs, in the same order, wanted outputs and
/// parameters; bytes are compared, not only hashed. Who asks, when and how urgently does not matter. What is given again has
/// the asker's own id, and the parameter `cached`: true. It is for models that are functions: one that draws random numbers,
/// or that is replaced behind a name, is another matter, for which there is a [time to live](Self::time_to_live).
///
/// Of equal requests at the same time one is asked, and the others wait for its answer. When that one fails or is given up,
/// another one is asked. Errors are never kept, and streams pass by.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use maas_service::{Cache, LocalModel, Service};
///
/// let service = Cache::of_bytes(LocalModel::new(model), 16 << 20);
/// for _ in 0..3 {
///     service.predict(ndarray::array![[1.0]].view())?;
/// }
/// assert_eq!((service.stats().misses, service.stats().hits), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Cache<S> {
    service: S,
    store: Store,
    hasher: RandomState,
    time_to_live: Duration,
    clock: Arc<dyn Clock>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How a [`Cache`] has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Requests that were given an answer of before, or one that they waited for.
    pub hits: u64,
    /// Requests that the service was asked.
    pub misses: u64,
    /// Answers that are kept.
    pub entries: usize,
}

impl<S: Service> Cache<S> {
    /// Keeps about so many answers, those that are asked for most.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{Cache, LocalModel};
    /// let service = Cache::of_entries(LocalModel::new(model), 10_000);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn of_entries(service: S, entries: usize) -> Self {
        Self::with(service, store::of_entries(entries))
    }

    /// Keeps answers of about so many bytes, with the requests that they belong to, those that are asked for most. An answer
    /// with more than a sixteenth of them may not be kept at all.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn of_bytes(service: S, bytes: usize) -> Self {
        Self::with(service, store::of_bytes(bytes))
    }

    fn with(service: S, store: Store) -> Self {
        Self {
            service,
            store,
            hasher: RandomState::new(),
            time_to_live: Duration::MAX,
            clock: Arc::new(SystemClock),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Gives no answer again that is as old as this.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use std::time::Duration;
    /// use maas_service::{Cache, LocalModel};
    /// let service = Cache::of_entries(LocalModel::new(model), 100).time_to_live(Duration::from_secs(60));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn time_to_live(self, time_to_live: Duration) -> Self {
        Self {
            time_to_live,
            ..self
        }
    }

    /// Measures the age of answers by this clock.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::ManualClock;
    /// use maas_service::{Cache, LocalModel};
    /// let service = Cache::of_entries(LocalModel::new(model), 100).clock(ManualClock::new());
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How it has done so far.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            entries: self.store.len(),
        }
    }

    /// Forgets all answers. Requests that are on their way are not kept either.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// # use maas_service::{Cache, LocalModel};
    /// let service = Cache::of_entries(LocalModel::new(model), 100);
    /// service.clear();
    /// assert_eq!(service.stats().entries, 0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn clear(&self) {
        self.store.clear();
    }

    /// An answer of before.
    fn known(&self, asking: &Asking<'_>) -> Option<Arc<Kept>> {
        let now = self.clock.now();
        let kept = self.store.get(asking);
        kept.filter(|kept| self.is_fresh(kept, now))
    }

    /// An answer, which others may be asking for, or leave to ask for one.
    async fn find(&self, key: &Key) -> Result<Arc<Kept>, Turn<'_>> {
        let asked = self.clock.now();
        loop {
            let kept = self.store.get_value_or_guard_async(key).await?;
            if self.is_fresh(&kept, asked) {
                return Ok(kept);
            }
            let now = self.clock.now();
            self.store.remove_if(key, |kept| !self.is_fresh(kept, now));
        }
    }

    fn again(&self, kept: &Kept, id: Option<String>) -> InferResponse {
        self.hits.fetch_add(1, Ordering::Relaxed);
        let mut response = kept.response.clone();
        response.id = id;
        response.parameters.set("cached", true);
        response
    }

    /// For who asked then: what was made since is as fresh as an answer can be.
    fn is_fresh(&self, kept: &Kept, asked: Moment) -> bool {
        kept.made >= asked || asked.since(kept.made) < self.time_to_live
    }
}

impl<S: Service> Service for Cache<S> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let asking = Asking::of(&request, &self.hasher);
        if let Some(kept) = self.known(&asking) {
            return Ok(self.again(&kept, request.id));
        }
        let key = asking.to_key();
        match self.find(&key).await {
            Ok(kept) => Ok(self.again(&kept, request.id)),
            Err(turn) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                let response = self.service.infer(request).await?;
                let mut again = response.clone();
                again.id = None;
                again.replica = None;
                again.spent = Spent::default();
                let kept = Kept::new(&key, again, self.clock.now());
                // Refused when somebody has cleared the cache meanwhile.
                let _ = turn.insert(Arc::new(kept));
                Ok(response)
            }
        }
    }

    fn answers(&self, request: InferRequest) -> impl Stream<Item = Piece> + Send {
        self.service.answers(request)
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }

    fn ready(&self) -> Readiness {
        self.service.ready()
    }

    fn load(&self) -> Load {
        self.service.load()
    }

    fn report(&self) -> Report {
        self.service.report()
    }
}

impl<S: fmt::Debug> fmt::Debug for Cache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("service", &self.service)
            .field("entries", &self.store.len())
            .finish_non_exhaustive()
    }
}
