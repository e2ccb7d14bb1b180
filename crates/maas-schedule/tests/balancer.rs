//! Members that come, go and fail while requests are given to them.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use maas_schedule::{
    Ask, Balancer, Clock, Error, FnPolicy, LeastCost, Load, ManualClock, Moment, Outcome, Refusal,
    RoundRobin,
};
use proptest::prelude::*;

/// What a member of a test knows of itself.
#[derive(Debug, Default)]
struct Server {
    served: AtomicUsize,
    dead: AtomicBool,
}

fn balancer(members: usize) -> Balancer<Arc<Server>> {
    let names = (0..members).map(|name| (format!("stable {name}"), Arc::default()));
    Balancer::over(names).unwrap()
}

#[test]
fn a_guest_that_comes_and_goes_every_ten_picks_leaves_the_others_even() {
    let balancer = balancer(16);
    let mut served = HashMap::<String, usize>::new();
    for change in 0..10_000 {
        if change % 2 == 0 {
            balancer.add("guest", Arc::default()).unwrap();
        } else {
            drop(balancer.remove("guest").unwrap());
        }
        for _ in 0..10 {
            let lease = balancer.pick().unwrap();
            *served.entry(lease.name().to_owned()).or_default() += 1;
        }
    }
    served.remove("guest");
    let (most, least) = (
        served.values().max().unwrap(),
        served.values().min().unwrap(),
    );
    assert!(most - least <= 1, "{served:?}");
    assert_eq!(served.len(), 16);
}

