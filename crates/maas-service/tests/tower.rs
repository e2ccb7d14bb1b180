//! Our services behind tower's middleware, and tower's services in our pools.
#![allow(clippy::unwrap_used)]

mod common;

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::{Gate, request, signature, sums, wait_until};
use maas_schedule::Policy;
use maas_service::{
    Balanced, BoxService, Description, ErrorKind, FromTower, InferRequest, InferResponse,
    LocalModel, Readiness, Replicas, ServeError, Service, ToTower,
};
use tokio::sync::Semaphore;
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load::{CompleteOnResponse, PendingRequests};
use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;
use tower::{BoxError, ServiceBuilder, ServiceExt, retry};

const LONG: Duration = Duration::from_secs(60);

fn sum(response: &InferResponse) -> f32 {
    response.output("y").unwrap().as_slice::<f32>().unwrap()[0]
}

/// A model that waits for a gate, and how often it ran.
fn gated(gate: &Gate) -> (LocalModel, Arc<AtomicUsize>) {
    let (gate, runs) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&runs);
    let model = sums(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        gate.pass();
    });
    (LocalModel::new(model).queued(), runs)
}

/// A future that was polled once.
fn begun<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    future
}

// Outward: tower's middleware around our services.

fn served<S: Service, P: Policy>(pool: &Balanced<S, P>) -> Vec<u64> {
    pool.members().iter().map(|member| member.served).collect()
}

#[tokio::test]
async fn a_pool_answers_behind_all_of_towers_layers() {
    let pool = ServiceBuilder::new()
        .load_shed()
        .buffer(16)
        .rate_limit(100, LONG)
        .concurrency_limit(4)
        .timeout(LONG)
        .retry(WhileRetryable(2))
        .service(ToTower::new(Replicas::of(sums(|_| {}), 3)));
    for x in 0..12 {
        let response = pool.clone().oneshot(request(&[[x as f32, 0.5]]));
        assert_eq!(sum(&response.await.unwrap()), x as f32 + 0.5);
    }
}

#[tokio::test]
async fn a_timeout_gives_the_request_up() {
    let gate = Gate::default();
    let (model, runs) = gated(&gate);
    let model = ToTower::new(model);
    let ask = |time| {
        let service = ServiceBuilder::new().timeout(time).service(model.clone());
        service.oneshot(request(&[[1.0, 2.0]]))
    };
    let first = tokio::spawn(ask(LONG));
    wait_until_async(|| runs.load(Ordering::SeqCst) == 1).await;
    let error = ask(Duration::from_millis(1)).await.unwrap_err();
    assert!(error.is::<Elapsed>());
    gate.open();
    assert_eq!(sum(&first.await.unwrap().unwrap()), 3.0);
    assert_eq!(sum(&ask(LONG).await.unwrap()), 3.0);
    assert_eq!(runs.load(Ordering::SeqCst), 2, "the one given up never ran");
}

#[tokio::test]
async fn what_is_over_the_limit_is_shed() {
    let gate = Gate::default();
    let service = ServiceBuilder::new()
        .load_shed()
        .concurrency_limit(1)
        .service(ToTower::new(gated(&gate).0));
    let mut first = service.clone();
    let first = tower::Service::call(first.ready().await.unwrap(), request(&[[1.0, 2.0]]));
    let error = service.clone().oneshot(request(&[[3.0, 4.0]])).await;
    assert!(error.unwrap_err().is::<Overloaded>());
    gate.open();
    assert_eq!(sum(&first.await.unwrap()), 3.0);
    let third = service.oneshot(request(&[[5.0, 6.0]])).await;
    assert_eq!(sum(&third.unwrap()), 11.0);
}

/// So many more tries, of what is worth another one.
#[derive(Clone)]
struct WhileRetryable(usize);

