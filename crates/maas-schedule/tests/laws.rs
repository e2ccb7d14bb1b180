//! What every user of the crate may rely on.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::thread;

use maas_schedule::{Candidate, Candidates, Error, InFlight, Moment, Policy, RoundRobin};
use proptest::prelude::*;

mod common;
use common::shares_of_threads;

/// The largest difference between the shares of two members in a window.
fn unevenness(window: &[usize], members: impl IntoIterator<Item = usize>) -> usize {
    let shares: Vec<usize> = members
        .into_iter()
        .map(|member| window.iter().filter(|&&pick| pick == member).count())
        .collect();
    shares.iter().max().unwrap_or(&0) - shares.iter().min().unwrap_or(&0)
}

proptest! {
    #[test]
    fn the_formula_holds(members in 1_usize..100, picks in 0_usize..300) {
        let ring = RoundRobin::new(members);
        let mut current = members - 1;
        for _ in 0..picks {
            let next = ring.next();
            prop_assert_eq!(next, (current + 1) % members);
            current = next;
        }
    }

    #[test]
    fn every_window_is_even(members in 1_usize..20, start in 0_usize..100, length in 0_usize..100) {
        let ring = RoundRobin::new(members);
        let picks: Vec<usize> = (0..200).map(|_| ring.next()).collect();
        prop_assert!(unevenness(&picks[start..start + length], 0..members) <= 1);
    }

    #[test]
    fn as_a_policy_it_is_even_over_the_available(
        available in proptest::collection::vec(any::<bool>(), 1..12),
        start in 0_usize..50,
        length in 0_usize..50,
    ) {
        let candidate = |&up: &bool| if up { Candidate::idle() } else { Candidate::idle().unavailable() };
        let members: Vec<Candidate> = available.iter().map(candidate).collect();
        let policy = RoundRobin::default();
        let picks: Vec<_> = (0..100).map(|_| policy.pick(&members, Moment::ZERO)).collect();
        let up: Vec<usize> = (0..members.len()).filter(|&i| available[i]).collect();
        if up.is_empty() {
            prop_assert!(picks.iter().all(Option::is_none));
        } else {
            let picks: Option<Vec<usize>> = picks.into_iter().collect();
            let picks = picks.expect("somebody is available");
            prop_assert!(picks.iter().all(|pick| up.contains(pick)));
            prop_assert!(unevenness(&picks[start..start + length], up) <= 1);
        }
    }
}

/// Members by identity.
#[derive(Debug)]
struct Named(Vec<u64>);

impl Candidates for Named {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, _index: usize) -> Candidate {
        Candidate::idle()
    }

    fn identity(&self, index: usize) -> u64 {
        self.0[index]
    }
}

proptest! {
    /// Whoever stays is served as often as the others who stay, whoever comes and goes in between.
    #[test]
    fn who_stays_is_served_evenly_under_churn(
        stable in 1_u64..12,
        period in 1_usize..40,
        changes in 1_usize..60,
    ) {
        let with = |guest: bool| {
            let mut names: Vec<u64> = (0..stable).map(|name| 2 * name).collect();
            if guest {
                names.insert(names.len() / 2, 1);
            }
            Named(names)
        };
        let mut policy: Box<dyn Policy> = Box::new(RoundRobin::new(with(false).len()));
        let mut members = with(false);
        let mut shares = std::collections::HashMap::new();
        for change in 0..changes {
            let after = with(change % 2 == 0);
            policy = Box::new(policy.prepare(&members, &after).unwrap());
            members = after;
            for _ in 0..period {
                let pick = policy.pick(&members, Moment::ZERO).unwrap();
                *shares.entry(members.0[pick]).or_insert(0_usize) += 1;
            }
        }
        let stayed = (0..stable).map(|name| shares.get(&(2 * name)).copied().unwrap_or(0));
        let (most, least) = (stayed.clone().max().unwrap(), stayed.min().unwrap());
        prop_assert!(most - least <= 1, "{shares:?}");
    }
}

#[test]
fn threads_share_a_ring_evenly() {
    for members in [1, 2, 3, 7, 16] {
        let ring = RoundRobin::new(members);
        let shares = shares_of_threads(members, || ring.next());
        assert!(
            shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1,
            "{members}: {shares:?}"
        );
    }
}

#[test]
fn a_policy_shared_by_threads_never_picks_the_dead() {
    let members = [
        Candidate::idle().unavailable(),
        Candidate::idle(),
        Candidate::idle().unavailable(),
    ];
    let policy = RoundRobin::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    assert_eq!(policy.pick(&members, Moment::ZERO), Some(1));
                }
            });
        }
    });
}

#[test]
fn no_members_is_told_and_never_panics() {
    assert_eq!(RoundRobin::try_new(0).unwrap_err(), Error::NoMembers);
    assert_eq!(RoundRobin::new(0).next(), 0);
    assert_eq!(RoundRobin::new(3).pick(&[], Moment::ZERO), None);
}

#[test]
fn a_ring_of_the_largest_size_goes_on() {
    let ring = RoundRobin::new(usize::MAX);
    assert_eq!([ring.next(), ring.next()], [0, 1]);
}

#[test]
fn policies_are_objects_and_are_shared() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<RoundRobin>();
    let boxed: Box<dyn Policy> = Box::new(RoundRobin::new(2));
    assert_eq!(boxed.pick(&[Candidate::idle(); 2], Moment::ZERO), Some(0));
    assert_eq!(boxed.pick(&[Candidate::idle(); 2], Moment::ZERO), Some(1));
}

#[test]
fn a_guard_does_not_leak_when_its_holder_panics() {
    let in_flight = InFlight::new();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = in_flight.enter();
        assert_eq!(in_flight.count(), 1);
        std::panic::resume_unwind(Box::new("broken"));
    }));
    assert!(result.is_err());
    assert_eq!(in_flight.count(), 0);
}
