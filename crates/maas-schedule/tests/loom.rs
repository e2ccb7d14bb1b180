//! Every interleaving of a few picks. Run by
//! `RUSTFLAGS="--cfg loom" cargo test -p maas-schedule --test loom --release`.
#![cfg(loom)]

use std::num::NonZeroUsize;
use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use loom::thread;
use maas_schedule::{
    Balancer, Estimate, HealthGroup, HealthRules, InFlight, ManualClock, Moment, Outcome,
    RoundRobin, StripedRoundRobin,
};

/// Runs `picks` picks on each of `threads` threads and returns how often each member was picked.
fn shares(ring: RoundRobin, threads: usize, picks: usize) -> Vec<usize> {
    let members = ring.members();
    let ring = Arc::new(ring);
    let others: Vec<_> = (1..threads)
        .map(|_| {
            let ring = Arc::clone(&ring);
            thread::spawn(move || (0..picks).map(|_| ring.next()).collect::<Vec<_>>())
        })
        .collect();
    let mut all: Vec<usize> = (0..picks).map(|_| ring.next()).collect();
    for other in others {
        all.extend(other.join().unwrap());
    }
    (0..members)
        .map(|member| all.iter().filter(|&&pick| pick == member).count())
        .collect()
}

fn assert_even(shares: &[usize]) {
    let (most, least) = (shares.iter().max().unwrap(), shares.iter().min().unwrap());
    assert!(most - least <= 1, "uneven: {shares:?}");
}

#[test]
fn picks_are_even_under_every_interleaving() {
    loom::model(|| assert_even(&shares(RoundRobin::new(3), 3, 2)));
}

#[test]
fn picks_are_even_while_the_counter_is_put_back() {
    for before in 0..4 {
        loom::model(move || {
            let ring = RoundRobin::about_to_be_put_back(NonZeroUsize::new(3).unwrap(), before);
            assert_even(&shares(ring, 2, 3));
        });
    }
}

/// The model finds a bug that is there: `current ← (current + 1) mod N` as a load and a store.
#[test]
#[should_panic(expected = "uneven")]
fn a_load_and_a_store_are_found_to_be_uneven() {
    loom::model(|| {
        let current = Arc::new(AtomicUsize::new(2));
        let next = |current: &AtomicUsize| {
            let next = (current.load(Ordering::SeqCst) + 1) % 3;
            current.store(next, Ordering::SeqCst);
            next
        };
        let shared = Arc::clone(&current);
        let other = thread::spawn(move || next(&shared));
        let mut picks = vec![next(&current)];
        picks.push(other.join().unwrap());
        picks.push(next(&current));
        let shares: Vec<usize> = (0..3)
            .map(|member| picks.iter().filter(|&&p| p == member).count())
            .collect();
        assert_even(&shares);
    });
}

#[test]
fn guards_count_down_to_zero() {
    loom::model(|| {
        let in_flight = Arc::new(InFlight::new());
        let shared = Arc::clone(&in_flight);
        let other = thread::spawn(move || drop(shared.enter()));
        let guard = in_flight.enter();
        assert!(in_flight.count() >= 1);
        drop(guard);
        other.join().unwrap();
        assert_eq!(in_flight.count(), 0);
    });
}

#[test]
fn what_is_closed_becomes_empty_once_and_takes_nobody_in() {
    loom::model(|| {
        let in_flight = std::sync::Arc::new(InFlight::new());
        let shared = std::sync::Arc::clone(&in_flight);
        let other = thread::spawn(move || drop(shared.enter()));
        in_flight.close().wait();
        assert!(in_flight.enter().is_none());
        other.join().unwrap();
        assert_eq!(in_flight.count(), 0);
    });
}

/// A member that is shut down when nobody has a request there any more.
#[derive(Debug)]
struct Server {
    shut: AtomicBool,
}

impl Server {
    fn new() -> Self {
        Self {
            shut: AtomicBool::new(false),
        }
    }

    fn serve(&self) {
        assert!(
            !self.shut.load(Ordering::Relaxed),
            "served by a dead member"
        );
    }
}

