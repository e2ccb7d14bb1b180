//! What a pick costs: round robin, every other policy and a balancer beside a bare `fetch_add` on a counter that threads share.
//!
//! `cargo bench --bench pick`. A case with two threads reports wall time divided by the picks of one thread: what
//! a thread waits for one pick while another picks from the same ring. tower's and Pingora's balancers stand beside ours in
//! `peers/balancers`, which needs cmake and has a lock file of its own.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use maas_schedule::{
    Balancer, Candidate, Candidates, ConsistentHash, HealthRules, LeastCost, LeastLoaded, Moment,
    PeakEwma, Policy, PowerOfTwoChoices, Random, RoundRobin, Sticky, StripedRoundRobin,
    WeightedRoundRobin,
};

/// A counter alone on its cache lines, as the ring's is.
#[repr(align(128))]
struct Counter(AtomicUsize);

/// Times `count` picks on each of `threads` threads, from a common start to the last end.
fn time(threads: usize, count: u64, pick: impl Fn() -> usize + Sync) -> Duration {
    time_each(threads, count, || &pick)
}

/// As [`time`], where each thread makes what picks for it.
fn time_each<F: FnMut() -> usize>(
    threads: usize,
    count: u64,
    picker: impl Fn() -> F + Sync,
) -> Duration {
    let start_line = Barrier::new(threads);
    let run = || {
        let mut pick = picker();
        start_line.wait();
        let start = Instant::now();
        for _ in 0..count {
            black_box(pick());
        }
        start.elapsed()
    };
    if threads == 1 {
        return run();
    }
    thread::scope(|scope| {
        let runs: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        runs.into_iter()
            .filter_map(|run| run.join().ok())
            .max()
            .unwrap_or_default()
    })
}

fn case(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    threads: usize,
    pick: impl Fn() -> usize + Sync,
) {
    group.bench_function(BenchmarkId::new(name, threads), |bencher| {
        bencher.iter_custom(|count| time(threads, count, &pick));
    });
}

fn pick(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("pick/{threads}_threads"));
        group
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2));

        let counter = Counter(AtomicUsize::new(0));
        case(&mut group, "fetch_add", threads, || {
            counter.0.fetch_add(1, Ordering::Relaxed)
        });
        for members in [3, 16, 1024] {
            let members = black_box(members);
            let counter = Counter(AtomicUsize::new(0));
            let modulo = || counter.0.fetch_add(1, Ordering::Relaxed) % members;
            case(
                &mut group,
                &format!("fetch_add_modulo_{members}"),
                threads,
                modulo,
            );
            let ring = RoundRobin::new(members);
            case(
                &mut group,
                &format!("round_robin_{members}"),
                threads,
                || ring.next(),
            );
        }
        group.finish();
    }
}

/// The policies of the table, made for these members where they have to know them.
fn policies(members: &dyn Candidates) -> Vec<(&'static str, Box<dyn Policy>)> {
    let prepared = WeightedRoundRobin::new().prepare(members, members);
    let weighted: Box<dyn Policy> = match prepared {
        Some(prepared) => Box::new(prepared),
        None => Box::new(WeightedRoundRobin::new()),
    };
    vec![
        ("round_robin", Box::new(RoundRobin::default())),
        (
            "striped_round_robin",
            Box::new(StripedRoundRobin::default()),
        ),
        ("weighted_round_robin", weighted),
        ("random", Box::new(Random::default())),
        ("least_loaded", Box::new(LeastLoaded::new())),
        ("power_of_two", Box::new(PowerOfTwoChoices::default())),
        ("peak_ewma", Box::new(PeakEwma::default())),
        ("least_cost", Box::new(LeastCost::new())),
        ("consistent_hash", Box::new(ConsistentHash::new())),
        ("sticky", Box::new(Sticky::new(RoundRobin::default(), 1000))),
    ]
}

/// Picks through the trait, for one key, of members that differ in weight and are known.
fn policy(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("policy/{threads}_threads"));
        group
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_secs(1));
        for count in [3, 16, 1024] {
            let member = |index: u32| {
                let candidate = Candidate::busy(index as usize % 3).weighing(1 + index % 4);
                candidate.known(Duration::from_millis(5), 1.0)
            };
            let members: Vec<Candidate> = (0..count).map(member).collect();
            for (name, policy) in policies(&members) {
                case(&mut group, &format!("{name}_{count}"), threads, || {
                    let pick = policy.pick_for(7, &members, Moment::ZERO);
                    pick.unwrap_or_default()
                });
            }
        }
        group.finish();
    }
}

/// Picks of a balancer by turns, each with a lease that is dropped at once; and what a member that comes and goes costs.
fn balancer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("balancer");
    for count in [3, 16, 1024] {
        let members = (0..count).map(|index| (format!("member {index}"), index));
        let balancer = Balancer::over(members).expect("names differ");
        let mut picker = balancer.picker();
        group.bench_function(BenchmarkId::new("borrowed", count), |bencher| {
            bencher.iter(|| picker.pick().map(|lease| *lease));
        });
        group.bench_function(BenchmarkId::new("owned", count), |bencher| {
            bencher.iter(|| balancer.pick().map(|lease| *lease));
        });
        group.bench_function(BenchmarkId::new("add and remove", count), |bencher| {
            bencher.iter(|| {
                balancer.add("guest", count).expect("a new name");
                drop(balancer.remove("guest").expect("a known name"));
            });
        });
    }
    group.finish();
}

/// Picks of threads that each have a picker, with a lease that is dropped at once, beside a bare counter that they share.
fn pickers(criterion: &mut Criterion) {
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("pickers/{threads}_threads"));
        group
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2));
        let counter = Counter(AtomicUsize::new(0));
        case(&mut group, "fetch_add", threads, || {
            counter.0.fetch_add(1, Ordering::Relaxed)
        });
        for count in [3, 16, 1024] {
            let members = || (0..count).map(|index| (format!("member {index}"), index));
            let single = Balancer::over(members()).expect("names differ");
            picker_case(&mut group, &format!("single_{count}"), threads, &single);
            let weighted = Balancer::new(WeightedRoundRobin::new()).with(members());
            let weighted = weighted.expect("names differ");
            for index in 0..count {
                let weight = 1 + index as u32 % 4;
                let told = weighted.set_weight(&format!("member {index}"), weight);
                told.expect("a known name");
            }
            picker_case(&mut group, &format!("weighted_{count}"), threads, &weighted);
            let striped = Balancer::striped().with(members());
            let striped = striped.expect("names differ");
            picker_case(&mut group, &format!("striped_{count}"), threads, &striped);
            let watched = Balancer::striped().with(members());
            let watched = watched
                .expect("names differ")
                .watched_by(HealthRules::default());
            picker_case(&mut group, &format!("watched_{count}"), threads, &watched);
        }
        group.finish();
    }
}

fn picker_case<P: Policy>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    threads: usize,
    balancer: &Balancer<usize, P>,
) {
    group.bench_function(BenchmarkId::new(name, threads), |bencher| {
        bencher.iter_custom(|count| {
            time_each(threads, count, || {
                let mut picker = balancer.picker();
                move || picker.pick().map_or(0, |lease| *lease)
            })
        });
    });
}

criterion_group!(benches, pick, policy, balancer, pickers);
criterion_main!(benches);
