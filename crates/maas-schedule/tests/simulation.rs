//! What policies do in simulated trouble: published figures are met again, and `LeastCost` keeps its promises.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::time::Duration;

use maas_schedule::simulation::{Replica, Run, Simulation, scenarios};
use maas_schedule::{LeastCost, LeastLoaded, Policy, PowerOfTwoChoices, RoundRobin};

#[path = "common/peak_ewma.rs"]
mod peak_ewma;
use peak_ewma::Peaks;

const REQUESTS: usize = 60_000;
const SEEDS: u64 = 2;

/// The first answers, until something is known.
const WARM_UP: Duration = Duration::from_secs(5);

/// The mean of a figure over some seeds.
fn mean(run: impl Fn(u64) -> Run, figure: impl Fn(&Run) -> f64) -> f64 {
    (0..SEEDS).map(|seed| figure(&run(seed))).sum::<f64>() / SEEDS as f64
}

fn milliseconds(run: &Run, part: f64) -> f64 {
    run.latency(part).as_secs_f64() * 1e3
}

fn p99(run: &Run) -> f64 {
    milliseconds(run, 0.99)
}

/// The share of the replica that recovers in the last quarter, in percent.
fn share_at_last(run: &Run) -> f64 {
    let end = 2 * scenarios::RECOVERY;
    100.0 * run.between(end * 3 / 4, end).share(0)
}

/// The figures of a policy with one balancer and with ten; 0 where there is none.
struct Row {
    name: &'static str,
    /// Half and 99 of 100 with one slow replica, in milliseconds.
    one_slow: [[f64; 2]; 2],
    /// The same with 16 equal replicas.
    equal: [[f64; 2]; 2],
    /// Percent of errors with one replica that fails.
    errors: [f64; 2],
    /// Percent of requests at the replica that has recovered.
    share: [f64; 2],
}

/// All figures are within a tenth of the published ones.
fn assert_row(row: &Row, run: impl Fn(Simulation, usize) -> Run) {
    let scenario = |simulation: &Simulation, balancers| {
        let simulation = simulation.clone().balancers(balancers);
        let run = &run;
        move |seed| run(simulation.clone().seed(seed), balancers)
    };
    for (at, balancers) in [1, 10].into_iter().enumerate() {
        let requests = |simulation: Simulation| simulation.requests(REQUESTS);
        let runs = [
            scenario(&requests(scenarios::one_slow()), balancers),
            scenario(&requests(scenarios::equal()), balancers),
            scenario(&requests(scenarios::one_failing()), balancers),
            scenario(&scenarios::one_recovering(), balancers),
        ];
        let p50 = |run: &Run| milliseconds(run, 0.5);
        let percent = |run: &Run| 100.0 * run.errors();
        for (what, expected, found) in [
            ("one slow, p50", row.one_slow[at][0], mean(&runs[0], p50)),
            ("one slow, p99", row.one_slow[at][1], mean(&runs[0], p99)),
            ("equal, p50", row.equal[at][0], mean(&runs[1], p50)),
            ("equal, p99", row.equal[at][1], mean(&runs[1], p99)),
            ("errors", row.errors[at], mean(&runs[2], percent)),
            ("share", row.share[at], mean(&runs[3], share_at_last)),
        ] {
            let is_close = expected == 0.0 || (found / expected - 1.0).abs() <= 0.1;
            assert!(
                is_close,
                "{} of {balancers}, {what}: {found} for {expected}",
                row.name
            );
        }
    }
}

fn of<P: Policy>(policy: impl Fn(usize) -> P) -> impl Fn(Simulation, usize) -> Run {
    move |simulation, _| simulation.run(&policy)
}

#[test]
fn round_robin_is_met_again() {
    let row = Row {
        name: "round robin",
        one_slow: [[12.0, 0.0], [13.0, 0.0]], // the queue of the slow one grows to the end
        equal: [[12.0, 51.0], [18.0, 68.0]],
        errors: [33.0, 33.0],
        share: [28.0, 28.0],
    };
    assert_row(&row, of(|_| RoundRobin::default()));
}

#[test]
fn least_request_is_met_again() {
    let row = Row {
        name: "least request",
        one_slow: [[9.3, 156.0], [9.7, 324.0]],
        equal: [[9.7, 33.0], [18.0, 67.0]],
        errors: [65.0, 34.0],
        share: [20.0, 20.0],
    };
    assert_row(&row, of(|_| LeastLoaded::new()));
}

