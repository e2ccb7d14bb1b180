use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;

use futures_core::Stream;
use maas_schedule::{Clock, Moment, SystemClock};
use maas_service::{
    BoxService, Description, ErrorKind, InferRequest, InferResponse, Load, Protocol, Readiness,
    Report, ServeError, Service,
};

use super::statistics::{Outcome, Statistics};

/// A version's service, and what became of the requests to it. Clones share both.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    service: BoxService,
    pub(crate) statistics: Arc<Statistics>,
}

impl Measured {
    pub(crate) fn new(service: impl Service + 'static) -> Self {
        Self {
            service: BoxService::new(service),
            statistics: Arc::default(),
        }
    }

    /// Another service that goes on counting where this one is.
    pub(crate) fn with(&self, service: impl Service + 'static) -> Self {
        Self {
            service: BoxService::new(service),
            statistics: Arc::clone(&self.statistics),
        }
    }
}

impl Service for Measured {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let mut watch = Watch::of(&self.statistics, &request);
        let result = self.service.infer(request).await;
        watch.end(&result);
        result
    }

    fn answers(
        &self,
        request: InferRequest,
    ) -> impl Stream<Item = Result<InferResponse, ServeError>> + Send {
        Watched {
            watch: Watch::of(&self.statistics, &request),
            answers: Box::pin(self.service.answers(request)),
        }
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

/// The answers to a request, which counts with the first of them.
struct Watched<'a, S> {
    watch: Watch<'a>,
    answers: Pin<Box<S>>,
}

impl<S> Stream for Watched<'_, S>
where
    S: Stream<Item = Result<InferResponse, ServeError>>,
{
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let answer = ready!(self.answers.as_mut().poll_next(context));
        if !self.watch.is_over {
            match &answer {
                Some(first) => self.watch.end(first),
                None => self.watch.count(Outcome::Ok),
            }
        }
        Poll::Ready(answer)
    }
}

/// Counts a request that is dropped before its end, too.
struct Watch<'a> {
    statistics: &'a Statistics,
    protocol: Protocol,
    rows: usize,
    begun: Moment,
    is_over: bool,
}

impl<'a> Watch<'a> {
    fn of(statistics: &'a Statistics, request: &InferRequest) -> Self {
        Self {
            statistics,
            protocol: request.protocol,
            rows: request
                .inputs
                .first()
                .map_or(0, |input| input.tensor.rows()),
            begun: SystemClock.now(),
            is_over: false,
        }
    }

    fn end(&mut self, result: &Result<InferResponse, ServeError>) {
        self.is_over = true;
        let took = SystemClock.now().since(self.begun);
        self.statistics
            .record(self.protocol, self.rows, took, result);
    }

    /// Ends without an answer.
    fn count(&mut self, outcome: Outcome) {
        self.is_over = true;
        let took = SystemClock.now().since(self.begun);
        self.statistics.count(self.protocol, outcome, took);
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let outcome = if thread::panicking() {
                Outcome::Failed(ErrorKind::Internal)
            } else {
                Outcome::Cancelled
            };
            self.count(outcome);
        }
    }
}
