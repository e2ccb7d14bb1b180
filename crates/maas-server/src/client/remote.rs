use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use maas_service::{
    Description, InferRequest, InferResponse, Load, Readiness, ServeError, Service,
};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::connect::Connect;
use super::runtime::Runtime;
use super::state::State;
use super::terms;
use super::way::Way;
use crate::Error;

/// A model on a server elsewhere, ours or any other that speaks the protocol: a [`Service`], so that
/// [`Balanced`](maas_service::Balanced) spreads requests over several of them as over models of this process.
///
/// ```
/// # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]));
/// # let model = std::sync::Arc::new(maas_service::LocalModel::new(model));
/// # let start = || maas_server::Server::new().model("wine", std::sync::Arc::clone(&model)).bind("127.0.0.1:0").run_in_background();
/// # let (first, second) = (start()?, start()?);
/// use maas_server::RemoteModel;
/// use maas_service::{Balanced, InferRequest, Service};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let pool = Balanced::named([
///     ("first", RemoteModel::connect(first.url(), "wine").await?),
///     ("second", RemoteModel::connect(second.url(), "wine").await?),
/// ])?;
/// let request = InferRequest::of_rows(&pool.describe().signature, ndarray::array![[0.5]].view())?;
/// assert_eq!(pool.infer(request).await?.rows()?, ndarray::array![[0.5]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// - Connections are kept and used again; one that the server closed meanwhile is replaced without anybody noticing.
/// - A request that is dropped closes its connection, so that the server stops as well.
/// - A request's deadline bounds the wait, and so does the client's own limit. The server is told which one comes first, by
///   the header `X-Request-Timeout-Ms` or `grpc-timeout`, as well as the deadline and the priority by the protocol's
///   parameters `timeout`, in microseconds, and `priority`.
/// - Where it is asked for an answer of a server of this crate, that answer's request id and trace (`x-request-id`,
///   `traceparent`, `tracestate`) go on to its own server, as far as it is asked by the task that answers.
/// - The model's name and version are those that were connected to, whatever a request says.
/// - It is not [ready](Service::ready) while the server cannot be reached or says that it is not, which a task in the
///   background asks every second, and for as long as an answer's `Retry-After` says.
/// - It can be asked from any thread, with a runtime or without.
pub struct RemoteModel {
    inner: Arc<Inner>,
    description: Arc<Description>,
    probing: Option<AbortHandle>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) way: Way,
    pub(super) model: Arc<str>,
    pub(super) version: Option<Arc<str>>,
    pub(super) timeout: Duration,
    pub(super) runtime: Runtime,
    pub(super) state: State,
}

/// A probe may take this long even where probes are frequent,
const LEAST_PATIENCE: Duration = Duration::from_secs(1);
/// and the next one begins no sooner after it, whatever the doubts.
const LEAST_PAUSE: Duration = Duration::from_millis(50);

impl RemoteModel {
    /// The model of this name at `http://HOST:PORT`, or by gRPC (feature `grpc`) at `grpc://HOST:PORT`, which is asked what it
    /// takes and gives. By TLS (feature `tls`) these are `https` and `grpcs`: [`Connect::tls`] says whom to trust.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] for something else than an address; [`Error::Model`] with what the server says, or that it does
    /// not answer.
    ///
    /// See the type for an example.
    pub async fn connect(
        url: impl Into<String>,
        model: impl Into<Arc<str>>,
    ) -> Result<Self, Error> {
        Self::at(url, model).connect().await
    }

    /// As [`connect`](Self::connect), where something is to be set first.
    ///
    /// ```
    /// # use maas_server::{RemoteModel, Server};
    /// # let server = Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// use std::time::Duration;
    ///
    /// let remote = RemoteModel::at(server.url(), "wine").version("2").timeout(Duration::from_secs(1));
    /// assert!(remote.connect().await.is_err()); // the server has no such model
    /// # });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn at(url: impl Into<String>, model: impl Into<Arc<str>>) -> Connect {
        Connect::new(url.into(), model.into())
    }
}

impl RemoteModel {
    pub(super) fn new(inner: Inner, description: Arc<Description>, probing: Duration) -> Self {
        let inner = Arc::new(inner);
        let probing = (!probing.is_zero()).then(|| {
            let probing = probe(Arc::downgrade(&inner), probing);
            inner.runtime.spawn(probing).abort_handle()
        });
        Self {
            inner,
            description,
            probing,
        }
    }
}

impl Inner {
    async fn infer(&self, mut request: InferRequest) -> Result<InferResponse, ServeError> {
        let limit = terms::limit(&request, self.timeout)?;
        let (asked, id) = (Arc::clone(&request.model), request.id.clone());
        request.model = Arc::clone(&self.model);
        let answering = self.way.infer(request, self.version.as_deref(), limit);
        let answer = self.runtime.within(limit, answering).await;
        let mut response = answer.unwrap_or(Err(ServeError::Deadline { limit }))?;
        if response.id != id && response.id.is_some() && id.is_some() {
            return Err(ServeError::BadAnswer {
                reason: format!("its id is {:?}, that of the request {id:?}", response.id),
            });
        }
        response.model = asked;
        response.id = id;
        Ok(response)
    }
}

/// Asks again and again whether the model is ready, for as long as there is somebody who wants to know.
async fn probe(inner: Weak<Inner>, every: Duration) {
    while let Some(inner) = inner.upgrade() {
        let asking = inner.way.is_ready(&inner.model, inner.version.as_deref());
        let limit = every.max(LEAST_PATIENCE);
        let is_ready = timeout(limit, asking).await;
        inner.state.found(matches!(is_ready, Ok(Ok(true))));
        sleep(every.min(LEAST_PAUSE)).await;
        let _ = timeout(every, inner.state.doubted()).await;
    }
}

impl Service for RemoteModel {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let _counted = self.inner.state.count();
        let answer = self.inner.infer(request).await;
        self.inner.state.learn(&answer);
        answer
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.description)
    }

    fn ready(&self) -> Readiness {
        self.inner.state.readiness()
    }

    fn load(&self) -> Load {
        Load::of(self.inner.state.in_flight())
    }
}

impl Drop for RemoteModel {
    fn drop(&mut self) {
        if let Some(probing) = &self.probing {
            probing.abort();
        }
    }
}

impl fmt::Debug for RemoteModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteModel")
            .field("model", &self.inner.model)
            .field("version", &self.inner.version)
            .field("way", &self.inner.way)
            .field("ready", &self.ready())
            .finish_non_exhaustive()
    }
}
