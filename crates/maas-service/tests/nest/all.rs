//! All of them around each other, over services that do anything.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use maas_schedule::RoundRobin;
use maas_service::{
    Balanced, BoxService, Ending, Fallback, InferRequest, Limit, ManualTimer, ServeError, Service,
    Shadow, Tap, Tapped, ThreadTimer, Timeout, Timer, Versions,
};
use proptest::prelude::*;

use crate::script::{Script, ask, block, collect, doubled, poll, wait_until, y};

/// Answers, fails, panics, or takes its time, by turns.
fn moody(seed: usize) -> Script {
    Script::new(move |request, n| async move {
        match (n + seed) % 7 {
            0 => Err(ServeError::Stopped),
            1 => panic!("as the test wants"),
            2 => {
                let now = maas_schedule::Clock::now(&ThreadTimer);
                ThreadTimer
                    .sleep_until(now + Duration::from_micros(300))
                    .await;
                Ok(doubled(&request))
            }
            _ => Ok(doubled(&request)),
        }
    })
}

/// How requests ended, as a tap saw it.
#[derive(Default)]
struct Endings {
    answered: AtomicUsize,
    failed: AtomicUsize,
    given_up: AtomicUsize,
    panicked: AtomicUsize,
}

impl Endings {
    fn count(&self, tapped: &Tapped<'_>) {
        let counter = match tapped.ending {
            Ending::Answered(response) => {
                assert_eq!(response.id, tapped.request.id);
                &self.answered
            }
            Ending::Failed(_) => &self.failed,
            Ending::GivenUp => &self.given_up,
            _ => &self.panicked,
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }

    fn all(&self) -> [usize; 4] {
        [&self.answered, &self.failed, &self.given_up, &self.panicked]
            .map(|counter| counter.load(Ordering::SeqCst))
    }
}

/// What is at the bottom: a pool, versions with a shadow, and a spare.
fn bottom() -> impl Service + 'static {
    let pool = Balanced::over((0..2).map(moody)).unwrap();
    let versions = Versions::new("double", "1", BoxService::new(pool));
    versions
        .add("2", BoxService::new(Limit::new(moody(2), 2)))
        .unwrap();
    versions.add("3", BoxService::new(moody(3))).unwrap();
    versions.weigh([("1", 2), ("2", 1)]).unwrap();
    versions
        .shadow(Shadow::of("3").share(0.5).at_most(4))
        .unwrap();
    Fallback::new(versions, Timeout::new(moody(4), Duration::from_secs(5))).unwrap()
}

#[cfg(feature = "cache")]
fn kept<S: Service>(service: S) -> maas_service::Cache<S> {
    maas_service::Cache::of_entries(service, 8)
}

#[cfg(not(feature = "cache"))]
fn kept<S: Service>(service: S) -> S {
    service
}

#[test]
fn everything_adds_up_whatever_happens() {
    let endings = Arc::<Endings>::default();
    let teller = Arc::clone(&endings);
    let service = Limit::new(kept(bottom()), 6);
    let service = Timeout::new(service, Duration::from_secs(10));
    let service = Tap::new(service, move |tapped: &Tapped<'_>| teller.count(tapped));
    let pool = Balanced::over([service])
        .unwrap()
        .balanced_by(RoundRobin::default());
    let seen = Endings::default();
    std::thread::scope(|scope| {
        for thread in 0..8_usize {
            let (pool, seen) = (&pool, &seen);
            scope.spawn(move || {
                for n in 0..200 {
                    let x = ((thread * 7 + n * 5) % 23) as f32;
                    let request = ask(x).id(format!("{thread} {n}"));
                    let counter = if n % 5 == 0 {
                        let mut answer = Box::pin(pool.infer(request));
                        match poll(answer.as_mut()) {
                            Poll::Pending => &seen.given_up,
                            Poll::Ready(Err(ServeError::Panicked { .. })) => &seen.panicked,
                            Poll::Ready(_) => continue,
                        }
                    } else {
                        match block(pool.infer(request)) {
                            Err(ServeError::Panicked { .. }) => &seen.panicked,
                            Err(_) => &seen.failed,
                            Ok(response) => {
                                assert_eq!(y(&response), 2.0 * x);
                                assert_eq!(response.id, Some(format!("{thread} {n}")));
                                &seen.answered
                            }
                        }
                    };
                    counter.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    let [answered, failed, given_up, panicked] = endings.all();
    let [seen_answered, _, seen_given_up, seen_panicked] = seen.all();
    assert!(
        answered >= seen_answered && seen_answered > 500,
        "{answered}, {seen_answered}"
    );
    assert_eq!(given_up, seen_given_up);
    // The tap sees a panic of the member of a pool below it as an error.
    assert!(panicked > 0 && panicked <= seen_panicked);
    assert!(answered + failed + given_up + panicked <= 8 * 200);
    // Shadows may be behind.
    wait_until(|| pool.members()[0].in_flight == 0);
    wait_until(|| pool.load().in_flight == 0);
}

/// A service in some of the others, in any order.
fn wrapped(layers: &[u8], timer: &ManualTimer) -> BoxService {
    layers.iter().fold(
        BoxService::new(Script::doubling()),
        |inner, layer| match layer {
            0 => BoxService::new(Timeout::new(inner, Duration::from_secs(1)).timer(timer.clone())),
            1 => BoxService::new(Limit::new(inner, 1)),
            2 => BoxService::new(Tap::new(inner, |_: &Tapped<'_>| {})),
            3 => BoxService::new(
                Fallback::new(Script::failing(|| ServeError::Draining), inner).unwrap(),
            ),
            4 => BoxService::new(Versions::new("double", "1", inner)),
            5 => BoxService::new(Balanced::over([inner]).unwrap()),
            _ => BoxService::new(kept(inner)),
        },
    )
}

proptest! {
    #[test]
    fn any_order_of_them_answers_as_the_service_does(layers in proptest::collection::vec(0_u8..7, 0..8)) {
        let timer = ManualTimer::new();
        let service = wrapped(&layers, &timer);
        prop_assert!(service.ready().is_ready());
        prop_assert_eq!(service.describe(), Script::doubling().describe());
        for round in 0..3 {
            let request = ask(3.0).id("a");
            let response = block(service.infer(request)).unwrap();
            prop_assert_eq!((y(&response), response.id.as_deref()), (6.0, Some("a")), "{}", round);
            prop_assert_eq!(response.version.is_some(), layers.contains(&4));
            prop_assert_eq!(response.parameters.get("fallback").is_some(), layers.contains(&3));
        }
        let pieces = collect(service.answers(ask(3.0)));
        prop_assert!(pieces.iter().all(|piece| y(piece.as_ref().unwrap()) == 6.0));
        prop_assert_eq!(pieces.len(), if layers.contains(&5) { 1 } else { 3 });
        prop_assert_eq!((service.load().in_flight, timer.sleepers()), (0, 0));

        let expired = ask(3.0).deadline(maas_schedule::Moment::ZERO);
        let answer = block(service.infer(expired));
        // The last layer that could have an answer of before decides.
        if layers.last() == Some(&0) {
            let expired = matches!(answer, Err(ServeError::Expired { .. }));
            prop_assert!(expired);
        }
    }
}

#[test]
fn unpolled_requests_cost_nothing() {
    let service = wrapped(&[0, 1, 2, 3, 4, 5, 6], &ManualTimer::new());
    drop(service.infer(InferRequest::new("double")));
    drop(service.answers(InferRequest::new("double")));
    assert_eq!(service.load().in_flight, 0);
    let answer = pin!(service.infer(ask(1.0)));
    assert!(poll(answer).is_ready());
}
