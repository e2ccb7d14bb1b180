use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;

use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, Report, ServeError, Service,
};

/// The object-safe twin of [`Service`]: every service is one, and pays one box for each future.
///
/// Users implement [`Service`]; this is for those who hold services of several types.
pub trait DynService: Send + Sync {
    /// [`Service::infer`] with its future boxed.
    fn infer_boxed(&self, request: InferRequest) -> BoxedAnswer<'_>;
    /// [`Service::answers`] with its stream boxed.
    fn answers_boxed(&self, request: InferRequest) -> BoxedAnswers<'_>;
    /// [`Service::infer_blocking`].
    ///
    /// # Errors
    ///
    /// Those of [`Service::infer`].
    fn infer_blocking_boxed(&self, request: InferRequest) -> Result<InferResponse, ServeError>;
    /// [`Service::describe`].
    fn describe_boxed(&self) -> Arc<Description>;
    /// [`Service::ready`].
    fn ready_boxed(&self) -> Readiness;
    /// [`Service::load`].
    fn load_boxed(&self) -> Load;
    /// [`Service::report`].
    fn report_boxed(&self) -> Report;
}

type BoxedAnswer<'a> = Pin<Box<dyn Future<Output = Result<InferResponse, ServeError>> + Send + 'a>>;

type BoxedAnswers<'a> = Pin<Box<dyn Stream<Item = Result<InferResponse, ServeError>> + Send + 'a>>;

impl<S: Service> DynService for S {
    fn infer_boxed(&self, request: InferRequest) -> BoxedAnswer<'_> {
        Box::pin(self.infer(request))
    }

    fn answers_boxed(&self, request: InferRequest) -> BoxedAnswers<'_> {
        Box::pin(self.answers(request))
    }

    fn infer_blocking_boxed(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        self.infer_blocking(request)
    }

    fn describe_boxed(&self) -> Arc<Description> {
        self.describe()
    }

    fn ready_boxed(&self) -> Readiness {
        self.ready()
    }

    fn load_boxed(&self) -> Load {
        self.load()
    }

    fn report_boxed(&self) -> Report {
        self.report()
    }
}

/// Any service behind a pointer. A clone shares the service.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
/// use maas_service::{BoxService, LocalModel, Replicas, Service};
///
/// let services = [BoxService::new(LocalModel::new(model())), BoxService::new(Replicas::of(model(), 2))];
/// assert!(services.iter().all(|service| service.ready().is_ready()));
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone)]
pub struct BoxService(Arc<dyn DynService>);

impl BoxService {
    /// Puts a service behind a pointer. One that is behind one already stays as it is.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{BoxService, LocalModel, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(BoxService::new(LocalModel::new(model)).load().in_flight, 0);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn new(service: impl Service + 'static) -> Self {
        let any: &dyn Any = &service;
        match any.downcast_ref::<Self>() {
            Some(boxed) => boxed.clone(),
            None => Self(Arc::new(service)),
        }
    }
}

impl Service for BoxService {
    fn infer(
        &self,
        request: InferRequest,
    ) -> impl Future<Output = Result<InferResponse, ServeError>> + Send {
        self.0.infer_boxed(request)
    }

    fn answers(
        &self,
        request: InferRequest,
    ) -> impl Stream<Item = Result<InferResponse, ServeError>> + Send {
        self.0.answers_boxed(request)
    }

    fn describe(&self) -> Arc<Description> {
        self.0.describe_boxed()
    }

    fn ready(&self) -> Readiness {
        self.0.ready_boxed()
    }

    fn load(&self) -> Load {
        self.0.load_boxed()
    }

    fn report(&self) -> Report {
        self.0.report_boxed()
    }

    fn infer_blocking(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        self.0.infer_blocking_boxed(request)
    }
}

impl fmt::Debug for BoxService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BoxService")
            .field(&self.0.describe_boxed())
            .finish()
    }
}
