//! Who is well, over simulated time.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use maas_schedule::{
    Admission, Health, HealthGroup, HealthRules, HealthState, Moment, Next, Repeatable, Retries,
    SlowStart, TryOutcome,
};
use proptest::prelude::*;

const MILLISECOND: Duration = Duration::from_millis(1);

fn at(milliseconds: u64) -> Moment {
    Moment::ZERO + Duration::from_millis(milliseconds)
}

/// Members that are chosen in turn by their weight, one request after the other.
struct Service {
    group: Arc<HealthGroup>,
    members: Vec<Health>,
    credits: Vec<f32>,
    retries: Retries,
    now: Moment,
}

impl Service {
    fn new(members: usize, rules: HealthRules, group: HealthGroup, retries: Retries) -> Self {
        let group = Arc::new(group);
        Self {
            members: (0..members)
                .map(|_| Health::in_group(rules, &group))
                .collect(),
            credits: vec![0.0; members],
            group,
            retries,
            now: Moment::ZERO,
        }
    }

    /// Smooth weighted round robin over who is available and not among `not`; over all of the available, otherwise.
    fn choose(&mut self, not: &[u64]) -> Option<usize> {
        let available = |member: &usize| self.members[*member].is_available(self.now);
        let all: Vec<usize> = (0..self.members.len()).filter(available).collect();
        let others: Vec<usize> = all
            .iter()
            .copied()
            .filter(|m| !not.contains(&(*m as u64)))
            .collect();
        let among = if others.is_empty() { all } else { others };
        let mut sum = 0.0;
        for &member in &among {
            let weight = self.members[member].weight(self.now);
            self.credits[member] += weight;
            sum += weight;
        }
        let best = among
            .into_iter()
            .max_by(|&a, &b| self.credits[a].total_cmp(&self.credits[b]))?;
        self.credits[best] -= sum;
        Some(best)
    }

    /// Sends one request; says who answered.
    fn request(&mut self, works: impl Fn(usize) -> bool) -> Option<usize> {
        let retries = std::mem::take(&mut self.retries);
        let mut attempts = retries.begin(Repeatable::Always, self.now);
        let answered = loop {
            let Some(member) = self.choose(attempts.tried()) else {
                break None;
            };
            attempts.sent(member as u64, self.now);
            let ok = works(member);
            match self.members[member].admits(self.now) {
                Admission::Yes => self.members[member].record(ok, self.now),
                Admission::Probation(trial) => trial.record(ok, self.now),
                Admission::No => panic!("{member} was available"),
            }
            let outcome = if ok {
                TryOutcome::Answered
            } else {
                TryOutcome::Failed
            };
            match attempts.ended(outcome, self.now) {
                Next::Done => break Some(member),
                Next::Retry { .. } => {}
                Next::GiveUp(_) => break None,
                other => panic!("{other:?}"),
            }
        };
        self.retries = retries;
        self.now = self.now + MILLISECOND;
        answered
    }

    /// Answers by member, and errors, of requests for `milliseconds`, one a millisecond.
    fn run(
        &mut self,
        milliseconds: usize,
        works: impl Fn(usize, Moment) -> bool,
    ) -> (Vec<usize>, usize) {
        let (mut answers, mut errors) = (vec![0; self.members.len()], 0);
        for _ in 0..milliseconds {
            let now = self.now;
            match self.request(|member| works(member, now)) {
                Some(member) => answers[member] += 1,
                None => errors += 1,
            }
        }
        (answers, errors)
    }
}

fn never_again() -> Retries {
    Retries::default().tries(1)
}

#[test]
fn a_member_that_fails_at_once_costs_next_to_nothing() {
    let run = |retries| {
        let mut service = Service::new(3, HealthRules::default(), HealthGroup::new(), retries);
        let warm_up = service.run(100, |member, _| member != 0).1;
        (warm_up, service.run(300_000, |member, _| member != 0).1)
    };
    let (warm_up, errors) = run(never_again());
    assert!(warm_up <= 5, "{warm_up}");
    assert!(errors <= 10, "{errors} of 300000"); // the trials
    assert_eq!(run(Retries::default()), (0, 0));
}

