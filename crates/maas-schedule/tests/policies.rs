//! Every policy keeps the laws of all, and its own promise.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use maas_schedule::laws::check_policy;
use maas_schedule::{
    Balancer, Candidate, Candidates, ConsistentHash, LeastCost, LeastLoaded, Moment, PeakEwma,
    Policy, PowerOfTwoChoices, Random, RoundRobin, Sticky, StripedRoundRobin, WeightedRoundRobin,
};
use proptest::prelude::*;

mod common;
use common::shares_of_threads;

#[test]
fn every_policy_keeps_the_laws() {
    check_policy(RoundRobin::default).unwrap();
    check_policy(StripedRoundRobin::default).unwrap();
    check_policy(WeightedRoundRobin::new).unwrap();
    check_policy(Random::default).unwrap();
    check_policy(LeastLoaded::new).unwrap();
    check_policy(PowerOfTwoChoices::default).unwrap();
    check_policy(PeakEwma::default).unwrap();
    check_policy(LeastCost::new).unwrap();
    check_policy(ConsistentHash::new).unwrap();
    check_policy(|| Sticky::new(RoundRobin::default(), 3)).unwrap();
    check_policy(|| Sticky::new(ConsistentHash::new(), 100)).unwrap();
}

/// How often each member is picked.
fn shares(policy: &dyn Policy, members: &dyn Candidates, picks: usize) -> Vec<usize> {
    let mut shares = vec![0; members.len()];
    for _ in 0..picks {
        shares[policy.pick(members, Moment::ZERO).unwrap()] += 1;
    }
    shares
}

fn spread(shares: &[usize]) -> usize {
    shares.iter().max().unwrap() - shares.iter().min().unwrap()
}

#[test]
fn equals_are_even() {
    for count in [1, 3, 16] {
        let idle = vec![Candidate::idle(); count];
        let known = vec![Candidate::busy(2).known(Duration::from_millis(9), 0.9); count];
        for members in [idle, known] {
            for policy in [
                &RoundRobin::default() as &dyn Policy,
                &StripedRoundRobin::default(),
                &WeightedRoundRobin::new(),
                &LeastLoaded::new(),
                &LeastCost::new(),
            ] {
                assert!(spread(&shares(policy, &members, 1001)) <= 1, "{policy:?}");
            }
            for policy in [
                &Random::default() as &dyn Policy,
                &PowerOfTwoChoices::default(),
                &PeakEwma::default(),
                &ConsistentHash::new(),
            ] {
                let shares = shares(policy, &members, 10_000);
                assert!(spread(&shares) < 4_000 / count, "{policy:?}: {shares:?}");
            }
        }
    }
}

#[test]
fn noise_within_the_dead_band_leaves_equals_even() {
    let members = [100, 107, 110].map(|ms| Candidate::idle().known(Duration::from_millis(ms), 1.0));
    assert!(spread(&shares(&LeastCost::new(), &members, 999)) <= 1);
}

#[test]
fn weights_count_without_who_is_down() {
    let members = [1, 6, 1, 1].map(|weight| Candidate::idle().weighing(weight));
    assert_eq!(
        shares(&WeightedRoundRobin::new(), &members, 900),
        [100, 600, 100, 100]
    );
    let mut without = members;
    without[0] = without[0].unavailable();
    assert_eq!(
        shares(&WeightedRoundRobin::new(), &without, 800),
        [0, 600, 100, 100]
    );
    let hashed = shares(&ConsistentHash::new(), &members, 9000);
    assert!(hashed[1].abs_diff(6000) < 200, "{hashed:?}");
}

#[test]
fn avoided_members_are_probed_each_in_turn() {
    let fast = Candidate::idle().known(Duration::from_millis(10), 1.0);
    let slow = Candidate::idle().known(Duration::from_millis(100), 1.0);
    let failing = fast.known(Duration::from_millis(1), 0.0);
    for count in [3, 40] {
        let mut members = vec![fast; count];
        members[0] = slow;
        members[1] = failing;
        // At most once a second, and at most once in 256 picks.
        for (pause, probes) in [(1, 10), (10, 100)] {
            let policy = LeastCost::new();
            let mut shares = vec![0; count];
            for pick in 0..25_600 {
                let now = Moment::ZERO + pick * Duration::from_millis(pause) / 2;
                shares[policy.pick(&members, now).unwrap()] += 1;
            }
            let half = probes / 2;
            // Of 40, both of the two that are drawn may be these.
            let drawn = if count == 3 { 0 } else { 100 };
            let range = half - 1..=half + 1 + drawn;
            assert!(
                shares[..2].iter().all(|share| range.contains(share)),
                "{shares:?}"
            );
        }
    }
}

