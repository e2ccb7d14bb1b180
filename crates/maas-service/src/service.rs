use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use ndarray::{Array2, ArrayView2};

use crate::answers::Once;
use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, Report, ServeError, tabular,
};

/// Something that answers inference requests: a model here, a pool of them, a server elsewhere.
///
/// A service stands for one model. It is shared by `&self`; its futures borrow it and may move between threads. There
/// is nothing to poll before a call: a service that has too much to do answers with an error that says so.
///
/// Dropping the future gives the request up: what has not begun will not be done.
///
/// ```
/// use std::sync::Arc;
/// use maas_service::{Description, InferRequest, InferResponse, ServeError, Service};
///
/// /// Answers as another service does, and tells how many rows were asked for.
/// struct Told<S>(S);
///
/// impl<S: Service> Service for Told<S> {
///     async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
///         let rows = request.inputs.first().map_or(0, |input| input.tensor.rows());
///         let mut response = self.0.infer(request).await?;
///         response.parameters.set("rows", rows);
///         Ok(response)
///     }
///
///     fn describe(&self) -> Arc<Description> {
///         self.0.describe()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service",
    note = "wrap a model by `LocalModel::new(model)` or `Replicas::of(model, n)`, or implement `maas_service::Service`"
)]
pub trait Service: Send + Sync {
    /// Answers a request.
    ///
    /// # Errors
    ///
    /// The future ends in a [`ServeError`] that says why there is no answer.
    fn infer(
        &self,
        request: InferRequest,
    ) -> impl Future<Output = Result<InferResponse, ServeError>> + Send;

    /// Answers a request piece by piece, for services that have pieces: a language model gives its words as they come.
    /// Unless implemented, the one answer of [`infer`](Self::infer) comes as a whole. After an error comes nothing.
    ///
    /// Services around one service hand its stream on; a pool, which would have to ask somebody else in the middle of an
    /// answer, answers as a whole.
    fn answers(
        &self,
        request: InferRequest,
    ) -> impl Stream<Item = Result<InferResponse, ServeError>> + Send {
        Once::of(self.infer(request))
    }

    /// What the service takes and gives.
    fn describe(&self) -> Arc<Description>;

    /// Whether it takes requests now.
    fn ready(&self) -> Readiness {
        Readiness::Ready
    }

    /// How much it has to do, for those who choose among services.
    fn load(&self) -> Load {
        Load::default()
    }

    /// What it tells its operators of its insides. Unless implemented, nothing.
    fn report(&self) -> Report {
        Report::default()
    }

    /// Answers a request, blocking this thread; not for threads of an asynchronous runtime.
    ///
    /// # Errors
    ///
    /// Those of [`infer`](Self::infer).
    fn infer_blocking(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let mut answer = pin!(self.infer(request));
        // What is answered at once needs nobody to wake this thread.
        match answer
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(answer) => answer,
            Poll::Pending => pollster::block_on(answer),
        }
    }

    /// Predicts rows × columns of numbers, blocking this thread; not for threads of an asynchronous runtime.
    ///
    /// The model takes one FP32 input, whose rows may have any fixed shape with as many elements as `rows` has
    /// columns, and gives at least one output; the first is the answer and must be FP32. Its rows come back flat.
    ///
    /// # Errors
    ///
    /// [`ServeError::NotTabular`] for a model of another form, and those of [`infer`](Self::infer).
    fn predict(&self, rows: ArrayView2<'_, f32>) -> Result<Array2<f32>, ServeError> {
        let request = tabular::request(&self.describe().signature, &rows)?;
        tabular::answer(&self.infer_blocking(request)?)
    }
}

impl<S: Service + ?Sized> Service for Arc<S> {
    fn infer(
        &self,
        request: InferRequest,
    ) -> impl Future<Output = Result<InferResponse, ServeError>> + Send {
        (**self).infer(request)
    }

    fn answers(
        &self,
        request: InferRequest,
    ) -> impl Stream<Item = Result<InferResponse, ServeError>> + Send {
        (**self).answers(request)
    }

    fn describe(&self) -> Arc<Description> {
        (**self).describe()
    }

    fn ready(&self) -> Readiness {
        (**self).ready()
    }

    fn load(&self) -> Load {
        (**self).load()
    }

    fn report(&self) -> Report {
        (**self).report()
    }

    fn infer_blocking(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        (**self).infer_blocking(request)
    }
}

impl<S: Service + ?Sized> Service for &S {
    fn infer(
        &self,
        request: InferRequest,
    ) -> impl Future<Output = Result<InferResponse, ServeError>> + Send {
        (**self).infer(request)
    }

    fn answers(
        &self,
        request: InferRequest,
    ) -> impl Stream<Item = Result<InferResponse, ServeError>> + Send {
        (**self).answers(request)
    }

    fn describe(&self) -> Arc<Description> {
        (**self).describe()
    }

    fn ready(&self) -> Readiness {
        (**self).ready()
    }

    fn load(&self) -> Load {
        (**self).load()
    }

    fn report(&self) -> Report {
        (**self).report()
    }

    fn infer_blocking(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        (**self).infer_blocking(request)
    }
}