/// All interleavings in which threads are stopped at most so often where they need not be: whole balancers have too many for
/// all of them.
fn bounded(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

#[test]
fn no_request_is_at_a_member_that_has_been_drained() {
    bounded(3, || {
        let balancer = Balancer::over([("a", Arc::new(Server::new()))]).unwrap();
        let (balancer, other) = {
            let balancer = Arc::new(balancer);
            (Arc::clone(&balancer), balancer)
        };
        let client = thread::spawn(move || {
            if let Some(lease) = other.pick() {
                lease.serve();
            }
        });
        let server = Arc::clone(&balancer.pick().unwrap());
        let drain = balancer.remove("a").unwrap();
        drain.wait();
        server.shut.store(true, Ordering::Relaxed);
        client.join().unwrap();
        assert_eq!(drain.in_flight(), 0);
        assert!(balancer.pick().is_none());
    });
}

/// The model finds a bug that is there: whether a member is closed is looked at before the request is counted.
#[test]
#[should_panic(expected = "served by a dead member")]
fn a_look_before_the_count_is_found() {
    loom::model(|| {
        let server = Arc::new((AtomicBool::new(false), AtomicUsize::new(0), Server::new()));
        let shared = Arc::clone(&server);
        let client = thread::spawn(move || {
            let (closed, in_flight, server) = &*shared;
            if !closed.load(Ordering::SeqCst) {
                in_flight.fetch_add(1, Ordering::SeqCst);
                server.serve();
                in_flight.fetch_sub(1, Ordering::SeqCst);
            }
        });
        let (closed, in_flight, shut) = &*server;
        closed.store(true, Ordering::SeqCst);
        if in_flight.load(Ordering::SeqCst) == 0 {
            shut.shut.store(true, Ordering::SeqCst);
        }
        client.join().unwrap();
    });
}

#[test]
fn a_pick_beside_a_change_finds_one_who_is_there() {
    bounded(2, || {
        let balancer = Arc::new(Balancer::over([("a", 1)]).unwrap());
        let other = Arc::clone(&balancer);
        let client = thread::spawn(move || {
            let mut picker = other.picker();
            assert!(other.pick().is_some(), "there is always somebody");
            picker.pick().map(|lease| *lease)
        });
        balancer.add("b", 2).unwrap();
        balancer.remove("a").unwrap().wait();
        assert!(client.join().unwrap().is_some());
        assert_eq!(balancer.picker().pick().map(|lease| *lease), Some(2));
    });
}

#[test]
fn no_request_is_at_a_drained_member_whose_counts_are_apart() {
    bounded(2, || {
        let balancer = Balancer::striped().with([("a", Server::new())]).unwrap();
        let server = balancer.get("a").unwrap();
        let balancer = Arc::new(balancer);
        let clients = [(); 2].map(|()| {
            let balancer = Arc::clone(&balancer);
            thread::spawn(move || {
                if let Some(lease) = balancer.picker().pick() {
                    lease.serve();
                }
            })
        });
        let drain = balancer.remove("a").unwrap();
        drain.wait();
        server.shut.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().unwrap();
        }
        assert_eq!(drain.in_flight(), 0);
    });
}

/// Two who leave, each the last one of its own count, and each looks at the other count by `look`.
fn last_of_two_counts(look: fn(&AtomicUsize) -> usize) {
    loom::model(move || {
        let counts = Arc::new([AtomicUsize::new(1), AtomicUsize::new(1)]);
        let leave = move |counts: &[AtomicUsize; 2], own: usize| {
            counts[own].fetch_sub(1, Ordering::AcqRel);
            look(&counts[1 - own]) == 0
        };
        let shared = Arc::clone(&counts);
        let other = thread::spawn(move || leave(&shared, 1));
        let is_last = [leave(&counts, 0), other.join().unwrap()];
        assert!(is_last.contains(&true), "nobody was the last");
    });
}

#[test]
fn of_two_who_leave_two_counts_one_is_the_last() {
    last_of_two_counts(|count| count.fetch_add(0, Ordering::AcqRel));
}

