//! Models on servers elsewhere, alone and in a pool.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{echo, start, sums, wait_until};
use maas_core::{DType, Tensor};
use maas_schedule::{Clock, Deadlines, HealthRules, Policy, Retries, SystemClock};
use maas_server::{Connect, RemoteModel, RunningServer, Server};
use maas_service::{
    Balanced, Description, ErrorKind, InferRequest, InferResponse, LocalModel, Priority, Readiness,
    ServeError, Service,
};
use tokio::runtime::Runtime;

fn request(x: f32) -> InferRequest {
    InferRequest::new("sums")
        .input("x", Tensor::from_slice([1, 2], &[x, 0.5]).unwrap())
        .id(x.to_string())
}

fn check(x: f32, response: &InferResponse) {
    assert_eq!(response.rows().unwrap(), ndarray::array![[x + 0.5]]);
    assert_eq!(response.id, Some(x.to_string()));
}

fn server() -> RunningServer {
    server_of(LocalModel::new(sums(|_| {})))
}

fn server_of(service: impl Service + 'static) -> RunningServer {
    let server = Server::new().drain_timeout(Duration::ZERO);
    start(server.model("sums", service))
}

fn remote(server: &RunningServer) -> RemoteModel {
    let remote = RemoteModel::at(server.url(), "sums").probing_every(Duration::from_millis(50));
    Runtime::new().unwrap().block_on(remote.connect()).unwrap()
}

/// All but the bound of rows, of which the protocol's metadata say nothing.
fn check_description(near: &RemoteModel, far: &Description) {
    let mut told = far.clone();
    told.max_rows = None;
    assert_eq!(*near.describe(), told);
}

fn pool_of(servers: &[&RunningServer]) -> Balanced<RemoteModel> {
    Balanced::over(servers.iter().map(|server| remote(server))).unwrap()
}

/// Asks from some threads until `during` returns; how many requests there were. None may fail.
fn under_load<P: Policy>(pool: &Balanced<RemoteModel, P>, during: impl FnOnce()) -> usize {
    let (done, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let number = asked.fetch_add(1, Ordering::SeqCst);
                    let x = f32::from(u16::try_from(number % 60_000).unwrap());
                    let answer = pool.infer_blocking(request(x));
                    check(x, &answer.unwrap_or_else(|error| panic!("{error:?}")));
                }
            });
        }
        wait_until(|| asked.load(Ordering::SeqCst) > 200);
        during();
        let before = asked.load(Ordering::SeqCst);
        wait_until(|| asked.load(Ordering::SeqCst) > before + 200);
        done.store(true, Ordering::SeqCst);
    });
    asked.into_inner()
}

fn served<P: Policy>(pool: &Balanced<RemoteModel, P>, index: usize) -> u64 {
    pool.members()[index].served
}

#[test]
fn a_model_elsewhere_says_what_the_model_says() {
    let model = LocalModel::new(sums(|_| {}));
    let description = model.describe();
    let server = Server::new().model_version("sums", "2", model);
    let server = start(server.model("echo", echo(DType::Bf16)));
    let near = remote(&server);
    check_description(&near, &description);
    assert_eq!(
        near.predict(ndarray::array![[1.0, 2.0]].view()).unwrap(),
        ndarray::array![[3.0]]
    );
    let response = near
        .infer_blocking(request(1.0).version("of the one who asks"))
        .unwrap();
    check(1.0, &response);
    assert_eq!(
        (&*response.model, response.version.as_deref()),
        ("sums", Some("2"))
    );

    // JSON has no such type.
    let tensor = Tensor::from_bytes(DType::Bf16, [1, 2], &[1, 2, 3, 4]).unwrap();
    let half = InferRequest::new("echo")
        .input("in", tensor.clone())
        .output("out");
    let runtime = Runtime::new().unwrap();
    let connect = || RemoteModel::at(server.url(), "echo");
    let binary = runtime.block_on(connect().connect()).unwrap();
    let response = binary.infer_blocking(half.clone()).unwrap();
    assert_eq!(response.output("out"), Some(&tensor));
    let json = runtime.block_on(connect().json().connect()).unwrap();
    let error = json.infer_blocking(half).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error:?}");
}

#[test]
fn what_a_server_refuses_is_told() {
    let server = server();
    let runtime = Runtime::new().unwrap();
    let connect = |model: &str, version: &str| {
        let connect = RemoteModel::at(server.url(), model).version(version);
        runtime
            .block_on(connect.connect())
            .map(drop)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        connect("none", "1"),
        "the server answered 404: no model is called `none`"
    );
    assert_eq!(
        connect("sums", "7"),
        "the server answered 404: model `sums` has no version `7`"
    );
    let near = remote(&server);
    let wrong =
        InferRequest::new("sums").input("z", Tensor::from_slice([1, 2], &[1.0_f32, 0.5]).unwrap());
    let error = near.infer_blocking(wrong).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
    assert!(!error.is_retryable() && near.ready().is_ready());
}

/// Remembers what it was asked, and never answers.
#[derive(Clone, Default)]
struct Asked {
    requests: Arc<Mutex<Vec<InferRequest>>>,
    left: Arc<AtomicUsize>,
}