#[test]
fn a_member_that_fails_often_is_ejected_by_its_share() {
    let rules = HealthRules::default().failure_share(0.3, 50);
    let health = Health::new(rules);
    for request in 0..100 {
        health.record(request % 3 != 0, at(request));
    }
    assert!(matches!(health.state(at(100)), HealthState::Ejected { .. }));
    let tolerant = Health::new(HealthRules::default());
    for request in 0..1000 {
        tolerant.record(request % 3 != 0, at(request));
    }
    assert_eq!(tolerant.state(at(1000)), HealthState::Healthy);
}

#[test]
fn a_flapping_member_is_ejected_for_longer_and_longer() {
    let rules = HealthRules::default()
        .consecutive_failures(1)
        .ejection(Duration::from_secs(1), Duration::from_secs(3));
    let health = Health::new(rules);
    let mut now = at(0);
    let mut lengths = Vec::new();
    for _ in 0..5 {
        health.record(false, now);
        let HealthState::Ejected { until } = health.state(now) else {
            panic!("one failure ejects");
        };
        lengths.push(until.since(now).as_secs());
        now = until;
        let Admission::Probation(trial) = health.admits(now) else {
            panic!("its time is over");
        };
        trial.record(true, now);
    }
    assert_eq!(lengths, [1, 2, 3, 3, 3]);
    let much_later = now + Duration::from_secs(100);
    health.record(false, much_later);
    let HealthState::Ejected { until } = health.state(much_later) else {
        panic!("one failure ejects");
    };
    assert_eq!(until.since(much_later).as_secs(), 1);
}

/// Up for a second, down for a second.
#[test]
fn a_flapping_member_costs_few_requests() {
    let mut service = Service::new(4, HealthRules::default(), HealthGroup::new(), never_again());
    let (_, errors) = service.run(120_000, |member, now| {
        member != 0 || now.as_nanos() / 1_000_000_000 % 2 == 1
    });
    assert!(errors <= 30, "{errors} of 120000");
}

#[test]
fn a_member_that_recovers_soon_has_its_share() {
    let rules = HealthRules::default().ejection(Duration::from_secs(1), Duration::from_secs(1));
    let mut service = Service::new(4, rules, HealthGroup::new(), Retries::default());
    let (answers, errors) = service.run(10_000, |member, _| member != 0);
    assert_eq!((answers[0], errors), (0, 0));
    let (answers, _) = service.run(6_500, |_, _| true); // a trial within 1 s, a slow start of 5 s
    assert!(answers[0] > 0);
    let (answers, _) = service.run(1_000, |_, _| true);
    assert!(answers[0] >= 240, "{answers:?}");
}

#[test]
fn within_five_seconds_of_its_return_a_member_has_three_quarters_of_its_share() {
    let mut service = Service::new(
        4,
        HealthRules::default().probes(1, 1),
        HealthGroup::new(),
        never_again(),
    );
    service.members[0].probe_result(false, service.now);
    service.run(1000, |_, _| true);
    service.members[0].probe_result(true, service.now);
    let (start, _) = service.run(500, |_, _| true);
    assert!(start[0] < 30, "{start:?}");
    service.run(3_500, |_, _| true);
    let (answers, _) = service.run(1000, |_, _| true);
    assert!(answers[0] >= 188, "{answers:?}");
}

#[test]
fn when_all_fail_all_are_tried_and_it_is_counted() {
    let rules = HealthRules::default();
    let mut service = Service::new(
        3,
        rules,
        HealthGroup::new().at_most_ejected(1.0),
        never_again(),
    );
    service.run(100, |_, _| false);
    assert_eq!(service.group.ejected(), 3);
    assert!(service.group.is_panicking());
    let (answers, errors) = service.run(300, |_, _| true);
    assert_eq!(errors, 0);
    assert_eq!(answers, [100, 100, 100]);
    assert!(service.group.admitted_in_panic() >= 300);
}

#[test]
fn a_panic_ends_with_the_illness() {
    let group = Arc::new(HealthGroup::new());
    let rules = HealthRules::default().probes(1, 1);
    let members: Vec<_> = (0..4).map(|_| Health::in_group(rules, &group)).collect();
    for (index, panics) in [(0, false), (1, false), (2, true), (3, true)] {
        members[index].probe_result(false, at(0));
        assert_eq!(group.is_panicking(), panics, "{index}");
    }
    members[0].probe_result(true, at(1));
    members[1].probe_result(true, at(1));
    assert!(!group.is_panicking());
    assert!(!members[2].is_available(at(1)));
}

