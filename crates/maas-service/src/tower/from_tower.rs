use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use super::ToTower;
use crate::{Description, InferRequest, InferResponse, Readiness, ServeError, Service};

type BoxError = Box<dyn Error + Send + Sync>;

/// A service of tower with a description, as a [`Service`], by the feature `tower`.
///
/// Each request goes to a clone of its own, which is asked to be ready first and dropped with the request: a caller that
/// goes while it waits leaves no reserved place behind. A service that cannot be cloned goes into tower's `Buffer`.
///
/// # Errors
///
/// An error that is a [`ServeError`], boxed or not, comes back as it is. Any other is a [`ServeError::NotReady`] when the
/// service would not take the request, so that a pool asks another member, and a [`ServeError::Other`] when it took it.
/// Where tower's own errors shall mean more, translate them by `map_err`:
///
/// ```
/// # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use std::time::Duration;
/// use maas_service::{FromTower, Replicas, ServeError, Service};
/// use tower::{BoxError, ServiceBuilder, load_shed::error::Overloaded};
///
/// let full = |error: BoxError| match error.downcast::<Overloaded>() {
///     Ok(_) => Box::new(ServeError::Limit { limit: 64, retry_after: Duration::from_secs(1) }),
///     Err(error) => error,
/// };
/// let pool = FromTower::around(Replicas::of(model, 3), |pool| {
///     ServiceBuilder::new().map_err(full).load_shed().concurrency_limit(64).service(pool)
/// });
/// assert_eq!(pool.predict(ndarray::array![[1.0]].view())?, ndarray::array![[1.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FromTower<T> {
    /// Behind a lock, because services of tower are often not `Sync`; it is held while they are cloned.
    service: Mutex<T>,
    description: Arc<Description>,
    /// Whether a clone failed when it was asked to be ready, until one that [`ready`](Service::ready) asks does not.
    failed: AtomicBool,
}

impl<T> FromTower<T> {
    /// A service of tower that answers for a model of this description.
    ///
    /// ```
    /// use maas_core::{DType, Signature, TensorSpec};
    /// use maas_service::{Description, FromTower, InferRequest, InferResponse, ServeError, Service};
    ///
    /// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// let echo = tower::service_fn(|request: InferRequest| async move { Ok::<_, ServeError>(InferResponse::to(&request)) });
    /// let service = FromTower::new(echo, Description::new(signature, "echo"));
    /// let response = service.infer_blocking(InferRequest::new("echo").id("42"))?;
    /// assert_eq!(response.id.as_deref(), Some("42"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(service: T, description: impl Into<Arc<Description>>) -> Self {
        Self {
            service: Mutex::new(service),
            description: description.into(),
            failed: AtomicBool::new(false),
        }
    }

    /// What `wrap` puts around a service: tower's middleware around a [`Service`] that stays one.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{FromTower, LocalModel, Service};
    /// use tower::limit::ConcurrencyLimit;
    ///
    /// let one_by_one = FromTower::around(LocalModel::new(model), |model| ConcurrencyLimit::new(model, 1));
    /// assert_eq!(one_by_one.describe().platform, "maas");
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn around<S: Service>(service: S, wrap: impl FnOnce(ToTower<S>) -> T) -> Self {
        let description = service.describe();
        Self::new(wrap(ToTower::new(service)), description)
    }
}

impl<T: Clone> FromTower<T> {
    fn fresh(&self) -> T {
        self.service
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl<T> Service for FromTower<T>
where
    T: tower_service::Service<InferRequest, Response = InferResponse> + Clone + Send,
    T::Future: Send,
    T::Error: Into<BoxError>,
{
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let mut service = self.fresh();
        let ready = poll_fn(|context| service.poll_ready(context)).await;
        ready.map_err(|error| {
            self.failed.store(true, Ordering::Relaxed);
            found(error, ServeError::NotReady)
        })?;
        let answer = service.call(request);
        drop(service);
        answer
            .await
            .map_err(|error| found(error, ServeError::Other))
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.description)
    }

    /// Down from when the service has failed to be ready until it does not any more. One that makes callers wait is ready.
    fn ready(&self) -> Readiness {
        if !self.failed.load(Ordering::Relaxed) {
            return Readiness::Ready;
        }
        let mut context = Context::from_waker(Waker::noop());
        match self.fresh().poll_ready(&mut context) {
            Poll::Ready(Err(_)) => Readiness::Down,
            Poll::Ready(Ok(())) | Poll::Pending => {
                self.failed.store(false, Ordering::Relaxed);
                Readiness::Ready
            }
        }
    }
}

/// The [`ServeError`] in an error of tower, or the error as what `other` makes of it.
fn found(error: impl Into<BoxError>, other: fn(BoxError) -> ServeError) -> ServeError {
    match error.into().downcast::<ServeError>() {
        Ok(error) => *error,
        Err(error) => other(error),
    }
}

impl<T> fmt::Debug for FromTower<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromTower")
            .field("description", &self.description)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}
