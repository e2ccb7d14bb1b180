//! What retries, hedges and limits keep to.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use maas_schedule::{
    ConcurrencyLimit, Deadlines, GiveUp, Hedge, Moment, Next, Repeatable, Retries, RetryBudget,
    TryOutcome,
};
use proptest::prelude::*;

fn at(milliseconds: u64) -> Moment {
    Moment::ZERO + Duration::from_millis(milliseconds)
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Request,
    Retry,
    Later(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Request),
        4 => Just(Step::Retry),
        2 => (0_u64..200).prop_map(Step::Later),
    ]
}

proptest! {
    #[test]
    fn retries_stay_within_the_budget(
        steps in proptest::collection::vec(any_step(), 0..500),
        thousandths in 0_u32..1500,
        per_second in 0_u32..50,
        burst in 0_u32..20,
    ) {
        let budget = RetryBudget::new(f64::from(thousandths) / 1000.0).per_second(per_second).burst(burst);
        let (mut requests, mut retries, mut milliseconds) = (0_u64, 0_u64, 0_u64);
        for step in steps {
            match step {
                Step::Request => {
                    budget.deposit();
                    requests += 1;
                }
                Step::Retry => retries += u64::from(budget.withdraw(at(milliseconds))),
                Step::Later(by) => milliseconds += by,
            }
            let allowed = u64::from(thousandths) * requests + u64::from(per_second) * milliseconds + u64::from(burst) * 1000;
            prop_assert!(1000 * retries <= allowed, "{retries} retries of {requests} requests in {milliseconds} ms");
        }
    }

    #[test]
    fn the_budget_gives_all_that_it_has(requests in 0_u64..2000, thousandths in 0_u32..1000) {
        let budget = RetryBudget::new(f64::from(thousandths) / 1000.0).per_second(0).burst(2000);
        while budget.withdraw(Moment::ZERO) {}
        (0..requests).for_each(|_| budget.deposit());
        let retries = (0..).take_while(|_| budget.withdraw(Moment::ZERO)).count() as u64;
        prop_assert_eq!(retries, requests * u64::from(thousandths) / 1000);
    }

    #[test]
    fn no_moment_breaks_a_budget(moments in proptest::collection::vec(any::<u64>(), 0..50), per_second in any::<u32>(), ratio in any::<f64>()) {
        let budget = RetryBudget::new(ratio).per_second(per_second).burst(3);
        let mut given = 0;
        for nanoseconds in moments {
            budget.deposit();
            given += usize::from(budget.withdraw(Moment::from_nanos(nanoseconds)));
        }
        prop_assert!(given <= 50);
    }

    /// Whatever happens, a request is sent at most as often as it may, never twice where it must not, and ends.
    #[test]
    fn a_request_ends(
        events in proptest::collection::vec((0_u8..4, 0_u64..400), 0..40),
        tries in 1_usize..6,
        always in any::<bool>(),
        hedges in any::<bool>(),
    ) {
        let mut retries = Retries::default().tries(tries).deadlines(Deadlines::none().total(Duration::from_secs(2)));
        if hedges {
            let hedge = Hedge::after(0.5);
            (0..100).for_each(|_| hedge.record(Duration::from_millis(5)));
            retries = retries.hedge(hedge);
        }
        let repeatable = if always { Repeatable::Always } else { Repeatable::IfNotSent };
        let mut attempts = retries.begin(repeatable, at(0));
        attempts.sent(0, at(0));
        let (mut sent, mut on_the_way, mut worked_on, mut now) = (1, 1, false, 0);
        for (event, later) in events {
            now += later;
            let overdue = event == 3;
            let next = if overdue {
                attempts.overdue(at(now))
            } else {
                on_the_way -= 1;
                worked_on |= event == 1;
                let outcome = [TryOutcome::Answered, TryOutcome::Failed, TryOutcome::NotSent][usize::from(event)];
                attempts.ended(outcome, at(now))
            };
            match next {
                Next::Retry { not } => {
                    prop_assert_eq!(not, (0..sent as u64).collect::<Vec<_>>());
                    prop_assert!(now < 2000);
                    prop_assert!(always || !worked_on);
                    prop_assert!(hedges || !overdue);
                    attempts.sent(sent as u64, at(now));
                    sent += 1;
                    on_the_way += 1;
                }
                Next::Wait => prop_assert!(on_the_way > 0),
                Next::Done => {
                    prop_assert_eq!(event, 0);
                    break;
                }
                Next::GiveUp(_) => {
                    prop_assert_eq!(on_the_way, 0);
                    break;
                }
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert!(sent <= tries);
        }
    }
}

#[test]
fn threads_never_overdraw_a_budget() {
    let budget = RetryBudget::new(0.25).per_second(0).burst(10);
    let retries = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    budget.deposit();
                    retries.fetch_add(
                        usize::from(budget.withdraw(Moment::ZERO)),
                        Ordering::Relaxed,
                    );
                }
            });
        }
    });
    let retries = retries.into_inner();
    assert!(retries <= 10_010, "{retries}");
    assert!(retries >= 10_000, "{retries}");
}