/// The model finds a bug that is there: a look that does not write.
#[test]
#[should_panic(expected = "nobody was the last")]
fn a_look_at_the_other_count_that_does_not_write_is_found() {
    last_of_two_counts(|count| count.load(Ordering::Acquire));
}

#[test]
fn a_member_has_no_more_requests_than_it_may() {
    bounded(2, || {
        let members = [("a", AtomicUsize::new(0))];
        let balancer = Balancer::over(members).unwrap().limited_to(1);
        let balancer = Arc::new(balancer);
        let other = Arc::clone(&balancer);
        let serve = |balancer: &Balancer<AtomicUsize>| {
            if let Some(lease) = balancer.pick() {
                try_alone(&lease);
            }
        };
        let client = thread::spawn(move || serve(&other));
        serve(&balancer);
        client.join().unwrap();
        assert!(balancer.pick().is_some());
    });
}

/// A request is at a member that one request at a time may try.
fn try_alone(requests: &AtomicUsize) {
    assert_eq!(requests.fetch_add(1, Ordering::Relaxed), 0, "two try it");
    requests.fetch_sub(1, Ordering::Relaxed);
}

#[test]
fn one_request_at_a_time_tries_a_member_that_was_ejected() {
    bounded(2, || {
        let second = Duration::from_secs(1);
        let rules = HealthRules::default()
            .consecutive_failures(1)
            .ejection(second, second);
        let clock = ManualClock::new();
        let balancer = Balancer::over([("a", AtomicUsize::new(0))])
            .unwrap()
            .clock(clock.clone())
            .watched_in(HealthGroup::new().panics_below(0.0), rules);
        let lease = balancer.pick().unwrap();
        lease.record(Outcome::Failure, Duration::ZERO, Moment::ZERO);
        drop(lease);
        assert!(balancer.pick().is_none());
        clock.advance(2 * second);
        let balancer = Arc::new(balancer);
        let other = Arc::clone(&balancer);
        let tries = |balancer: &Balancer<AtomicUsize>| {
            if let Some(lease) = balancer.pick() {
                try_alone(&lease);
            }
        };
        let client = thread::spawn(move || tries(&other));
        tries(&balancer);
        client.join().unwrap();
        // Both gave it back.
        let lease = balancer.pick().expect("nobody else is there");
        lease.record(Outcome::Success, Duration::ZERO, Moment::ZERO);
        assert_eq!(balancer.health().map(HealthGroup::ejected), Some(0));
    });
}

/// The model finds a bug that is there: whether somebody tries the member is looked at before it is said.
#[test]
#[should_panic(expected = "two try it")]
fn a_look_before_a_trial_is_found() {
    loom::model(|| {
        let member = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
        let tries = |(is_tried, requests): &(AtomicBool, AtomicUsize)| {
            if !is_tried.load(Ordering::SeqCst) {
                is_tried.store(true, Ordering::SeqCst);
                try_alone(requests);
                is_tried.store(false, Ordering::SeqCst);
            }
        };
        let shared = Arc::clone(&member);
        let client = thread::spawn(move || tries(&shared));
        tries(&member);
        client.join().unwrap();
    });
}

/// Every turn that two threads of one slot get, three each: they see its block end and another one taken.
#[test]
fn threads_that_share_a_slot_get_no_turn_twice() {
    bounded(3, || {
        let ring = Arc::new(StripedRoundRobin::new(3));
        let other = Arc::clone(&ring);
        let other = thread::spawn(move || [0; 2].map(|slot| other.turn_at(slot)));
        let mut turns = [0; 3].map(|slot| ring.turn_at(slot)).to_vec();
        turns.extend(other.join().unwrap());
        assert_once(turns);
    });
}

fn assert_once(mut turns: Vec<u64>) {
    turns.sort_unstable();
    let before = turns.len();
    turns.dedup();
    assert_eq!(turns.len(), before, "a turn twice");
}