struct Left(Arc<AtomicUsize>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Service for Asked {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        self.requests.lock().unwrap().push(request);
        let _left = Left(Arc::clone(&self.left));
        std::future::pending().await
    }

    fn describe(&self) -> Arc<Description> {
        LocalModel::new(sums(|_| {})).describe()
    }
}

#[test]
fn haste_is_told_to_the_server_and_giving_up_as_well() {
    let asked = Asked::default();
    let server = server_of(asked.clone());
    let near = remote(&server);
    let hasty = request(1.0)
        .within(Duration::from_millis(200))
        .priority(Priority::High);
    let error = near.infer_blocking(hasty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline);
    wait_until(|| asked.left.load(Ordering::SeqCst) == 1);
    let request = asked.requests.lock().unwrap().pop().unwrap();
    let has = |name| request.parameters.get(name).is_some();
    assert!(request.deadline.is_some() || has("timeout"), "{request:?}");
    assert!(
        request.priority == Priority::High || has("priority"),
        "{request:?}"
    );
}

/// What the server is told of a request that has no deadline of its own.
fn check_limit(connect: Connect, asked: &Asked) {
    let limit = Duration::from_millis(200);
    let near = connect.timeout(limit).connect_blocking().unwrap();
    let error = near.infer_blocking(request(1.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deadline, "{error:?}");
    wait_until(|| asked.left.load(Ordering::SeqCst) == 1);
    let request = asked.requests.lock().unwrap().pop().unwrap();
    assert!(request.parameters.get("timeout").is_none(), "{request:?}");
    let left = request.deadline.unwrap().since(SystemClock.now());
    assert!(left <= limit, "{left:?}");
}

#[test]
fn the_limit_of_the_client_is_told_to_the_server() {
    let asked = Asked::default();
    let server = server_of(asked.clone());
    check_limit(RemoteModel::at(server.url(), "sums"), &asked);
}

#[test]
fn what_is_given_up_never_answers_another_request() {
    let server = server_of(LocalModel::new(sums(|x| {
        thread::sleep(Duration::from_micros(x[0] as u64 % 7 * 300));
    })));
    let near = Arc::new(remote(&server));
    Runtime::new().unwrap().block_on(async {
        let asking: Vec<_> = (0..8_u16)
            .map(|task| {
                let near = Arc::clone(&near);
                tokio::spawn(async move {
                    let mut answered = 0;
                    for turn in 0..60 {
                        let x = f32::from(task * 100 + turn);
                        let patience = Duration::from_micros(u64::from(turn) % 5 * 700 + 300);
                        if let Ok(answer) =
                            tokio::time::timeout(patience, near.infer(request(x))).await
                        {
                            check(x, &answer.unwrap());
                            answered += 1;
                        }
                    }
                    answered
                })
            })
            .collect();
        let mut answered = 0;
        for task in asking {
            answered += task.await.unwrap();
        }
        assert!(answered > 0);
    });
    assert_eq!(near.load().in_flight, 0);
    check(9.0, &near.infer_blocking(request(9.0)).unwrap());
}

#[test]
fn no_request_fails_when_a_server_is_killed_under_load_and_comes_back() {
    let (first, second, third) = (server(), server(), server());
    let brief = Duration::from_millis(100);
    let rules = HealthRules::default().ejection(brief, brief);
    let pool = pool_of(&[&first, &second, &third]).watched_by(rules);
    let address = second.addr();
    under_load(&pool, || {
        // The time to drain is none.
        let _ = second.shutdown_blocking();
    });
    wait_until(|| pool.member("1").unwrap().ready() == Readiness::Down);
    let before = served(&pool, 1);
    under_load(&pool, || {});
    assert_eq!(served(&pool, 1), before);

    let again = Server::new().model("sums", LocalModel::new(sums(|_| {})));
    let _again = again.bind(address.to_string()).run_in_background().unwrap();
    wait_until(|| {
        under_load(&pool, || {});
        served(&pool, 1) > before
    });
}

#[test]
fn no_request_fails_while_a_server_drains_or_a_member_is_taken_out() {
    let (first, second, third) = (server(), server(), server());
    let pool = pool_of(&[&first, &second, &third]);
    under_load(&pool, || {
        let _ = second.shutdown_blocking();
        pool.remove("0").unwrap().wait();
    });
    assert_eq!(pool.members().len(), 2);
}

#[test]
fn a_slow_server_is_passed_over() {
    let slow = server_of(LocalModel::new(sums(|_| {
        thread::sleep(Duration::from_secs(2));
    })));
    let (first, second) = (server(), server());
    let limit = Duration::from_millis(100);
    let pool = pool_of(&[&first, &second, &slow])
        .watched_by(HealthRules::default())
        .retrying(Retries::default().deadlines(Deadlines::none().per_try(limit)));
    let began = Instant::now();
    let asked = under_load(&pool, || {});
    assert!(asked > 400 && began.elapsed() < Duration::from_secs(20));
    let answered = served(&pool, 0) + served(&pool, 1);
    assert!(answered >= asked as u64, "{answered} of {asked}");
}

/// Has too much to do, for 5 s.
struct Busy(Arc<AtomicUsize>);

impl Service for Busy {
    async fn infer(&self, _: InferRequest) -> Result<InferResponse, ServeError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Err(ServeError::Refused {
            status: 503,
            message: "busy".to_owned(),
            retry_after: Some(Duration::from_secs(5)),
        })
    }

    fn describe(&self) -> Arc<Description> {
        LocalModel::new(sums(|_| {})).describe()
    }
}

