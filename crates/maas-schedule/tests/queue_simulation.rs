//! One replica behind the queue, in simulated time: Poisson arrivals, work of lognormal length (mean 10 ms,
//! sigma 0.5), one row a request, one request a batch.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::time::Duration;

use maas_schedule::{BatchQueue, Clock, Entry, ManualClock, Moment, Priority, QueueOptions, Taken};

const MEAN_WORK: f64 = 0.010;
const SIGMA: f64 = 0.5;
const DEADLINE: Duration = Duration::from_millis(100);
const ARRIVALS: usize = 40_000;

/// Splitmix64, with the draws of the simulation.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        f64::from(u32::try_from(bits >> 32).unwrap()) / f64::from(u32::MAX) * (1.0 - 1e-9) + 1e-9
    }

    fn pause(&mut self, mean: f64) -> Duration {
        Duration::from_secs_f64(-self.uniform().ln() * mean)
    }

    fn work(&mut self) -> Duration {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.uniform()).cos();
        Duration::from_secs_f64(MEAN_WORK * (SIGMA * normal - SIGMA * SIGMA / 2.0).exp())
    }
}

#[derive(Clone, Debug)]
struct Request {
    arrived: Moment,
    work: Duration,
    tenant: u64,
}

/// Requests of one tenant, at a load that is a share of what the replica can do.
fn arrivals(seed: u64, tenant: u64, load: f64, until: Duration) -> Vec<Request> {
    let mut draws = Draws(seed);
    let mut now = Moment::ZERO;
    let mut requests = Vec::new();
    while now.since(Moment::ZERO) < until {
        now = now + draws.pause(MEAN_WORK / load);
        requests.push(Request {
            arrived: now,
            work: draws.work(),
            tenant,
        });
    }
    requests
}

/// A request that ran: when it began and ended.
struct Run {
    request: Request,
    began: Moment,
    ended: Moment,
}

/// Runs what the queue gives, each batch for as long as `time` says.
fn simulate(
    options: QueueOptions,
    requests: &[Request],
    entry: impl Fn(&Request) -> Entry<Request>,
    time: impl Fn(&[Request]) -> Duration,
) -> Vec<Run> {
    let queue = BatchQueue::new(options);
    let clock = ManualClock::new();
    let mut runs = Vec::new();
    let mut next = requests.iter().peekable();
    loop {
        while let Some(request) = next.next_if(|request| request.arrived <= clock.now()) {
            if let Ok(ticket) = queue.push(entry(request), request.arrived) {
                ticket.detach();
            }
        }
        let arrival = next.peek().map(|request| request.arrived);
        let until = match queue.take(clock.now()) {
            Taken::Batch(batch) => {
                let payloads = batch.parts.iter().map(|part| (*part.payload).clone());
                let requests: Vec<Request> = payloads.collect();
                let began = clock.now();
                let elapsed = time(&requests);
                batch.done(elapsed);
                let ended = if requests.is_empty() {
                    began
                } else {
                    began + elapsed
                };
                runs.extend(requests.into_iter().map(|request| Run {
                    request,
                    began,
                    ended,
                }));
                Some(ended)
            }
            Taken::Wait(moment) => Some(arrival.map_or(moment, |arrival| arrival.min(moment))),
            Taken::Empty | Taken::Closed => arrival,
        };
        match until {
            Some(moment) => clock.advance(moment.since(clock.now())),
            None => return runs,
        }
    }
}

/// One request after the other.
fn one_by_one(requests: &[Request]) -> Duration {
    requests.iter().map(|request| request.work).sum()
}

/// The share of requests answered in time, and the share of machine time that late answers took.
fn goodput(load: f64) -> (f64, f64) {
    let until =
        Duration::from_secs_f64(f64::from(u32::try_from(ARRIVALS).unwrap()) * MEAN_WORK / load);
    let requests = arrivals(1, 0, load, until);
    let options = QueueOptions::default().max_rows(1);
    let entry =
        |request: &Request| Entry::rows(1, request.clone()).deadline(request.arrived + DEADLINE);
    let runs = simulate(options, &requests, entry, one_by_one);
    let (good, late): (Vec<&Run>, Vec<&Run>) = runs
        .iter()
        .partition(|run| run.ended <= run.request.arrived + DEADLINE);
    let time = |runs: &[&Run]| {
        runs.iter()
            .map(|run| run.request.work.as_secs_f64())
            .sum::<f64>()
    };
    let (useful, wasted) = (time(&good), time(&late));
    (
        ratio(good.len(), requests.len()),
        wasted / (useful + wasted),
    )
}

