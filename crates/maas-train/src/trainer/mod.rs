//! Epochs of batches over a data set.

mod evaluate;
mod feed;
mod fit;
mod folds;
mod keeper;
mod options;
mod session;
mod step;
mod stream;
mod supply;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use maas_core::Seed;
use maas_data::{Augmentation, Dataset, RowOrder};
use maas_kernels::{Compute, Kernels, Parallelism};
use maas_nn::{Loss, Network, ProductPrecision};

use crate::callback::Callbacks;
use crate::{Chain, Checkpoints, EarlyStopping, Error, History, Metric, Progress, StopHandle};

pub use evaluate::Evaluation;
pub use folds::{CrossValidation, Fold};
pub use stream::Answers;

/// Trains networks: what to make small, how to step, and how often.
///
/// A trainer holds no network and no data, so one trainer fits several networks, one after another or at once; `fit`
/// with the same seed on the same data gives the same bits, at any number of threads and with every kernel set.
///
/// Where a network ends in a denormalisation, the loss compares standardised predictions with standardised targets, and
/// where it ends in the softmax or sigmoid that the loss brings with it, the loss sees logits. Metrics always see the
/// network's answers in raw units.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Adam, Progress, RootMeanSquaredError, Trainer};
/// use ndarray::Array2;
///
/// // y = 2 x₀ − x₁
/// let x = Array2::from_shape_fn((200, 2), |(row, column)| ((row * 7 + column * 13) % 20) as f32 / 10.0 - 1.0);
/// let y = Array2::from_shape_fn((200, 1), |(row, _)| 2.0 * x[[row, 0]] - x[[row, 1]]);
/// let data = Dataset::new(x.view(), y.view())?;
///
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// let trainer = Trainer::new(Adam::new(0.05), MeanSquaredError)
///     .epochs(40)
///     .metric(RootMeanSquaredError)
///     .progress(Progress::Quiet);
/// let history = trainer.fit(&mut network, &data)?;
/// assert!(history.epochs[39].loss < 1e-2 * history.epochs[0].loss);
/// assert!(trainer.evaluate(&network, &data)?.metrics["root_mean_squared_error"] < 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct Trainer<'a> {
    chain: Chain,
    loss: Arc<dyn Loss>,
    epochs: usize,
    batch_size: usize,
    seed: Seed,
    order: Order,
    validation: Option<&'a Dataset>,
    metrics: Vec<Arc<dyn Metric>>,
    progress: Progress,
    compute: Compute,
    precision: ProductPrecision,
    accumulate: usize,
    callbacks: Callbacks<'a>,
    early_stopping: Option<EarlyStopping>,
    stop: Option<StopHandle>,
    checkpoints: Option<Checkpoints>,
    augmentation: Option<Augmentation>,
}

/// The order in which rows are visited.
#[derive(Clone, Debug)]
enum Order {
    Shuffled,
    AsGiven,
    By(Arc<dyn RowOrder>),
}

