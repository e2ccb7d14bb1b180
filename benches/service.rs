//! What a service costs around a model: the quickstart's compressed network called directly, and through services, by one
//! caller and by many.
//!
//! `cargo bench --bench service` runs all of it; `-- one` what one caller waits for, by criterion, `-- many` and `-- tasks` how
//! much many callers get and what a request takes of the processors, as threads and as tasks of a runtime.

#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use maas_compress::{CompressedNetwork, Compressor, SoftThreshold};
use maas_core::{Context, Model, Outputs, Seed, Tensor};
use maas_data::Dataset;
use maas_nn::Sequential;
use maas_service::{BoxService, FromTower, InferRequest, LocalModel, Replicas, Service};

type Network = Arc<CompressedNetwork>;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let network = network();
    one(&mut criterion, &network);
    criterion.final_summary();
    let chosen = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let is_chosen = |name| chosen.as_ref().is_none_or(|chosen| chosen == name);
    if is_chosen("many") {
        many(&network);
    }
    if is_chosen("tasks") {
        tasks(&network);
    }
}

/// The quickstart's network with a tenth of its weights, compiled for this machine. Its answers are of no use: it was not
/// trained.
fn network() -> Network {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../examples/data/winequality-red.csv"
    );
    let table = Dataset::from_csv(file).expect("the file is there");
    let wines = table.target("quality").expect("it has grades");
    let data = wines
        .split([0.7, 0.15, 0.15], Seed(7))
        .expect("it has rows");
    #[rustfmt::skip]
    let mut network = Sequential::new(data.features())
        .normalize(&data.train)
        .dense(128).relu().dense(64).relu().dense(32).relu().dense(1)
        .build(Seed(7))
        .expect("the layers fit");
    let compressor = Compressor::new(SoftThreshold::to_sparsity(0.9));
    let (compact, _) = compressor
        .run(&mut network, &data.validation)
        .expect("it has weights to lose");
    Arc::new(compact)
}

fn rows(network: &Network, rows: usize) -> Tensor {
    let input = &network.signature().inputs()[0];
    let width = input.row_elements().expect("rows are of one width");
    let values: Vec<f32> = (0..rows * width).map(|i| (i % 13) as f32).collect();
    Tensor::from_slice([rows, width], &values).expect("there are as many")
}

fn request(network: &Network, rows: Tensor) -> InferRequest {
    InferRequest::new("wine").input(network.signature().inputs()[0].name(), rows)
}

/// One caller of 1 and of 32 rows, whose requests share their tensors.
fn one(criterion: &mut Criterion, network: &Network) {
    for count in [1, 32] {
        let mut group = criterion.benchmark_group(format!("one/{count}"));
        group.throughput(Throughput::Elements(count as u64));
        let rows = rows(network, count);
        directly(&mut group, network, &rows);
        let local = || LocalModel::new(Arc::clone(network));
        let replicas = |count| Replicas::of(Arc::clone(network), count);
        let request = request(network, rows);
        let mut case = |name: &str, service: &dyn Fn(InferRequest)| {
            group.bench_function(name, |bencher| {
                bencher.iter(|| service(request.clone()));
            });
        };
        case("local", &asks(local()));
        case("local inline", &asks(local().inline()));
        case("local queued", &asks(local().queued()));
        case("boxed, inline", &asks(BoxService::new(local().inline())));
        let there_and_back = FromTower::around(local().inline(), |tower| tower);
        case("tower and back, inline", &asks(there_and_back));
        case("1 replica", &asks(replicas(1)));
        case("3 replicas", &asks(replicas(3)));
        group.finish();
    }
}

/// The model alone, with memory that is kept.
fn directly(group: &mut BenchmarkGroup<'_, WallTime>, network: &Network, rows: &Tensor) {
    let mut context = Context::of(network, rows.rows()).expect("there is memory");
    let mut outputs = Outputs::new();
    group.bench_function("model alone", |bencher| {
        bencher.iter(|| {
            outputs.clear();
            network
                .predict(&[rows.view()], &mut outputs, &mut context)
                .expect("it answers");
        });
    });
}

fn asks(service: impl Service) -> impl Fn(InferRequest) {
    move |request| {
        black_box(service.infer_blocking(request)).expect("it answers");
    }
}

