//! What a pick, a call and a change of members cost: our balancer beside Pingora's and tower's.
//!
//! `cargo run --release`; Pingora needs cmake to be built.

mod peers;
mod timing;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use maas_schedule::{
    Balancer, Clock, LeastCost, ManualClock, Outcome, Policy, PowerOfTwoChoices, RoundRobin,
    StripedRoundRobin, SystemClock,
};
use timing::{Case, compare};
use tower::buffer::Buffer;
use tower::{Service, ServiceExt};

fn main() {
    for count in [3, 16, 1024] {
        in_turn(count);
        in_two_threads(count);
        by_cost(count);
        calls(count);
        changes(count);
    }
}

fn ours<P: Policy>(count: usize, policy: P) -> Balancer<usize, P> {
    let members = (0..count).map(|index| (format!("10.0.0.{index}:80"), index));
    Balancer::new(policy).with(members).expect("names differ")
}

/// With what a request takes at each member, as is known after a while.
fn known<P: Policy>(balancer: &Balancer<usize, P>, clock: &impl Clock) {
    for _ in 0..balancer.len() * 4 {
        let lease = balancer.pick().expect("somebody is there");
        lease.record(Outcome::Success, Duration::from_millis(5), clock.now());
    }
}

/// A pick whose lease is dropped at once.
fn in_turn(count: usize) {
    let counter = AtomicUsize::new(0);
    let balancer = ours(count, RoundRobin::default());
    let mut picker = balancer.picker();
    let striped = ours(count, StripedRoundRobin::default());
    let mut striped = striped.picker();
    let pingora = peers::pingora(count);
    let mut tower = peers::by_requests(count);
    let cases = vec![
        Case::new("ours, round robin, Picker", || {
            picker.pick().map(|lease| *lease)
        }),
        Case::new("ours, round robin, owned lease", || {
            balancer.pick().map(|lease| *lease)
        }),
        Case::new("ours, striped, Picker", || {
            striped.pick().map(|lease| *lease)
        }),
        Case::new("bare fetch_add", || counter.fetch_add(1, Ordering::Relaxed)),
        Case::new("Pingora, round robin", || pingora.select(b"", 256)),
        Case::new("tower, P2C, pending requests", || peers::call(&mut tower)),
    ];
    compare(&format!("{count} members, a pick, one thread"), cases);
}

fn in_two_threads(count: usize) {
    let counter = AtomicUsize::new(0);
    let balancer = ours(count, RoundRobin::default());
    let striped = ours(count, StripedRoundRobin::default());
    let pingora = peers::pingora(count);
    let tower = Mutex::new(peers::by_requests(count));
    let cases = vec![
        Case::in_two("ours, round robin, Picker", || {
            let mut picker = balancer.picker();
            move || picker.pick().map(|lease| *lease)
        }),
        Case::in_two("ours, striped, Picker", || {
            let mut picker = striped.picker();
            move || picker.pick().map(|lease| *lease)
        }),
        Case::in_two("bare fetch_add", || {
            || counter.fetch_add(1, Ordering::Relaxed)
        }),
        Case::in_two("Pingora, round robin", || || pingora.select(b"", 256)),
        Case::in_two("tower, P2C, under a mutex", || {
            || {
                peers::call(&mut tower.lock().expect("no case panics"));
            }
        }),
    ];
    compare(
        &format!("{count} members, a pick, each of two threads"),
        cases,
    );
}

fn by_cost(count: usize) {
    let clock = ManualClock::new();
    let still = ours(count, LeastCost::new()).clock(clock.clone());
    known(&still, &clock);
    let balancer = ours(count, LeastCost::new());
    known(&balancer, &SystemClock);
    let told = ours(count, LeastCost::new());
    known(&told, &SystemClock);
    let two = ours(count, PowerOfTwoChoices::default());
    let (mut still, mut picker) = (still.picker(), balancer.picker());
    let (mut told, mut two) = (told.picker(), two.picker());
    let mut by_requests = peers::by_requests(count);
    let mut by_peaks = peers::by_peaks(count);
    let cases = vec![
        Case::new("ours, least cost", || picker.pick().map(|lease| *lease)),
        Case::new("ours, least cost, without the clock", || {
            still.pick().map(|lease| *lease)
        }),
        Case::new("ours, least cost, told of the end", || {
            let start = SystemClock.now();
            let lease = told.pick().expect("somebody is there");
            let now = SystemClock.now();
            lease.record(Outcome::Success, now.since(start), now);
        }),
        Case::new("ours, power of two choices", || {
            two.pick().map(|lease| *lease)
        }),
        Case::new("tower, P2C, pending requests", || {
            peers::call(&mut by_requests)
        }),
        Case::new("tower, P2C, peak EWMA", || peers::call(&mut by_peaks)),
    ];
    compare(
        &format!("{count} members, a pick by load or cost, one thread"),
        cases,
    );
}

/// Calls of a service that answers at once, one after the other, in one task.
fn calls(count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let balancer = ours(count, RoundRobin::default());
    let by_cost = ours(count, LeastCost::new());
    known(&by_cost, &SystemClock);
    let mut buffer = runtime.block_on(async { Buffer::new(peers::by_requests(count), 1024) });
    let timed = |calls: u32, call: &dyn Fn() -> usize| {
        let start = Instant::now();
        runtime.block_on(async {
            for _ in 0..calls {
                let answer = std::future::ready(call());
                std::hint::black_box(answer.await);
            }
        });
        start.elapsed()
    };
    let cases = vec![
        Case::timed("ours, round robin, owned lease", |calls| {
            timed(calls, &|| *balancer.pick().expect("somebody is there"))
        }),
        Case::timed("ours, least cost, owned lease", |calls| {
            timed(calls, &|| *by_cost.pick().expect("somebody is there"))
        }),
        Case::timed("no balancer", |calls| timed(calls, &|| 7)),
        Case::timed("tower, Buffer of P2C", |calls| {
            let start = Instant::now();
            runtime.block_on(async {
                for _ in 0..calls {
                    let ready = buffer.ready().await.expect("the worker lives");
                    std::hint::black_box(ready.call(7).await.expect("the service answers"));
                }
            });
            start.elapsed()
        }),
    ];
    compare(&format!("{count} members, an async call, one task"), cases);
}

/// One member more, or one less.
fn changes(count: usize) {
    let balancer = ours(count, RoundRobin::default());
    let pingora = peers::pingora(count);
    let mut is_more = false;
    let cases = vec![
        Case::new("ours, add or remove", || {
            is_more = !is_more;
            if is_more {
                balancer.add("guest", count).expect("a new name");
            } else {
                drop(balancer.remove("guest").expect("a known name"));
            }
        }),
        Case::new("Pingora, update", || peers::update(&pingora)),
    ];
    compare(&format!("{count} members, one comes or goes"), cases);
}
