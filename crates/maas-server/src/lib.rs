//! Models on the network: the Open Inference Protocol (also called V2 or KServe's) over REST and gRPC, for any
//! [`Service`](maas_service::Service).
//!
//! ```
//! # use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
//! # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
//! # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]));
//! use maas_server::{Client, Server};
//! use maas_service::Replicas;
//!
//! let server = Server::new().model("wine", Replicas::of(model, 3)).bind("127.0.0.1:0").run_in_background()?;
//!
//! let client = Client::new(server.url())?;
//! let response = client.infer("wine", ndarray::array![[0.5]].view())?;
//! assert_eq!(response.rows()?, ndarray::array![[0.5]]);
//! assert_eq!(response.replica.as_deref(), Some("0"));
//!
//! server.shutdown_blocking()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Server`] says which services have which names, and starts: [`Server::spawn`] within a tokio runtime,
//!   [`Server::run_in_background`] without one.
//! - [`RunningServer`] knows its address and shuts down in order: what was accepted is answered.
//! - [`Client`] asks such a server, or any other that speaks the protocol.
//!
//! # What is answered
//!
//! | verb | path | |
//! |---|---|---|
//! | GET | `/v2` | name, version and extensions of the server |
//! | GET | `/v2/health/live`, `/v2/health/ready` | whether it runs; whether every model takes requests |
//! | GET | `/v2/models/MODEL[/versions/VERSION]` | names, types and shapes of the model's inputs and outputs |
//! | GET | `/v2/models/MODEL[/versions/VERSION]/ready` | whether the model takes requests |
//! | POST | `/v2/models/MODEL[/versions/VERSION]/infer` | a prediction |
//! | GET | `/v2/docs/openapi.json` | these paths and others, for tools that read OpenAPI |
//! | GET | `/`, `/status` | the server's state and figures, as a page and as JSON |
//! | GET | `/metrics` | figures for Prometheus |
//!
//! Without a version in the path the highest one answers. Data in JSON may be flat or nested in any
//! way: what counts is the order of the elements and their number, which must be the shape's. FP16 and BF16, which JSON
//! numbers do not stand for in the protocol, are refused there. f32 values are written with the shortest digits that give the
//! same bits back. A tensor may have 0 rows.
//!
//! Of the protocol's extensions `binary_tensor_data` is there: tensors of any type travel as bytes after the JSON text,
//! each where its parameter `binary_data_size` says so, and so do outputs for which the request has `binary_data` or
//! `binary_data_output`. With `Inference-Header-Content-Length: 0` the body is the only input of the model and no text: its
//! rows are counted, or one dimension of a single row is; a byte string comes as it is. Bytes that lie well in memory reach
//! the model without a copy, and large answers leave without one.
//!
//! Bodies may be compressed (`Content-Encoding: gzip` or `deflate`), and answers of a KiB or more are where
//! `Accept-Encoding` asks for it; the length in the header counts the text before it is compressed.
//!
//! **NaN and infinity** are no JSON. In a request they are a syntax error (400). An answer that holds one is not
//! written as `null` or as a word that parsers stumble over: it becomes an error that says where it is (500), and can be
//! had in bytes.
//!
//! The parameter `priority` of a request is 1 for the highest, 0 or 2 for the usual and more for a low one; `timeout` says how many
//! microseconds the answer is of use.
//!
//! # gRPC
//!
//! With the feature `grpc` the same port answers the protocol's service `inference.GRPCInferenceService`: everything above, and
//! `ModelStreamInfer`, which answers in the order of its requests, starts up to 32 of them at once, and puts what is wrong with
//! one of them in its place. A model that answers in pieces sends them there one by one.
//!
//! Tensors come raw or in typed fields, never both in one request, and go back as they came; FP16 and BF16, for which there
//! are no fields, are always raw. Raw values that lie well in memory reach the model without a copy. Messages may be
//! compressed by gzip or deflate, and who sends a compressed request gets a compressed answer. `grpc-timeout` is heeded. Errors
//! have the code that `maas_service::ErrorKind` names, and those of overload say in `grpc-retry-pushback-ms` when to ask again. What
//! is no gRPC is refused at its paths by HTTP: 405, 415 or 505.
//!
//! Beside it there are `grpc.health.v1.Health`, whose services are the server (an empty name), `MODEL` and `MODEL/VERSION`, and
//! server reflection.
//!
//! # Errors
//!
//! Every error is JSON, `{"error": "..."}`, that says what was expected and what was found, and nothing about the
//! server's insides.
//!
//! | status | when |
//! |---|---|
//! | 400 | bad JSON; a wrong name, type, shape or number of values or bytes; too many rows |
//! | 401, 403 | no key or an unknown one; one that may not change models, or nobody may from here |
//! | 404 | no such path, model or version |
//! | 405 | another verb is meant; `Allow` says which |
//! | 408, 413, 415 | the body comes too slowly, is too large before or after it is unpacked, is compressed in another way |
//! | 429 | too many requests with this key; `Retry-After` says when to ask again |
//! | 500 | the model failed or panicked, or its answer has values that JSON cannot carry |
//! | 501 | a feature that is not there, such as shared memory; an answer of a type that JSON cannot carry |
//! | 503 | all replicas are stopped, the queue is full, the server shuts down; `Retry-After` says when to ask again |
//! | 504 | the request's deadline passed |
//!
//! So are heads that are no HTTP (400), that come too slowly (408), whose address is too long (414), and that are longer than some
//! 400 KB or have more than 100 headers (431); the connection ends then. Over HTTP/2 such a head ends its stream or connection,
//! by the codes of that protocol.
//!
//! # Deadlines
//!
//! `X-Request-Timeout-Ms`, Envoy's `X-Envoy-Expected-Rq-Timeout-Ms`, the protocol's parameter `timeout` in microseconds and
//! `grpc-timeout` say for how long an answer is of use; the first deadline counts. The parameter `priority` is 1 for requests that
//! go first, 2 or nothing for most, and more for those that can wait. A client that leaves gives its request up: what has not
//! begun is not run.
//!
//! # Who may ask
//!
//! Everybody, if there are no [keys](Server::key). With keys all paths need one but the probes `/v2/health/live`, `/v2/health/ready`
//! and those of gRPC. Models are loaded and unloaded with a key of an admin, or without keys from a server that listens on a
//! loopback address, if it is called by a name of this machine; elsewhere that is off. Pages of other sites in a browser get no
//! permission (CORS), and change no models.

mod access;
mod client;
mod error;
#[cfg(feature = "grpc")]
mod grpc;
mod guard;
mod hub;
#[doc(hidden)]
pub mod inside;
mod net;
mod observe;
#[cfg(feature = "tls")]
mod pem;
mod protocol;
mod rest;
mod server;
mod shared;
mod striped;
mod told;
mod wire;

pub use access::{ApiKey, RateLimit};
pub use client::{Client, Connect, RemoteModel};
#[cfg(feature = "tls")]
pub use client::{ClientTls, TlsFailure};
pub use error::Error;
pub use hub::{
    Folder, ModelIndex, ModelState, Models, Source, SourceError, Starting, VersionPolicy,
};
pub use net::RunningServer;
#[cfg(feature = "tls")]
pub use net::Tls;
pub use server::Server;