#[test]
fn a_probe_says_that_an_ejected_member_was_started_anew() {
    let health = Health::new(HealthRules::default().consecutive_failures(1).probes(1, 1));
    health.record(false, at(0));
    health.probe_result(true, at(100));
    assert!(!health.is_available(at(100))); // it was never down
    health.probe_result(false, at(200));
    health.probe_result(true, at(300));
    assert!(matches!(health.admits(at(300)), Admission::Probation(_)));
}

#[test]
fn what_told_that_a_member_is_ill_is_counted() {
    let rules = HealthRules::default()
        .consecutive_failures(3)
        .failure_share(0.5, 10)
        .ejection(Duration::from_secs(1), Duration::from_secs(1))
        .probes(2, 1);
    let group = Arc::new(HealthGroup::new().at_most_ejected(1.0));
    let members: Vec<_> = (0..6).map(|_| Health::in_group(rules, &group)).collect();
    let counts = |member: &Health| {
        let counts = member.ejected();
        let named = [
            counts.consecutive_failures,
            counts.failure_share,
            counts.outlier,
            counts.trial,
            counts.probes,
        ];
        assert_eq!(named.iter().sum::<u64>(), counts.total());
        named
    };
    for _ in 0..4 {
        members[0].record(false, at(0)); // the fourth finds it ejected
    }
    assert_eq!(counts(&members[0]), [1, 0, 0, 0, 0]);
    let Admission::Probation(trial) = members[0].admits(at(1500)) else {
        panic!("its time is over");
    };
    trial.record(false, at(1500));
    assert_eq!(counts(&members[0]), [1, 0, 0, 1, 0]);
    for request in 0..10 {
        members[1].record(request % 2 == 0, at(0));
    }
    assert_eq!(counts(&members[1]), [0, 1, 0, 0, 0]);
    for probe in [false, false, false, true] {
        members[2].probe_result(probe, at(0));
    }
    assert_eq!(counts(&members[2]), [0, 0, 0, 0, 1]);

    let group = Arc::new(HealthGroup::new());
    let members: Vec<_> = (0..5).map(|_| Health::in_group(rules, &group)).collect();
    for request in 0..100 {
        for (index, member) in members.iter().enumerate() {
            member.record(index != 4 || request % 3 != 0, at(0));
        }
    }
    assert_eq!(group.eject_outliers(&members, at(0)), 1);
    assert_eq!(counts(&members[4]), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&members[0]), [0; 5]);
}

#[test]
fn a_member_that_leaves_takes_its_ejection_along() {
    let group = Arc::new(HealthGroup::new());
    let rules = HealthRules::default().consecutive_failures(1);
    let gone = Health::in_group(rules, &group);
    let stays = Health::in_group(rules, &group);
    gone.record(false, at(0));
    stays.record(false, at(0));
    assert_eq!(stays.state(at(0)), HealthState::Healthy); // one of two is the most
    drop(gone);
    assert_eq!((group.members(), group.ejected()), (1, 0));
    stays.record(false, at(0));
    assert_eq!(group.ejected(), 1);
}

