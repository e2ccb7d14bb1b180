use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use maas_schedule::{ConcurrencyLimit, Permit};

use super::generate::{Piece, generate, next};
use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, Report, ServeError, Service,
};

/// A service with at most so many requests at a time: one more is refused at once as [`ServeError::Limit`].
///
/// A request counts until its future or stream is dropped. When all are taken, the service is not
/// [ready](Service::ready), so that a pool asks somebody else.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use maas_service::{Limit, LocalModel, ServeError, Service};
///
/// let service = Limit::new(LocalModel::new(model), 1);
/// service.predict(ndarray::array![[1.0]].view())?;
///
/// service.set(0);
/// let refused = service.predict(ndarray::array![[1.0]].view());
/// assert!(matches!(refused, Err(ServeError::Limit { limit: 0, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Limit<S> {
    service: S,
    limit: ConcurrencyLimit,
    retry_after: Duration,
}

impl<S: Service> Limit<S> {
    /// At most `limit` requests at a time; who is refused is told to come back after a second.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new(service: S, limit: usize) -> Self {
        Self {
            service,
            limit: ConcurrencyLimit::new(limit),
            retry_after: Duration::from_secs(1),
        }
    }

    /// When who is refused is told to come back.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use std::time::Duration;
    /// use maas_service::{Limit, LocalModel, Readiness, Service};
    ///
    /// let retry_after = Duration::from_millis(20);
    /// let service = Limit::new(LocalModel::new(model), 0).retry_after(retry_after);
    /// assert_eq!(service.ready(), Readiness::Overloaded { retry_after });
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn retry_after(self, retry_after: Duration) -> Self {
        Self {
            retry_after,
            ..self
        }
    }

    /// Another limit from now on. Requests above a lower one go on.
    ///
    /// See the type for an example.
    pub fn set(&self, limit: usize) {
        self.limit.set(limit);
    }

    /// How many requests there are.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{Limit, LocalModel};
    /// assert_eq!(Limit::new(LocalModel::new(model), 8).held(), 0);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn held(&self) -> usize {
        self.limit.held()
    }

    fn permit(&self) -> Result<Permit<'_>, ServeError> {
        self.limit.acquire().ok_or_else(|| ServeError::Limit {
            limit: self.limit.limit(),
            retry_after: self.retry_after,
        })
    }
}

impl<S: Service> Service for Limit<S> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let _permit = self.permit()?;
        self.service.infer(request).await
    }

    fn answers(&self, request: InferRequest) -> impl Stream<Item = Piece> + Send {
        generate(async move |out| {
            let _permit = match self.permit() {
                Ok(permit) => permit,
                Err(refused) => return out.give(Err(refused)).await,
            };
            let mut pieces = pin!(self.service.answers(request));
            while let Some(piece) = next(&mut pieces).await {
                out.give(piece).await;
            }
        })
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }

    fn ready(&self) -> Readiness {
        if self.limit.held() < self.limit.limit() {
            self.service.ready()
        } else {
            Readiness::Overloaded {
                retry_after: self.retry_after,
            }
        }
    }

    fn load(&self) -> Load {
        let mut load = self.service.load();
        load.in_flight = load.in_flight.max(self.limit.held());
        load
    }

    fn report(&self) -> Report {
        self.service.report()
    }
}
