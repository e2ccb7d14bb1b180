//! One trait for every inference service: a model in this process, a pool of replicas, a server elsewhere.
//!
//! ```
//! use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
//! use maas_service::{Replicas, Service};
//! # use maas_core::{Outputs, TensorView};
//!
//! // A model: doubles each of two columns.
//! let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[2]))?;
//! let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
//!     let x = inputs[0].as_slice::<f32>()?;
//!     let mut y = outputs.tensor(0, DType::Fp32, inputs[0].shape())?;
//!     y.as_mut_slice::<f32>()?.iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
//!     Ok::<(), Error>(())
//! });
//!
//! // Three replicas of it, asked in turn.
//! let pool = Replicas::of(model, 3);
//! let answer = pool.predict(ndarray::array![[1.0, 2.0], [3.0, 4.0]].view())?;
//! assert_eq!(answer, ndarray::array![[2.0, 4.0], [6.0, 8.0]]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Service`] answers an [`InferRequest`] by an [`InferResponse`] or a [`ServeError`]. It is asynchronous and knows
//!   no runtime; [`Service::predict`] blocks instead, for those who have none.
//! - [`LocalModel`] runs a [`Model`](maas_core::Model) on a worker thread of its own behind a bounded queue.
//! - [`Balanced`] spreads requests over services by a [`Policy`](maas_schedule::Policy) and asks another one when one
//!   cannot answer.
//! - [`Replicas`] is both: *n* workers that share one model, each of which can be stopped and brought back.
//! - [`Timeout`], [`Limit`], [`Fallback`], [`Tap`], [`Versions`] and `Cache` (feature `cache`) stand around any service.
//! - [`BoxService`] is any of them behind a pointer.
//! - A [`Timer`] is a clock that can be waited for; none needs a runtime.
//! - With the feature `tower`, `ToTower` puts a service behind tower's middleware, and `FromTower` brings one back.
//!
//! Services nest: a balanced pool of balanced pools is a service.
//!
//! # Nothing is lost
//!
//! Each request that is given to a service comes back as a response or as an error, also when the replica that holds
//! it is stopped, when the model panics, and when the queue is full. A request that a stopped replica held is given
//! to another one: models are functions, so to ask twice does no harm.

mod answers;
mod balanced;
mod caught;
mod check;
mod description;
mod dynamic;
mod error;
mod kind;
mod local;
mod nest;
mod parameters;
mod replicas;
mod report;
mod request;
mod response;
mod service;
mod tabular;
mod timer;
#[cfg(feature = "tower")]
mod tower;

pub use balanced::Balanced;
pub use description::{Description, Readiness};
pub use dynamic::{BoxService, DynService};
pub use error::ServeError;
pub use kind::ErrorKind;
pub use local::LocalModel;
pub use maas_schedule::{Load, Priority};
#[cfg(feature = "cache")]
pub use nest::{Cache, CacheStats};
pub use nest::{
    Compared, Ending, Fallback, Limit, Retired, Shadow, Split, Tap, Tapped, Timeout, VersionStatus,
    Versions,
};
pub use parameters::{Parameter, Parameters};
pub use replicas::Replicas;
pub use report::{MemberReport, Report};
pub use request::{InferRequest, NamedTensor, Protocol, RequestedOutput};
pub use response::{InferResponse, Spent};
pub use service::Service;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
pub use timer::{ManualTimer, Sleep, ThreadTimer, Timer};
#[cfg(feature = "tower")]
pub use tower::{FromTower, ToTower};