#[test]
fn a_server_that_says_when_to_come_back_is_left_alone_until_then() {
    let asked = Arc::new(AtomicUsize::new(0));
    let busy = server_of(Busy(Arc::clone(&asked)));
    let (first, second) = (server(), server());
    let pool = pool_of(&[&first, &busy, &second]);
    let began = Instant::now();
    for x in 0..100_u16 {
        check(x.into(), &pool.infer_blocking(request(x.into())).unwrap());
    }
    if began.elapsed() < Duration::from_secs(4) {
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let readiness = pool.member("1").unwrap().ready();
        assert!(
            matches!(readiness, Readiness::Overloaded { .. }),
            "{readiness:?}"
        );
    }
    let error = remote(&busy).infer_blocking(request(1.0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overloaded);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
}

#[test]
fn a_pool_begins_before_its_servers_do() {
    let server = server();
    let (address, description) = (server.addr(), remote(&server).describe());
    let _ = server.shutdown_blocking();
    let near = RemoteModel::at(format!("http://{address}"), "sums")
        .probing_every(Duration::from_millis(20))
        .described(description)
        .unwrap();
    wait_until(|| near.ready() == Readiness::Down);
    let error = near.infer_blocking(request(1.0)).unwrap_err();
    assert!(matches!(error, ServeError::Unreachable { .. }), "{error:?}");
    let late = Server::new().model("sums", LocalModel::new(sums(|_| {})));
    let _late = late.bind(address.to_string()).run_in_background().unwrap();
    wait_until(|| near.ready().is_ready());
    check(1.0, &near.infer_blocking(request(1.0)).unwrap());
}

#[cfg(feature = "grpc")]
mod grpc {
    use super::*;

    fn over_grpc(server: &RunningServer, model: &str) -> RemoteModel {
        let remote = RemoteModel::at(server.url().replace("http:", "grpc:"), model);
        let remote = remote
            .probing_every(Duration::from_millis(50))
            .key("secret");
        remote.connect_blocking().unwrap()
    }

    #[test]
    fn a_model_elsewhere_says_the_same_by_grpc() {
        let model = LocalModel::new(sums(|_| {}));
        let description = model.describe();
        let server = start(
            Server::new()
                .model("sums", model)
                .model("echo", echo(DType::Bf16)),
        );
        let near = over_grpc(&server, "sums");
        check_description(&near, &description);
        check(1.0, &near.infer_blocking(request(1.0)).unwrap());
        let tensor = Tensor::from_bytes(DType::Bf16, [1, 2], &[1, 2, 3, 4]).unwrap();
        let half = InferRequest::new("echo")
            .input("in", tensor.clone())
            .output("out");
        let response = over_grpc(&server, "echo").infer_blocking(half).unwrap();
        assert_eq!(response.output("out"), Some(&tensor));
        let wrong = InferRequest::new("sums")
            .input("z", Tensor::from_slice([1, 2], &[1.0_f32, 0.5]).unwrap());
        let error = near.infer_blocking(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error:?}");
        let busy = server_of(Busy(Arc::default()));
        let error = over_grpc(&busy, "sums")
            .infer_blocking(request(1.0))
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.retry_after()),
            (ErrorKind::Overloaded, Some(Duration::from_secs(5)))
        );
    }

    #[test]
    fn the_limit_of_the_client_is_told_by_grpc() {
        let asked = Asked::default();
        let server = server_of(asked.clone());
        let url = server.url().replace("http:", "grpc:");
        check_limit(RemoteModel::at(url, "sums"), &asked);
    }

    #[test]
    fn giving_up_is_told_by_grpc() {
        let asked = Asked::default();
        let server = server_of(asked.clone());
        let near = over_grpc(&server, "sums");
        let error = near
            .infer_blocking(request(1.0).within(Duration::from_millis(200)))
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deadline, "{error:?}");
        wait_until(|| asked.left.load(Ordering::SeqCst) == 1);
    }

    #[test]
    fn no_request_fails_when_one_of_mixed_servers_is_killed_under_load() {
        let (first, second, third) = (server(), server(), server());
        let pool = Balanced::over([
            over_grpc(&first, "sums"),
            over_grpc(&second, "sums"),
            remote(&third),
        ]);
        let pool = pool.unwrap();
        under_load(&pool, || {
            let _ = second.shutdown_blocking();
        });
        wait_until(|| pool.member("1").unwrap().ready() == Readiness::Down);
        let error = pool
            .member("1")
            .unwrap()
            .infer_blocking(request(1.0))
            .unwrap_err();
        assert!(matches!(error, ServeError::Unreachable { .. }), "{error:?}");
    }
}
