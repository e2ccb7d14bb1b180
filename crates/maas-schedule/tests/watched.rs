//! A balancer's members fail, hang, flap, are killed and come back.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use maas_schedule::{
    Balancer, Clock, HealthGroup, HealthRules, HealthState, LeastLoaded, ManualClock, Moment,
    Outcome, OwnedLease, PowerOfTwoChoices, ProbeTiming, SlowStart,
};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// The first failure ejects for a second, and who is back serves its full share at once.
fn strict() -> HealthRules {
    HealthRules::default()
        .consecutive_failures(1)
        .ejection(SECOND, 60 * SECOND)
        .slow_start(SlowStart::over(Duration::ZERO))
        .probes(1, 1)
}

/// Ejects whom it may, and tries nobody who is ill.
fn calm() -> HealthGroup {
    HealthGroup::new().at_most_ejected(1.0).panics_below(0.0)
}

fn members(count: usize) -> impl Iterator<Item = (String, usize)> {
    (0..count).map(|index| (index.to_string(), index))
}

fn fail(lease: &OwnedLease<usize>, clock: &impl Clock) {
    lease.record(Outcome::Failure, MILLISECOND, clock.now());
}

fn succeed(lease: &OwnedLease<usize>, clock: &impl Clock) {
    lease.record(Outcome::Success, MILLISECOND, clock.now());
}

/// How often each member is picked, where each request ends well a millisecond later.
fn shares(balancer: &Balancer<usize>, clock: &ManualClock, requests: usize) -> Vec<usize> {
    let mut shares = vec![0; balancer.len()];
    for _ in 0..requests {
        let lease = balancer.pick().unwrap();
        shares[*lease] += 1;
        clock.advance(MILLISECOND);
        succeed(&lease, clock);
    }
    shares
}

#[test]
fn when_all_are_ejected_all_are_tried() {
    let clock = ManualClock::new();
    let group = HealthGroup::new().at_most_ejected(1.0);
    let balancer = Balancer::over(members(3))
        .unwrap()
        .clock(clock.clone())
        .watched_in(group, strict());
    for _ in 0..300 {
        fail(&balancer.pick().unwrap(), &clock);
    }
    let group = balancer.health().unwrap();
    assert_eq!((group.ejected(), group.is_panicking()), (3, true));
    assert!(group.admitted_in_panic() > 200);
    let table = balancer.members();
    assert!(
        table
            .iter()
            .all(|row| row.is_available && row.started == 100)
    );
}

#[test]
fn where_nobody_ill_is_tried_there_is_none_to_pick() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(2))
        .unwrap()
        .clock(clock.clone())
        .watched_in(calm(), strict());
    for _ in 0..2 {
        fail(&balancer.pick().unwrap(), &clock);
    }
    assert!(balancer.pick().is_none() && balancer.picker().pick().is_none());
    clock.advance(2 * SECOND);
    let tries = [balancer.pick().unwrap(), balancer.pick().unwrap()];
    assert_ne!(*tries[0], *tries[1]);
    assert!(balancer.pick().is_none(), "both are being tried");
}

#[test]
fn who_flaps_stays_away_longer_each_time() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(2))
        .unwrap()
        .clock(clock.clone())
        .watched_in(calm(), strict());
    let mut failures = Vec::new();
    for millisecond in 0..60_000 {
        let lease = balancer.pick().unwrap();
        if *lease == 0 {
            fail(&lease, &clock);
            failures.push(millisecond);
        } else {
            succeed(&lease, &clock);
        }
        clock.advance(MILLISECOND);
    }
    let pauses: Vec<u64> = failures.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses.is_sorted() && pauses.len() > 5, "{pauses:?}");
    assert!(failures.len() < 15, "of 60 000 requests {}", failures.len());
}

