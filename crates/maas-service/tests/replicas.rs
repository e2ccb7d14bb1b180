//! Pools: turns, failures, kills under load, nesting.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::{Gate, request, sums, wait_until};
use maas_schedule::{FnPolicy, Moment, Policy, RoundRobin};
use maas_service::{
    Balanced, BoxService, Description, InferRequest, InferResponse, LocalModel, ManualTimer,
    Replicas, ServeError, Service,
};

fn replica(response: &InferResponse) -> usize {
    response.replica.as_deref().unwrap().parse().unwrap()
}

fn served<S: Service, P: Policy>(pool: &Balanced<S, P>) -> Vec<u64> {
    pool.members().iter().map(|member| member.served).collect()
}

#[test]
fn replicas_take_turns_and_say_who_answered() {
    let pool = Replicas::of(sums(|_| {}), 3).balanced_by(RoundRobin::new(3));
    let answered: Vec<usize> = (0..6)
        .map(|_| replica(&pool.infer_blocking(request(&[[1.0, 1.0]])).unwrap()))
        .collect();
    assert_eq!(answered, [0, 1, 2, 0, 1, 2]);
    assert_eq!(
        [
            pool.served(0),
            pool.served(1),
            pool.served(2),
            pool.served(3)
        ],
        [Some(2), Some(2), Some(2), None]
    );
}

#[test]
fn a_killed_replica_is_passed_over_and_comes_back() {
    let pool = Replicas::of(sums(|_| {}), 3);
    let ask = |times: usize| {
        for _ in 0..times {
            pool.infer_blocking(request(&[[1.0, 1.0]])).unwrap();
        }
        [0, 1, 2].map(|index| pool.served(index).unwrap())
    };
    pool.kill(1).unwrap();
    assert_eq!(ask(6), [3, 0, 3]);
    pool.restart(1).unwrap();
    assert_eq!(ask(9), [6, 3, 6]);
    assert!(matches!(
        pool.kill(3),
        Err(ServeError::UnknownReplica {
            index: 3,
            members: 3
        })
    ));
}

#[test]
fn nobody_ready_is_an_error() {
    let pool = Replicas::of(sums(|_| {}), 2);
    pool.kill(0).unwrap();
    pool.kill(1).unwrap();
    let error = pool.infer_blocking(request(&[[1.0, 1.0]])).unwrap_err();
    assert!(matches!(error, ServeError::NoneReady { members: 2 }));
    assert!(error.is_retryable());
    let empty = Replicas::of(sums(|_| {}), 0);
    assert!(matches!(
        empty.infer_blocking(request(&[[1.0, 1.0]])),
        Err(ServeError::NoneReady { members: 0 })
    ));
}

#[test]
fn what_a_killed_replica_held_goes_to_another() {
    let (gate, runs) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
    let (held, counted) = (gate.clone(), Arc::clone(&runs));
    let model = sums(move |_| {
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            held.pass();
        }
    });
    let pool = Replicas::of(model, 2);
    thread::scope(|scope| {
        let caller = scope.spawn(|| pool.infer_blocking(request(&[[1.0, 1.0]])));
        wait_until(|| runs.load(Ordering::SeqCst) == 1);
        assert_eq!(pool.in_flight(0), Some(1));
        pool.kill(0).unwrap();
        assert_eq!(replica(&caller.join().unwrap().unwrap()), 1);
    });
    gate.open();
}

