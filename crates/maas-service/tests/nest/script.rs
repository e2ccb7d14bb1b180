//! Services that do as the test says, and what tests do with futures.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures_core::Stream;
use maas_core::{DType, Signature, Tensor, TensorSpec};
use maas_service::{
    Description, InferRequest, InferResponse, NamedTensor, Readiness, ServeError, Service,
};

pub(crate) type Answer = Result<InferResponse, ServeError>;

/// What a scripted service does with its n-th request, counted from 0.
type Act =
    Box<dyn Fn(InferRequest, usize) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

pub(crate) struct Script {
    act: Act,
    state: Arc<State>,
    columns: usize,
}

/// What the test sees of it. Clones of the `Arc` outlive the service.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) asked: AtomicUsize,
    /// Futures and streams that were dropped, ended or not.
    pub(crate) dropped: AtomicUsize,
    pub(crate) ready: Mutex<Option<Readiness>>,
}

impl State {
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
}

struct CountDrop(Arc<State>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

impl Script {
    pub(crate) fn new<F: Future<Output = Answer> + Send + 'static>(
        act: impl Fn(InferRequest, usize) -> F + Send + Sync + 'static,
    ) -> Self {
        Self {
            act: Box::new(move |request, n| Box::pin(act(request, n))),
            state: Arc::default(),
            columns: 1,
        }
    }

    /// Twice the input x as y.
    pub(crate) fn doubling() -> Self {
        Self::new(|request, _| async move { Ok(doubled(&request)) })
    }

    /// Takes two columns.
    pub(crate) fn wide() -> Self {
        Self {
            columns: 2,
            ..Self::silent()
        }
    }

    pub(crate) fn silent() -> Self {
        Self::new(|_, _| std::future::pending())
    }

    pub(crate) fn failing(error: impl Fn() -> ServeError + Send + Sync + 'static) -> Self {
        Self::new(move |_, _| std::future::ready(Err(error())))
    }

    pub(crate) fn panicking() -> Self {
        Self::new(|_, _| async { panic!("as the test wants") })
    }

    /// Doubles when the gate is open.
    pub(crate) fn gated(gate: &Gate) -> Self {
        let gate = gate.clone();
        Self::new(move |request, _| {
            let gate = gate.clone();
            async move {
                gate.pass().await;
                Ok(doubled(&request))
            }
        })
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }
}

impl Service for Script {
    async fn infer(&self, request: InferRequest) -> Answer {
        let n = self.state.asked.fetch_add(1, Ordering::SeqCst);
        let _drop = CountDrop(self.state());
        (self.act)(request, n).await
    }

    /// Three pieces, each by the script.
    fn answers(&self, request: InferRequest) -> impl Stream<Item = Answer> + Send {
        Pieces {
            service: self,
            request,
            left: 3,
            piece: None,
            _drop: CountDrop(self.state()),
        }
    }

    fn describe(&self) -> Arc<Description> {
        let x = TensorSpec::rows("x", DType::Fp32, &[self.columns]);
        let y = TensorSpec::rows("y", DType::Fp32, &[1]);
        Arc::new(Description::new(Signature::new(x, y).unwrap(), "script"))
    }

    fn ready(&self) -> Readiness {
        self.state.ready.lock().unwrap().unwrap_or(Readiness::Ready)
    }
}

struct Pieces<'a> {
    service: &'a Script,
    request: InferRequest,
    left: usize,
    piece: Option<Pin<Box<dyn Future<Output = Answer> + Send>>>,
    _drop: CountDrop,
}

impl Stream for Pieces<'_> {
    type Item = Answer;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Answer>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut piece = self.piece.take().unwrap_or_else(|| {
            let n = self.service.state.asked.fetch_add(1, Ordering::SeqCst);
            (self.service.act)(self.request.clone(), n)
        });
        match piece.as_mut().poll(context) {
            Poll::Ready(answer) => {
                self.left = if answer.is_ok() { self.left - 1 } else { 0 };
                Poll::Ready(Some(answer))
            }
            Poll::Pending => {
                self.piece = Some(piece);
                Poll::Pending
            }
        }
    }
}

pub(crate) fn ask(x: f32) -> InferRequest {
    InferRequest::new("double").input("x", Tensor::from_slice([1, 1], &[x]).unwrap())
}

pub(crate) fn doubled(request: &InferRequest) -> InferResponse {
    let x = request.inputs[0].tensor.as_slice::<f32>().unwrap()[0];
    let mut response = InferResponse::to(request);
    let y = Tensor::from_slice([1, 1], &[2.0 * x]).unwrap();
    response.outputs.push(NamedTensor::new("y", y));
    response
}

pub(crate) fn y(response: &InferResponse) -> f32 {
    response.output("y").unwrap().as_slice::<f32>().unwrap()[0]
}

/// Holds futures back until it is opened.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<(bool, Vec<Waker>)>>);

impl Gate {
    pub(crate) fn open(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        let wakers = std::mem::take(&mut state.1);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) async fn pass(&self) {
        poll_fn(|context| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Counts how often it wakes.
#[derive(Default)]
pub(crate) struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Alarm {
    pub(crate) fn rung(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

pub(crate) fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn block<F: Future>(future: F) -> F::Output {
    pollster::block_on(future)
}

/// All pieces that are there to the end.
pub(crate) fn collect<T>(stream: impl Stream<Item = T>) -> Vec<T> {
    let mut stream = pin!(stream);
    let mut all = Vec::new();
    while let Some(item) = block(poll_fn(|context| stream.as_mut().poll_next(context))) {
        all.push(item);
    }
    all
}

/// Whether what it does panics.
pub(crate) fn panics(act: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(act)).is_err()
}

pub(crate) fn wait_until(what: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !what() {
        assert!(start.elapsed().as_secs() < 20, "waited for 20 s");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