impl retry::Policy<InferRequest, InferResponse, ServeError> for WhileRetryable {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _request: &mut InferRequest,
        result: &mut Result<InferResponse, ServeError>,
    ) -> Option<Ready<()>> {
        let again = matches!(result, Err(error) if error.is_retryable()) && self.0 > 0;
        again.then(|| {
            self.0 -= 1;
            ready(())
        })
    }

    fn clone_request(&mut self, request: &InferRequest) -> Option<InferRequest> {
        Some(request.clone())
    }
}

/// Refuses so many requests.
struct Refusing(AtomicUsize, Replicas);

impl Service for Refusing {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        let less = |left: usize| left.checked_sub(1);
        let refuse = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        if refuse.is_ok() {
            return Err(ServeError::Draining);
        }
        self.1.infer(request).await
    }

    fn describe(&self) -> Arc<Description> {
        self.1.describe()
    }
}

#[tokio::test]
async fn a_retry_asks_again_what_is_retryable_and_nothing_else() {
    let refusing = |times| Refusing(AtomicUsize::new(times), Replicas::of(sums(|_| {}), 1));
    let ask = |times, request| {
        let service = ServiceBuilder::new().retry(WhileRetryable(2));
        service
            .service(ToTower::new(refusing(times)))
            .oneshot(request)
    };
    let response = ask(2, request(&[[1.0, 2.0]])).await;
    assert_eq!(sum(&response.unwrap()), 3.0);
    let error = ask(3, request(&[[1.0, 2.0]])).await.unwrap_err();
    assert!(matches!(error, ServeError::Draining));
    let error = ask(0, InferRequest::new("no inputs")).await.unwrap_err();
    assert!(matches!(error, ServeError::MissingInput { .. }));
}

