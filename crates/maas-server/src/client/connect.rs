use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use maas_service::{Description, ServeError};

use super::address::Address;
use super::http::Http;
use super::remote::{Inner, RemoteModel};
use super::rest::Rest;
use super::runtime::Runtime;
use super::state::State;
#[cfg(feature = "tls")]
use super::tls::ClientTls;
use super::way::Way;
use crate::Error;

/// How a [`RemoteModel`] is asked. What is not set is as it says.
///
/// ```
/// # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]));
/// # let server = maas_server::Server::new().model("wine", maas_service::LocalModel::new(model)).bind("127.0.0.1:0").run_in_background()?;
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use maas_server::RemoteModel;
/// use std::time::Duration;
///
/// let remote = RemoteModel::at(server.url(), "wine")
///     .version("1")
///     .key("secret")
///     .timeout(Duration::from_secs(2))
///     .connect_timeout(Duration::from_millis(500))
///     .kept_connections(16, Duration::from_secs(10))
///     .answer_limit(64 << 20)
///     .probing_every(Duration::from_millis(250))
///     .json()
///     .connect()
///     .await?;
/// # drop(remote);
/// # Ok::<(), maas_server::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Connect {
    url: String,
    model: Arc<str>,
    version: Option<Arc<str>>,
    key: Option<String>,
    timeout: Duration,
    connect_timeout: Option<Duration>,
    kept: Option<(usize, Duration)>,
    answer_limit: Option<usize>,
    probing: Duration,
    binary: OnceLock<bool>,
    #[cfg(feature = "tls")]
    tls: Option<ClientTls>,
}

pub(super) const TIMEOUT: Duration = Duration::from_secs(30);
const PROBING: Duration = Duration::from_secs(1);

impl Connect {
    pub(super) fn new(url: String, model: Arc<str>) -> Self {
        Self {
            url,
            model,
            version: None,
            key: None,
            timeout: TIMEOUT,
            connect_timeout: None,
            kept: None,
            answer_limit: None,
            probing: PROBING,
            binary: OnceLock::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Asks this version of the model, in place of the one that the server takes.
    pub fn version(mut self, version: impl Into<Arc<str>>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Shows this key to the server (`Authorization: Bearer`).
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Waits at most this long for an answer, in place of 30 s. A request's deadline may be sooner.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Waits at most this long for a connection, in place of 5 s.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = Some(limit);
        self
    }

    /// Keeps at most so many connections that nobody uses, and none for longer than this, in place of 64 and 20 s.
    pub fn kept_connections(mut self, most: usize, age: Duration) -> Self {
        self.kept = Some((most, age));
        self
    }

    /// Takes answers of at most this many bytes, in place of a GiB.
    pub fn answer_limit(mut self, bytes: usize) -> Self {
        self.answer_limit = Some(bytes);
        self
    }

    /// Asks this often whether the model is ready, in place of every second; [`Duration::ZERO`] is never.
    pub fn probing_every(mut self, interval: Duration) -> Self {
        self.probing = interval;
        self
    }

    /// Sends tensors as bytes, in place of asking the server whether it takes them.
    pub fn binary(mut self) -> Self {
        self.binary = OnceLock::from(true);
        self
    }

    /// Sends tensors as JSON, in place of bytes where the server takes them.
    pub fn json(mut self) -> Self {
        self.binary = OnceLock::from(false);
        self
    }

    /// Trusts these authorities and shows this certificate to servers that are spoken to by TLS (`https://`, `grpcs://`),
    /// in place of trusting those of the operating system and showing none.
    ///
    /// ```no_run
    /// use maas_server::{ClientTls, RemoteModel};
    ///
    /// let tls = ClientTls::authorities_file("authority.pem")?;
    /// let remote = RemoteModel::at("https://wine.example:8000", "wine").tls(tls).connect_blocking()?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: ClientTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Asks the server what the model takes and gives.
    ///
    /// # Errors
    ///
    /// Those of [`RemoteModel::connect`]; [`Error::Key`] for a key that no header can carry.
    pub async fn connect(self) -> Result<RemoteModel, Error> {
        let (inner, probing) = self.prepare()?;
        let description = inner.describe().await?;
        Ok(RemoteModel::new(inner, description, probing))
    }

    /// As [`connect`](Self::connect), blocking this thread; not for threads of an asynchronous runtime.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect).
    ///
    /// ```
    /// use maas_server::{Error, RemoteModel};
    /// let refused = RemoteModel::at("ftp://127.0.0.1", "wine").connect_blocking();
    /// assert!(matches!(refused, Err(Error::Url { .. })));
    /// ```
    pub fn connect_blocking(self) -> Result<RemoteModel, Error> {
        pollster::block_on(self.connect())
    }

    /// Takes the server's word for granted: it is not asked, and need not run yet. For pools whose members come later.
    ///
    /// # Errors
    ///
    /// [`Error::Url`], [`Error::Key`].
    ///
    /// ```
    /// # use maas_core::{DType, Signature, TensorSpec};
    /// use maas_server::RemoteModel;
    /// use maas_service::{Description, Service};
    ///
    /// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// let remote = RemoteModel::at("http://127.0.0.1:9", "wine").described(Description::new(signature, "maas"))?;
    /// assert_eq!(remote.describe().platform, "maas");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn described(self, description: impl Into<Arc<Description>>) -> Result<RemoteModel, Error> {
        let (inner, probing) = self.prepare()?;
        Ok(RemoteModel::new(inner, description.into(), probing))
    }

    fn prepare(self) -> Result<(Inner, Duration), Error> {
        let address = Address::parse(&self.url)?;
        let runtime = Runtime::shared()?;
        let mut http = Http::new(address, runtime.clone());
        if let Some(key) = &self.key {
            http.key(key)?;
        }
        if let Some(limit) = self.connect_timeout {
            http.dial.limit = limit;
        }
        if let Some((most, age)) = self.kept {
            (http.idle.most, http.idle.age) = (most, age);
        }
        if let Some(bytes) = self.answer_limit {
            http.answer_limit = bytes;
        }
        #[cfg(feature = "tls")]
        {
            http.dial.tls = self.tls;
        }
        let way = way(http, self.binary)?;
        let inner = Inner {
            way,
            model: self.model,
            version: self.version,
            timeout: self.timeout,
            runtime,
            state: State::default(),
        };
        Ok((inner, self.probing))
    }
}

/// The protocol that the address says.
fn way(http: Http, binary: OnceLock<bool>) -> Result<Way, Error> {
    #[cfg(feature = "grpc")]
    if !http.dial.address.is_rest() {
        let key = http.authorization.as_ref();
        let key = key.map(|key| key.as_bytes().try_into()).transpose();
        let key = key.map_err(|_| Error::Key)?;
        let connect = || crate::grpc::Grpc::new(http.dial.clone(), http.answer_limit, key);
        return Ok(Way::Grpc(http.runtime.enter(connect)));
    }
    let mut rest = Rest::new(http);
    rest.binary = binary;
    Ok(Way::Rest(rest))
}

impl Inner {
    async fn describe(&self) -> Result<Arc<Description>, ServeError> {
        let asking = self.way.describe(&self.model, self.version.as_deref());
        let limit = self.timeout;
        let answer = self.runtime.within(limit, asking).await;
        answer.unwrap_or(Err(ServeError::Deadline { limit }))
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("url", &self.url)
            .field("model", &self.model)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
