//! From gradient to request: train a model, compress it, balance and serve it, in one language and one process.
//!
//! ```
//! # #[cfg(all(feature = "train", feature = "compress", feature = "service"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use maas::prelude::*;
//!
//! # std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/data"))?;
//! let data = Dataset::from_csv("wine.csv")?.target("quality")?.split([0.7, 0.15, 0.15], Seed(7))?;
//!
//! // train: θ ← θ − α ∇J(θ)
//! let mut network = Sequential::new(data.train.features())
//!     .normalize(&data.train)
//!     .dense(128).relu().dense(64).relu().dense(32).relu().dense(1)
//!     .build(Seed(7))?;
//! let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).epochs(10).batch_size(32).validation(&data.validation);
//! # let trainer = trainer.progress(Progress::Quiet);
//! let history = trainer.fit(&mut network, &data.train)?;
//!
//! // compress: w ← w − λ sign(w), until 90 % of the weights are zero, then fine-tuned
//! let (compact, report) = Compressor::new(SoftThreshold::to_sparsity(0.9))
//!     .fine_tune(|network| trainer.fit(network, &data.train))
//!     .run(&mut network, &data.validation)?;
//!
//! // balance: next ← (current + 1) mod 3
//! let pool = Replicas::of(compact, 3).balanced_by(RoundRobin::new(3));
//! let answer = pool.predict(data.test.x())?;
//!
//! assert_eq!(answer.nrows(), data.test.rows());
//! assert!(history.epochs[9].loss < 0.7 * history.epochs[0].loss);
//! assert!(report.bytes_after * 5 < report.bytes_before);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "train", feature = "compress", feature = "service")))]
//! # fn main() {}
//! ```
//!
//! and with the feature `server`, over HTTP:
//!
//! ```
//! # #[cfg(all(feature = "nn", feature = "server"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use maas::prelude::*;
//! # let network = Sequential::new(vec![TensorSpec::rows("x", DType::Fp32, &[11])]).dense(1).build(Seed(7))?;
//!
//! let server = Server::new().model("wine", Replicas::of(network, 3)).bind("127.0.0.1:0").run_in_background()?;
//! // ask server.url() with any Open Inference Protocol client ...
//! server.shutdown_blocking()?;
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "nn", feature = "server")))]
//! # fn main() {}
//! ```
//!
//! # The three formulas, each alone
//!
//! ```
//! # #[cfg(all(feature = "train", feature = "compress", feature = "schedule"))]
//! # fn main() -> Result<(), maas::Error> {
//! use maas::prelude::*;
//!
//! // θ(t+1) = θ(t) − α ∇J(θ(t)), for J = (θ − 3)²
//! let mut theta = [0.0];
//! GradientDescent::new(0.1).minimize(&mut theta, |theta, gradient| {
//!     gradient[0] = 2.0 * (theta[0] - 3.0);
//!     (theta[0] - 3.0).powi(2)
//! })?;
//! assert!((theta[0] - 3.0).abs() < 1e-4);
//!
//! // w_new = w_old − λ sign(w_old), stopped at zero
//! let mut weights = [0.5, -0.25, 0.125];
//! SoftThreshold::new(0.25).apply(&mut weights)?;
//! assert_eq!(weights, [0.25, 0.0, 0.0]);
//!
//! // next = (current + 1) mod 3
//! let servers = RoundRobin::new(3);
//! assert_eq!([servers.next(), servers.next(), servers.next(), servers.next()], [0, 1, 2, 0]);
//! # Ok(())
//! # }
//! # #[cfg(not(all(feature = "train", feature = "compress", feature = "schedule")))]
//! # fn main() {}
//! ```
//!
//! # The parts
//!
//! Each part is a crate of its own, re-exported here under its name, and behind a feature of that name.
//!
//! | feature, module | what it does |
//! | --- | --- |
//! | `kernels` | matrix products, reductions, activations, optimiser passes: the same bits everywhere |
//! | `data` | CSV and arrays into data sets, splits, shuffles |
//! | `nn` | networks as data, layers, losses, files |
//! | `train` | gradient descent, optimisers as chains, the trainer |
//! | `compress` | pruning with masks that survive, quantisation, smaller shapes, compiled networks, small files |
//! | `schedule` | round robin, the policy trait, health and retries, the batching queue |
//! | `service` | the service trait, replicas; timeouts, limits, fallbacks, caches and versions around any service |
//! | `server` | the Open Inference Protocol over REST, and its client |
//! | `grpc` | the same over gRPC, on the port of the server |
//!
//! [`core`] is always there. The default features are `train`, `compress`, `schedule` and `service`; `cache` has services keep
//! their answers, `tokio` takes its timers, `tower` puts services behind tower's middleware and takes them from there, `progress` shows a bar
//! on terminals, `full` is all.
//!
//! To plug in your own, implement [`Model`](crate::core::Model) for an engine, `Policy` for a balancing rule, `Transform` for an
//! optimiser's step, `Layer` or `Loss` for a network.
//!
//! Debug builds of numeric code are slow; keep dependencies optimised in your own manifest:
//!
//! ```toml
//! [profile.dev.package."*"]
//! opt-level = 3
//! ```

mod error;
pub mod prelude;

pub use error::Error;

#[cfg(feature = "compress")]
pub use maas_compress as compress;
pub use maas_core as core;
#[cfg(feature = "data")]
pub use maas_data as data;
#[cfg(feature = "kernels")]
pub use maas_kernels as kernels;
#[cfg(feature = "nn")]
pub use maas_nn as nn;
#[cfg(feature = "schedule")]
pub use maas_schedule as schedule;
#[cfg(feature = "server")]
pub use maas_server as server;
#[cfg(feature = "service")]
pub use maas_service as service;
#[cfg(feature = "train")]
pub use maas_train as train;
pub use {ndarray, serde, serde_json};

/// The guides of the folder `docs`, compiled and run as tests.
#[cfg(all(doctest, feature = "full"))]
mod docs {
    #[doc = include_str!("../docs/guide.md")]
    mod guide {}
    #[doc = include_str!("../docs/training.md")]
    mod training {}
    #[doc = include_str!("../docs/compression.md")]
    mod compression {}
    #[doc = include_str!("../docs/balancing.md")]
    mod balancing {}
    #[doc = include_str!("../docs/batching.md")]
    mod batching {}
    #[doc = include_str!("../docs/service.md")]
    mod service {}
    #[doc = include_str!("../docs/serving.md")]
    mod serving {}
    #[doc = include_str!("../docs/protocol.md")]
    mod protocol {}
    #[doc = include_str!("../docs/operations.md")]
    mod operations {}
    #[doc = include_str!("../docs/from-pytorch.md")]
    mod from_pytorch {}
    #[doc = include_str!("../docs/extending.md")]
    mod extending {}
    #[doc = include_str!("../docs/design.md")]
    mod design {}
    #[doc = include_str!("../docs/determinism.md")]
    mod determinism {}
    #[doc = include_str!("../docs/formats.md")]
    mod formats {}
    #[doc = include_str!("../docs/performance.md")]
    mod performance {}
    #[doc = include_str!("../docs/from-keras.md")]
    mod from_keras {}
}
