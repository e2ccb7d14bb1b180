//! Every interleaving of retries, permits and ejections. Run by
//! `RUSTFLAGS="--cfg loom" cargo test -p maas-schedule --test health_loom --release`.
#![cfg(loom)]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;
use maas_schedule::{
    Admission, ConcurrencyLimit, Health, HealthGroup, HealthRules, Moment, RetryBudget,
};

/// Runs the same on two threads and returns what both say.
fn twice<T: Send + Sync + 'static, R: Send + 'static>(shared: &Arc<T>, run: fn(&T) -> R) -> [R; 2] {
    let other = Arc::clone(shared);
    let other = thread::spawn(move || run(&other));
    let own = run(shared);
    [own, other.join().unwrap()]
}

#[test]
fn a_budget_is_never_overdrawn() {
    loom::model(|| {
        let budget = Arc::new(RetryBudget::new(0.5).per_second(0).burst(1));
        let given = twice(&budget, |budget| {
            let first = budget.withdraw(Moment::ZERO);
            budget.deposit();
            usize::from(first) + usize::from(budget.withdraw(Moment::ZERO))
        });
        let given = given[0] + given[1] + usize::from(budget.withdraw(Moment::ZERO));
        // A deposit into the full bucket, before anybody has taken out, is lost.
        assert!(
            (1..=2).contains(&given),
            "{given} retries of 2 requests and a reserve of 1"
        );
    });
}

/// The model finds a bug that is there: a token is seen, and then taken.
#[test]
#[should_panic(expected = "overdrawn")]
fn a_load_and_a_store_are_found_to_overdraw() {
    use loom::sync::atomic::{AtomicUsize, Ordering};
    loom::model(|| {
        let tokens = Arc::new(AtomicUsize::new(1));
        let given = twice(&tokens, |tokens| {
            let found = tokens.load(Ordering::SeqCst);
            if found > 0 {
                tokens.store(found - 1, Ordering::SeqCst);
            }
            found > 0
        });
        assert!(!(given[0] && given[1]), "overdrawn");
    });
}

#[test]
fn a_limit_is_never_exceeded() {
    loom::model(|| {
        let limit = Arc::new(ConcurrencyLimit::new(1));
        let inside = Arc::new((limit, loom::sync::atomic::AtomicUsize::new(0)));
        twice(&inside, |(limit, inside)| {
            use loom::sync::atomic::Ordering::Relaxed;
            if let Some(_permit) = limit.acquire() {
                assert_eq!(inside.fetch_add(1, Relaxed), 0);
                inside.fetch_sub(1, Relaxed);
            }
        });
        assert_eq!(inside.0.held(), 0);
    });
}

/// Without slow start and with a window of nothing that tells, so that the models are about the states.
fn rules() -> HealthRules {
    let second = Duration::from_secs(1);
    HealthRules::default()
        .consecutive_failures(1)
        .probes(1, 1)
        .ejection(second, second)
}

const LATER: Moment = Moment::from_nanos(2_000_000_000);

#[test]
fn one_of_two_members_at_most_is_ejected() {
    loom::model(|| {
        let group = Arc::new(HealthGroup::new());
        let other = Health::in_group(rules(), &group);
        let own = Health::in_group(rules(), &group);
        let shared = Arc::clone(&group);
        let other = thread::spawn(move || {
            other.record(false, Moment::ZERO);
            assert!(shared.ejected() <= 1);
            other
        });
        own.record(false, Moment::ZERO);
        assert!(group.ejected() <= 1);
        let other = other.join().unwrap();
        assert_eq!(group.ejected(), 1);
        assert!(own.is_available(Moment::ZERO) != other.is_available(Moment::ZERO));
        drop((own, other));
        assert_eq!((group.members(), group.ejected()), (0, 0));
    });
}

#[test]
fn a_member_is_ejected_once() {
    loom::model(|| {
        let group = Arc::new(HealthGroup::new().at_most_ejected(1.0));
        let members = Arc::new([(); 2].map(|()| Health::in_group(rules(), &group)));
        twice(&members, |members| members[0].record(false, Moment::ZERO));
        assert_eq!(group.ejected(), 1);
        assert!(!group.is_panicking());
    });
}

#[test]
fn one_request_is_on_trial() {
    loom::model(|| {
        let health = Health::new(rules());
        health.record(false, Moment::ZERO);
        let shared = Arc::new((health, loom::sync::atomic::AtomicUsize::new(0)));
        twice(&shared, |(health, trials)| {
            use loom::sync::atomic::Ordering::Relaxed;
            if let Admission::Probation(trial) = health.admits(LATER) {
                assert_eq!(trials.fetch_add(1, Relaxed), 0);
                trials.fetch_sub(1, Relaxed);
                drop(trial);
            }
        });
        assert!(matches!(shared.0.admits(LATER), Admission::Probation(_)));
    });
}

#[test]
fn probes_and_a_trial_leave_a_group_well() {
    let mut few_switches = loom::model::Builder::new();
    few_switches.preemption_bound = Some(2);
    few_switches.check(|| {
        let group = Arc::new(HealthGroup::new());
        let health = Arc::new(Health::in_group(rules(), &group));
        health.record(false, Moment::ZERO);
        let probed = Arc::clone(&health);
        let probes = thread::spawn(move || {
            probed.probe_result(false, LATER);
        });
        if let Admission::Probation(trial) = health.admits(LATER) {
            trial.record(true, LATER);
        }
        probes.join().unwrap();
        assert!(group.is_panicking());
        health.probe_result(true, LATER);
        if let Admission::Probation(trial) = health.admits(LATER) {
            trial.record(true, LATER);
        }
        assert!(matches!(health.admits(LATER), Admission::Yes));
        assert_eq!((group.ejected(), group.is_panicking()), (0, false));
    });
}