#[test]
fn latency_and_failures_count_and_the_unknown_is_tried() {
    let fast = Candidate::idle().known(Duration::from_millis(10), 1.0);
    let slow = Candidate::idle().known(Duration::from_millis(100), 1.0);
    let fails = Candidate::idle().known(Duration::from_micros(10), 0.0);
    let policies: [&dyn Policy; 2] = [&PeakEwma::default(), &LeastCost::new()];
    for policy in policies {
        assert!(shares(policy, &[slow, fast], 100)[1] >= 98, "{policy:?}");
        assert!(shares(policy, &[fails, fast], 100)[1] >= 98, "{policy:?}");
        let tried = shares(
            policy,
            &[
                Candidate::idle(),
                Candidate::busy(1).known(Duration::from_millis(10), 1.0),
            ],
            100,
        );
        assert!(tried[0] >= 98, "{policy:?}: {tried:?}");
        let queued = shares(policy, &[Candidate::busy(9), fast], 100);
        assert!(queued[1] >= 98, "{policy:?}: {queued:?}");
    }
}

#[test]
fn threads_on_stripes_stay_within_the_bound() {
    for count in [3, 16, 100] {
        let ring = StripedRoundRobin::new(count);
        let shares = shares_of_threads(count, || ring.next());
        assert!(
            spread(&shares) <= 1 + 4 * 63_usize.div_ceil(count),
            "{shares:?}"
        );
    }
}

/// More threads than slots, so that they share them.
#[test]
fn no_turn_of_shared_slots_is_handed_out_twice() {
    const PICKS: usize = 64 * 5;
    let ring = StripedRoundRobin::new(1 << 20);
    let turns = thread::scope(|scope| {
        let run = || (0..PICKS).map(|_| ring.next()).collect::<Vec<_>>();
        let runs: Vec<_> = (0..40).map(|_| scope.spawn(run)).collect();
        runs.into_iter()
            .flat_map(|run| run.join().unwrap())
            .collect::<Vec<_>>()
    });
    let mut once = turns.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), turns.len());
}

/// Members by identity, with weights.
#[derive(Debug, Clone)]
struct Named(Vec<(u64, u32)>);

impl Candidates for Named {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, index: usize) -> Candidate {
        Candidate::idle().weighing(self.0[index].1)
    }

    fn identity(&self, index: usize) -> u64 {
        self.0[index].0
    }
}

fn named(weights: &[u32]) -> Named {
    Named((0..).zip(weights.iter().copied()).collect())
}

