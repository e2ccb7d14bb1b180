mod connection;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maas_core::{DType, Dimension, Signature, TensorSpec};
use maas_service::{Description, InferRequest, InferResponse, ServeError};
use ndarray::ArrayView2;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::Error;
use crate::wire::{Form, read, write};
use connection::{Answer, Connection, Failure};

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
    address: String,
    timeout: Duration,
    idle: Mutex<Vec<Connection>>,
    descriptions: Mutex<HashMap<String, Arc<Description>>>,
}

const TIMEOUT: Duration = Duration::from_secs(30);

impl Client {
    /// A client of the server at `http://HOST:PORT`, which is not asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] when the text is no such address.
    ///
    /// ```
    /// use maas_server::{Client, Error};
    /// assert!(Client::new("http://127.0.0.1:8000").is_ok());
    /// assert!(matches!(Client::new("ftp://127.0.0.1"), Err(Error::Url { .. })));
    /// ```
    pub fn new(url: impl AsRef<str>) -> Result<Self, Error> {
        let url = url.as_ref();
        let address = url
            .strip_prefix("http://")
            .map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        let valid = |address: &&str| {
            !address.is_empty() && !address.contains(|c: char| c == '/' || c.is_whitespace())
        };
        let address = address.filter(valid).ok_or_else(|| Error::Url {
            found: url.to_owned(),
        })?;
        let has_port = address
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port {
            address.to_owned()
        } else {
            format!("{address}:80")
        };
        Ok(Self {
            address,
            timeout: TIMEOUT,
            idle: Mutex::default(),
            descriptions: Mutex::default(),
        })
    }

    /// Waits at most this long to connect, and each time bytes are sent or awaited; 30 s by default, and at least a millisecond.
    ///
    /// ```
    /// # use maas_server::Client;
    /// let client = Client::new("http://127.0.0.1:8000")?.timeout(std::time::Duration::from_secs(1));
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit.max(Duration::from_millis(1));
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
        Ok(self.get("/v2/health/live")?.status == 200)
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
        Ok(self.get("/v2/health/ready")?.status == 200)
    }

    /// What the model takes and gives, as the server said when it was first asked.
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
        let answer = accepted(self.get(&model_path(model, None))?)?;
        let metadata: Metadata = serde_json::from_slice(&answer.body).map_err(bad_answer)?;
        let signature = Signature::new(specs(metadata.inputs)?, specs(metadata.outputs)?)
            .map_err(bad_answer)?;
        let description = Arc::new(Description::new(signature, metadata.platform));
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
        self.ask(&request)
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
        let body = write::request(request, &Form::json())
            .map_err(|reason| ServeError::Unsupported {
                what: reason.to_string(),
            })?
            .into_bytes();
        let path = format!(
            "{}/infer",
            model_path(&request.model, request.version.as_deref())
        );
        let answer = accepted(self.exchange("POST", &path, &body)?)?;
        read::response(&answer.body.into(), None).map_err(|reason| ServeError::BadAnswer { reason })
    }

    fn get(&self, path: &str) -> Result<Answer, ServeError> {
        self.exchange("GET", path, &[])
    }

    fn exchange(&self, verb: &str, path: &str, body: &[u8]) -> Result<Answer, ServeError> {
        let head = format!(
            "{verb} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let unreachable = |source: io::Error| ServeError::Unreachable {
            address: self.address.clone(),
            source,
        };
        // Connections that were idle may have been closed by the server; a fresh one has no such excuse.
        loop {
            let kept = lock(&self.idle).pop();
            let fresh = kept.is_none();
            let mut connection = match kept {
                Some(connection) => connection,
                None => Connection::open(&self.address, self.timeout).map_err(unreachable)?,
            };
            match connection.exchange(&head, body) {
                Ok(answer) => {
                    if answer.keep_alive {
                        lock(&self.idle).push(connection);
                    }
                    return Ok(answer);
                }
                Err(Failure::Closed(_)) if !fresh => {}
                Err(Failure::Closed(error) | Failure::Broken(error)) => {
                    return Err(unreachable(error));
                }
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    platform: String,
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
}

#[derive(Deserialize)]
struct TensorMetadata {
    name: String,
    datatype: DType,
    shape: Vec<Dimension>,
}

fn specs(tensors: Vec<TensorMetadata>) -> Result<Vec<TensorSpec>, ServeError> {
    let spec = |tensor: TensorMetadata| {
        TensorSpec::new(tensor.name, tensor.datatype, tensor.shape).map_err(bad_answer)
    };
    tensors.into_iter().map(spec).collect()
}

fn accepted(answer: Answer) -> Result<Answer, ServeError> {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    if answer.status == 200 {
        return Ok(answer);
    }
    let message = match serde_json::from_slice::<Refused>(&answer.body) {
        Ok(refused) => refused.error,
        Err(_) => String::from_utf8_lossy(&answer.body)
            .chars()
            .take(200)
            .collect(),
    };
    Err(ServeError::Refused {
        status: answer.status,
        message,
    })
}

fn model_path(model: &str, version: Option<&str>) -> String {
    let quoted = |name| utf8_percent_encode(name, NON_ALPHANUMERIC);
    match version {
        Some(version) => format!("/v2/models/{}/versions/{}", quoted(model), quoted(version)),
        None => format!("/v2/models/{}", quoted(model)),
    }
}

fn bad_answer(error: impl fmt::Display) -> ServeError {
    ServeError::BadAnswer {
        reason: error.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