#[test]
fn two_choices_are_met_again() {
    let row = Row {
        name: "two choices",
        one_slow: [[9.4, 166.0], [9.8, 378.0]],
        equal: [[14.0, 46.0], [20.0, 76.0]],
        errors: [56.0, 37.0],
        share: [20.0, 20.0],
    };
    assert_row(
        &row,
        of(|balancer| PowerOfTwoChoices::seeded(balancer as u64)),
    );
}

#[test]
fn peak_ewma_is_met_again() {
    let row = Row {
        name: "peak EWMA",
        one_slow: [[9.2, 47.0], [9.3, 33.0]],
        equal: [[14.0, 47.0], [22.0, 81.0]],
        errors: [67.0, 67.0],
        share: [20.0, 20.0],
    };
    assert_row(&row, |simulation, balancers| {
        let peaks = Peaks::new(balancers, 16);
        simulation.run_watched(|balancer| peaks.policy(balancer), |told| peaks.learn(told))
    });
}

#[test]
fn turns_wait_for_who_is_frozen() {
    let run = |seed| {
        let simulation = scenarios::one_freezing().requests(REQUESTS).seed(seed);
        simulation.run(|_| RoundRobin::default())
    };
    let found = mean(run, p99);
    assert!((found / 774.0 - 1.0).abs() <= 0.1, "{found}");
}

/// `LeastCost` in a scenario, with one balancer and with ten.
fn least_cost(simulation: &Simulation, figure: impl Fn(&Run) -> f64) -> [f64; 2] {
    [1, 10].map(|balancers| {
        let run = |seed| {
            let simulation = simulation.clone().balancers(balancers).seed(seed);
            simulation.run(|balancer| LeastCost::seeded(balancer as u64))
        };
        mean(run, &figure)
    })
}

#[test]
fn a_slow_replica_costs_the_99th_of_100_at_most_a_tenth() {
    let without = least_cost(&scenarios::without_the_slow().requests(REQUESTS), p99);
    let with = least_cost(&scenarios::one_slow().requests(REQUESTS), p99);
    println!("{with:?} ms beside {without:?} ms");
    assert!(with[0] <= 1.1 * without[0] && with[1] <= 1.1 * without[1]);
}

#[test]
fn a_replica_that_fails_at_once_costs_few_errors_and_none_with_a_retry() {
    let failing = scenarios::one_failing().requests(REQUESTS);
    let errors = least_cost(&failing, |run| run.between(WARM_UP, Duration::MAX).errors());
    println!("{errors:?}");
    assert!(errors[0] <= 0.005 && errors[1] <= 0.01);
    let errors = least_cost(&failing.tries(2), Run::errors);
    assert_eq!(errors, [0.0, 0.0]);
}

#[test]
fn who_recovers_has_most_of_its_share_within_five_seconds() {
    let after = scenarios::RECOVERY + Duration::from_secs(5);
    let window = after..after + Duration::from_secs(5);
    let shares = least_cost(&scenarios::one_recovering(), |run| {
        run.between(window.start, window.end).share(0)
    });
    println!("{shares:?}");
    assert!(
        shares.iter().all(|share| *share >= 0.75 / 5.0),
        "{shares:?}"
    );
}

#[test]
fn equals_wait_little_and_idle_equals_have_their_turns() {
    let equal = scenarios::equal().requests(REQUESTS);
    let [one, ten] = least_cost(&equal, p99);
    let fewest = mean(
        |seed| equal.clone().seed(seed).run(|_| LeastLoaded::new()),
        p99,
    );
    println!("{one} ms and {ten} ms, least loaded {fewest} ms");
    assert!(one <= 1.02 * fewest && ten <= 61.0);

    let exact = Duration::from_millis(10);
    let idle = Simulation::new(vec![Replica::new(1); 16], 100.0)
        .paced()
        .work(exact, 0.0)
        .requests(1000);
    let run = idle.run(|_| LeastCost::new());
    let picks: Vec<_> = run
        .served()
        .iter()
        .map(|served| served.replica.unwrap())
        .collect();
    // At first, while not all are known, some have two turns.
    let known = &picks[100..];
    assert!(
        known
            .iter()
            .zip(&known[16..])
            .all(|(pick, next)| pick == next),
        "{picks:?}"
    );
    let shares: Vec<f64> = (0..16).map(|replica| 1000.0 * run.share(replica)).collect();
    assert!(
        shares.iter().all(|share| (61.0..=65.0).contains(share)),
        "{shares:?}"
    );
}

#[test]
fn a_frozen_replica_is_not_waited_for() {
    let [one, ten] = least_cost(&scenarios::one_freezing().requests(REQUESTS), p99);
    assert!(one <= 31.0 && ten <= 31.0, "{one} ms and {ten} ms");
}