/// The model finds a bug that is there: a slot's turn is read and written back without a claim.
#[test]
#[should_panic(expected = "a turn twice")]
fn a_turn_without_a_claim_is_found() {
    loom::model(|| {
        let slot = Arc::new(AtomicU64::new(0));
        let turn = |slot: &AtomicU64| {
            let turn = slot.load(Ordering::SeqCst);
            slot.store(turn + 1, Ordering::SeqCst);
            turn
        };
        let shared = Arc::clone(&slot);
        let other = thread::spawn(move || turn(&shared));
        assert_once(vec![turn(&slot), other.join().unwrap()]);
    });
}

/// Pickers that follow each other have a slot of the ring one after the other, whose turn they read and write without a claim.
#[test]
fn pickers_that_follow_each_other_get_no_turn_twice() {
    bounded(2, || {
        let members = (0..8).map(|turn| (turn.to_string(), turn));
        let balancer = Arc::new(Balancer::striped().with(members).unwrap());
        let pick = |balancer: &Balancer<u64, StripedRoundRobin>| {
            let mut picker = balancer.picker();
            *picker.pick().expect("all are there")
        };
        let other = Arc::clone(&balancer);
        let other = thread::spawn(move || [(); 2].map(|()| pick(&other)));
        let mut turns = vec![pick(&balancer), pick(&balancer)];
        turns.extend(other.join().unwrap());
        assert_once(turns);
    });
}

/// Two who have a slot one after the other, the second as soon as it sees that the first has left it.
fn one_after_the_other(leave: Ordering) {
    loom::model(move || {
        let slot = Arc::new((AtomicBool::new(true), AtomicU64::new(0)));
        let shared = Arc::clone(&slot);
        let first = thread::spawn(move || {
            let (has_holder, turn) = &*shared;
            turn.store(1, Ordering::Relaxed);
            has_holder.store(false, leave);
            0
        });
        let (has_holder, turn) = &*slot;
        let second = !has_holder.swap(true, Ordering::Acquire);
        let second = second.then(|| turn.load(Ordering::Relaxed));
        let turns = [Some(first.join().unwrap()), second];
        assert_once(turns.into_iter().flatten().collect());
    });
}

#[test]
fn a_slot_that_is_left_is_had_with_its_turn() {
    one_after_the_other(Ordering::Release);
}

/// The model finds a bug that is there: who leaves a slot does not publish its turn.
#[test]
#[should_panic(expected = "a turn twice")]
fn a_slot_that_is_left_without_its_turn_is_found() {
    one_after_the_other(Ordering::Relaxed);
}

/// What is known after so many failures, one after the other.
fn success_after(failures: i32) -> f32 {
    (1.0_f32 - 1.0 / 16.0).powi(failures)
}

#[test]
fn no_outcome_is_lost_to_an_estimate() {
    loom::model(|| {
        let estimate = Arc::new(Estimate::new());
        let now = Moment::from_nanos(1);
        let fail = move |estimate: &Estimate| {
            for _ in 0..2 {
                estimate.record(Outcome::Failure, Duration::ZERO, now);
            }
        };
        let shared = Arc::clone(&estimate);
        let other = thread::spawn(move || fail(&shared));
        fail(&estimate);
        other.join().unwrap();
        let success = estimate.load(0, now).success;
        assert!(
            (success - success_after(4)).abs() < 1e-6,
            "an outcome is lost"
        );
    });
}

/// The model finds a bug that is there: an average is read, moved and stored.
#[test]
#[should_panic(expected = "an outcome is lost")]
fn an_average_that_is_stored_is_found_to_lose_outcomes() {
    loom::model(|| {
        let average = Arc::new(AtomicU32::new(1.0_f32.to_bits()));
        let fail = |average: &AtomicU32| {
            let success = f32::from_bits(average.load(Ordering::SeqCst));
            average.store((success * success_after(1)).to_bits(), Ordering::SeqCst);
        };
        let shared = Arc::clone(&average);
        let other = thread::spawn(move || fail(&shared));
        fail(&average);
        other.join().unwrap();
        let success = f32::from_bits(average.load(Ordering::SeqCst));
        assert!(
            (success - success_after(2)).abs() < 1e-6,
            "an outcome is lost"
        );
    });
}