#[test]
fn one_request_tries_who_was_ejected_until_its_lease_ends() {
    let clock = ManualClock::new();
    let balancer = Balancer::new(LeastLoaded::new())
        .with(members(2))
        .unwrap()
        .clock(clock.clone())
        .watched_in(calm(), strict());
    let first = balancer.pick().unwrap();
    let ill = *first;
    fail(&first, &clock);
    drop(first);
    clock.advance(2 * SECOND);
    let mut leases: Vec<_> = (0..20).map(|_| balancer.pick().unwrap()).collect();
    let tries = |leases: &[OwnedLease<usize>]| leases.iter().filter(|each| ***each == ill).count();
    assert_eq!(tries(&leases), 1, "others find it taken, though it hangs");
    let status = || balancer.members()[ill].clone();
    assert_eq!(status().health, Some(HealthState::Probation));
    leases.retain(|lease| **lease != ill);
    assert!(matches!(status().health, Some(HealthState::Ejected { .. })));

    // Given back by a panic, too.
    let panicked = thread::scope(|scope| {
        let trial = || {
            let lease = balancer.pick().unwrap();
            assert_eq!(*lease, ill);
            std::panic::resume_unwind(Box::new("broken"));
        };
        scope.spawn(trial).join()
    });
    assert!(panicked.is_err());
    let trial = balancer.pick().unwrap();
    assert_eq!(*trial, ill);
    succeed(&trial, &clock);
    assert_eq!(status().health, Some(HealthState::Healthy));
    assert_eq!(balancer.health().unwrap().ejected(), 0);
}

#[test]
fn a_trial_that_has_ended_does_not_end_the_next_one() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(1))
        .unwrap()
        .clock(clock.clone())
        .watched_in(calm(), strict());
    fail(&balancer.pick().unwrap(), &clock);
    clock.advance(2 * SECOND);
    let first = balancer.pick().unwrap();
    fail(&first, &clock);
    clock.advance(5 * SECOND);
    let second = balancer.pick().unwrap();
    drop(first);
    assert_eq!(balancer.members()[0].health, Some(HealthState::Probation));
    assert!(balancer.pick().is_none());
    drop(second);
    assert!(balancer.pick().is_some());
}

#[test]
fn who_is_killed_is_picked_for_a_probe_interval_at_most() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(3))
        .unwrap()
        .clock(clock.clone())
        .watched_by(strict())
        .probed(ProbeTiming::default().interval(SECOND));
    let (killed, back) = (Moment::ZERO + 5 * SECOND, Moment::ZERO + 20 * SECOND);
    let is_dead = |now: Moment| now >= killed && now < back;
    let mut last = HashMap::new();
    while clock.now() < Moment::ZERO + 30 * SECOND {
        // Requests of which nobody says how they ended.
        let lease = balancer.pick().unwrap();
        last.entry((*lease, is_dead(clock.now())))
            .and_modify(|last| *last = clock.now())
            .or_insert(clock.now());
        drop(lease);
        balancer.probe(|name, _| name != "1" || !is_dead(clock.now()));
        clock.advance(7 * MILLISECOND);
    }
    let dead_for = last[&(1, true)].since(killed);
    assert!(dead_for <= SECOND + 7 * MILLISECOND, "{dead_for:?}");
    assert!(last[&(1, false)] > back, "and it is back");
}

#[test]
fn who_is_killed_is_found_out_by_its_requests() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(3))
        .unwrap()
        .clock(clock.clone())
        .watched_by(HealthRules::default().consecutive_failures(3));
    let mut lost = 0;
    for _ in 0..20_000 {
        let lease = balancer.pick().unwrap();
        clock.advance(MILLISECOND);
        if *lease == 1 {
            lost += 1;
            fail(&lease, &clock);
        } else {
            succeed(&lease, &clock);
        }
    }
    assert_eq!(lost, 3);
}

/// A clock that is set.
#[derive(Clone, Debug, Default)]
struct Set(Arc<AtomicU64>);