fn ratio(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
}

/// The wait of a tenant that asks 10 % beside one that asks 150 %: median, 99 of 100, and the share refused.
fn quiet_tenant(entry: impl Fn(&Request) -> Entry<Request>) -> (Duration, Duration, f64) {
    let until = Duration::from_secs(400);
    let mut requests = arrivals(2, 0, 1.5, until);
    let quiet = arrivals(3, 1, 0.1, until);
    requests.extend(quiet.iter().cloned());
    requests.sort_by_key(|request| request.arrived);
    let options = QueueOptions::default()
        .max_rows(1)
        .max_queued_rows(300)
        .max_tenant_rows(200);
    let runs = simulate(options, &requests, entry, one_by_one);
    let ours = runs.iter().filter(|run| run.request.tenant == 1);
    let mut waits: Vec<Duration> = ours
        .map(|run| run.began.since(run.request.arrived))
        .collect();
    waits.sort_unstable();
    let refused = 1.0 - ratio(waits.len(), quiet.len());
    (
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
        refused,
    )
}

#[test]
fn overload_leaves_nearly_all_of_the_machine_to_answers_in_time() {
    for (load, ideal, least) in [(0.8, 1.0, 0.95), (1.2, 1.0 / 1.2, 0.92), (2.0, 0.5, 0.95)] {
        let (good, wasted) = goodput(load);
        println!(
            "load {load}: {:.1} % in time of {:.1}, {:.2} % of the machine on late work",
            good * 100.0,
            ideal * 100.0,
            wasted * 100.0
        );
        assert!(good >= least * ideal, "{good} of {ideal} at load {load}");
        assert!(
            wasted <= 0.02,
            "{wasted} of the machine on late work at load {load}"
        );
    }
}

#[test]
fn a_quiet_tenant_waits_little_beside_a_flood() {
    let entry = |request: &Request| Entry::rows(1, request.clone()).tenant(request.tenant);
    let fair = quiet_tenant(entry);
    let strict = quiet_tenant(|request| {
        let priority = if request.tenant == 1 {
            Priority::High
        } else {
            Priority::Normal
        };
        entry(request).priority(priority)
    });
    println!("fair {fair:?}, strict priority {strict:?}");
    assert!(fair.1 <= strict.1 * 2, "{fair:?} against {strict:?}");
    assert!(fair.2 == 0.0 && strict.2 == 0.0);
}

/// 10 ms for one row, 1 ms for each further one.
fn batched(requests: &[Request]) -> Duration {
    Duration::from_millis(9 + u64::try_from(requests.len()).unwrap())
}

/// Of batches up to 8 at a load of single requests: the share in time, the median and the 99 of 100 of answers.
fn batches(load: f64, delay: Duration) -> (f64, Duration, Duration) {
    let requests = arrivals(4, 0, load, Duration::from_secs(200));
    let options = QueueOptions::default().max_rows(8).max_delay(delay);
    let entry =
        |request: &Request| Entry::rows(1, request.clone()).deadline(request.arrived + DEADLINE);
    let runs = simulate(options, &requests, entry, batched);
    let mut times: Vec<Duration> = runs
        .iter()
        .map(|run| run.ended.since(run.request.arrived))
        .collect();
    times.sort_unstable();
    let in_time = times.iter().filter(|&&time| time <= DEADLINE).count();
    (
        ratio(in_time, requests.len()),
        times[times.len() / 2],
        times[times.len() * 99 / 100],
    )
}

#[test]
fn batches_move_the_point_of_overload() {
    for load in [0.1, 0.5, 0.8, 2.0, 4.0] {
        for delay in [0, 2, 10] {
            let delay = Duration::from_millis(delay);
            let (in_time, median, last) = batches(load, delay);
            println!(
                "load {load}, delay {delay:?}: {:.1} % in time, {median:.1?}, {last:.1?}",
                in_time * 100.0
            );
            assert!(
                in_time > 0.998,
                "{in_time} in time at load {load} with delay {delay:?}"
            );
        }
    }
}
