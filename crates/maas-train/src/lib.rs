//! Gradient descent: optimisers as chains of small transformations, a trainer with epochs, metrics, progress and history.
//!
//! θ(t+1) = θ(t) − α ∇J(θ(t)), on any slice:
//!
//! ```
//! use maas_train::GradientDescent;
//!
//! let mut theta = [4.0];
//! GradientDescent::new(0.1).minimize(&mut theta, |theta, gradient| {
//!     gradient[0] = 2.0 * (theta[0] - 3.0);
//!     (theta[0] - 3.0).powi(2)
//! })?;
//! assert!((theta[0] - 3.0).abs() < 1e-5);
//! # Ok::<(), maas_train::Error>(())
//! ```
//!
//! and on a network:
//!
//! ```
//! use maas_core::Seed;
//! use maas_data::Dataset;
//! use maas_nn::{MeanSquaredError, Sequential};
//! use maas_train::{Adam, Progress, Trainer};
//! use ndarray::Array2;
//!
//! let x = Array2::from_shape_fn((256, 2), |(row, column)| ((row * 7 + column * 13) % 32) as f32);
//! let y = Array2::from_shape_fn((256, 1), |(row, _)| 100.0 + x[[row, 0]] * x[[row, 1]]);
//! let data = Dataset::new(x.view(), y.view())?.split([0.7, 0.2, 0.1], Seed(7))?;
//!
//! let mut network = Sequential::new(data.train.features())
//!     .normalize(&data.train)
//!     .dense(32).relu().dense(1)
//!     .build(Seed(7))?;
//! let trainer = Trainer::new(Adam::new(1e-2), MeanSquaredError)
//!     .epochs(20)
//!     .validation(&data.validation)
//!     .progress(Progress::Quiet);
//! let history = trainer.fit(&mut network, &data.train)?;
//! assert!(history.epochs[19].validation_loss < history.epochs[0].validation_loss);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The nouns
//!
//! | word | what it is |
//! | --- | --- |
//! | [`GradientDescent`] | the formula alone, on slices and views, with a closure for the gradient |
//! | [`Chain`] | an optimiser: links that turn the gradient into a direction, and a learning rate |
//! | [`Sgd`], [`Adam`], [`AdamW`], [`AmsGrad`], [`Nadam`], [`RmsProp`], [`Adagrad`], [`Lion`] | chains with a name, with Keras' numbers |
//! | [`Momentum`], [`ScaleByAdam`], [`ScaleByAmsGrad`], [`ScaleByNadam`], [`ScaleByRms`], [`ScaleByAdagrad`], [`ScaleByLion`] | their links |
//! | [`ClipByValue`], [`ClipByNorm`], [`ClipByGlobalNorm`], [`DecayWeights`], [`ProximalL1`], [`AverageWeights`], [`LookAhead`] | links for any chain |
//! | [`LearningRate`] | how far a step goes: a number or a schedule, over [`Span`]s |
//! | [`RangeTest`] | finds a learning rate |
//! | [`Optimizer`] | a chain at work on one network, for loops of your own |
//! | [`Trainer`] | epochs of batches over a data set |
//! | [`Metric`] | what people judge a network by: [`RootMeanSquaredError`], [`R2`], [`Accuracy`], [`F1`], [`RocAuc`]; [`metric`] has them all |
//! | [`confusion_matrix`] | which classes a network takes for which, with a [`ClassificationReport`] |
//! | [`History`] | one [`EpochRecord`] an epoch: a table, data for serde, a chart as SVG |
//! | [`Callback`], [`Training`] | what is called at the beginning and the end of training, epochs and batches, and what it sees |
//! | [`EarlyStopping`], [`StopHandle`] | when to end before the last epoch |
//! | [`Checkpoints`] | files from which a run goes on with the same bits |
//! | [`CrossValidation`] | the scores of [`Trainer::cross_validate`], fold by fold, with mean and deviation |
//! | [`Search`] | several networks at once, with other settings each |
//! | [`Figure`], [`Goal`] | one number of a record, and which way it is better |
//! | [`Progress`] | what a person sees meanwhile |
//!
//! # Same seed, same bits
//!
//! Training with the same seed on the same data gives the same bits, whatever the number of threads and the set of
//! kernels. The order of rows comes from [`maas_data::Shuffle`], the noise of layers from the seed and the number of the
//! step.
//!
//! # Your own
//!
//! A link of an optimiser is a [`maas_nn::Transform`]: [`Chain`] shows one. A figure to judge by is a [`Metric`], a loss
//! a [`maas_nn::Loss`], a layer a [`maas_nn::Layer`]. [`check_transform`] tries every law on a link.
//!
//! # Features
//!
//! `progress` shows a bar where standard error is a terminal; without it there are plain lines. `ctrlc` makes
//! `StopHandle::ctrl_c`.

mod callback;
mod checkpoint;
mod confusion;
mod descent;
mod early_stopping;
mod error;
mod figure;
mod history;
mod laws;
mod meters;
mod optimizer;
mod progress;
mod rate;
mod search;
mod stop;
mod trainer;

pub use callback::{Answer, Callback, Event, Flow, Training};
pub use checkpoint::{CheckpointFault, Checkpoints};
pub use confusion::confusion_matrix;
pub use descent::{GradientDescent, Minimum};
pub use early_stopping::EarlyStopping;
pub use error::Error;
pub use figure::Figure;
pub use history::{Ending, EpochRecord, History};
pub use laws::{Law, check_transform};
pub use maas_nn::metric;
pub use maas_nn::metric::{
    AbsoluteError, Accuracy, AveragePrecision, BinaryAccuracy, ClassAverage, ClassFigures,
    ClassificationReport, ConfusionMatrix, F1, Goal, Metric, MetricBatch, Precision, R2, Recall,
    RocAuc, RootMeanSquaredError, SquaredError, TopK,
};
pub use maas_nn::{ProductPrecision, ProximalL1};
pub use optimizer::{
    Adagrad, Adam, AdamW, AmsGrad, Average, AverageWeights, Chain, ClipByGlobalNorm, ClipByNorm,
    ClipByValue, DecayWeights, Lion, LookAhead, Momentum, Nadam, Optimizer, OptimizerState,
    RmsProp, ScaleByAdagrad, ScaleByAdam, ScaleByAmsGrad, ScaleByLion, ScaleByNadam, ScaleByRms,
    Sgd,
};
pub use progress::Progress;
pub use rate::{Horizon, LearningRate, Plateau, RangeCurve, RangePoint, RangeTest, Span};
pub use search::{Outcome, Search, SearchResults, Setting, Trial, TrialResult};
pub use stop::StopHandle;
pub use trainer::{Answers, CrossValidation, Evaluation, Fold, Trainer};
