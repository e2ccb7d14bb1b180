//! From a trained network to a smaller and faster one: pruning, quantisation, compiled networks, small files, a report that
//! proves the gain.
//!
//! The formula w ← w − λ·sign(w), on numbers that live anywhere:
//!
//! ```
//! use maas_compress::{SignStep, SoftThreshold};
//!
//! let mut weights = [0.9, -0.05, 0.4, -0.6];
//! SignStep::new(0.1).apply(&mut weights)?; // to the letter: -0.05 steps over zero
//! assert!(weights[1] > 0.0);
//! SoftThreshold::new(0.1).apply(&mut weights)?; // stopped at zero
//! assert_eq!(weights[1], 0.0);
//! # Ok::<(), maas_compress::Error>(())
//! ```
//!
//! On a network, to the sparsity that is wanted, with training after it and the proof:
//!
//! ```
//! use maas_compress::{CompressedNetwork, Compressor, SoftThreshold};
//! use maas_core::Seed;
//! use maas_data::Dataset;
//! use maas_nn::Sequential;
//! use ndarray::Array2;
//!
//! let data = Dataset::new(Array2::ones((8, 11)).view(), Array2::ones((8, 1)).view()).unwrap();
//! let mut network =
//!     Sequential::new(data.features()).dense(128).relu().dense(64).relu().dense(32).relu().dense(1).build(Seed(7))?;
//!
//! // .fine_tune(|network| trainer.fit(network, &train)) goes between these two lines.
//! let (compact, report) = Compressor::new(SoftThreshold::to_sparsity(0.9)).run(&mut network, &data)?;
//!
//! assert_eq!((report.weights, report.nonzeros()), (11_680, 1_168));
//! assert!(report.compression() > 5.0);
//! let again = CompressedNetwork::from_bytes(&compact.to_bytes()?)?;
//! assert_eq!(again.predict(data.x())?, network.predict(data.x())?);
//! # Ok::<(), maas_compress::Error>(())
//! ```
//!
//! # The nouns
//!
//! | word | what it is |
//! | --- | --- |
//! | [`SoftThreshold`] | the formula stopped at zero, to a given λ or a target sparsity: what prunes |
//! | [`SignStep`] | the formula to the letter |
//! | [`HardThreshold`] | pruning by magnitude: the same zeros, and the other weights untouched |
//! | [`Pruner`] | prunes by any criterion, in a [`Scope`], by a [`Grain`]: weights, blocks, N:M, neurons |
//! | [`Criterion`] | what goes first: [`Magnitude`], [`FisherMagnitude`], [`Movement`], [`Wanda`], [`SecondOrder`], [`Random`], or one of your own |
//! | [`Ramp`] | how far pruning has come after each round: one shot, linear, cubic; for [`Compressor::ramp`] and [`GradualPruning`] |
//! | [`GradualPruning`] | prunes while a network trains: a link of an optimiser |
//! | [`Masks`] | the masks of one network for another one |
//! | [`ProximalL1`] | the formula after each step of training: a link of an optimiser |
//! | [`Prune`], [`Pruned`] | any way to make weights of a network zero, and what it has left |
//! | [`Compressor`], [`Report`] | prune, fine-tune, shrink, quantise, measure before and after |
//! | [`TradeOff`] | sizes against accuracy, as numbers and as a chart |
//! | [`Quantize`] | fewer bits: [`Int8`], [`Bf16`], [`F16`], [`Codebook`], or a way of your own |
//! | [`CodebookTraining`] | keeps weights on a codebook while a network trains: a link of an optimiser |
//! | [`Sensitivity`] | what a metric suffers from each layer, at each [`Level`] |
//! | [`BudgetSearch`] | the smallest file within a budget |
//! | [`CompressedNetwork`] | the result as a [`Model`](maas_core::Model), compiled for a [`Target`], and its file |
//! | [`shrink`], [`Shrink`] | neurons leave, normalisations and constants are folded: a smaller network that predicts the same |
//! | [`FileFault`] | what is wrong with the bytes of such a file |
//!
//! What is pruned is masked in the network's own parameters, so that it stays zero under every optimiser.
//!
//! # Pruning of your own
//!
//! Implement [`Criterion`] for scores of your own, and a [`Pruner`] does the rest; or [`Prune`], and choose and mask weights as
//! you like. [`Compressor`] takes either.

mod compile;
mod compressed;
mod compressor;
mod criterion;
mod cut;
mod error;
mod file;
mod fine_tune;
mod format;
mod inputs;
mod measure;
mod prune;
mod pruning;
mod quantize;
mod report;
mod search;
mod sensitivity;
mod sign;
pub mod structure;
mod table;
mod threshold;
mod view;

pub use compile::{Candidate, Goal, Latency, LayerChoice, Target};
pub use compressed::CompressedNetwork;
pub use compressor::Compressor;
pub use criterion::{
    Criterion, FisherMagnitude, Magnitude, Movement, MovementInTraining, Random, SecondOrder, Wanda,
};
pub use error::Error;
pub use format::FileFault;
pub use maas_nn::ProximalL1;
pub use prune::{Prune, Pruned};
pub use pruning::{GradualPruning, Grain, Masks, Pruner, Ramp, Scope};
pub use quantize::{Bf16, Calibration, Codebook, CodebookTraining, F16, Int8, Quantize};
pub use report::{Interval, LayerReport, OtherLayer, OutputChange, Report, SizedMetric, TradeOff};
pub use search::{Bits, BudgetSearch, Found, LayerPlan, Plan};
pub use sensitivity::{LayerSensitivity, Level, Sensitivity};
pub use sign::SignStep;
pub use structure::{Shrink, ShrinkReport, shrink};
pub use threshold::{HardThreshold, SoftThreshold};
