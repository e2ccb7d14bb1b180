//! What an estimate promises, whatever is recorded.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::time::Duration;

use maas_schedule::{Estimate, Load, Moment, Outcome};
use proptest::prelude::*;

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Success), Just(Outcome::Failure)]
}

/// Short, long and absurd.
fn nanoseconds() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..1000, 0_u64..100_000_000_000, any::<u64>()]
}

proptest! {
    #[test]
    fn it_is_a_number_under_any_records_and_any_clock(
        forgotten in nanoseconds(),
        records in proptest::collection::vec((outcome(), nanoseconds(), nanoseconds()), 0..60),
        read in nanoseconds(),
    ) {
        let estimate = Estimate::forgetting_in(Duration::from_nanos(forgotten));
        for (outcome, elapsed, now) in records {
            estimate.record(outcome, Duration::from_nanos(elapsed), Moment::from_nanos(now));
            for moment in [read, now] {
                let load = estimate.load(1, Moment::from_nanos(moment));
                prop_assert!((0.0..=1.0).contains(&load.success), "{load:?}");
            }
        }
        estimate.record(Outcome::Success, Duration::MAX, Moment::from_nanos(read));
        prop_assert!((0.0..=1.0).contains(&estimate.load(0, Moment::ZERO).success));
    }

    #[test]
    fn failures_never_look_faster_and_slower_answers_slower(
        known in 1_u64..1_000_000_000,
        elapsed in 1_u64..1_000_000_000,
        after in 0_u64..60_000_000_000,
    ) {
        let learned = |outcome| {
            let estimate = Estimate::new();
            let start = Moment::from_nanos(1);
            estimate.record(Outcome::Success, Duration::from_nanos(known), start);
            let before = estimate.load(0, start);
            let now = start + Duration::from_nanos(after);
            estimate.record(outcome, Duration::from_nanos(elapsed), now);
            (before, estimate.load(0, now))
        };
        let (before, failed) = learned(Outcome::Failure);
        prop_assert!(failed.service_time >= before.service_time);
        prop_assert!(failed.success < before.success);
        let (before, answered) = learned(Outcome::Success);
        if elapsed > known {
            prop_assert!(answered.service_time >= before.service_time);
        } else {
            prop_assert!(answered.service_time <= before.service_time);
        }
    }

    #[test]
    fn what_is_known_fades_steadily(elapsed in 1_u64..1_000_000_000, failures in 0_usize..40) {
        let estimate = Estimate::new();
        let start = Moment::from_nanos(1);
        estimate.record(Outcome::Success, Duration::from_nanos(elapsed), start);
        for _ in 0..failures {
            estimate.record(Outcome::Failure, Duration::ZERO, start);
        }
        let loads: Vec<Load> = (0..300).map(|second| estimate.load(0, start + Duration::from_secs(second))).collect();
        for pair in loads.windows(2) {
            prop_assert!(pair[1].success >= pair[0].success);
            prop_assert!(pair[1].service_time <= pair[0].service_time);
        }
        prop_assert_eq!(loads[31].service_time, None);
        prop_assert!(loads[299].success > 0.999);
    }
}

#[test]
fn a_failing_member_is_known_by_its_failures_alone() {
    let estimate = Estimate::new();
    for _ in 0..100 {
        estimate.record(Outcome::Failure, Duration::from_nanos(1), Moment::ZERO);
    }
    let load = estimate.load(0, Moment::ZERO);
    assert_eq!(load.service_time, None);
    assert!(load.success < 0.01);
}

#[test]
fn a_recovery_is_learned() {
    let estimate = Estimate::new();
    let mut now = Moment::ZERO;
    estimate.record(Outcome::Success, Duration::from_millis(100), now);
    for _ in 0..100 {
        now = now + Duration::from_millis(10);
        estimate.record(Outcome::Success, Duration::from_millis(10), now);
    }
    let service_time = estimate.load(0, now).service_time.unwrap();
    assert!(service_time < Duration::from_millis(15), "{service_time:?}");
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let estimate = Estimate::new();
    estimate.record(
        Outcome::Success,
        Duration::from_millis(5),
        Moment::from_nanos(u64::MAX),
    );
    estimate.record(Outcome::Success, Duration::from_millis(9), Moment::ZERO);
    assert_eq!(
        estimate.load(0, Moment::ZERO).service_time,
        Some(Duration::from_micros(5_250))
    );
}

#[test]
fn an_answer_after_a_silence_says_much() {
    let learned = |outcome, silence| {
        let estimate = Estimate::new();
        let start = Moment::from_nanos(1);
        estimate.record(Outcome::Success, Duration::from_millis(100), start);
        let now = start + Duration::from_millis(silence);
        estimate.record(outcome, Duration::from_millis(10), now);
        let load = estimate.load(0, now);
        (load.service_time.unwrap().as_millis(), load.success)
    };
    assert_eq!(learned(Outcome::Success, 0), (94, 1.0));
    assert_eq!(learned(Outcome::Success, 1_000), (55, 1.0));
    assert_eq!(learned(Outcome::Success, 9_000), (10, 1.0));
    // A failure is never all that is known.
    assert_eq!(learned(Outcome::Failure, 9_000), (100, 0.5));
}
