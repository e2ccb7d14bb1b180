//! Neural networks as data: layers, losses, one flat parameter buffer, lowering to a plan that allocates nothing,
//! safetensors files.
//!
//! ```
//! use maas_core::Seed;
//! use maas_nn::{Network, Sequential};
//! use ndarray::array;
//!
//! let network = Sequential::rows(4).dense(16).relu().dense(3).softmax().build(Seed(7))?;
//! println!("{}", network.summary());
//!
//! let probabilities = network.predict(&array![[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]])?;
//! assert_eq!(probabilities.dim(), (2, 3));
//!
//! let path = std::env::temp_dir().join(format!("maas-nn-tour-{}.safetensors", std::process::id()));
//! network.save(&path)?;
//! assert_eq!(Network::load(&path)?.fingerprint(), network.fingerprint());
//! # std::fs::remove_file(path).ok();
//! # Ok::<(), maas_nn::Error>(())
//! ```
//!
//! This crate knows how to compute a network and its gradient. What to do with a gradient is the business of
//! `maas-train`; but a training loop needs no more than this crate, as [`Plan`] shows.
//!
//! # The nouns
//!
//! | word | what it is |
//! | --- | --- |
//! | [`NetworkSpec`], [`LayerSpec`] | an architecture as data: compared, stored, sent |
//! | [`Sequential`], [`Graph`] | builders of such data: one layer after the other, or any shape without cycles |
//! | [`Network`] | an architecture with its numbers: all parameters in one flat buffer of named [`Segment`]s, state in a second one, a [`Mask`] for each segment that is pruned |
//! | [`Plan`], [`PlanOptions`] | a network lowered for at most so many rows: every buffer made once, passes allocate nothing |
//! | [`Loss`], [`Targets`], [`Link`] | what training makes small: [`MeanSquaredError`], [`MeanAbsoluteError`], [`Huber`], [`LogCosh`], [`Poisson`]; of classes [`CategoricalCrossEntropy`], [`BinaryCrossEntropy`], [`KullbackLeibler`], [`Hinge`] and its kin |
//! | [`Metric`](metric::Metric) | what people judge a network by: [`metric`] has them all |
//! | [`Transform`] | a link of an optimiser: a small in-place change of the direction in which parameters move; [`ProximalL1`] is the one that training and compression share |
//! | [`check_gradients`], [`check`](mod@check) | gradients against differences of a double-precision reference, a layer of one's own against every law |
//!
//! # The layers
//!
//! | builder | what it is |
//! | --- | --- |
//! | `dense`, `embedding` | y = x·W + b over the last axis; a vector for each id |
//! | `relu`, `leaky_relu`, `elu`, `selu`, `gelu`, `gelu_tanh`, `silu`, `mish`, `tanh`, `sigmoid`, `hard_sigmoid`, `softplus`, `softsign`, `softmax` | [`Activation`] has the formulas; one after a dense layer runs in its product |
//! | `batch_norm`, `layer_norm` | normalised by the batch, or by each vector along the last axis |
//! | `dropout`, `gaussian_noise` | noise in training, a function of seed, step, layer, row and element |
//! | `flatten`, `reshape` | the same numbers in another shape, at no cost |
//! | `residual`, `parallel` | branches; in a [`Graph`] `add`, `multiply`, `concatenate` |
//! | `normalize`, `denormalize` | the moments of the training data |
//!
//! Their definitions, constants and defaults are those of Keras 3, and tests compare outputs, gradients and running
//! statistics with numbers that Keras computed. `.freeze()` after a layer, or [`Network::freeze`] by its name, keeps
//! training away from it.
//!
//! # Raw rows in, raw units out
//!
//! [`Sequential::normalize`] takes the moments of the training data. The network standardises its inputs by them and
//! brings its answers back to the targets' units, so that whoever serves it need not know about either. Training
//! compares what comes *before* the last step with standardised targets: [`PlanOptions::head`] leaves the last layer
//! out where it is a denormalisation, or the softmax or sigmoid that a cross-entropy from logits has in itself.
//! A network that ends in `.softmax()` is trained on its logits, stably, and answers with probabilities.
//!
//! # The same bits
//!
//! A row's answer has the same bits alone and in any batch, with every kernel set and at any thread count; so have
//! gradients, losses and noise. A [`Network::fingerprint`] therefore names what a network computes.
//!
//! # A layer of your own
//!
//! Implement [`Layer`]: say in `plan` what the layer needs for rows of a given type, then write `forward` and
//! `backward` as functions of slices. Inputs may be several, and integers too. Implement [`FromConfig`] for the table
//! of [`Layers`] that loading takes. Let [`check::LayerLaws`] judge it: gradients, the same bits however a pass is run, files.
//! A `reference` in `f64` makes the check of gradients sharper.
//!
//! ```
//! use maas_core::Seed;
//! use maas_nn::check::LayerLaws;
//! use maas_nn::{Backward, Error, Forward, FromConfig, Layer, LayerPlan, Layers, Network, RowType, Sequential};
//!
//! /// y = x² · scale
//! #[derive(Debug)]
//! struct Square {
//!     scale: f32,
//! }
//!
//! impl Layer for Square {
//!     fn kind(&self) -> &str {
//!         Self::KIND
//!     }
//!     fn config(&self) -> serde_json::Value {
//!         self.scale.into()
//!     }
//!     fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
//!         let [x] = RowType::exactly(inputs)?;
//!         x.expect_f32()?;
//!         Ok(LayerPlan::new(x.shape.clone()).flops(2 * x.width() as u64))
//!     }
//!     fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
//!         for (x, y) in pass.inputs.f32(0)?.iter().zip(&mut *pass.output) {
//!             *y = x * x * self.scale;
//!         }
//!         Ok(())
//!     }
//!     fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
//!         let x = pass.inputs.f32(0)?;
//!         if let Some(dx) = pass.input_gradients.get(0) {
//!             for ((dx, x), dy) in dx.iter_mut().zip(x).zip(&*pass.output_gradient) {
//!                 *dx = 2.0 * x * self.scale * dy;
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! impl FromConfig for Square {
//!     const KIND: &'static str = "square";
//!     fn from_config(config: &serde_json::Value) -> Result<Self, Error> {
//!         let scale = serde_json::from_value(config.clone()).map_err(Error::custom)?;
//!         Ok(Self { scale })
//!     }
//! }
//!
//! LayerLaws::of(Square { scale: 0.5 }, [RowType::f32([4])]).check()?;
//!
//! let network = Sequential::rows(2).dense(4).layer(Square { scale: 0.5 }).dense(1).build(Seed(7))?;
//!
//! let layers = Layers::standard().with::<Square>();
//! let loaded = Network::from_bytes_with(&network.to_bytes(), &layers)?;
//! assert_eq!(loaded.fingerprint(), network.fingerprint());
//! # Ok::<(), Error>(())
//! ```
//!
//! # Files
//!
//! [`Network::save`] writes safetensors, the format that the field reads: the weights under the names of their
//! segments, the architecture and the signature in the metadata, so that a file is all that serving needs. The same
//! network gives the same bytes. Files are not trusted: see [`Network::load`] and [`FileFault`].
//!
//! # Serving
//!
//! A [`Network`] is a [`maas_core::Model`]: whatever serves models serves it, without knowing that it is a network.

mod arithmetic;
mod builder;
mod canonical;
pub mod check;
mod error;
mod file;
mod layer;
mod layers;
mod loss;
pub mod metric;
mod network;
mod packing;
mod pass;
mod plan;
mod precision;
mod proximal;
mod reference;
mod spec;
mod transform;

pub use arithmetic::Arithmetic;
pub use builder::{Graph, Merge, Parallel, Sequential};
pub use check::{GradientReport, Precision, TensorReport, check_gradients};
pub use error::Error;
pub use file::{Container, FileFault, TensorBytes, TensorData, write_container};
pub use layer::{
    Initial, Layer, LayerPlan, ParameterSpec, Role, RowType, SavedSpec, ScratchSpec, StateSpec,
    Training, Updates, ValueType,
};
pub use layers::{FromConfig, Layers};
pub use loss::{
    BinaryCrossEntropy, CategoricalCrossEntropy, CategoricalHinge, Hinge, Huber, KullbackLeibler,
    LabelSmoothing, Link, LogCosh, Loss, LossBatch, MeanAbsoluteError, MeanSquaredError, Poisson,
    SquaredHinge, Targets,
};
pub use maas_kernels::{Activation, Buffer, Chunks, Compute, Divisible, Kernels, Parallelism};
pub use network::{Mask, Network, Segment, StateSegment, Summary, SummaryRow};
pub use packing::{Packed, PackedNetwork, Representation};
pub use pass::{
    Backward, Forward, Gradients, Inputs, Kept, Mode, ParameterPass, Parts, Saved, Slices,
    SlicesMut,
};
pub use plan::{Head, InputGradients, NonFinite, Plan, PlanOptions, Purpose, ValuesMut};
pub use precision::ProductPrecision;
pub use proximal::ProximalL1;
pub use reference::Reference;
pub use spec::{Initializer, LayerSpec, NetworkSpec, Node, Source};
pub use transform::{Acts, Block, BlockState, Fused, Reduces, Step, Transform};