/// Callers of one row that ask again as soon as they are answered.
fn many(network: &Network) {
    println!("callers of one row that ask again at once, for {TIME:?}");
    println!(
        "{:<14} {:>7} {:>11} {:>9} {:>9} {:>20}",
        "service", "callers", "requests/s", "p50 us", "p99 us", "processor us/request"
    );
    let local = || LocalModel::new(Arc::clone(network));
    let services = [
        ("local", BoxService::new(local())),
        ("local inline", BoxService::new(local().inline())),
        ("local queued", BoxService::new(local().queued())),
        (
            "3 replicas",
            BoxService::new(Replicas::of(Arc::clone(network), 3)),
        ),
    ];
    for (name, service) in services {
        let request = request(network, rows(network, 1));
        for callers in [1, 16, 64] {
            Seen::of(&service, &request, callers, TIME / 5);
            let seen = Seen::of(&service, &request, callers, TIME);
            println!(
                "{name:<14} {callers:>7} {:>11.0} {:>9.1} {:>9.1} {:>20}",
                seen.waits.len() as f64 / seen.elapsed.as_secs_f64(),
                seen.wait(0.5).as_secs_f64() * 1e6,
                seen.wait(0.99).as_secs_f64() * 1e6,
                match seen.processor {
                    Some(time) =>
                        format!("{:.2}", time.as_secs_f64() * 1e6 / seen.waits.len() as f64),
                    None => "unknown".to_owned(),
                }
            );
        }
    }
}

/// The same as tasks of a runtime with one thread.
fn tasks(network: &Network) {
    println!("the same as tasks of one thread");
    println!(
        "{:<14} {:>7} {:>11} {:>20} {:>9}",
        "service", "tasks", "requests/s", "processor us/request", "rows/run"
    );
    let local = || LocalModel::new(Arc::clone(network));
    for (name, service) in [
        ("local inline", local().inline()),
        ("local queued", local().queued()),
    ] {
        let (service, request) = (Arc::new(service), request(network, rows(network, 1)));
        for callers in [1, 16, 64] {
            let (before, start) = (processor_time(), Instant::now());
            let runs = service.queue_stats().unwrap_or_default();
            let answered = answered_by_tasks(&service, &request, callers);
            let (elapsed, after) = (start.elapsed(), processor_time());
            let each = after.zip(before).map(|(after, before)| {
                format!(
                    "{:.2}",
                    (after - before).as_secs_f64() * 1e6 / answered as f64
                )
            });
            let now = service.queue_stats().unwrap_or_default();
            // Inline each request is a run of its own.
            let runs_now = now.closed.total() - runs.closed.total();
            let rows = (now.rows - runs.rows).max(1) as f64 / runs_now.max(1) as f64;
            println!(
                "{name:<14} {callers:>7} {:>11.0} {:>20} {rows:>9.1}",
                answered as f64 / elapsed.as_secs_f64(),
                each.unwrap_or_else(|| "unknown".to_owned()),
            );
        }
    }
}

fn answered_by_tasks(service: &Arc<LocalModel>, request: &InferRequest, callers: usize) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build();
    runtime.expect("it starts").block_on(async {
        let ask = |_| {
            let (service, request) = (Arc::clone(service), request.clone());
            tokio::spawn(async move {
                let (start, mut answered) = (Instant::now(), 0);
                while start.elapsed() < TIME {
                    black_box(service.infer(request.clone()).await).expect("it answers");
                    answered += 1;
                    if answered % 4 == 0 {
                        tokio::task::yield_now().await;
                    }
                }
                answered
            })
        };
        let callers: Vec<_> = (0..callers).map(ask).collect();
        let mut answered = 0;
        for caller in callers {
            answered += caller.await.expect("it ends");
        }
        answered
    })
}

const TIME: Duration = Duration::from_secs(1);

/// What callers saw.
struct Seen {
    /// Of each request, from the shortest to the longest.
    waits: Vec<Duration>,
    elapsed: Duration,
    /// Time of all threads.
    processor: Option<Duration>,
}

impl Seen {
    fn of(service: &impl Service, request: &InferRequest, callers: usize, time: Duration) -> Self {
        let (start_line, over) = (Barrier::new(callers + 1), AtomicBool::new(false));
        let caller = || {
            let mut waits = Vec::new();
            start_line.wait();
            while !over.load(Ordering::Relaxed) {
                let start = Instant::now();
                let answer = service.infer_blocking(request.clone());
                waits.push(start.elapsed());
                black_box(answer).expect("it answers");
            }
            waits
        };
        thread::scope(|scope| {
            let callers: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
            let (start, before) = (Instant::now(), processor_time());
            start_line.wait();
            thread::sleep(time);
            over.store(true, Ordering::Relaxed);
            let waits = callers
                .into_iter()
                .flat_map(|caller| caller.join().expect("it ends"));
            let mut waits: Vec<Duration> = waits.collect();
            let (elapsed, after) = (start.elapsed(), processor_time());
            waits.sort_unstable();
            Self {
                waits,
                elapsed,
                processor: after.zip(before).map(|(after, before)| after - before),
            }
        })
    }

    fn wait(&self, quantile: f64) -> Duration {
        let last = self.waits.len().saturating_sub(1);
        let index = (quantile * last as f64).round() as usize;
        self.waits.get(index).copied().unwrap_or_default()
    }
}

/// What all threads of this process have had of the processors, where the system tells it: fields 14 and 15 of Linux'
/// `/proc/self/stat`, in hundredths of a second.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis(10 * (user + system)))
}