impl Clock for Set {
    fn now(&self) -> Moment {
        Moment::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn a_clock_that_jumps_breaks_nothing() {
    let clock = Set::default();
    let balancer = Balancer::over(members(6))
        .unwrap()
        .clock(clock.clone())
        .watched_by(
            HealthRules::default()
                .consecutive_failures(2)
                .ejection(SECOND, 2 * SECOND),
        );
    let day = 86_400_000_000_000;
    for jump in [day, 0, 3 * day, day, u64::MAX, u64::MAX - 1, 5, day] {
        clock.0.store(jump, Ordering::Relaxed);
        for request in 0..1000 {
            let lease = balancer.pick().unwrap();
            if *lease == request / 100 % 6 {
                fail(&lease, &clock);
            } else {
                succeed(&lease, &clock);
            }
            balancer.probe(|_, _| request % 7 != 0);
            clock
                .0
                .fetch_add(MILLISECOND.as_nanos() as u64, Ordering::Relaxed);
        }
    }
    let later = 10 * day;
    for step in 0..2000_u64 {
        clock.0.store(later + step * 100_000_000, Ordering::Relaxed);
        balancer.probe(|_, _| true);
        succeed(&balancer.pick().unwrap(), &clock);
    }
    let table = balancer.members();
    assert!(
        table
            .iter()
            .all(|row| row.health == Some(HealthState::Healthy)),
        "{table:?}"
    );
}

#[test]
fn who_comes_back_starts_slowly_and_is_even_in_the_end() {
    let clock = ManualClock::new();
    let rules = strict().slow_start(SlowStart::over(10 * SECOND));
    let balancer = Balancer::over(members(4))
        .unwrap()
        .clock(clock.clone())
        .watched_by(rules);
    fail(&balancer.pick().unwrap(), &clock);
    assert_eq!(shares(&balancer, &clock, 999), [0, 333, 333, 333]);
    clock.advance(SECOND);
    assert_eq!(shares(&balancer, &clock, 1)[0], 1, "it is tried");
    // By round robin its turns go to the others but for a tenth at first.
    let first = shares(&balancer, &clock, 1000)[0];
    assert!((10..60).contains(&first), "{first}");
    clock.advance(4 * SECOND);
    let half = shares(&balancer, &clock, 1000)[0];
    assert!((90..220).contains(&half), "{half}");
    clock.advance(4 * SECOND);
    assert_eq!(shares(&balancer, &clock, 1000), [250; 4]);
}

#[test]
fn when_all_start_slowly_they_serve_all() {
    let clock = ManualClock::new();
    let rules = strict()
        .slow_start(SlowStart::over(10 * SECOND).minimum(0.0))
        .newcomers_start_slowly();
    let balancer = Balancer::new(PowerOfTwoChoices::seeded(1))
        .clock(clock.clone())
        .watched_by(rules)
        .with(members(3))
        .unwrap();
    clock.advance(MILLISECOND);
    assert!((0..100).all(|_| balancer.pick().is_some()));
}

#[test]
fn who_fails_more_often_than_others_is_ejected_by_itself() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(6))
        .unwrap()
        .clock(clock.clone())
        .watched_by(HealthRules::default());
    for request in 0..12_000 {
        let lease = balancer.pick().unwrap();
        clock.advance(MILLISECOND);
        if *lease == 2 && request % 18 == 2 {
            fail(&lease, &clock);
        } else {
            succeed(&lease, &clock);
        }
    }
    let ejected =
        |row: &maas_schedule::MemberStatus| matches!(row.health, Some(HealthState::Ejected { .. }));
    let table = balancer.members();
    let ejected: Vec<_> = table
        .iter()
        .filter(|row| ejected(row))
        .map(|row| &*row.name)
        .collect();
    assert_eq!(ejected, ["2"]);
}

#[test]
fn who_is_removed_counts_no_more_though_somebody_holds_it() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(4))
        .unwrap()
        .clock(clock.clone())
        .watched_in(calm(), strict());
    let idle = balancer.picker();
    let held = [(); 3].map(|()| balancer.pick().unwrap());
    held.iter().for_each(|lease| fail(lease, &clock));
    assert_eq!(
        (
            balancer.health().unwrap().members(),
            balancer.health().unwrap().ejected()
        ),
        (4, 3)
    );
    drop(balancer.remove("0").unwrap());
    drop(balancer.remove("1").unwrap());
    let group = balancer.health().unwrap();
    assert_eq!((group.members(), group.ejected()), (2, 1));
    // A verdict on who has gone changes nothing.
    fail(&held[0], &clock);
    drop(idle);
    drop(held);
    assert_eq!((group.members(), group.ejected()), (2, 1));
    clock.advance(2 * SECOND);
    let trial = [balancer.pick().unwrap(), balancer.pick().unwrap()];
    trial.iter().for_each(|lease| succeed(lease, &clock));
    assert_eq!((group.members(), group.ejected()), (2, 0));
}

