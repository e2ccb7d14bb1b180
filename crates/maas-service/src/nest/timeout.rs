use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use maas_schedule::Moment;

use super::generate::{Piece, generate, next};
use crate::timer::until;
use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, Report, ServeError, Service,
    ThreadTimer, Timer,
};

/// A service whose answers come in time, or not at all.
///
/// When the limit or the request's own deadline has passed, the inner service's future is dropped, which gives the request up,
/// and the caller hears [`ServeError::Deadline`] or [`ServeError::Expired`], whichever came first. A request that comes after its
/// deadline is not asked at all. Of a stream, each piece has to come within the limit, and all of them before the deadline.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     std::thread::sleep(std::time::Duration::from_millis(50));
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use std::time::Duration;
/// use maas_service::{LocalModel, ServeError, Service, Timeout};
///
/// // The model takes 50 ms.
/// let service = Timeout::new(LocalModel::new(model), Duration::from_millis(1));
/// let late = service.predict(ndarray::array![[1.0]].view());
/// assert!(matches!(late, Err(ServeError::Deadline { .. })));
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Timeout<S, T = ThreadTimer> {
    service: S,
    limit: Duration,
    timer: T,
}

impl<S: Service> Timeout<S> {
    /// Gives `service` this long for an answer; the time is a [`ThreadTimer`]'s.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new(service: S, limit: Duration) -> Self {
        Self {
            service,
            limit,
            timer: ThreadTimer,
        }
    }

    /// Gives `service` the time until the request's deadline: without limit where the request has none.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, Tensor, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use std::time::Duration;
    /// use maas_service::{InferRequest, LocalModel, ServeError, Service, Timeout};
    ///
    /// let service = Timeout::at_deadlines(LocalModel::new(model));
    /// let request = InferRequest::new("wine").within(Duration::ZERO);
    /// assert!(matches!(service.infer_blocking(request), Err(ServeError::Expired { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn at_deadlines(service: S) -> Self {
        Self::new(service, Duration::MAX)
    }
}

impl<S: Service, T: Timer> Timeout<S, T> {
    /// Waits by this timer. Deadlines are moments of its clock then.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use std::time::Duration;
    /// use maas_service::{LocalModel, ManualTimer, Timeout};
    /// let service = Timeout::new(LocalModel::new(model), Duration::from_secs(1)).timer(ManualTimer::new());
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn timer<U: Timer>(self, timer: U) -> Timeout<S, U> {
        let Self { service, limit, .. } = self;
        Timeout {
            service,
            limit,
            timer,
        }
    }

    fn end(&self, deadline: Option<Moment>) -> End {
        let limit = self.timer.now() + self.limit;
        match deadline {
            Some(deadline) if deadline <= limit => End::Deadline(deadline),
            _ => End::Limit(limit),
        }
    }

    /// What the future ends in, if it does in time.
    async fn in_time<F: Future>(
        &self,
        deadline: Option<Moment>,
        future: F,
    ) -> Result<F::Output, ServeError> {
        let end = self.end(deadline);
        match end {
            End::Limit(NEVER) | End::Deadline(NEVER) => return Ok(future.await),
            End::Deadline(deadline) if deadline <= self.timer.now() => {}
            End::Limit(moment) | End::Deadline(moment) => {
                if let Some(output) = until(&self.timer, moment, future).await {
                    return Ok(output);
                }
            }
        }
        Err(match end {
            End::Limit(_) => ServeError::Deadline { limit: self.limit },
            End::Deadline(deadline) => ServeError::Expired {
                late: self.timer.now().since(deadline),
            },
        })
    }
}

/// What ends the waiting.
#[derive(Clone, Copy)]
enum End {
    Limit(Moment),
    Deadline(Moment),
}

const NEVER: Moment = Moment::from_nanos(u64::MAX);

impl<S: Service, T: Timer> Service for Timeout<S, T> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let deadline = request.deadline;
        let answer = async { self.service.infer(request).await };
        self.in_time(deadline, answer).await?
    }

    fn answers(&self, request: InferRequest) -> impl Stream<Item = Piece> + Send {
        generate(async move |out| {
            let deadline = request.deadline;
            let mut pieces = pin!(self.service.answers(request));
            loop {
                match self.in_time(deadline, next(&mut pieces)).await {
                    Ok(Some(piece)) => out.give(piece).await,
                    Ok(None) => return,
                    Err(late) => break out.give(Err(late)).await,
                }
            }
        })
    }

    fn describe(&self) -> Arc<Description> {
        self.service.describe()
    }

    fn ready(&self) -> Readiness {
        self.service.ready()
    }

    fn load(&self) -> Load {
        self.service.load()
    }

    fn report(&self) -> Report {
        self.service.report()
    }
}
