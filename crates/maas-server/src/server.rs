use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use maas_service::{BoxService, Service};
use tokio::sync::watch;

use crate::Error;
use crate::Models;
use crate::access::{Access, ApiKey, Reach};
#[cfg(feature = "tls")]
use crate::net::Tls;
use crate::net::{self, Limits, RunningServer, Start};
use crate::observe::{self, Front, Traffic};
use crate::rest::router;
use crate::shared::{Ending, Shared};

/// Which services have which names, where to listen, and how much to take.
///
/// ```
/// # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]));
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// use maas_server::Server;
/// use maas_service::Replicas;
///
/// let server = Server::new().model("wine", Replicas::of(model, 3)).bind("127.0.0.1:0").spawn().await?;
/// println!("ask {}", server.url());
/// server.shutdown().await
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a server does nothing until it is started"]
pub struct Server {
    name: String,
    address: String,
    models: Models,
    added: Vec<(Arc<str>, Arc<str>, BoxService)>,
    body_limit: usize,
    body_timeout: Duration,
    limits: Limits,
    keys: Vec<ApiKey>,
    #[cfg(feature = "tls")]
    tls: Option<Tls>,
}

const BODY_LIMIT: usize = 64 << 20;
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// The connection adds the timeout to the clock, which would overflow.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Server {
    /// A server without models on port 8000 of the loopback address.
    ///
    /// It takes bodies of 64 MiB that arrive within a minute, 1024 connections at a time, keeps idle ones for two minutes,
    /// and when it shuts down, it does so at once and waits at most 30 s for busy connections.
    ///
    /// ```
    /// let server = maas_server::Server::new();
    /// ```
    pub fn new() -> Self {
        Self {
            name: "maas".to_owned(),
            address: "127.0.0.1:8000".to_owned(),
            models: Models::new(),
            added: Vec::new(),
            body_limit: BODY_LIMIT,
            body_timeout: BODY_TIMEOUT,
            limits: Limits::default(),
            keys: Vec::new(),
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Serves `service` as the version 1 of the model `name`.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let server = maas_server::Server::new().model("wine", maas_service::Replicas::of(model, 3));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn model(self, name: impl Into<Arc<str>>, service: impl Service + 'static) -> Self {
        self.model_version(name, "1", service)
    }

    /// Serves `service` as a version of the model `name`. Who asks for no version is answered by the highest: numbers
    /// count by value, and more than other texts.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = || FnModel::new(signature.clone(), |_, _| Ok::<(), Error>(()));
    /// let server = maas_server::Server::new()
    ///     .model_version("wine", "9", maas_service::LocalModel::new(model()))
    ///     .model_version("wine", "10", maas_service::LocalModel::new(model()));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn model_version(
        mut self,
        name: impl Into<Arc<str>>,
        version: impl Into<Arc<str>>,
        service: impl Service + 'static,
    ) -> Self {
        self.added
            .push((name.into(), version.into(), BoxService::new(service)));
        self
    }

    /// Serves these models, and those that are given by name in addition. They may be changed while the server runs.
    ///
    /// See [`Models`] for an example.
    pub fn models(mut self, models: Models) -> Self {
        self.models = models;
        self
    }

    /// Listens on this address; port 0 takes a free one.
    ///
    /// ```
    /// let server = maas_server::Server::new().bind("127.0.0.1:0");
    /// ```
    pub fn bind(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// Calls itself `name` in its metadata.
    ///
    /// ```
    /// let server = maas_server::Server::new().name("wine cellar");
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Takes request bodies of at most this many bytes.
    ///
    /// ```
    /// let server = maas_server::Server::new().body_limit(1 << 20);
    /// ```
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Waits at most this long for a request's body, and for a client that does not take its answer.
    ///
    /// ```
    /// let server = maas_server::Server::new().body_timeout(std::time::Duration::from_secs(5));
    /// ```
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = limit;
        self.limits.stall_timeout = limit.min(YEAR);
        self
    }

    /// Waits at most this long for a request's head. More than a year is taken as a year.
    ///
    /// ```
    /// let server = maas_server::Server::new().head_timeout(std::time::Duration::from_secs(5));
    /// ```
    pub fn head_timeout(mut self, limit: Duration) -> Self {
        self.limits.head_timeout = limit.min(YEAR);
        self
    }

    /// Asks an HTTP/2 client that waits for answers and says nothing for this long whether it is there. More than a year is
    /// taken as a year, less than a millisecond as one.
    ///
    /// ```
    /// let server = maas_server::Server::new().ping_interval(std::time::Duration::from_secs(10));
    /// ```
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.limits.ping_interval = interval.clamp(Duration::from_millis(1), YEAR);
        self
    }

    /// Closes the connection of an HTTP/2 client that does not answer for this long when it is asked whether it is there. More
    /// than a year is taken as a year.
    ///
    /// ```
    /// let server = maas_server::Server::new().ping_timeout(std::time::Duration::from_secs(5));
    /// ```
    pub fn ping_timeout(mut self, limit: Duration) -> Self {
        self.limits.ping_timeout = limit.min(YEAR);
        self
    }

    /// Keeps connections without requests open for this long: longer than a proxy before it, so that no request meets a
    /// connection that is being closed. More than a year is taken as a year.
    ///
    /// ```
    /// let server = maas_server::Server::new().idle_timeout(std::time::Duration::from_secs(600));
    /// ```
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.limits.idle_timeout = limit.min(YEAR);
        self
    }

    /// Asks clients to leave connections that are older than this, give or take a tenth: by `Connection: close` in the
    /// next answer, by GOAWAY in HTTP/2. Behind a balancer of connections it makes new servers get their share. More than
    /// a year is taken as a year.
    ///
    /// ```
    /// let server = maas_server::Server::new().connection_age(std::time::Duration::from_secs(600));
    /// ```
    pub fn connection_age(mut self, limit: Duration) -> Self {
        self.limits.age = Some(limit.min(YEAR));
        self
    }

    /// Has at most this many connections at a time; more wait until one ends. 0 is taken as 1.
    ///
    /// ```
    /// let server = maas_server::Server::new().connections(10_000);
    /// ```
    pub fn connections(mut self, limit: usize) -> Self {
        self.limits.connections = limit.max(1);
        self
    }

    /// Serves on for this long when it shuts down, while it says that it is not ready and asks clients to leave. It is
    /// the time that a balancer takes to hear of it. More than a year is taken as a year.
    ///
    /// ```
    /// let server = maas_server::Server::new().drain_delay(std::time::Duration::from_secs(5));
    /// ```
    pub fn drain_delay(mut self, delay: Duration) -> Self {
        self.limits.drain_delay = delay.min(YEAR);
        self
    }

    /// Waits at most this long for busy connections when it shuts down, after the [delay](Self::drain_delay).
    ///
    /// ```
    /// let server = maas_server::Server::new().drain_timeout(std::time::Duration::from_secs(5));
    /// ```
    pub fn drain_timeout(mut self, limit: Duration) -> Self {
        self.limits.drain_timeout = limit;
        self
    }

    /// Takes requests with this key, and without any key no more than probes.
    ///
    /// ```
    /// use maas_server::{ApiKey, Server};
    /// let server = Server::new().key(ApiKey::infer("shop", "correct horse battery staple"));
    /// ```
    pub fn key(mut self, key: ApiKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Speaks TLS, and nothing else.
    ///
    /// ```no_run
    /// use maas_server::{Server, Tls};
    /// let server = Server::new().tls(Tls::from_pem_files("server.pem", "server.key")?);
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Starts on the tokio runtime that this is called in, where connections are served; they are accepted on a thread of the
    /// server's own. It listens as soon as this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`] when the address is taken or none; [`Error::UnnamedModel`], [`Error::UnnamedVersion`] and
    /// [`Error::Model`] for names that do not fit together; [`Error::EmptyKey`] and [`Error::DuplicateKey`];
    /// [`Error::NoRuntime`] outside a runtime, [`Error::Runtime`] when there is no thread to be had.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let server = maas_server::Server::new().bind("127.0.0.1:0").spawn().await?;
    /// assert_ne!(server.addr().port(), 0);
    /// server.shutdown().await
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[expect(
        clippy::unused_async,
        reason = "starting may have to wait one day, and says now that it must run in a runtime"
    )]
    pub async fn spawn(self) -> Result<RunningServer, Error> {
        net::spawn(self.prepare()?)
    }

    /// Starts on a runtime and threads of its own, for programs that have no tokio runtime. It listens as soon as
    /// this returns.
    ///
    /// # Errors
    ///
    /// Those of [`spawn`](Self::spawn), and [`Error::Runtime`] when there are no threads to be had.
    ///
    /// ```
    /// let server = maas_server::Server::new().bind("127.0.0.1:0").run_in_background()?;
    /// assert!(server.url().starts_with("http://127.0.0.1:"));
    /// server.shutdown_blocking()?;
    /// # Ok::<(), maas_server::Error>(())
    /// ```
    pub fn run_in_background(self) -> Result<RunningServer, Error> {
        net::run_in_background(self.prepare()?)
    }

    /// The protocol's paths as a router of axum, to be mounted in an application of one's own behind its own middleware. What the
    /// server says of addresses and connections does not count there, and the paths `/`, `/status` and `/metrics` are left to it.
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn) for names that do not fit together.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let models = maas_server::Server::new().model("wine", maas_service::Replicas::of(model, 3));
    /// let app: axum::Router = axum::Router::new().merge(models.router()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn router(self) -> Result<Router, Error> {
        self.route(paths)
    }

    /// As [`router`](Self::router), with the page at `/`, `/status` and `/metrics` too. Connections and answers are not counted there,
    /// requests to models are.
    ///
    /// # Errors
    ///
    /// Those of [`router`](Self::router).
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let models = maas_server::Server::new().model("wine", maas_service::Replicas::of(model, 3));
    /// let app: axum::Router = axum::Router::new().nest("/models", models.full_router()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn full_router(self) -> Result<Router, Error> {
        self.route(all_paths)
    }

    fn route(self, paths: impl FnOnce(&Arc<Shared>) -> Router) -> Result<Router, Error> {
        let (shared, keys) = self.share()?;
        Ok(Access::new(keys, Reach::Network)?.guard(paths(&shared)))
    }

    fn prepare(self) -> Result<Start, Error> {
        let (address, limits) = (self.address.clone(), self.limits);
        #[cfg(feature = "tls")]
        let tls = self.tls.clone();
        let (shared, keys) = self.share()?;
        let bind_error = |source| Error::Bind {
            address: address.clone(),
            source,
        };
        let listener = net::listen(&address).map_err(bind_error)?;
        let reach = match listener.local_addr().map_err(bind_error)? {
            address if address.ip().is_loopback() => Reach::Machine,
            _ => Reach::Network,
        };
        let access = Access::new(keys, reach)?;
        Ok(Start {
            listener,
            front: Front::new(access, all_paths(&shared), Arc::clone(&shared)),
            shared,
            limits,
            #[cfg(feature = "tls")]
            tls,
        })
    }

    fn share(self) -> Result<(Arc<Shared>, Vec<ApiKey>), Error> {
        for (model, version, service) in self.added {
            if model.is_empty() {
                return Err(Error::UnnamedModel);
            }
            if version.is_empty() {
                return Err(Error::UnnamedVersion {
                    model: model.to_string(),
                });
            }
            self.models.add(model, version, service)?;
        }
        let shared = Shared {
            name: self.name,
            models: self.models,
            body_limit: self.body_limit,
            body_timeout: self.body_timeout,
            ending: watch::Sender::new(Ending::No),
            traffic: Traffic::default(),
        };
        Ok((Arc::new(shared), self.keys))
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

/// The paths of all protocols.
fn paths(shared: &Arc<Shared>) -> Router {
    let paths = router(Arc::clone(shared));
    #[cfg(feature = "grpc")]
    let paths = crate::grpc::mount(paths, shared);
    paths
}

/// Those of the operators too.
fn all_paths(shared: &Arc<Shared>) -> Router {
    let operators = observe::routes().with_state(Arc::clone(shared));
    paths(shared).merge(operators)
}