#[test]
fn a_clock_that_goes_back_pays_nothing_twice() {
    let budget = RetryBudget::new(0.0).per_second(1).burst(1);
    assert!(budget.withdraw(at(5000)));
    assert!(!budget.withdraw(at(0)));
    assert!(!budget.withdraw(at(5900)));
    assert!(budget.withdraw(at(6000)));
}

#[test]
fn a_slow_try_is_hedged_within_the_budget() {
    let hedge = Hedge::after(0.95).budget(RetryBudget::new(0.0).per_second(0).burst(1));
    (0..100).for_each(|_| hedge.record(Duration::from_millis(10)));
    let retries = Retries::default().hedge(hedge);
    let mut first = retries.begin(Repeatable::Always, at(0));
    let Next::Hedge { after } = first.sent(1, at(0)) else {
        panic!("100 answers tell");
    };
    assert!(after >= Duration::from_millis(10) && after <= Duration::from_millis(12));
    assert_eq!(first.overdue(at(12)), Next::Retry { not: &[1] });
    first.sent(2, at(12));
    let mut second = retries.begin(Repeatable::Always, at(12));
    second.sent(1, at(12));
    assert_eq!(second.overdue(at(24)), Next::Wait);
    assert_eq!(first.ended(TryOutcome::Answered, at(13)), Next::Done);
}

#[test]
fn what_may_take_effect_twice_is_not_hedged() {
    let hedge = Hedge::after(0.95);
    (0..100).for_each(|_| hedge.record(Duration::from_millis(10)));
    let retries = Retries::default().hedge(hedge);
    let mut attempts = retries.begin(Repeatable::IfNotSent, at(0));
    assert_eq!(attempts.sent(1, at(0)), Next::Wait);
    assert_eq!(attempts.overdue(at(50)), Next::Wait);
}

#[test]
fn reasons_to_give_up() {
    let ended = |retries: &Retries, now| {
        let mut attempts = retries.begin(Repeatable::Always, at(0));
        attempts.sent(1, at(0));
        match attempts.ended(TryOutcome::Failed, now) {
            Next::GiveUp(why) => Some(why),
            _ => None,
        }
    };
    let none = RetryBudget::new(0.0).per_second(0).burst(0);
    let total = Deadlines::none().total(Duration::from_secs(1));
    assert_eq!(ended(&Retries::default(), at(0)), None);
    assert_eq!(
        ended(&Retries::default().tries(1), at(0)),
        Some(GiveUp::TriesSpent { tries: 1 })
    );
    assert_eq!(
        ended(&Retries::default().budget(none), at(0)),
        Some(GiveUp::BudgetSpent)
    );
    assert_eq!(
        ended(&Retries::default().deadlines(total), at(1000)),
        Some(GiveUp::DeadlinePassed)
    );
}

#[test]
fn a_limit_holds_among_threads_and_permits_end_with_panics() {
    let limit = Arc::new(ConcurrencyLimit::new(3));
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..5000 {
                    if let Some(_permit) = limit.acquire() {
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let permit = limit.acquire_owned();
    let panicked = thread::spawn(move || {
        let _permit = permit;
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    assert_eq!(limit.held(), 0);
}

#[test]
fn a_lower_limit_waits_for_those_inside() {
    let limit = ConcurrencyLimit::new(2);
    let (first, second) = (limit.acquire(), limit.acquire());
    limit.set(1);
    drop(first);
    assert!(limit.acquire().is_none());
    drop(second);
    assert!(limit.acquire().is_some());
}
