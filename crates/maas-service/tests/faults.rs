//! What goes wrong with members of a pool, and what callers see of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{Gate, request, sums, wait_until};
use maas_core::Tensor;
use maas_schedule::{
    Deadlines, HealthGroup, HealthRules, HealthState, Hedge, LeastCost, Policy, ProbeTiming,
    QueueError, Retries, RetryBudget,
};
use maas_service::{
    Balanced, Description, InferRequest, InferResponse, LocalModel, NamedTensor, ServeError,
    Service,
};

/// A service that answers rightly, or as its mood is.
struct Member {
    inner: LocalModel,
    mood: Mutex<Mood>,
    asked: AtomicUsize,
}

#[derive(Clone, Copy)]
enum Mood {
    Well,
    Hangs,
    /// Cannot be reached.
    Gone,
    Panics,
    /// Gives one row too many.
    Miscounts,
    /// Gives an output that the model has not.
    Misnames,
    Slow(Duration),
}

impl Member {
    fn of(mood: Mood) -> Self {
        Self {
            inner: LocalModel::new(sums(|_| {})).inline(),
            mood: Mutex::new(mood),
            asked: AtomicUsize::new(0),
        }
    }
}

impl Service for Member {
    async fn infer(&self, request: InferRequest) -> Result<InferResponse, ServeError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let rows = request.inputs[0].tensor.rows();
        let mut response = self.inner.infer(request).await?;
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Well => {}
            Mood::Hangs => pending().await,
            Mood::Gone => return Err(ServeError::Stopped),
            Mood::Panics => panic!("in a bad mood"),
            Mood::Miscounts => {
                let wrong = Tensor::zeros(maas_core::DType::Fp32, [rows + 1, 1]).unwrap();
                response.outputs[0] = NamedTensor::new("y", wrong);
            }
            Mood::Misnames => response.outputs[0].name = "z".into(),
            Mood::Slow(time) => thread::sleep(time),
        }
        Ok(response)
    }

    fn describe(&self) -> Arc<Description> {
        self.inner.describe()
    }
}

