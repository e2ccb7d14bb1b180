//! A model of this process as a service.

mod cost;
mod engine;
mod job;
mod life;
mod seats;
mod serve;
mod stopwatch;
mod watch;
mod worker;
mod workers;
mod workspace;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use maas_core::Model;
use maas_schedule::{Emptied, QueueOptions, QueueStats};

use crate::{Description, Service};
use cost::Cost;
use engine::Engine;
use life::Life;
use seats::Seats;
use watch::Watched;

/// A model in this process: on the caller's thread where it is cheap, else on worker threads behind a batching queue.
///
/// Requests are checked against the model's signature first. What a row costs is measured while the model serves: a request
/// that takes less than 50 us is answered where it is asked, as handing it over would cost more; others, and the first one,
/// wait in a [`BatchQueue`](maas_schedule::BatchQueue) until a worker is free, which takes all that waits as one batch. So
/// **a row's answer must not depend on the rows beside it**. A run that takes 10 ms where it was asked sends the next requests to
/// the queue, and one that does not come back within some 100 ms sends all others there. [`inline`](Self::inline) and
/// [`queued`](Self::queued) settle the place once and for all.
///
/// Each run has its own scratch, so all runs share one model. A model that panics or fails fails that request alone: a batch
/// that fails is run again, each request by itself. Workers can be stopped at any time, also while the model runs: whoever
/// waits then hears [`ServeError::Stopped`](crate::ServeError::Stopped) at once.
///
/// ```
/// use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// use maas_service::{LocalModel, Service};
///
/// let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// let identity = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
///     outputs.copy(0, &inputs[0])
/// });
/// let service = LocalModel::new(identity).queue(64);
/// assert_eq!(service.predict(ndarray::array![[1.0], [2.0]].view())?, ndarray::array![[1.0], [2.0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LocalModel {
    engine: Arc<Engine>,
    placement: Placement,
    queue: QueueOptions,
    workers: NonZeroUsize,
    cost: Arc<Cost>,
    seats: Seats,
    /// Shared by all that run this model.
    watched: Arc<Watched>,
    served: AtomicU64,
    life: Arc<ArcSwap<Life>>,
}

/// Where requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placement {
    /// Inline if they are known to be cheap.
    Measured,
    Inline,
    Queued,
}

/// Rows of a request.
const MAX_ROWS: usize = 1 << 16;

/// Rows of a batch: more of them are no faster, but keep others waiting.
const BATCH_ROWS: usize = 256;

impl LocalModel {
    /// A service of `model` for requests of up to 65 536 rows, with one worker, which runs up to 256 rows at once, behind a queue
    /// of 131 072 rows or 256 MiB.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(LocalModel::new(model).served(), 0);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn new(model: impl Model) -> Self {
        let description = Description::of(&model);
        let queue = QueueOptions::default()
            .max_rows(BATCH_ROWS)
            .max_queued_rows(2 * MAX_ROWS)
            .max_queued_bytes(256 << 20);
        let engine = Engine::of(Arc::new(model), description, MAX_ROWS);
        Self::from_engine(
            Arc::new(engine),
            Placement::Measured,
            queue,
            NonZeroUsize::MIN,
            Arc::new(Watched::new()),
        )
    }

    /// Another one of the same model that runs it likewise.
    pub(crate) fn sibling(&self) -> Self {
        Self::from_engine(
            Arc::clone(&self.engine),
            self.placement,
            self.queue.clone(),
            self.workers,
            Arc::clone(&self.watched),
        )
    }

    fn from_engine(
        engine: Arc<Engine>,
        placement: Placement,
        queue: QueueOptions,
        workers: NonZeroUsize,
        watched: Arc<Watched>,
    ) -> Self {
        Self {
            engine,
            placement,
            queue,
            workers,
            cost: Arc::new(Cost::unknown()),
            seats: Seats::none(),
            watched,
            served: AtomicU64::new(0),
            life: Arc::default(),
        }
    }

    /// Answers each request on the thread that asks, whatever it costs: without a queue, and so without priorities and fairness.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model).inline();
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn inline(mut self) -> Self {
        self.placement = Placement::Inline;
        self
    }

    /// Answers all requests on worker threads, behind the queue.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model).queued();
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn queued(mut self) -> Self {
        self.placement = Placement::Queued;
        self
    }

    /// How many rows may wait; a request that would make them more is refused as [`ServeError::Queue`](crate::ServeError::Queue).
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model).queue(16);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn queue(mut self, rows: usize) -> Self {
        self.queue = self.queue.max_queued_rows(rows);
        self
    }

    /// Has the queue collect and bound as these options say.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::QueueOptions;
    /// use std::time::Duration;
    /// let options = QueueOptions::default().max_rows(64).max_wait(Duration::from_millis(20));
    /// let service = LocalModel::new(model).batching(options);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn batching(mut self, options: QueueOptions) -> Self {
        self.queue = options;
        self
    }

    /// How many worker threads take batches from the queue.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model).workers(std::num::NonZeroUsize::MIN);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = workers;
        self
    }

    /// How many rows a request may have; one with more is refused as [`ServeError::TooManyRows`](crate::ServeError::TooManyRows).
    ///
    /// Memory grows with the largest batch that was seen, and inline with the largest request.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::Service;
    /// let service = LocalModel::new(model).max_rows(128);
    /// assert_eq!(service.describe().max_rows, Some(128));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn max_rows(mut self, rows: usize) -> Self {
        Arc::make_mut(&mut self.engine).limit_rows(rows);
        self
    }

    /// How many threads the model may use for one run.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model).threads(std::num::NonZeroUsize::MIN);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn threads(mut self, threads: NonZeroUsize) -> Self {
        Arc::make_mut(&mut self.engine).threads = threads;
        self
    }

    /// Takes nothing new and finishes all that was taken. What is returned says when that is done, to a thread or to a task.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_service::{Readiness, Service};
    /// let service = LocalModel::new(model);
    /// service.shut_down().wait();
    /// assert_eq!(service.ready(), Readiness::Draining);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn shut_down(&self) -> Emptied {
        self.life.load().shut_down()
    }

    /// Stops at once: requests that wait or run on workers end in [`ServeError::Stopped`](crate::ServeError::Stopped), new ones too.
    ///
    /// A model that is running cannot be interrupted: a worker ends when the model returns, and its answer is thrown away.
    /// One that runs on its caller's thread is answered.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{LocalModel, Readiness, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model);
    /// service.kill();
    /// assert_eq!(service.ready(), Readiness::Down);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn kill(&self) {
        self.life.load().kill();
    }

    /// Brings the service back with new workers. Those that still run are stopped first.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::{LocalModel, Service};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model);
    /// service.kill();
    /// service.restart();
    /// assert!(service.ready().is_ready());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn restart(&self) {
        self.life.swap(Arc::default()).kill();
    }

    /// Requests that wait or run.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(LocalModel::new(model).in_flight(), 0);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.life.load().in_flight.count()
    }

    /// Requests that were answered so far, without errors.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert_eq!(LocalModel::new(model).served(), 0);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    /// What the queue holds, and what became of the rest; `None` before the first request that went there.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// assert!(LocalModel::new(model).queue_stats().is_none());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn queue_stats(&self) -> Option<QueueStats> {
        self.life.load().stats()
    }
}

impl<M: Model> From<M> for LocalModel {
    fn from(model: M) -> Self {
        Self::new(model)
    }
}

impl fmt::Debug for LocalModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalModel")
            .field("description", &self.engine.description)
            .field("ready", &self.ready())
            .field("in_flight", &self.in_flight())
            .field("served", &self.served())
            .finish_non_exhaustive()
    }
}