#[test]
fn under_churn_no_request_is_lost_and_none_is_at_the_dead() {
    const CALLERS: usize = 100;
    const CALLS: usize = 200;
    let balancer = balancer(3);
    let done = AtomicUsize::new(0);
    let guests = thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (balancer, done) = (&balancer, &done);
            scope.spawn(move || {
                let mut picker = balancer.picker();
                for call in 0..CALLS {
                    let serve = |server: &Server| {
                        server.served.fetch_add(1, Ordering::Relaxed);
                        thread::yield_now();
                        assert!(!server.dead.load(Ordering::Relaxed));
                    };
                    if (caller + call) % 2 == 0 {
                        serve(&picker.pick().unwrap());
                    } else {
                        serve(&balancer.pick().unwrap());
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut guests = Vec::new();
        while done.load(Ordering::Relaxed) < CALLERS * CALLS {
            let guest = Arc::new(Server::default());
            balancer.add("guest", Arc::clone(&guest)).unwrap();
            thread::yield_now();
            balancer.remove("guest").unwrap().wait();
            guest.dead.store(true, Ordering::Relaxed);
            guests.push(guest);
        }
        guests
    });
    let stable = balancer.names().into_iter().map(|name| {
        assert_eq!(balancer.in_flight(&name), Ok(0));
        let picks = (0..3).map(|_| balancer.pick().unwrap());
        let found = picks.into_iter().find(|lease| lease.name() == name);
        found.unwrap().served.load(Ordering::Relaxed)
    });
    let guests = guests
        .iter()
        .map(|guest| guest.served.load(Ordering::Relaxed));
    assert_eq!(stable.chain(guests).sum::<usize>(), CALLERS * CALLS);
}

proptest! {
    /// Whatever is done to it, the balancer has the members that a list would have, and counts what is in flight.
    #[test]
    fn it_is_a_list_of_members(steps in proptest::collection::vec((0_u8..6, 0_usize..5), 0..60)) {
        let balancer: Balancer<usize> = Balancer::new(RoundRobin::default());
        let mut names: Vec<String> = Vec::new();
        let mut leases = Vec::new();
        for (step, index) in steps {
            let name = format!("{index}");
            let known = names.contains(&name);
            let unknown = || Error::UnknownMember { name: name.clone() };
            match step {
                0 if known => prop_assert_eq!(
                    balancer.add(&name, index),
                    Err(Error::MemberExists { name: name.clone() })
                ),
                0 | 1 if !known => {
                    balancer.add(&name, index).unwrap();
                    names.push(name.clone());
                }
                2 if known => {
                    let drain = balancer.remove(&name).unwrap();
                    names.retain(|other| *other != name);
                    prop_assert_eq!(drain.is_empty(), drain.in_flight() == 0);
                    leases.retain(|lease: &maas_schedule::OwnedLease<usize>| lease.name() != name);
                    prop_assert!(drain.is_empty());
                }
                2 => prop_assert_eq!(balancer.remove(&name).unwrap_err(), unknown()),
                3 => prop_assert_eq!(balancer.set_weight(&name, 2).is_ok(), known),
                _ => match balancer.pick() {
                    Some(lease) => leases.push(lease),
                    None => prop_assert!(names.is_empty()),
                },
            }
            prop_assert_eq!(balancer.names(), names.clone());
            for name in &names {
                let here = leases.iter().filter(|lease| lease.name() == name).count();
                prop_assert_eq!(balancer.in_flight(name), Ok(here));
            }
        }
    }
}

#[test]
fn a_member_that_is_down_is_left_out_and_others_are_even() {
    let balancer = balancer(4);
    balancer.set_up("stable 0", false).unwrap();
    let mut served = HashMap::<String, usize>::new();
    for _ in 0..300 {
        let lease = balancer.pick().unwrap();
        *served.entry(lease.name().to_owned()).or_default() += 1;
    }
    assert!(served.values().all(|&served| served == 100), "{served:?}");
    assert_eq!(served.len(), 3);
    for name in balancer.names() {
        balancer.set_up(&name, false).unwrap();
    }
    assert!(balancer.pick().is_none() && balancer.picker().pick().is_none());
    // Weights and others' coming do not bring it up again.
    balancer.set_weight("stable 0", 3).unwrap();
    assert!(balancer.pick().is_none());
    balancer.set_up("stable 0", true).unwrap();
    assert_eq!(balancer.pick().unwrap().name(), "stable 0");
}

#[test]
fn a_slow_member_is_avoided_and_found_again_when_it_has_recovered() {
    let clock = ManualClock::new();
    let balancer = Balancer::new(LeastCost::new())
        .with([("slow", 100), ("fast", 10)])
        .unwrap()
        .clock(clock.clone());
    let share = |slow: u64| {
        let mut served = 0;
        for _ in 0..1000 {
            let lease = balancer.pick().unwrap();
            let is_slow = lease.name() == "slow";
            served += usize::from(is_slow);
            let elapsed = Duration::from_millis(if is_slow { slow } else { *lease });
            clock.advance(elapsed);
            lease.record(Outcome::Success, elapsed, clock.now());
        }
        served
    };
    assert!(
        share(100) < 50,
        "avoided, but for some that look whether it is still slow"
    );
    share(10);
    // Ten seconds, in which it is noticed.
    share(10);
    let fair = share(10);
    assert!(
        (400..600).contains(&fair),
        "{fair}: as fast as the other one"
    );
}

#[test]
fn a_lease_ends_when_its_holder_panics_or_is_dropped() {
    let balancer = Balancer::over([("a", 1)]).unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _lease = balancer.pick().unwrap();
        std::panic::resume_unwind(Box::new("broken"));
    }));
    assert!(result.is_err());
    let future = async {
        let _lease = balancer.pick().unwrap();
        std::future::pending::<()>().await;
    };
    {
        let mut future = pin!(future);
        let waker = Waker::noop();
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        );
        assert_eq!(balancer.in_flight("a"), Ok(1));
    }
    assert_eq!(balancer.in_flight("a"), Ok(0));
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_drain_wakes_the_task_that_waits_for_it() {
    let balancer = Balancer::over([("a", 1)]).unwrap();
    let lease = balancer.pick().unwrap();
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut drain = pin!(balancer.remove("a").unwrap());
    assert_eq!(drain.as_mut().poll(&mut context), Poll::Pending);
    assert_eq!(drain.as_mut().poll(&mut context), Poll::Pending);
    drop(lease);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(drain.as_mut().poll(&mut context), Poll::Ready(()));
}

#[test]
fn a_closure_is_a_policy_for_it() {
    let least = FnPolicy::new(|members, _now: Moment| {
        (0..members.len())
            .filter(|&member| members.get(member).is_available())
            .min_by_key(|&member| members.get(member).load.in_flight)
    });
    let balancer = Balancer::new(least).with([("a", 1), ("b", 2)]).unwrap();
    let first = balancer.pick().unwrap();
    let second = balancer.pick().unwrap();
    assert_eq!((*first, *second), (1, 2));
}

#[test]
fn names_are_who_members_are() {
    let twice = Balancer::over([("a", 1), ("a", 2)]).unwrap_err();
    assert_eq!(
        twice.to_string(),
        r#"there is a member "a" already: expected a name of its own"#
    );
    let balancer = Balancer::over([("a", 1)]).unwrap();
    let before = balancer.pick().unwrap().identity();
    drop(balancer.remove("a").unwrap());
    balancer.add("a", 2).unwrap();
    assert_eq!(balancer.pick().unwrap().identity(), before);
    assert_eq!(
        balancer.set_up("b", true).unwrap_err().to_string(),
        r#"no member is named "b""#
    );
}