#[test]
fn a_trial_may_go_to_another_thread() {
    let health = Arc::new(Health::new(HealthRules::default().consecutive_failures(1)));
    health.record(false, at(0));
    let now = at(31_000);
    let Admission::Probation(trial) = Health::admits_owned(&health, now) else {
        panic!("its time is over");
    };
    let panicked = thread::spawn(move || {
        let _trial = trial;
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    assert!(matches!(health.admits(now), Admission::Probation(_)));
}

#[test]
fn a_member_among_perfect_others_may_fail_now_and_then() {
    let group = Arc::new(HealthGroup::new());
    let members: Vec<_> = (0..6)
        .map(|_| Health::in_group(HealthRules::default(), &group))
        .collect();
    for request in 0..1000 {
        for (index, member) in members.iter().enumerate() {
            member.record(index != 0 || request % 100 != 0, at(0));
        }
    }
    assert_eq!(group.eject_outliers(&members, at(0)), 0);
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Record(bool),
    Probe(bool),
    Ask,
    Trial(bool),
    Abandon,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => any::<bool>().prop_map(Event::Record),
        2 => any::<bool>().prop_map(Event::Probe),
        3 => Just(Event::Ask),
        1 => any::<bool>().prop_map(Event::Trial),
        1 => Just(Event::Abandon),
    ]
}

/// Moments that mostly go on, and now and then are anywhere.
fn any_moment() -> impl Strategy<Value = u64> {
    prop_oneof![9 => 0_u64..100_000_000_000, 1 => any::<u64>()]
}

proptest! {
    /// Whatever happens, whenever: the ceiling holds, a member on probation has one trial, and the counts agree.
    #[test]
    fn a_group_keeps_its_ceiling(
        events in proptest::collection::vec((0_usize..5, any_event(), any_moment()), 0..300),
        members in 1_usize..6,
        share in 0.0_f64..1.0,
    ) {
        let group = Arc::new(HealthGroup::new().at_most_ejected(share).panics_below(0.0));
        let rules = HealthRules::default().consecutive_failures(1).probes(1, 1);
        let healths: Vec<_> = (0..members).map(|_| Health::in_group(rules, &group)).collect();
        let mut trials: Vec<Option<_>> = (0..members).map(|_| None).collect();
        let most = ((members as f64 * share) as usize).max(1);
        for (member, event, nanoseconds) in events {
            let (member, now) = (member % members, Moment::from_nanos(nanoseconds));
            match event {
                Event::Record(ok) => healths[member].record(ok, now),
                Event::Probe(ok) => healths[member].probe_result(ok, now),
                Event::Ask => {
                    let available = healths[member].is_available(now);
                    match healths[member].admits(now) {
                        Admission::Yes => prop_assert!(available),
                        Admission::Probation(trial) => {
                            prop_assert!(available && trials[member].is_none());
                            trials[member] = Some(trial);
                        }
                        Admission::No => prop_assert!(!available),
                    }
                }
                Event::Trial(ok) => {
                    if let Some(trial) = trials[member].take() {
                        trial.record(ok, now);
                    }
                }
                Event::Abandon => trials[member] = None,
            }
            prop_assert!(group.ejected() <= most);
            let weight = healths[member].weight(now);
            prop_assert!((0.0..=1.0).contains(&weight));
            prop_assert_eq!(weight > 0.0, healths[member].is_available(now));
        }
        drop(trials);
        drop(healths);
        prop_assert_eq!((group.members(), group.ejected()), (0, 0));
        prop_assert!(!group.is_panicking());
    }

    #[test]
    fn a_slow_start_only_grows(
        aggression in any::<f32>(),
        minimum in any::<f32>(),
        time in any::<u64>(),
        mut moments in proptest::collection::vec(any::<u64>(), 2..20),
    ) {
        let start = SlowStart::over(Duration::from_nanos(time)).aggression(aggression).minimum(minimum);
        moments.sort_unstable();
        let shares: Vec<f32> = moments.into_iter().map(|m| start.share(Duration::from_nanos(m))).collect();
        prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{:?}", shares);
        prop_assert!(shares.is_sorted());
    }
}

#[test]
fn threads_keep_the_ceiling_and_one_trial() {
    let group = Arc::new(HealthGroup::new().at_most_ejected(0.5));
    let rules = HealthRules::default()
        .consecutive_failures(1)
        .ejection(Duration::ZERO, Duration::ZERO);
    let members: Vec<_> = (0..4).map(|_| Health::in_group(rules, &group)).collect();
    let trials: Vec<AtomicUsize> = (0..4).map(|_| AtomicUsize::new(0)).collect();
    let time = AtomicUsize::new(1);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for turn in 0..20_000 {
                    let (health, trial_count) = (&members[turn % 4], &trials[turn % 4]);
                    let now = at(time.fetch_add(1, Ordering::Relaxed) as u64);
                    match health.admits(now) {
                        Admission::Yes => health.record(turn % 3 == 0, now),
                        Admission::Probation(trial) => {
                            assert_eq!(trial_count.fetch_add(1, Ordering::SeqCst), 0);
                            trial_count.fetch_sub(1, Ordering::SeqCst);
                            trial.record(turn % 2 == 0, now);
                        }
                        Admission::No => {}
                    }
                    assert!(group.ejected() <= 2);
                }
            });
        }
    });
    drop(members);
    assert_eq!(
        (group.members(), group.ejected(), group.is_panicking()),
        (0, 0, false)
    );
}