/// Eight callers ask while replicas are killed and brought back; each request is answered once, rightly, or refused.
#[test]
fn no_request_is_lost_when_replicas_die_under_load() {
    let pool = Replicas::of(sums(|_| thread::sleep(Duration::from_micros(50))), 3);
    let (answered, refused, done) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    let (callers, each) = (8, 250);
    thread::scope(|scope| {
        let asking: Vec<_> = (0..callers)
            .map(|caller| {
                let (pool, answered, refused) = (&pool, &answered, &refused);
                scope.spawn(move || {
                    for number in 0..each {
                        let x = (caller * each + number) as f32;
                        match pool.infer_blocking(request(&[[x, 0.5]]).id(x.to_string())) {
                            Ok(response) => {
                                assert_eq!(
                                    response.output("y").unwrap().as_slice::<f32>().unwrap(),
                                    [x + 0.5]
                                );
                                assert_eq!(response.id, Some(x.to_string()));
                                answered.fetch_add(1, Ordering::SeqCst);
                            }
                            Err(error) => {
                                assert!(error.is_retryable(), "{error}");
                                refused.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    }
                })
            })
            .collect();
        let (pool, done) = (&pool, &done);
        let killer = scope.spawn(move || {
            for index in (0..2).cycle() {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                pool.kill(index).unwrap();
                thread::sleep(Duration::from_millis(2));
                pool.restart(index).unwrap();
                thread::sleep(Duration::from_millis(1));
            }
        });
        let results: Vec<_> = asking
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        done.store(true, Ordering::SeqCst);
        killer.join().unwrap();
        assert!(results.iter().all(Result::is_ok));
    });
    let (answered, refused) = (answered.into_inner(), refused.into_inner());
    assert_eq!(answered + refused, callers * each);
    assert_eq!(refused, 0, "replica 2 was there all the time");
    let served: u64 = (0..3).filter_map(|index| pool.served(index)).sum();
    assert_eq!(served, answered as u64);
    wait_until(|| (0..3).all(|index| pool.in_flight(index) == Some(0)));
}

#[test]
fn an_error_of_the_request_is_not_tried_elsewhere() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let pool = Replicas::of(
        sums(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            panic!("always");
        }),
        3,
    );
    assert!(matches!(
        pool.infer_blocking(request(&[[1.0, 1.0]])),
        Err(ServeError::Panicked { .. })
    ));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn pools_nest_and_are_boxed() {
    let pools = (0..2).map(|_| BoxService::new(Replicas::of(sums(|_| {}), 2)));
    let outer = Balanced::over(pools).unwrap();
    for _ in 0..8 {
        outer.infer_blocking(request(&[[1.0, 1.0]])).unwrap();
    }
    assert_eq!(served(&outer), [4, 4]);
    assert!(outer.ready().is_ready());
    assert_eq!(BoxService::new(outer).load().in_flight, 0);
}

#[test]
fn pools_of_different_models_are_refused() {
    let other = maas_core::Signature::new(
        maas_core::TensorSpec::rows("x", maas_core::DType::Fp32, &[3]),
        maas_core::TensorSpec::rows("y", maas_core::DType::Fp32, &[1]),
    );
    let other = maas_core::FnModel::new(
        other.unwrap(),
        |_: &[maas_core::TensorView<'_>], _: &mut maas_core::Outputs<'_>| {
            Ok::<(), maas_core::Error>(())
        },
    );
    let result = Balanced::over([LocalModel::new(sums(|_| {})), LocalModel::new(other)]);
    assert!(matches!(
        result,
        Err(ServeError::DifferentSignatures { name }) if name == "1"
    ));
}

#[test]
fn policies_see_load_and_the_clock() {
    let timer = ManualTimer::new();
    timer.advance(Duration::from_secs(5));
    let pool = Replicas::of(sums(|_| {}), 3)
        .timer(timer)
        .balanced_by(FnPolicy::new(|members, now| {
            assert_eq!(now.since(Moment::ZERO), Duration::from_secs(5));
            (0..members.len()).min_by_key(|&index| (members.get(index).load.in_flight, 2 - index))
        }));
    assert_eq!(
        replica(&pool.infer_blocking(request(&[[1.0, 1.0]])).unwrap()),
        2
    );
}

#[test]
fn a_policy_that_picks_nonsense_does_no_harm() {
    let pool = Replicas::of(sums(|_| {}), 2).balanced_by(FnPolicy::new(|_, _| Some(7)));
    assert!(matches!(
        pool.infer_blocking(request(&[[1.0, 1.0]])),
        Err(ServeError::NoneReady { .. })
    ));
    let dead_only = Replicas::of(sums(|_| {}), 2).balanced_by(FnPolicy::new(|_, _| Some(0)));
    dead_only.kill(0).unwrap();
    assert!(matches!(
        dead_only.infer_blocking(request(&[[1.0, 1.0]])),
        Err(ServeError::Stopped)
    ));
}

/// A user's own service in a pool: it answers, or refuses everything though it says that it is ready.
struct Moody(Option<Replicas>, Arc<Description>);

impl Service for Moody {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        match &self.0 {
            Some(pool) => pool.infer(request).await,
            None => Err(ServeError::Draining),
        }
    }

    fn describe(&self) -> Arc<Description> {
        Arc::clone(&self.1)
    }
}

#[test]
fn a_users_own_service_is_retried_on_another_member() {
    let replicas = Replicas::of(sums(|_| {}), 1);
    let description = replicas.describe();
    let members = [
        Moody(None, Arc::clone(&description)),
        Moody(Some(replicas), description),
    ];
    let pool = Balanced::over(members).unwrap();
    for _ in 0..4 {
        pool.infer_blocking(request(&[[1.0, 1.0]])).unwrap();
    }
    assert_eq!(served(&pool), [0, 4]);
}