/// Whoever is stopped is not gone: nothing of tower may give it up for good.
#[tokio::test]
async fn a_buffer_outlives_a_pool_that_was_stopped() {
    let pool = ToTower::new(Replicas::of(sums(|_| {}), 1));
    let buffered = ServiceBuilder::new().buffer(4).service(pool.clone());
    pool.service().kill(0).unwrap();
    let error = buffered.clone().oneshot(request(&[[1.0, 2.0]])).await;
    let error = error.unwrap_err().downcast::<ServeError>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    pool.service().restart(0).unwrap();
    let response = buffered.oneshot(request(&[[1.0, 2.0]])).await;
    assert_eq!(sum(&response.unwrap()), 3.0);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_holds_requests_back() {
    let service = ServiceBuilder::new()
        .buffer(8)
        .rate_limit(2, LONG)
        .service(ToTower::new(LocalModel::new(sums(|_| {}))));
    let start = tokio::time::Instant::now();
    for x in 0..5 {
        let response = service.clone().oneshot(request(&[[x as f32, 0.5]])).await;
        assert_eq!(sum(&response.unwrap()), x as f32 + 0.5);
    }
    assert!(start.elapsed() >= 2 * LONG, "of the paused clock");
}

#[tokio::test]
async fn towers_balancer_spreads_over_our_services() {
    let members = [0, 1].map(|_| ToTower::new(Replicas::of(sums(|_| {}), 2)));
    let loads = members
        .clone()
        .map(|member| PendingRequests::new(member, CompleteOnResponse::default()));
    let mut balance = Balance::new(ServiceList::new::<InferRequest>(loads));
    for x in 0..64 {
        let balance = balance.ready().await.unwrap();
        let response = tower::Service::call(balance, request(&[[x as f32, 0.5]]));
        assert_eq!(sum(&response.await.unwrap()), x as f32 + 0.5);
    }
    let served = members.map(|member| {
        let pool = member.service();
        (0..2).filter_map(|index| pool.served(index)).sum::<u64>()
    });
    assert_eq!(served.iter().sum::<u64>(), 64);
    assert!(served.iter().all(|&served| served > 0), "{served:?}");
}

#[tokio::test]
async fn a_boxed_service_needs_no_type() {
    let service = BoxService::new(Replicas::of(sums(|_| {}), 2));
    let shared: Arc<BoxService> = Arc::new(service.clone());
    for tower in [ToTower::new(service), ToTower::from(shared)] {
        let response = tower.oneshot(request(&[[1.0, 2.0]])).await;
        assert_eq!(sum(&response.unwrap()), 3.0);
    }
}

// Inward: tower's services as ours.

#[tokio::test]
async fn pools_behind_layers_are_members_of_a_pool() {
    let member = |_| {
        FromTower::around(Replicas::of(sums(|_| {}), 2), |pool| {
            ServiceBuilder::new()
                .timeout(LONG)
                .concurrency_limit(8)
                .service(pool)
        })
    };
    let pool = Arc::new(Balanced::over((0..3).map(member)).unwrap());
    assert_eq!(pool.describe().signature, signature());
    let asks = (0..96).map(|x| {
        let pool = Arc::clone(&pool);
        let ask = async move { pool.infer(request(&[[x as f32, 0.5]])).await };
        (x, tokio::spawn(ask))
    });
    for (x, answer) in asks.collect::<Vec<_>>() {
        assert_eq!(sum(&answer.await.unwrap().unwrap()), x as f32 + 0.5);
    }
    assert_eq!(served(&pool), [32; 3]);
}

#[test]
fn a_pool_behind_layers_needs_no_runtime_if_the_layers_need_none() {
    let pool = FromTower::around(Replicas::of(sums(|_| {}), 2), |pool| {
        ServiceBuilder::new()
            .load_shed()
            .concurrency_limit(8)
            .service(pool)
    });
    let response = pool.infer_blocking(request(&[[1.0, 2.0]]));
    assert_eq!(sum(&response.unwrap()), 3.0);
}

#[test]
fn errors_of_services_come_back_through_boxes() {
    let pool = FromTower::around(Replicas::of(sums(|_| {}), 0), |pool| {
        tower::util::MapErr::new(pool, BoxError::from)
    });
    let error = pool.infer_blocking(request(&[[1.0, 2.0]])).unwrap_err();
    assert!(matches!(error, ServeError::NoneReady { members: 0 }));
}

#[tokio::test]
async fn errors_of_tower_are_other_errors_or_what_one_makes_of_them() {
    let held = |_: &[f32]| std::thread::sleep(Duration::from_millis(100));
    let short = ServiceBuilder::new().timeout(Duration::from_millis(1));
    let slow = FromTower::around(LocalModel::new(sums(held)), |model| short.service(model));
    let error = slow.infer(request(&[[1.0, 2.0]])).await.unwrap_err();
    assert!(matches!(&error, ServeError::Other(source) if source.is::<Elapsed>()));

    let limit = Duration::from_millis(1);
    let late = move |error: BoxError| match error.downcast::<Elapsed>() {
        Ok(_) => BoxError::from(ServeError::Deadline { limit }),
        Err(error) => error,
    };
    let slow = FromTower::around(LocalModel::new(sums(held)), |model| {
        ServiceBuilder::new()
            .map_err(late)
            .timeout(limit)
            .service(model)
    });
    let error = slow.infer(request(&[[1.0, 2.0]])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
}

#[test]
fn a_pool_asks_another_member_where_one_sheds() {
    let full = |error: BoxError| match error.downcast::<Overloaded>() {
        Ok(_) => BoxError::from(ServeError::Limit {
            limit: 1,
            retry_after: LONG,
        }),
        Err(error) => error,
    };
    let gate = Gate::default();
    let member = |_| {
        FromTower::around(gated(&gate).0, |model| {
            ServiceBuilder::new()
                .map_err(full)
                .load_shed()
                .concurrency_limit(1)
                .service(model)
        })
    };
    let pool = Balanced::over((0..2).map(member)).unwrap();
    let ask = || pool.infer(request(&[[1.0, 2.0]]));
    let (first, second) = (begun(ask()), begun(ask()));
    let error = pollster::block_on(ask()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limited);
    drop(first);
    let third = begun(ask());
    gate.open();
    let answers = [second, third].map(|answer| pollster::block_on(answer).unwrap());
    let members = answers.map(|answer| answer.replica.unwrap().to_string());
    assert_eq!(members, ["1", "0"]);
}

/// Fails to be ready while it is broken; never asked without having been ready.
struct Strict {
    broken: Arc<AtomicBool>,
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            broken: Arc::clone(&self.broken),
            ready: false,
        }
    }
}