impl Member {
    fn becomes(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
}

/// A pool of one member in this mood between two that are well.
fn pool(mood: Mood) -> Balanced<Member> {
    Balanced::over([Mood::Well, mood, Mood::Well].map(Member::of)).unwrap()
}

/// Tries of 30 requests that come to one of three members, whether those of retries are counted or not.
const SHARE: std::ops::RangeInclusive<usize> = 10..=15;

/// Retries as many as it takes.
fn tireless() -> Retries {
    Retries::default().budget(RetryBudget::new(1.0).burst(1000))
}

fn y(response: &InferResponse) -> f32 {
    response.output("y").unwrap().as_slice::<f32>().unwrap()[0]
}

/// So many requests, each answered rightly.
fn all_are_answered<P: Policy>(pool: &Balanced<Member, P>, requests: u16) {
    for x in 0..requests {
        let response = pool
            .infer_blocking(request(&[[f32::from(x), 1.0]]))
            .unwrap();
        assert_eq!(y(&response), f32::from(x) + 1.0);
    }
}

fn asked<P: Policy>(pool: &Balanced<Member, P>, name: &str) -> usize {
    pool.member(name).unwrap().asked.load(Ordering::SeqCst)
}

#[test]
fn what_a_hanging_member_holds_goes_to_another_in_time() {
    let per_try = Duration::from_millis(10);
    let deadlines = Deadlines::none().per_try(per_try);
    let pool = pool(Mood::Hangs).retrying(tireless().deadlines(deadlines));
    let start = Instant::now();
    all_are_answered(&pool, 30);
    assert!(start.elapsed() >= 10 * per_try);
    let members = pool.members();
    assert_eq!((members[1].served, members[1].in_flight), (0, 0));
    assert!(SHARE.contains(&(members[1].failed as usize)));
}

#[test]
fn a_hedge_does_not_wait_for_a_member_that_hangs() {
    let retries = tireless().hedge(Hedge::after(0.9).minimum_samples(20));
    let pool = pool(Mood::Well).retrying(retries);
    all_are_answered(&pool, 60);
    pool.remove("1").unwrap().wait();
    pool.add("hangs", Member::of(Mood::Hangs)).unwrap();
    let start = Instant::now();
    all_are_answered(&pool, 30);
    assert!(start.elapsed() < Duration::from_secs(5));
    assert!(SHARE.contains(&asked(&pool, "hangs")));
    assert_eq!(pool.load().in_flight, 0);
}

#[test]
fn a_member_whose_answers_do_not_fit_answers_nobody() {
    for mood in [Mood::Miscounts, Mood::Misnames] {
        let pool = pool(mood).retrying(tireless());
        all_are_answered(&pool, 30);
        let failed: Vec<u64> = pool.members().iter().map(|member| member.failed).collect();
        assert!(failed[0] + failed[2] == 0 && SHARE.contains(&(failed[1] as usize)));
        let alone = Balanced::over([Member::of(mood)]).unwrap();
        let error = alone.infer_blocking(request(&[[1.0, 1.0]])).unwrap_err();
        assert!(matches!(error, ServeError::BadAnswer { .. }), "{error}");
    }
}

#[test]
fn a_panic_is_its_members_own_and_may_be_tried_elsewhere() {
    let pool = pool(Mood::Panics);
    let panicked = (0..30)
        .filter(|_| {
            matches!(
                pool.infer_blocking(request(&[[1.0, 1.0]])),
                Err(ServeError::Panicked { .. })
            )
        })
        .count();
    assert_eq!(panicked, 10);
    assert_eq!(pool.members()[1].in_flight, 0);
    let pool = pool
        .retrying(tireless())
        .retrying_after(|error| matches!(error, ServeError::Panicked { .. }));
    all_are_answered(&pool, 30);
}

#[test]
fn a_slow_member_is_left_alone_by_who_looks_at_costs() {
    let pool = pool(Mood::Slow(Duration::from_millis(5))).balanced_by(LeastCost::new());
    all_are_answered(&pool, 200);
    assert!(asked(&pool, "1") <= 4, "{}", asked(&pool, "1"));
}

#[test]
fn tries_end_with_the_budget_and_the_members() {
    let hopeless = || Balanced::over([Mood::Miscounts, Mood::Misnames].map(Member::of)).unwrap();
    let error = hopeless()
        .infer_blocking(request(&[[1.0, 1.0]]))
        .unwrap_err();
    assert!(matches!(error, ServeError::BadAnswer { .. }), "{error}");

    let none = RetryBudget::new(0.0).per_second(0).burst(0);
    let pool = hopeless().retrying(Retries::default().budget(none));
    (0..10).for_each(|_| drop(pool.infer_blocking(request(&[[1.0, 1.0]])).unwrap_err()));
    assert_eq!(asked(&pool, "0") + asked(&pool, "1"), 10);
}

#[test]
fn a_deadline_ends_all_tries() {
    let pool = Balanced::over([Mood::Hangs, Mood::Hangs].map(Member::of)).unwrap();
    let start = Instant::now();
    let hurried = request(&[[1.0, 1.0]]).within(Duration::from_millis(20));
    let error = pool.infer_blocking(hurried).unwrap_err();
    assert_eq!(error.kind(), maas_service::ErrorKind::Deadline);
    assert!(start.elapsed() < Duration::from_secs(5));
    let late = request(&[[1.0, 1.0]]).within(Duration::ZERO);
    assert!(matches!(
        pool.infer_blocking(late),
        Err(ServeError::Expired { .. })
    ));
    assert_eq!(asked(&pool, "0") + asked(&pool, "1"), 1);
}

#[test]
fn a_full_member_passes_requests_on_and_all_full_say_when_to_come_back() {
    let (gate, running) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
    let member = || {
        let (gate, running) = (gate.clone(), Arc::clone(&running));
        let model = sums(move |_| {
            running.fetch_add(1, Ordering::SeqCst);
            gate.pass();
        });
        LocalModel::new(model).queued().queue(1)
    };
    let pool = Balanced::over([member(), member()]).unwrap();
    thread::scope(|scope| {
        let ask = || scope.spawn(|| pool.infer_blocking(request(&[[1.0, 1.0]])));
        let mut callers = vec![ask(), ask()];
        wait_until(|| running.load(Ordering::SeqCst) == 2);
        callers.extend([ask(), ask()]);
        wait_until(|| pool.load().in_flight == 4);
        thread::sleep(Duration::from_millis(5));
        let error = pool.infer_blocking(request(&[[1.0, 1.0]])).unwrap_err();
        assert!(
            matches!(error, ServeError::Queue(QueueError::RowsFull { .. })),
            "{error}"
        );
        assert!(error.retry_after().is_some());
        gate.open();
        assert!(
            callers
                .into_iter()
                .all(|caller| caller.join().unwrap().is_ok())
        );
    });
}

/// Each member is shut down when it has been removed and its last request has ended: nobody may ask it then.
#[test]
fn members_come_and_go_while_a_hundred_callers_call() {
    let pool = Balanced::over([Member::of(Mood::Well)]).unwrap();
    let (changes, answered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let enough = 30;
    let asked: usize = thread::scope(|scope| {
        let callers: Vec<_> = (0..100_u16)
            .map(|caller| {
                let (pool, changes, answered) = (&pool, &changes, &answered);
                scope.spawn(move || {
                    let mut asked = 0;
                    while asked < 20 || changes.load(Ordering::SeqCst) < enough {
                        let x = f32::from(caller);
                        let response = pool.infer_blocking(request(&[[x, 0.5]])).unwrap();
                        assert_eq!(y(&response), x + 0.5);
                        answered.fetch_add(1, Ordering::SeqCst);
                        asked += 1;
                    }
                    asked
                })
            })
            .collect();
        for number in 0..enough {
            let name = format!("guest {number}");
            pool.add(name.clone(), Member::of(Mood::Well)).unwrap();
            pool.set_weight(&name, 2).unwrap();
            thread::sleep(Duration::from_micros(200));
            let guest = pool.member(&name).unwrap();
            pool.remove(&name).unwrap().wait();
            guest.inner.kill();
            changes.fetch_add(1, Ordering::SeqCst);
        }
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .sum()
    });
    assert_eq!(answered.into_inner(), asked);
    assert_eq!(pool.members().len(), 1);
}

#[test]
fn a_clock_that_jumps_ends_what_is_overdue_and_nothing_else() {
    let timer = maas_service::ManualTimer::new();
    let deadlines = Deadlines::none().per_try(Duration::from_secs(1));
    let pool = Balanced::over([Mood::Hangs, Mood::Well].map(Member::of)).unwrap();
    let pool = pool
        .retrying(tireless().deadlines(deadlines))
        .timer(timer.clone());
    thread::scope(|scope| {
        let caller = scope.spawn(|| pool.infer_blocking(request(&[[1.0, 1.0]])));
        wait_until(|| asked(&pool, "0") == 1);
        thread::sleep(Duration::from_millis(5));
        assert!(!caller.is_finished());
        timer.advance(Duration::from_secs(7 * 24 * 3600));
        assert_eq!(y(&caller.join().unwrap().unwrap()), 2.0);
    });
    assert_eq!(pool.load().in_flight, 0);
}

#[test]
fn who_is_known_to_be_dead_is_asked_by_nobody_until_it_is_back() {
    let timer = maas_service::ManualTimer::new();
    let interval = Duration::from_secs(1);
    let pool = pool(Mood::Well)
        .timer(timer.clone())
        .watched_by(HealthRules::default().probes(1, 1))
        .probed(ProbeTiming::default().interval(interval))
        .retrying(tireless());
    let is_there = |_: &str, member: &Member| !matches!(*member.mood.lock().unwrap(), Mood::Gone);
    pool.probe(is_there);
    all_are_answered(&pool, 30);
    assert_eq!(asked(&pool, "1"), 10);

    pool.member("1").unwrap().becomes(Mood::Gone);
    timer.advance(interval);
    pool.probe(is_there);
    let known = asked(&pool, "1");
    all_are_answered(&pool, 60);
    assert_eq!(
        (asked(&pool, "1"), pool.members()[1].health),
        (known, Some(HealthState::Unhealthy))
    );

    pool.member("1").unwrap().becomes(Mood::Well);
    for _ in 0..20 {
        timer.advance(interval);
        pool.probe(is_there);
    }
    let before: Vec<u64> = pool.members().iter().map(|member| member.served).collect();
    all_are_answered(&pool, 300);
    let after = pool.members();
    for (after, before) in after.iter().zip(before) {
        assert!((90..=110).contains(&(after.served - before)), "{after:?}");
    }
}

#[test]
fn who_fails_is_ejected_and_comes_back_by_one_request() {
    let timer = maas_service::ManualTimer::new();
    let rules = HealthRules::default().consecutive_failures(3);
    let pool = pool(Mood::Gone)
        .timer(timer.clone())
        .watched_by(rules)
        .retrying(tireless());
    all_are_answered(&pool, 60);
    assert_eq!(asked(&pool, "1"), 3);

    timer.advance(Duration::from_secs(31));
    all_are_answered(&pool, 60);
    assert_eq!(asked(&pool, "1"), 4, "one request tries it");

    pool.member("1").unwrap().becomes(Mood::Well);
    timer.advance(Duration::from_secs(120));
    all_are_answered(&pool, 3);
    timer.advance(Duration::from_secs(60));
    let before = pool.members()[1].served;
    all_are_answered(&pool, 300);
    assert!((90..=110).contains(&(pool.members()[1].served - before)));
}

#[test]
fn where_all_are_ejected_all_are_tried() {
    let group = HealthGroup::new().at_most_ejected(1.0);
    let rules = HealthRules::default().consecutive_failures(1);
    let pool = pool(Mood::Gone)
        .watched_in(group, rules)
        .retrying(tireless());
    for name in ["0", "2"] {
        pool.member(name).unwrap().becomes(Mood::Gone);
    }
    for _ in 0..10 {
        assert!(
            pool.infer_blocking(request(&[[1.0, 1.0]]))
                .unwrap_err()
                .is_retryable()
        );
    }
    for name in ["0", "1", "2"] {
        pool.member(name).unwrap().becomes(Mood::Well);
    }
    all_are_answered(&pool, 30);
}

#[test]
fn a_member_that_flaps_loses_nothing() {
    let pool = pool(Mood::Gone)
        .retrying(tireless())
        .watched_by(HealthRules::default());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let member = pool.member("1").unwrap();
            while !done.load(Ordering::SeqCst) {
                for mood in [Mood::Well, Mood::Gone] {
                    member.becomes(mood);
                    thread::sleep(Duration::from_micros(300));
                }
            }
        });
        let callers: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| all_are_answered(&pool, 300)))
            .collect();
        let all_well = callers.into_iter().all(|caller| caller.join().is_ok());
        done.store(true, Ordering::SeqCst);
        assert!(all_well);
    });
    assert_eq!(pool.load().in_flight, 0);
}
