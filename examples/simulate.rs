//! Which policy when: every one in the same simulated trouble, as a table and curves.
//!
//! `cargo run --release --example simulate`, with `-- --json` for one JSON object as the last line and `--seed N` for other
//! requests. The curves are drawn into `target/simulate/policies.svg`.

#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use maas::schedule::simulation::{Run, Simulation, scenarios};
use maas::schedule::{
    LeastCost, LeastLoaded, PeakEwma, Policy, PowerOfTwoChoices, Random, RoundRobin,
};
use maas_chart::{Chart, Mark, Series, page};
use serde_json::json;

#[path = "shared/options.rs"]
mod options;

const BALANCERS: [usize; 2] = [1, 10];
const SECOND: Duration = Duration::from_secs(1);

/// A name, and a policy for each balancer.
type Maker = (&'static str, fn(u64) -> Box<dyn Policy>);

const POLICIES: [Maker; 6] = [
    ("round robin", |_| Box::new(RoundRobin::default())),
    ("random", |seed| Box::new(Random::seeded(seed))),
    ("least loaded", |_| Box::new(LeastLoaded::new())),
    ("two choices", |seed| {
        Box::new(PowerOfTwoChoices::seeded(seed))
    }),
    ("peak EWMA", |seed| Box::new(PeakEwma::seeded(seed))),
    ("least cost", |seed| Box::new(LeastCost::seeded(seed))),
];

/// Those that are drawn.
const DRAWN: [(usize, &str); 4] = [
    (0, "#888888"),
    (3, "#d9602b"),
    (4, "#8a5fb0"),
    (5, "#1f6fb4"),
];

fn main() -> Result<()> {
    let (seed, as_json, []) = options::options([])?;
    let seed = seed.0;
    println!("p99 in ms with one balancer / ten; \"-\" where a queue grows to the end");
    println!(
        "               one of 3 slow    16 equal, 80 %   one fails: errors   one recovers: share   one freezes"
    );
    let rows: Vec<_> = POLICIES.iter().map(|policy| row(policy, seed)).collect();

    let folder = Path::new("target/simulate");
    std::fs::create_dir_all(folder)?;
    let path = folder.join("policies.svg");
    std::fs::write(&path, draw(seed))?;
    println!("curves in {}", path.display());
    if as_json {
        println!("{}", json!({ "policies": rows, "svg": path }));
    }
    Ok(())
}

fn run(simulation: Simulation, (_, policy): &Maker, balancers: usize, seed: u64) -> Run {
    let simulation = simulation.balancers(balancers).seed(seed);
    simulation.run(|balancer| policy(balancer as u64))
}

/// All figures of a policy, printed.
fn row(policy: &Maker, seed: u64) -> serde_json::Value {
    let both = |simulation: fn() -> Simulation, figure: fn(&Run) -> f64| {
        BALANCERS.map(|balancers| figure(&run(simulation(), policy, balancers, seed)))
    };
    let slow = both(scenarios::one_slow, p99);
    let equal = both(scenarios::equal, p99);
    let errors = both(scenarios::one_failing, |run| 100.0 * run.errors());
    let share = both(scenarios::one_recovering, |run| {
        let after = scenarios::RECOVERY + 5 * SECOND;
        100.0 * run.between(after, after + 5 * SECOND).share(0)
    });
    let freezing = both(scenarios::one_freezing, p99);
    let pair = |[one, ten]: [f64; 2]| format!("{} / {}", short(one), short(ten));
    println!(
        "{:<12} {:>15} {:>17} {:>17} % {:>19} % {:>13}",
        policy.0,
        pair(slow),
        pair(equal),
        pair(errors),
        pair(share),
        pair(freezing)
    );
    json!({ "policy": policy.0, "slow": slow, "equal": equal, "errors": errors, "share": share, "freezing": freezing })
}

fn p99(run: &Run) -> f64 {
    run.latency(0.99).as_secs_f64() * 1e3
}

fn short(figure: f64) -> String {
    match figure {
        OVERLOAD.. => "-".into(),
        10.0.. => format!("{figure:.0}"),
        _ => format!("{figure:.1}"),
    }
}

/// Milliseconds at which a queue has grown without end.
const OVERLOAD: f64 = 5000.0;

fn draw(seed: u64) -> String {
    let series = |points: &dyn Fn(&Maker) -> Vec<(f64, f64)>| {
        DRAWN.map(|(which, colour)| {
            let policy = &POLICIES[which];
            Series::new(policy.0, colour, points(policy))
        })
    };
    let over_load = |simulation: fn() -> Simulation, capacity: f64| {
        series(&|policy| {
            let loads = (3..=9).map(|tenths| f64::from(tenths) / 10.0);
            let at = |load| {
                let simulation = simulation().rate(load * capacity);
                (100.0 * load, p99(&run(simulation, policy, 10, seed)))
            };
            loads.map(at).filter(|(_, p99)| *p99 < OVERLOAD).collect()
        })
    };
    let over_time =
        |simulation: fn() -> Simulation, spans: std::ops::Range<u32>, figure: fn(&Run) -> f64| {
            series(&|policy| {
                let run = run(simulation(), policy, 10, seed);
                let at = |second| {
                    let span = run.between(second * SECOND, (second + 1) * SECOND);
                    (f64::from(second) + 0.5, 100.0 * figure(&span))
                };
                spans.clone().map(at).collect()
            })
        };
    let chart = |title, x, y, lines: [Series; 4]| {
        let chart = Chart::new(title, x, y);
        lines.into_iter().fold(chart, Chart::series)
    };
    let load = "load in % of what all can do";
    let p99 = "p99 in ms";
    page(
        "Which policy when",
        "10 balancers that do not know of each other, simulated",
        &[
            chart(
                "16 equal replicas",
                load,
                p99,
                over_load(scenarios::equal, 1600.0),
            ),
            chart(
                "One of 3 is 10 times slower",
                load,
                p99,
                over_load(scenarios::one_slow, 840.0),
            ),
            chart(
                "One of 5 recovers at 60 s",
                "seconds",
                "its share in %",
                over_time(scenarios::one_recovering, 52..76, |run| run.share(0)),
            )
            .mark(Mark {
                point: (60.0, f64::NAN),
                text: String::new(),
            }),
            chart(
                "One of 3 fails at once",
                "seconds",
                "errors in %",
                over_time(scenarios::one_failing, 0..12, Run::errors),
            ),
        ],
    )
}