#[test]
fn members_are_seen_as_they_say_themselves() {
    let least = FnPolicy::new(|members, _now: Moment| {
        (0..members.len())
            .filter(|&member| members.get(member).is_available())
            .min_by_key(|&member| members.get(member).load.in_flight)
    });
    let balancer = Balancer::new(least)
        .with([("full", None), ("long", Some(5)), ("short", Some(2))])
        .unwrap();
    let sight = |queue: &Option<usize>| queue.map(Load::of);
    let ask = || Ask::new().seeing(&sight);
    let names = [(); 5].map(|()| {
        let lease = balancer.ask(ask()).unwrap();
        let name = lease.name().to_owned();
        std::mem::forget(lease);
        name
    });
    // What is counted holds from where it is more than what a member says: 2, 2, 2, 3, 4, and then 5 as the other one.
    assert_eq!(names, ["short"; 5]);
    let mut picker = balancer.picker();
    assert_eq!(picker.ask(ask()).unwrap().name(), "long");
    let tried = ["long", "short"].map(|name| balancer.get(name).unwrap().identity());
    assert!(picker.ask(ask().without(&tried)).is_none());
    assert!(balancer.ask(Ask::new().without(&tried)).is_some());
}

#[test]
fn a_table_shows_what_was_started_and_how_it_ended() {
    let balancer = Balancer::over([("a", 1), ("b", 2)]).unwrap();
    balancer.set_weight("b", 3).unwrap();
    for request in 0..10 {
        let lease = balancer.pick().unwrap();
        let outcome = match request {
            0..6 => Outcome::Success,
            _ => Outcome::Failure,
        };
        lease.record(outcome, Duration::from_millis(1), Moment::ZERO);
    }
    let _lease = balancer.pick();
    let rows = balancer.members();
    let row = |index: usize| {
        let row = &rows[index];
        (
            row.weight,
            row.in_flight,
            row.started,
            row.served,
            row.failed,
        )
    };
    assert_eq!([row(0), row(1)], [(1, 1, 6, 3, 2), (3, 0, 5, 3, 2)]);
}

#[test]
fn threads_give_no_member_more_than_it_may_have() {
    for balancer in [
        Balancer::striped().balanced_by(RoundRobin::default()),
        Balancer::new(RoundRobin::default()),
    ] {
        let balancer = balancer
            .with((0..3).map(|name| (name.to_string(), AtomicUsize::new(0))))
            .unwrap()
            .limited_to(2);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut picker = balancer.picker();
                    for _ in 0..500 {
                        match picker.try_ask(Ask::new()) {
                            Ok(lease) => {
                                assert!(lease.fetch_add(1, Ordering::SeqCst) < 2);
                                thread::yield_now();
                                lease.fetch_sub(1, Ordering::SeqCst);
                            }
                            Err(refusal) => assert_ne!(refusal, Refusal::Empty),
                        }
                    }
                });
            }
        });
        assert!(balancer.members().iter().all(|row| row.in_flight == 0));
    }
}

#[test]
fn counts_that_are_apart_are_counted_and_drained() {
    let balancer = Balancer::striped()
        .with((0..4).map(|name| (name.to_string(), ())))
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut picker = balancer.picker();
            let balancer = &balancer;
            scope.spawn(move || {
                for _ in 0..1000 {
                    let (_borrowed, _owned) = (picker.pick().unwrap(), balancer.pick().unwrap());
                }
            });
        }
        for _ in 0..50 {
            balancer.add("guest", ()).unwrap();
            thread::yield_now();
            balancer.remove("guest").unwrap().wait();
        }
    });
    let rows = balancer.members();
    assert!(rows.iter().all(|row| row.in_flight == 0));
    assert!(rows.iter().map(|row| row.started).sum::<u64>() <= 8000);
}

#[test]
fn a_policy_that_picks_who_is_full_gets_nobody() {
    let stubborn = FnPolicy::new(|_, _| Some(0));
    let balancer = Balancer::new(stubborn)
        .with([("a", 1), ("b", 2)])
        .unwrap()
        .limited_to(1);
    let lease = balancer.pick().unwrap();
    assert!(balancer.pick().is_none() && balancer.picker().pick().is_none());
    drop(lease);
    assert_eq!(*balancer.pick().unwrap(), 1);
}
