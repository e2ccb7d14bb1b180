//! Interleaved rounds.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Something that is done so many times, and how long that took.
pub(crate) struct Case<'a> {
    name: &'static str,
    run: Box<dyn FnMut(u32) -> Duration + 'a>,
}

impl<'a> Case<'a> {
    pub(crate) fn timed(name: &'static str, run: impl FnMut(u32) -> Duration + 'a) -> Self {
        let run = Box::new(run);
        Self { name, run }
    }

    pub(crate) fn new<R>(name: &'static str, mut once: impl FnMut() -> R + 'a) -> Self {
        Self::timed(name, move |count| {
            let start = Instant::now();
            for _ in 0..count {
                std::hint::black_box(once());
            }
            start.elapsed()
        })
    }

    /// Two threads, each of which does what `make` makes for it: nanoseconds are those of one of them.
    pub(crate) fn in_two<R, F: FnMut() -> R>(
        name: &'static str,
        make: impl Fn() -> F + Sync + 'a,
    ) -> Self {
        Self::timed(name, move |count| {
            let start_line = Barrier::new(2);
            let run = || {
                let mut once = make();
                start_line.wait();
                let start = Instant::now();
                for _ in 0..count {
                    std::hint::black_box(once());
                }
                start.elapsed()
            };
            thread::scope(|scope| {
                let runs = [scope.spawn(run), scope.spawn(run)];
                runs.into_iter()
                    .map(|run| run.join().expect("a case does not panic"))
                    .max()
                    .unwrap_or_default()
            })
        })
    }
}

/// Prints the least time of each case, which other work on the machine disturbs least, its median, and how many times as long
/// as the first case it takes.
pub(crate) fn compare(title: &str, mut cases: Vec<Case<'_>>) {
    let counts: Vec<u32> = cases
        .iter_mut()
        .map(|case| fitting(&mut case.run))
        .collect();
    let mut nanos = vec![Vec::new(); cases.len()];
    for round in 0..ROUNDS {
        for step in 0..cases.len() {
            let at = (round + step) % cases.len();
            let time = (cases[at].run)(counts[at]);
            nanos[at].push(time.as_secs_f64() * 1e9 / f64::from(counts[at]));
        }
    }
    println!("\n{title}");
    nanos
        .iter_mut()
        .for_each(|nanos| nanos.sort_by(f64::total_cmp));
    for (case, times) in cases.iter().zip(&nanos) {
        println!(
            "  {:<36} {:>9.1} ns, median {:>9.1} ns {:>7.1} x",
            case.name,
            times[0],
            times[ROUNDS / 2],
            times[0] / nanos[0][0]
        );
    }
}

/// How often a case runs in a slice.
fn fitting(run: &mut dyn FnMut(u32) -> Duration) -> u32 {
    let mut count = 1;
    while run(count) < SLICE && count < 1 << 24 {
        count *= 2;
    }
    count
}

const ROUNDS: usize = 25;
const SLICE: Duration = Duration::from_millis(4);