proptest! {
    #[test]
    fn weighted_turns_are_within_one_pick_of_the_shares(
        weights in proptest::collection::vec(0_u32..50, 1..20),
    ) {
        let total: u32 = weights.iter().sum();
        prop_assume!(total > 0);
        let policy = WeightedRoundRobin::new();
        let members = named(&weights);
        let mut counts = vec![0.0; weights.len()];
        for pick in 1..=2 * total {
            counts[policy.pick(&members, Moment::ZERO).unwrap()] += 1.0;
            for (&count, &weight) in counts.iter().zip(&weights) {
                let ideal = f64::from(pick) * f64::from(weight) / f64::from(total);
                prop_assert!((count - ideal).abs() <= 1.0 + 1e-9);
            }
        }
    }

    /// Whoever comes and goes, what those who stay get for their weights stays close.
    #[test]
    fn who_stays_keeps_its_weighted_share_under_churn(
        weights in proptest::collection::vec(1_u32..8, 2..8),
        period in 1_usize..30,
        changes in 1_usize..200,
    ) {
        let stable = named(&weights);
        let mut with_guest = stable.clone();
        with_guest.0.insert(1, (99, 3));
        let mut policy: Box<dyn Policy> = Box::new(WeightedRoundRobin::new());
        let mut members = stable.clone();
        let mut counts = HashMap::<u64, usize>::new();
        for change in 0..changes {
            let after = if change % 2 == 0 { with_guest.clone() } else { stable.clone() };
            policy = Box::new(policy.prepare(&members, &after).unwrap());
            members = after;
            for _ in 0..period {
                let pick = policy.pick(&members, Moment::ZERO).unwrap();
                *counts.entry(members.identity(pick)).or_default() += 1;
            }
        }
        let total: u32 = weights.iter().sum();
        let picks: usize = counts.iter().filter(|(name, _)| **name != 99).map(|(_, count)| count).sum();
        for (name, &weight) in (0..).zip(&weights) {
            let count = counts.get(&name).copied().unwrap_or(0) as f64;
            let ideal = picks as f64 * f64::from(weight) / f64::from(total);
            prop_assert!((count - ideal).abs() <= 2.0, "{counts:?} {weights:?}");
        }
    }

    #[test]
    fn striped_turns_go_on_evenly_for_one_thread(stable in 1_u64..12, period in 1_usize..90, changes in 1_usize..30) {
        let with = |guest: bool| Named((0..stable + u64::from(guest)).map(|name| (name, 1)).collect());
        let mut policy: Box<dyn Policy> = Box::new(StripedRoundRobin::default());
        let mut members = with(false);
        let mut counts = vec![0_usize; stable as usize + 1];
        for change in 0..changes {
            let after = with(change % 2 == 0);
            policy = Box::new(policy.prepare(&members, &after).unwrap());
            members = after;
            for _ in 0..period {
                counts[policy.pick(&members, Moment::ZERO).unwrap()] += 1;
            }
        }
        prop_assert!(spread(&counts[..stable as usize]) <= 1, "{counts:?}");
    }

    #[test]
    fn a_member_that_leaves_moves_its_own_keys_only(count in 2_usize..30, gone in 0_usize..30) {
        let gone = gone % count;
        let policy = ConsistentHash::new().bound(f64::INFINITY);
        let all = named(&vec![1; count]);
        let mut left = all.clone();
        left.0.remove(gone);
        let home = |key, members: &Named| members.identity(policy.pick_for(key, members, Moment::ZERO).unwrap());
        let keys = 2000;
        let moved = (0..keys).filter(|&key| home(key, &all) != home(key, &left)).count();
        let owned = (0..keys).filter(|&key| home(key, &all) == gone as u64).count();
        prop_assert_eq!(moved, owned);
        let fair = keys as f64 / count as f64;
        prop_assert!((moved as f64 - fair).abs() < 6.0 * fair.sqrt(), "{} of {}", moved, fair);
    }

    #[test]
    fn loads_are_bounded(count in 1_usize..12, requests in 1_usize..200, hot in 1_u64..5) {
        let policy = ConsistentHash::new();
        let mut members = vec![Candidate::idle(); count];
        for request in 0..requests {
            let pick = policy.pick_for(request as u64 % hot, &members, Moment::ZERO).unwrap();
            let in_flight = members[pick].load.in_flight + 1;
            members[pick] = Candidate::busy(in_flight);
            let bound = (1.25 * (request + 1) as f64 / count as f64).ceil();
            prop_assert!(in_flight as f64 <= bound);
        }
    }
}

#[test]
fn sticky_keys_follow_their_member_and_move_when_it_has_gone() {
    let balancer = Balancer::new(Sticky::new(RoundRobin::default(), 10))
        .with([("a", 1), ("b", 2)])
        .unwrap();
    let home = *balancer.pick_for(7).unwrap();
    assert_eq!(home, 1);
    balancer.add("c", 3).unwrap();
    assert!((0..5).all(|_| *balancer.pick_for(7).unwrap() == home));
    drop(balancer.remove("a").unwrap());
    let moved = *balancer.pick_for(7).unwrap();
    assert_ne!(moved, home);
    balancer.add("a", 1).unwrap();
    assert_eq!(*balancer.pick_for(7).unwrap(), moved);
}

#[test]
fn seeds_repeat() {
    let picks = |policy: &dyn Policy| -> Vec<_> {
        (0..100)
            .map(|_| policy.pick(&[Candidate::idle(); 40], Moment::ZERO))
            .collect()
    };
    assert_eq!(
        picks(&PowerOfTwoChoices::seeded(5)),
        picks(&PowerOfTwoChoices::seeded(5))
    );
    assert_eq!(picks(&PeakEwma::seeded(5)), picks(&PeakEwma::seeded(5)));
    assert_eq!(picks(&LeastCost::seeded(5)), picks(&LeastCost::seeded(5)));
    assert_ne!(picks(&Random::seeded(5)), picks(&Random::seeded(6)));
}
