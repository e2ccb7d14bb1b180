use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use futures_channel::oneshot;
use maas_core::{Model, Tensor, TensorView};
use maas_schedule::{InFlight, QueueError};

use crate::queue::{Answer, Job, Queue, Refused, Reply};
use crate::runner::Runner;
use crate::{
    Description, InferRequest, InferResponse, Load, NamedTensor, Readiness, ServeError, Service,
    check,
};

/// A model on a worker thread of its own, behind a bounded queue.
///
/// Requests are checked against the model's signature before they are queued. The worker has its own scratch, so
/// several workers share one model. A model that panics fails that request alone. The worker can be stopped at any
/// time, also while the model runs: whoever waits then hears [`ServeError::Stopped`] at once.
///
/// The worker keeps the scratch between requests. What a request still allocates is its own: lists of its tensors, a
/// channel, the memory of its answer; as many pieces whatever its rows and the model's depth.
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
    model: Arc<dyn Model>,
    description: Arc<Description>,
    queue_limit: usize,
    max_rows: usize,
    threads: NonZeroUsize,
    in_flight: Arc<InFlight>,
    served: AtomicU64,
    worker: Mutex<Worker>,
}

enum Worker {
    /// Starts with the first request, which is told if it cannot.
    Idle,
    Running(Arc<Queue>),
    Stopped,
}

const QUEUE: usize = 1024;
const MAX_ROWS: usize = 1 << 16;
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl LocalModel {
    /// A service of `model` with a queue of 1024 requests of up to 65 536 rows each, on one thread.
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
        let description = Arc::new(Description::of(&model));
        Self::sharing(Arc::new(model), description)
    }

    pub(crate) fn sharing(model: Arc<dyn Model>, description: Arc<Description>) -> Self {
        Self {
            model,
            description,
            queue_limit: QUEUE,
            max_rows: MAX_ROWS,
            threads: NonZeroUsize::MIN,
            in_flight: Arc::new(InFlight::new()),
            served: AtomicU64::new(0),
            worker: Mutex::new(Worker::Idle),
        }
    }

    /// How many requests may wait; one more is refused as [`ServeError::Limit`]. At 0 all are.
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
    pub fn queue(mut self, requests: usize) -> Self {
        self.queue_limit = requests;
        self
    }

    /// How many rows a request may have; one with more is refused as [`ServeError::TooManyRows`].
    ///
    /// The worker's memory grows with the largest request that it has seen.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # use maas_service::LocalModel;
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[2]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// let service = LocalModel::new(model).max_rows(128);
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    #[must_use]
    pub fn max_rows(mut self, rows: usize) -> Self {
        self.max_rows = rows;
        self
    }

    /// How many threads the model may use for one request.
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
        self.threads = threads;
        self
    }

    /// Stops the worker at once: requests that wait or run end in [`ServeError::Stopped`], new ones too.
    ///
    /// A model that is running cannot be interrupted: its thread ends when the model returns, and its answer is
    /// thrown away.
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
        self.replace(Worker::Stopped);
    }

    /// Brings the service back with a new worker and a new scratch. A worker that still runs is stopped first.
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
        self.replace(Worker::Idle);
    }

    /// Requests that wait or run. One whose caller has gone counts until the worker drops it.
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
        self.in_flight.count()
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

    fn replace(&self, worker: Worker) {
        let old = std::mem::replace(&mut *self.lock(), worker);
        if let Worker::Running(queue) = old {
            queue.close();
        }
    }

    /// The running worker's queue; starts a worker where none was started yet.
    fn running(&self) -> Result<Arc<Queue>, ServeError> {
        let mut worker = self.lock();
        match &*worker {
            Worker::Running(queue) => Ok(Arc::clone(queue)),
            Worker::Stopped => Err(ServeError::Stopped),
            Worker::Idle => {
                let queue = Arc::new(Queue::new(self.queue_limit));
                let runner = Runner::new(Arc::clone(&self.model), self.threads, self.max_rows);
                let jobs = Arc::clone(&queue);
                thread::Builder::new()
                    .name("maas-replica".to_owned())
                    .spawn(move || runner.run(&jobs))
                    .map_err(ServeError::Worker)?;
                *worker = Worker::Running(Arc::clone(&queue));
                Ok(queue)
            }
        }
    }

    fn enqueue(
        &self,
        inputs: Vec<Arc<Tensor>>,
        rows: usize,
    ) -> Result<oneshot::Receiver<Answer>, ServeError> {
        let (sender, receiver) = oneshot::channel();
        let reply = Reply {
            sender,
            in_flight: self.in_flight.enter_owned().ok_or(ServeError::Stopped)?,
        };
        match self.running()?.push(Job {
            inputs,
            rows,
            reply,
        }) {
            Ok(()) => Ok(receiver),
            Err(Refused::Closed) => Err(ServeError::Stopped),
            Err(Refused::Full { queued }) => Err(ServeError::Queue(QueueError::RowsFull {
                queued,
                limit: self.queue_limit,
                retry_after: RETRY_AFTER,
            })),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Worker> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for LocalModel {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let signature = &self.description.signature;
        let wanted = check::outputs(signature, &request)?;
        let inputs = check::inputs(signature, &request)?;
        let rows = {
            let views: Vec<TensorView<'_>> = inputs.iter().map(|tensor| tensor.view()).collect();
            signature.check(&views).map_err(ServeError::Input)?
        };
        if rows > self.max_rows {
            return Err(ServeError::TooManyRows {
                limit: self.max_rows,
                found: rows,
            });
        }
        let answer = self.enqueue(inputs, rows)?;
        let mut tensors: Vec<Option<Tensor>> = answer
            .await
            .map_err(|_| ServeError::Stopped)??
            .into_iter()
            .map(Some)
            .collect();
        self.served.fetch_add(1, Ordering::Relaxed);
        let mut response = InferResponse::to(&request);
        for index in wanted {
            let tensor = tensors
                .get_mut(index)
                .and_then(Option::take)
                .ok_or(ServeError::Model(maas_core::Error::NoOutput {
                    index,
                    outputs: signature.outputs().len(),
                }))?;
            response
                .outputs
                .push(NamedTensor::new(signature.outputs()[index].name(), tensor));
        }
        Ok(response)
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.description)
    }

    fn ready(&self) -> Readiness {
        match *self.lock() {
            Worker::Idle | Worker::Running(_) => Readiness::Ready,
            Worker::Stopped => Readiness::Down,
        }
    }

    fn load(&self) -> Load {
        Load::of(self.in_flight())
    }
}

impl Drop for LocalModel {
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for LocalModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalModel")
            .field("description", &self.description)
            .field("ready", &self.ready())
            .field("in_flight", &self.in_flight())
            .field("served", &self.served())
            .finish_non_exhaustive()
    }
}
