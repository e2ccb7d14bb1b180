use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::{InferRequest, InferResponse, ServeError, Service};

/// A service for tower's middleware, by the feature `tower`. A clone shares the service.
///
/// # Ready at any time
///
/// `poll_ready` never waits and never fails; whoever cannot answer says so in the answer. To wait would need somebody who
/// wakes the caller, and our services refuse at once instead, with an error that says whether and when to come back
/// ([`ServeError::is_retryable`], [`ServeError::retry_after`]). And an error of `poll_ready` is final to tower: a buffer
/// fails for good, a balancer throws the member away, while a stopped replica may be back a moment later.
///
/// So limits, load shedding and buffers of tower go by what stands around the service, a retry policy by the error.
///
/// A call costs one box. Dropping its future gives the request up. An answer comes as a whole: tower knows no
/// [`Service::answers`].
///
/// ```
/// # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature.clone(), |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use std::time::Duration;
/// use maas_service::{InferRequest, Replicas, ToTower};
/// use tower::{ServiceBuilder, ServiceExt};
///
/// let pool = ServiceBuilder::new()
///     .load_shed()
///     .concurrency_limit(64)
///     .timeout(Duration::from_secs(1))
///     .service(ToTower::new(Replicas::of(model, 3)));
///
/// let request = InferRequest::of_rows(&signature, ndarray::array![[1.0]].view())?;
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async move {
/// let response = pool.oneshot(request).await?;
/// assert_eq!(response.rows()?, ndarray::array![[1.0]]);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).map_err(|error| error.to_string())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ToTower<S: ?Sized>(Arc<S>);

impl<S: Service> ToTower<S> {
    /// A service for tower.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{LocalModel, ToTower};
    /// let service = ToTower::new(LocalModel::new(model));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn new(service: S) -> Self {
        Self(Arc::new(service))
    }
}

impl<S: ?Sized> ToTower<S> {
    /// The service itself.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{Replicas, ToTower};
    /// let pool = ToTower::new(Replicas::of(model, 3));
    /// pool.service().kill(1)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn service(&self) -> &S {
        &self.0
    }
}

impl<S: ?Sized> Clone for ToTower<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: ?Sized> From<Arc<S>> for ToTower<S> {
    fn from(service: Arc<S>) -> Self {
        Self(service)
    }
}

impl<S: Service + ?Sized + 'static> tower_service::Service<InferRequest> for ToTower<S> {
    type Response = InferResponse;
    type Error = ServeError;
    type Future = Pin<Box<dyn Future<Output = Result<InferResponse, ServeError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ServeError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: InferRequest) -> Self::Future {
        let service = Arc::clone(&self.0);
        Box::pin(async move { service.infer(request).await })
    }
}
