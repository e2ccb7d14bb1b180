use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use maas_service::{Description, InferRequest, InferResponse, ServeError};
use ndarray::ArrayView2;

use super::address::Address;
use super::connect::TIMEOUT;
use super::http::Http;
use super::rest::Rest;
use super::runtime::Runtime;
use super::terms;
#[cfg(feature = "tls")]
use super::tls::ClientTls;
use crate::Error;

/// Asks a server that speaks the protocol: ours, or any other. It blocks, keeps connections open, and is shared by
/// `&self` among threads.
///
/// ```
/// # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]));
/// # let server = maas_server::Server::new().model("wine", maas_service::LocalModel::new(model)).bind("127.0.0.1:0").run_in_background()?;
/// use maas_server::Client;
///
/// let client = Client::new(server.url())?;
/// assert!(client.is_ready()?);
/// let response = client.infer("wine", ndarray::array![[1.0], [2.0]].view())?;
/// assert_eq!(response.rows()?, ndarray::array![[1.0], [2.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Client {
    rest: Rest,
    timeout: Duration,
    descriptions: Mutex<HashMap<String, Arc<Description>>>,
}

impl Client {
    /// A client of the server at `http://HOST:PORT`, or by TLS (feature `tls`) at `https://HOST:PORT`, which is not asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] when the text is no such address, [`Error::Runtime`] when there are no threads to be had.
    ///
    /// ```
    /// use maas_server::{Client, Error};
    /// assert!(Client::new("http://127.0.0.1:8000").is_ok());
    /// assert!(matches!(Client::new("ftp://127.0.0.1"), Err(Error::Url { .. })));
    /// ```
    pub fn new(url: impl AsRef<str>) -> Result<Self, Error> {
        let url = url.as_ref();
        let address = Address::parse(url)?;
        if !address.is_rest() {
            let found = url.to_owned();
            return Err(Error::Url { found });
        }
        let http = Http::new(address, Runtime::shared()?);
        Ok(Self {
            rest: Rest::new(http),
            timeout: TIMEOUT,
            descriptions: Mutex::default(),
        })
    }

    /// Waits at most this long for an answer, in place of 30 s.
    ///
    /// ```
    /// # use maas_server::Client;
    /// let client = Client::new("http://127.0.0.1:8000")?.timeout(std::time::Duration::from_secs(1));
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Shows this key to the server (`Authorization: Bearer`).
    ///
    /// # Errors
    ///
    /// [`Error::Key`] for a key that no header can carry.
    ///
    /// ```
    /// # use maas_server::Client;
    /// let client = Client::new("http://127.0.0.1:8000")?.key("secret")?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn key(mut self, key: impl AsRef<str>) -> Result<Self, Error> {
        self.rest.http.key(key.as_ref())?;
        Ok(self)
    }

    /// Trusts these authorities and shows this certificate to a server at `https://HOST:PORT`, in place of trusting those of
    /// the operating system and showing none.
    ///
    /// ```no_run
    /// use maas_server::{Client, ClientTls};
    ///
    /// let tls = ClientTls::authorities_file("authority.pem")?;
    /// let client = Client::new("https://wine.example:8000")?.tls(tls);
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.rest.http.dial.tls = Some(tls);
        self
    }

    /// Sends tensors as JSON, in place of bytes where the server takes them.
    ///
    /// ```
    /// # use maas_server::Client;
    /// let client = Client::new("http://127.0.0.1:8000")?.json();
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[must_use]
    pub fn json(mut self) -> Self {
        self.rest.binary = OnceLock::from(false);
        self
    }

    /// Whether the server runs.
    ///
    /// # Errors
    ///
    /// [`ServeError::Unreachable`] when it does not answer.
    ///
    /// ```
    /// # use maas_server::{Client, Server};
    /// let server = Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// assert!(Client::new(server.url())?.is_live()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_live(&self) -> Result<bool, ServeError> {
        self.wait(self.timeout, self.rest.is_live())
    }

    /// Whether all models of the server take requests.
    ///
    /// # Errors
    ///
    /// [`ServeError::Unreachable`] when it does not answer.
    ///
    /// ```
    /// # use maas_server::{Client, Server};
    /// let server = Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// assert!(Client::new(server.url())?.is_ready()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_ready(&self) -> Result<bool, ServeError> {
        self.wait(self.timeout, self.rest.is_ready())
    }

    /// What the model takes and gives, as the server said when it was first asked, or since it last refused to
    /// [`infer`](Self::infer).
    ///
    /// # Errors
    ///
    /// [`ServeError::Refused`] when there is no such model, [`ServeError::Unreachable`] and [`ServeError::BadAnswer`]
    /// when the server does not answer or cannot be understood.
    ///
    /// ```
    /// # use maas_server::{Client, Server};
    /// let server = Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// let error = Client::new(server.url())?.describe("wine").unwrap_err();
    /// assert_eq!(error.to_string(), "the server answered 404: no model is called `wine`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn describe(&self, model: &str) -> Result<Arc<Description>, ServeError> {
        if let Some(known) = lock(&self.descriptions).get(model) {
            return Ok(Arc::clone(known));
        }
        let description = self.wait(self.timeout, self.rest.describe(model, None))?;
        lock(&self.descriptions).insert(model.to_owned(), Arc::clone(&description));
        Ok(description)
    }

    /// Asks `model` for the predictions of rows × columns; [`InferResponse::rows`] has them.
    ///
    /// # Errors
    ///
    /// Those of [`describe`](Self::describe), [`ServeError::NotTabular`] for a model of another form, and
    /// [`ServeError::Refused`] with what the server says.
    ///
    /// The type's example shows it.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a view is handed over by value, as everywhere"
    )]
    pub fn infer(
        &self,
        model: &str,
        rows: ArrayView2<'_, f32>,
    ) -> Result<InferResponse, ServeError> {
        let mut request = InferRequest::of_rows(&self.describe(model)?.signature, rows)?;
        request.model = model.into();
        let answer = self.ask(&request);
        if let Err(ServeError::Refused {
            status: 400 | 404, ..
        }) = &answer
        {
            // Another version may take something else: who asks again shall know.
            lock(&self.descriptions).remove(model);
        }
        answer
    }

    /// Sends a request of any form.
    ///
    /// # Errors
    ///
    /// [`ServeError::Refused`] with what the server says, [`ServeError::Unreachable`] and [`ServeError::BadAnswer`]
    /// when it does not answer or cannot be understood, [`ServeError::Unsupported`] for tensors that JSON cannot carry.
    ///
    /// ```
    /// # use maas_core::Tensor;
    /// # use maas_server::{Client, Server};
    /// # use maas_service::InferRequest;
    /// # let server = Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// let request = InferRequest::new("wine").input("x", Tensor::from_slice([1, 1], &[0.5_f32])?);
    /// let error = Client::new(server.url())?.ask(&request).unwrap_err();
    /// assert!(!error.is_retryable());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ask(&self, request: &InferRequest) -> Result<InferResponse, ServeError> {
        let limit = terms::limit(request, self.timeout)?;
        let mut told = request.clone();
        terms::write(&mut told);
        let answering = self.rest.infer(told, request.version.as_deref(), limit);
        self.wait(limit, answering)
    }

    fn wait<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, ServeError>>,
    ) -> Result<T, ServeError> {
        let answer = self.rest.http.runtime.within(limit, answer);
        pollster::block_on(answer).unwrap_or(Err(ServeError::Deadline { limit }))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.rest.http.dial.address)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