impl tower::Service<InferRequest> for Strict {
    type Response = InferResponse;
    type Error = BoxError;
    type Future = Ready<Result<InferResponse, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.ready = !self.broken.load(Ordering::SeqCst);
        Poll::Ready(if self.ready {
            Ok(())
        } else {
            Err("broken".into())
        })
    }

    fn call(&mut self, request: InferRequest) -> Self::Future {
        assert!(self.ready, "not ready");
        self.ready = false;
        ready(Ok(InferResponse::to(&request)))
    }
}

#[test]
fn a_pool_passes_over_who_fails_to_be_ready_until_it_does_not() {
    let broken = [true, false].map(|broken| Arc::new(AtomicBool::new(broken)));
    let description = Arc::new(Description::new(signature(), "strict"));
    let member = |broken: &Arc<AtomicBool>| {
        let strict = Strict {
            broken: Arc::clone(broken),
            ready: false,
        };
        FromTower::new(strict, Arc::clone(&description))
    };
    let alone = member(&broken[0]);
    let error = alone.infer_blocking(InferRequest::new("")).unwrap_err();
    assert!(matches!(&error, ServeError::NotReady(source) if source.to_string() == "broken"));
    assert!(error.is_retryable());
    assert_eq!(alone.ready(), Readiness::Down);

    let pool = Balanced::over(broken.iter().map(member)).unwrap();
    for _ in 0..6 {
        pool.infer_blocking(InferRequest::new("")).unwrap();
    }
    assert_eq!(served(&pool), [0, 6]);
    broken[0].store(false, Ordering::SeqCst);
    assert!(alone.ready().is_ready());
    for _ in 0..6 {
        pool.infer_blocking(InferRequest::new("")).unwrap();
    }
    assert_eq!(served(&pool), [3, 9]);
}

#[test]
fn callers_that_go_leave_no_place_reserved() {
    let gate = Gate::default();
    let places = Arc::new(Semaphore::new(1));
    let layer = GlobalConcurrencyLimitLayer::with_semaphore(Arc::clone(&places));
    let limited = FromTower::around(gated(&gate).0, |model| {
        ServiceBuilder::new().layer(layer).service(model)
    });
    let ask = || limited.infer(request(&[[1.0, 2.0]]));

    let running = begun(ask());
    assert_eq!(places.available_permits(), 0);
    let waiting = begun(ask());
    drop(running);
    // It could have the place now, and goes.
    drop(waiting);
    assert_eq!(places.available_permits(), 1);
    drop(begun(ask()));
    assert_eq!(places.available_permits(), 1);
    gate.open();
    assert_eq!(sum(&pollster::block_on(ask()).unwrap()), 3.0);
}

#[test]
fn a_call_that_is_dropped_is_given_up() {
    let gate = Gate::default();
    let (model, runs) = gated(&gate);
    let model = ToTower::new(model);
    let ask = || model.clone().oneshot(request(&[[1.0, 2.0]]));
    let running = begun(ask());
    wait_until(|| runs.load(Ordering::SeqCst) == 1);
    for _ in 0..8 {
        drop(begun(ask()));
    }
    drop(running);
    gate.open();
    pollster::block_on(ask()).unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    wait_until(|| model.service().in_flight() == 0);
}

#[test]
fn errors_that_cannot_be_need_no_handling() {
    let never = tower::service_fn(|request: InferRequest| {
        ready(Ok::<_, Infallible>(InferResponse::to(&request)))
    });
    let service = FromTower::new(never, Description::new(signature(), "never"));
    service.infer_blocking(InferRequest::new("")).unwrap();
}

async fn wait_until_async(what: impl Fn() -> bool) {
    while !what() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
