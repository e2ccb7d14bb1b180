//! Probes that run on threads of their own, in real time.
#![cfg(not(loom))]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use maas_schedule::{Clock, Health, HealthRules, HealthState, ProbeTiming, Prober, SystemClock};

const MILLISECOND: Duration = Duration::from_millis(1);

fn wait_until(what: impl Fn() -> bool) {
    while !what() {
        thread::sleep(MILLISECOND);
    }
}

#[test]
fn a_prober_finds_who_is_down_who_hangs_and_who_panics() {
    let health = || Arc::new(Health::new(HealthRules::default().probes(2, 2)));
    let (well, down, hangs, panics) = (health(), health(), health(), health());
    let up = Arc::new(AtomicBool::new(false));
    let probes = Arc::new(AtomicUsize::new(0));
    let timing = ProbeTiming::default()
        .interval(Duration::from_millis(4))
        .timeout(Duration::from_millis(2000));
    let prober = Prober::start(timing);
    let (seen_up, counted) = (Arc::clone(&up), Arc::clone(&probes));
    prober.watch(&well, move || {
        counted.fetch_add(1, Ordering::SeqCst) < usize::MAX
    });
    prober.watch(&down, move || seen_up.load(Ordering::SeqCst));
    prober.watch(&panics, || panic!("on purpose"));
    let impatient = Prober::start(timing.timeout(MILLISECOND));
    impatient.watch(&hangs, || {
        loop {
            thread::park();
        }
    });
    let is = |health: &Health, state| health.state(SystemClock.now()) == state;
    wait_until(|| {
        [&down, &hangs, &panics]
            .iter()
            .all(|health| is(health, HealthState::Unhealthy))
    });
    assert!(is(&well, HealthState::Healthy));
    up.store(true, Ordering::SeqCst);
    wait_until(|| down.is_available(SystemClock.now()));
    drop(prober);
    let after = probes.load(Ordering::SeqCst);
    thread::sleep(Duration::from_millis(20));
    assert!(probes.load(Ordering::SeqCst) <= after + 1); // one may have been running
}

#[test]
fn a_prober_forgets_who_is_gone() {
    let health = Arc::new(Health::new(HealthRules::default()));
    let probe = Arc::new(());
    let held = Arc::downgrade(&probe);
    let prober = Prober::start(ProbeTiming::default().interval(MILLISECOND));
    prober.watch(&health, move || Arc::strong_count(&probe) > 0);
    drop(health);
    wait_until(|| held.upgrade().is_none());
    drop(prober);
}
