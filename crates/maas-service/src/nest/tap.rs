use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_core::Stream;
use maas_schedule::{Clock, Moment, SystemClock};

use super::generate::{Piece, generate, next};
use crate::{
    Description, InferRequest, InferResponse, Load, Readiness, Report, ServeError, Service,
};

/// A service whose every request is told to a closure when it has ended, whichever way: to be logged, counted, measured.
///
/// The closure sees and changes nothing. It runs before the caller has the answer, so it should be quick; when it panics, that
/// is nobody's problem.
///
/// ```
/// # use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
/// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
/// # let model = FnModel::new(signature, |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
/// #     outputs.copy(0, &inputs[0])
/// # });
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use maas_service::{Ending, LocalModel, Service, Tap};
///
/// let answered = AtomicUsize::new(0);
/// let service = Tap::new(LocalModel::new(model), |tapped| {
///     if let Ending::Answered(_) = tapped.ending {
///         answered.fetch_add(1, Ordering::Relaxed);
///     }
/// });
/// service.predict(ndarray::array![[1.0]].view())?;
/// assert_eq!(answered.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tap<S, F> {
    service: S,
    tell: F,
    clock: Arc<dyn Clock>,
}

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Tapped<'a> {
    /// What was asked.
    pub request: &'a InferRequest,
    /// What became of it.
    pub ending: Ending<'a>,
    /// The time from the first poll of its future or stream on.
    pub took: Duration,
}

/// What became of a request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Ending<'a> {
    /// It was answered.
    Answered(&'a InferResponse),
    /// It was answered piece by piece, until there was no more.
    Streamed {
        /// How many pieces there were.
        pieces: usize,
    },
    /// It failed; a stream may have given pieces before.
    Failed(&'a ServeError),
    /// The caller dropped it before it was answered.
    GivenUp,
    /// The service panicked.
    Panicked,
}

impl<S: Service, F: Fn(&Tapped<'_>) + Send + Sync> Tap<S, F> {
    /// Tells `tell` of every request to `service`.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new(service: S, tell: F) -> Self {
        Self {
            service,
            tell,
            clock: Arc::new(SystemClock),
        }
    }

    /// Measures the time by this clock.
    ///
    /// ```
    /// # use maas_core::{DType, Error, FnModel, Signature, TensorSpec};
    /// # let signature = Signature::new(TensorSpec::rows("x", DType::Fp32, &[1]), TensorSpec::rows("y", DType::Fp32, &[1]))?;
    /// # let model = FnModel::new(signature, |_, _| Ok::<(), Error>(()));
    /// use maas_schedule::ManualClock;
    /// use maas_service::{LocalModel, Tap};
    /// let service = Tap::new(LocalModel::new(model), |_| {}).clock(ManualClock::new());
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn watch(&self, request: &InferRequest) -> Watch<'_, F> {
        Watch {
            tell: &self.tell,
            clock: &*self.clock,
            request: Some(request.clone()),
            start: self.clock.now(),
        }
    }
}

/// One request on its way. Dropped before it has ended, it says so.
struct Watch<'a, F: Fn(&Tapped<'_>)> {
    tell: &'a F,
    clock: &'a dyn Clock,
    /// None once the closure knows.
    request: Option<InferRequest>,
    start: Moment,
}

impl<F: Fn(&Tapped<'_>)> Watch<'_, F> {
    fn tell(&mut self, ending: Ending<'_>) {
        let Some(request) = self.request.take() else {
            return;
        };
        let tapped = Tapped {
            request: &request,
            ending,
            took: self.clock.now().since(self.start),
        };
        let _ = catch_unwind(AssertUnwindSafe(|| (self.tell)(&tapped)));
    }
}

impl<F: Fn(&Tapped<'_>)> Drop for Watch<'_, F> {
    fn drop(&mut self) {
        self.tell(if thread::panicking() {
            Ending::Panicked
        } else {
            Ending::GivenUp
        });
    }
}

impl<S: Service, F: Fn(&Tapped<'_>) + Send + Sync> Service for Tap<S, F> {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let mut watch = self.watch(&request);
        let result = self.service.infer(request).await;
        watch.tell(match &result {
            Ok(response) => Ending::Answered(response),
            Err(error) => Ending::Failed(error),
        });
        result
    }

    fn answers(&self, request: InferRequest) -> impl Stream<Item = Piece> + Send {
        generate(async move |out| {
            let mut watch = self.watch(&request);
            let mut pieces = pin!(self.service.answers(request));
            let mut given = 0;
            while let Some(piece) = next(&mut pieces).await {
                match &piece {
                    Ok(_) => given += 1,
                    Err(error) => watch.tell(Ending::Failed(error)),
                }
                out.give(piece).await;
            }
            watch.tell(Ending::Streamed { pieces: given });
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

impl<S: fmt::Debug, F> fmt::Debug for Tap<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