impl<'a> Trainer<'a> {
    /// A trainer with Keras' defaults: one epoch, batches of 32 rows, rows shuffled in each epoch.
    ///
    /// ```
    /// use maas_nn::MeanSquaredError;
    /// use maas_train::{Adam, Trainer};
    ///
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError);
    /// ```
    pub fn new(optimizer: impl Into<Chain>, loss: impl Loss + 'static) -> Self {
        Self {
            chain: optimizer.into(),
            loss: Arc::new(loss),
            epochs: 1,
            batch_size: 32,
            seed: Seed(0),
            order: Order::Shuffled,
            validation: None,
            metrics: Vec::new(),
            progress: Progress::default(),
            compute: Compute {
                parallelism: Parallelism::available(),
                ..Compute::default()
            },
            precision: ProductPrecision::F32,
            accumulate: 1,
            callbacks: Callbacks::default(),
            early_stopping: None,
            stop: None,
            checkpoints: None,
            augmentation: None,
        }
    }

    /// The optimiser.
    pub(crate) fn optimizer(&self) -> &Chain {
        &self.chain
    }

    /// A trainer that steps as this one does, with another optimiser: without metrics, validation, callbacks and
    /// whatever else watches.
    pub(crate) fn bare<'b>(&self, optimizer: Chain) -> Trainer<'b> {
        Trainer {
            chain: optimizer,
            loss: Arc::clone(&self.loss),
            epochs: self.epochs,
            batch_size: self.batch_size,
            seed: self.seed,
            order: self.order.clone(),
            validation: None,
            metrics: Vec::new(),
            progress: Progress::Quiet,
            compute: self.compute,
            precision: self.precision,
            accumulate: self.accumulate,
            callbacks: Callbacks::default(),
            early_stopping: None,
            stop: None,
            checkpoints: None,
            augmentation: self.augmentation.clone(),
        }
    }

    /// Visit every row this often.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).epochs(10);
    /// ```
    pub fn epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// Rows in a step; the last step of an epoch has the rows that are left.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).batch_size(128);
    /// ```
    pub fn batch_size(self, batch_size: usize) -> Self {
        Self { batch_size, ..self }
    }

    /// Where the order of rows and the noise of layers come from.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).seed(maas_core::Seed(7));
    /// ```
    pub fn seed(self, seed: Seed) -> Self {
        Self { seed, ..self }
    }

    /// Visit rows in their given order instead of shuffling them.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).in_order();
    /// ```
    pub fn in_order(self) -> Self {
        Self {
            order: Order::AsGiven,
            ..self
        }
    }

    /// Visit in each epoch as many rows as there are, in this order: a [`WeightedSampler`](maas_data::WeightedSampler)
    /// draws them with replacement, against classes of unequal size. Over a stream it orders each chunk. A row that
    /// the data do not have is [`Error::RowOrder`].
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, WeightedSampler}, ndarray::Array2};
    /// # use {maas_nn::CategoricalCrossEntropy, maas_train::{Adam, Trainer}};
    /// let data = Dataset::classification(Array2::zeros((5, 1)).view(), &[0, 0, 0, 0, 1], 2)?;
    /// let trainer = Trainer::new(Adam::new(1e-3), CategoricalCrossEntropy)
    ///     .order(WeightedSampler::balanced(&data, Seed(7))?);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn order(self, order: impl RowOrder + 'static) -> Self {
        Self {
            order: Order::By(Arc::new(order)),
            ..self
        }
    }

    /// Measure loss and metrics on these rows after every epoch.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let held_out = Dataset::new(array![[1.0]].view(), array![[2.0]].view())?;
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).validation(&held_out);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn validation(self, data: &'a Dataset) -> Self {
        Self {
            validation: Some(data),
            ..self
        }
    }

    /// Measure this too.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, R2, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).metric(R2);
    /// ```
    pub fn metric(mut self, metric: impl Metric + 'static) -> Self {
        self.metrics.push(Arc::new(metric));
        self
    }

    /// Show progress in another way.
    ///
    /// ```
    /// # use {maas_nn::MeanSquaredError, maas_train::{Adam, Progress, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).progress(Progress::Quiet);
    /// ```
    pub fn progress(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// Use this set of kernels; every set gives the same bits.
    ///
    /// ```
    /// # use {maas_kernels::Kernels, maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).kernels(Kernels::portable());
    /// ```
    pub fn kernels(mut self, kernels: Kernels) -> Self {
        self.compute.kernels = kernels;
        self
    }

    /// Use at most this many threads, and not as many as there are cores; any number gives the same bits. Steps that are
    /// too small to gain run on one thread whatever the number.
    ///
    /// ```
    /// # use {maas_kernels::Parallelism, maas_nn::MeanSquaredError, maas_train::{Adam, Trainer}};
    /// let trainer = Trainer::new(Adam::new(1e-3), MeanSquaredError).parallelism(Parallelism::available());
    /// ```
    pub fn parallelism(mut self, parallelism: Parallelism) -> Self {
        self.compute.parallelism = parallelism;
        self
    }

    /// Train the network on these rows.
    ///
    /// The optimiser starts anew with every call. Frozen segments and masked weights stay as they are. Memory is made
    /// before the first step; steps allocate nothing.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Dataset, maas_nn::{MeanSquaredError, Sequential}, ndarray::array};
    /// # use maas_train::{Error, Progress, Sgd, Trainer};
    /// let data = Dataset::new(array![[1.0], [2.0]].view(), array![[3.0], [5.0]].view())?;
    /// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    ///
    /// let trainer = Trainer::new(Sgd::new(0.1), MeanSquaredError).epochs(100).progress(Progress::Quiet);
    /// assert!(trainer.fit(&mut network, &data)?.epochs[99].loss < 0.01);
    ///
    /// let error = trainer.batch_size(0).fit(&mut network, &data).unwrap_err();
    /// assert!(matches!(error, Error::BatchSize));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Bad settings ([`Error::Epochs`], [`Error::BatchSize`], [`Error::Accumulate`], [`Error::LearningRate`],
    /// [`Error::Coefficient`], [`Error::MinDelta`], [`Error::Figure`]) and data that do not fit the network or the loss ([`Error::Inputs`], [`Error::InputShape`], [`Error::InputKind`],
    /// [`Error::TargetWidth`], [`Error::TargetKind`], [`Error::NoTargets`], [`Error::MetricTargets`]) are found before the
    /// first step. When a step finds a loss or a gradient that is not finite ([`Error::NonFiniteLoss`],
    /// [`Error::NonFiniteGradient`]), or a layer, the loss or a callback fails ([`Error::Network`],
    /// [`Error::Callback`]), the network keeps what the steps before it made. Weights that a link of the optimiser made infinite or not a number are found at the end of
    /// the epoch ([`Error::NonFiniteWeights`]).
    pub fn fit(&self, network: &mut Network, data: &Dataset) -> Result<History, Error> {
        self.train_on(network, data, None)
    }

    /// Go on from a checkpoint that [`Checkpoints`] made, with the bits that training without a break would have given:
    /// a file, or a folder whose newest one is taken.
    ///
    /// The network, whose weights are replaced, the optimiser, the data, the loss, the metrics, the batch size, the precision and
    /// the seed have to be those of the run that was broken off; the number of epochs, learning rates, threads, kernels and
    /// what is called or shown meanwhile may be others. [`Checkpoints`] shows it.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] when the file is damaged, of another version, or belongs to something else: nothing is
    /// then changed. Otherwise as for [`fit`](Self::fit).
    pub fn resume(
        &self,
        network: &mut Network,
        data: &Dataset,
        from: impl AsRef<Path>,
    ) -> Result<History, Error> {
        self.train_on(network, data, Some(from.as_ref()))
    }

    /// Measure loss and metrics on these rows.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Dataset, maas_nn::{MeanSquaredError, Sequential}, ndarray::array};
    /// # use maas_train::{AbsoluteError, GradientDescent, Trainer};
    /// let data = Dataset::new(array![[1.0], [2.0]].view(), array![[3.0], [5.0]].view())?;
    /// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// network.parameters_mut().fill(0.0);
    /// let trainer = Trainer::new(GradientDescent::new(0.1), MeanSquaredError).metric(AbsoluteError);
    /// let evaluation = trainer.evaluate(&network, &data)?;
    /// assert_eq!((evaluation.loss, evaluation.metrics["mean_absolute_error"]), (17.0, 4.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`fit`](Self::fit), as far as they concern data, loss and metrics.
    pub fn evaluate(&self, network: &Network, data: &Dataset) -> Result<Evaluation, Error> {
        evaluate::Evaluator::new(self, network, data, "evaluation")?.evaluate(network)
    }
}

impl fmt::Debug for Trainer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trainer")
            .field("chain", &self.chain)
            .field("loss", &self.loss)
            .field("epochs", &self.epochs)
            .field("batch_size", &self.batch_size)
            .field("seed", &self.seed)
            .field("order", &self.order)
            .field("metrics", &self.metrics)
            .field("accumulate", &self.accumulate)
            .field("callbacks", &self.callbacks)
            .field("early_stopping", &self.early_stopping)
            .field("checkpoints", &self.checkpoints)
            .field("progress", &self.progress)
            .field("compute", &self.compute)
            .field("precision", &self.precision)
            .finish_non_exhaustive()
    }
}