#[test]
fn a_member_is_probed_once_an_interval_by_one_thread() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(20))
        .unwrap()
        .clock(clock.clone())
        .watched_by(strict())
        .probed(ProbeTiming::default().interval(SECOND).jitter(0.0));
    let probes = AtomicUsize::new(0);
    for round in 1..=3 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    balancer.probe(|_, _| {
                        probes.fetch_add(1, Ordering::Relaxed);
                        true
                    })
                });
            }
        });
        assert_eq!(probes.load(Ordering::Relaxed), 20 * round);
        assert_eq!(balancer.probe(|_, _| true), SECOND);
        clock.advance(SECOND);
    }
}

#[test]
fn a_probe_that_takes_too_long_has_failed() {
    let clock = ManualClock::new();
    let balancer = Balancer::over(members(2))
        .unwrap()
        .clock(clock.clone())
        .watched_by(strict())
        .probed(
            ProbeTiming::default()
                .interval(2 * SECOND)
                .timeout(SECOND)
                .jitter(0.0),
        );
    let health = |index: usize| balancer.members()[index].health;
    let mut due = balancer.due_probes();
    let (late, hangs) = (due.next().unwrap(), due.next().unwrap());
    assert!(due.next().is_none());
    clock.advance(SECOND + MILLISECOND);
    late.record(true, clock.now());
    assert_eq!(
        (health(0), health(1)),
        (Some(HealthState::Unhealthy), Some(HealthState::Healthy))
    );
    clock.advance(SECOND);
    assert_eq!(
        balancer.due_probes().count(),
        1,
        "no second probe beside the one that hangs"
    );
    assert_eq!(health(1), Some(HealthState::Unhealthy));
    drop(hangs);
    clock.advance(2 * SECOND);
    balancer
        .due_probes()
        .for_each(|probe| probe.record(true, clock.now()));
    assert_eq!(
        (health(0), health(1)),
        (Some(HealthState::Healthy), Some(HealthState::Healthy))
    );
}

#[test]
fn threads_share_a_balancer_whose_members_fail_and_recover() {
    let names = members(5).map(|(name, _)| (name, AtomicBool::new(false)));
    let rules = HealthRules::default()
        .consecutive_failures(2)
        .ejection(MILLISECOND, 4 * MILLISECOND)
        .slow_start(SlowStart::over(MILLISECOND));
    let balancer = Balancer::over(names)
        .unwrap()
        .watched_in(HealthGroup::new().at_most_ejected(0.5), rules);
    let clock = maas_schedule::SystemClock;
    thread::scope(|scope| {
        for worker in 0..4 {
            let balancer = &balancer;
            scope.spawn(move || {
                let mut picker = balancer.picker();
                for request in 0..5000 {
                    let lease = picker.pick().expect("at least half are well");
                    if request % 400 == 0 {
                        lease.store(worker % 2 == 0, Ordering::Relaxed);
                    }
                    let outcome = if lease.load(Ordering::Relaxed) {
                        Outcome::Failure
                    } else {
                        Outcome::Success
                    };
                    if request % 5 != 0 {
                        lease.record(outcome, MILLISECOND, clock.now());
                    }
                }
            });
        }
    });
    for member in balancer.values() {
        member.store(false, Ordering::Relaxed);
    }
    while balancer
        .members()
        .iter()
        .any(|row| row.health != Some(HealthState::Healthy))
    {
        balancer
            .pick()
            .unwrap()
            .record(Outcome::Success, MILLISECOND, clock.now());
    }
    let group = balancer.health().unwrap();
    assert_eq!((group.ejected(), group.is_panicking()), (0, false));
}
