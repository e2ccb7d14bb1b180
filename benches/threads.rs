//! What the team of threads costs and brings: an empty region, the sizes from which a second thread pays, and W1, W2
//! and W4 on one thread and on several, interleaved.
//!
//! `cargo bench --bench threads` prints all of it; `-- region`, `-- sizes` and `-- train` one part.

#![allow(clippy::print_stdout)]

mod workloads;

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use maas_kernels::{
    Activation, AdamStep, Around, Chunks, Compute, Direction, Epilogue, Kernels, Matrix, MatrixMut,
    Parallelism,
};

fn main() {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let on = |name: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name);
    if on("region") {
        region();
    }
    if on("sizes") {
        sizes();
    }
    if on("train") {
        train();
    }
}

fn compute(threads: usize) -> Compute {
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    Compute {
        kernels: Kernels::best(),
        parallelism: Parallelism::threads(threads),
    }
}

/// An empty region of two tasks, after the caller has worked alone for a while.
fn region() {
    println!("an empty region of 2 tasks, after a pause of the team; median and 95th percentile");
    for pause in [0, 1, 5, 20, 40, 80, 200, 1000, 5000] {
        let pause = Duration::from_micros(pause);
        let mut times = Vec::new();
        for _ in 0..300 {
            let start = Instant::now();
            while start.elapsed() < pause {
                std::hint::spin_loop();
            }
            let start = Instant::now();
            compute(2).split(0..2, 1, |part| {
                black_box(part);
            });
            times.push(start.elapsed());
        }
        times.sort();
        println!("{pause:>8.0?} {:>10.2?} {:>10.2?}", times[150], times[285]);
    }
}

/// Median times of a call on one thread and on two, in turns of some milliseconds, so that the team is awake.
fn pair(mut work: impl FnMut(Compute)) -> [f64; 2] {
    let mut times = [Vec::new(), Vec::new()];
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(120) || times[0].len() < 5 {
        for (threads, times) in (1..).zip(&mut times) {
            let compute = compute(threads);
            let (start, mut calls) = (Instant::now(), 0);
            while start.elapsed() < Duration::from_micros(500) || calls == 0 {
                work(compute);
                calls += 1;
            }
            let start = Instant::now();
            for _ in 0..4 * calls {
                work(compute);
            }
            times.push(start.elapsed().as_secs_f64() / f64::from(4 * calls));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

fn sizes() {
    let show = |name: String, [one, two]: [f64; 2]| {
        println!(
            "{name:34} {:>9.2} µs {:>9.2} µs {:>6.2}",
            one * 1e6,
            two * 1e6,
            one / two
        );
    };
    println!("one thread, two threads, ratio");
    for (m, k, n) in [
        (32, 128, 64),
        (64, 128, 64),
        (128, 128, 64),
        (256, 128, 64),
        (1024, 32, 128),
        (1024, 128, 64),
        (1024, 64, 32),
        (1024, 32, 1),
        (256, 784, 1024),
        (256, 1024, 1024),
        (256, 1024, 10),
        (1024, 1024, 1024),
        (1, 1024, 1024),
        (2048, 2048, 2048),
    ] {
        let flops = 2.0 * (m * k * n) as f64;
        let (x, w, dy) = (filled(m * k), filled(k * n), filled(m * n));
        let (mut y, mut dx, mut dw) = (vec![0.0; m * n], vec![0.0; m * k], vec![0.0; k * n]);
        let forward = pair(|c| {
            let (x, w) = (Matrix::new(&x, m, k), Matrix::new(&w, k, n));
            let y = MatrixMut::new(&mut y, m, n);
            c.kernels
                .matmul(x, w, y, Epilogue::default(), c.parallelism);
        });
        let input = pair(|c| {
            let (dy, w) = (Matrix::new(&dy, m, n), Matrix::new(&w, k, n).transposed());
            let dx = MatrixMut::new(&mut dx, m, k);
            c.kernels
                .matmul(dy, w, dx, Epilogue::default(), c.parallelism);
        });
        let weight = pair(|c| {
            let (x, dy) = (Matrix::new(&x, m, k).transposed(), Matrix::new(&dy, m, n));
            let dw = MatrixMut::new(&mut dw, k, n);
            c.kernels
                .matmul(x, dy, dw, Epilogue::default(), c.parallelism);
        });
        for (name, times) in [("y", forward), ("dx", input), ("dw", weight)] {
            let rate = times.map(|t| flops / t * 1e-9);
            show(
                format!("{name:3}{m:5}{k:5}{n:5} {:6.1}{:6.1}", rate[0], rate[1]),
                times,
            );
        }
    }
    for len in [4, 8, 16, 32, 64, 128, 256, 1024, 2900].map(|k| k * 1024) {
        let (y, dy) = (filled(len), filled(len));
        let (mut dz, mut moments) = (dy.clone(), vec![0.0; 2 * len]);
        let mut theta = filled(len);
        show(
            format!("relu's gradient {:5} k", len / 1024),
            pair(|c| {
                c.split((&y[..], &mut dz[..]), 1024, |(y, dz)| {
                    c.kernels
                        .activation_gradient_in_place(Activation::Relu, y, dz);
                });
            }),
        );
        show(
            format!("gelu {:5} k", len / 1024),
            pair(|c| {
                c.split((&y[..], &mut dz[..]), 1024, |(y, dz)| {
                    c.kernels.activate(Activation::Gelu, y, dz);
                });
            }),
        );
        let step = AdamStep {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            bias_correction_1: 0.1,
            bias_correction_2: 0.001,
        };
        show(
            format!("adam {:5} k", len / 1024),
            pair(|c| {
                let parts = (&mut theta[..], &dy[..], Chunks::new(&mut moments[..], 2));
                c.split(parts, 1024, |(theta, dy, moments)| {
                    let (direction, around) = (Direction::Adam(step), Around::step(1e-3));
                    c.kernels
                        .step_along(theta, dy, moments.data, direction, around);
                });
            }),
        );
        show(
            format!("sum of squares {:5} k", len / 1024),
            pair(|c| {
                black_box(c.sum_squares(&y));
            }),
        );
        let mut sums = vec![0.0; 128];
        show(
            format!("128 column sums {:5} k", len / 1024),
            pair(|c| c.column_sums(Matrix::new(&y, len / 128, 128), &mut sums)),
        );
    }
}

fn filled(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| (i * 7919 % 1000) as f32 / 1000.0 - 0.5)
        .collect()
}

/// `THREADS=4` compares one to four threads, `WORKLOADS=w2` takes one workload.
fn train() {
    let setting = |name: &str| std::env::var(name).ok();
    let most = setting("THREADS").and_then(|n| n.parse().ok()).unwrap_or(2);
    let chosen = setting("WORKLOADS").unwrap_or_default();
    for workload in workloads::ALL {
        let name = workload.name;
        if !chosen.is_empty() && !chosen.contains(name) {
            continue;
        }
        let (data, trainer) = (workload.data(), workload.trainer());
        let network = workload.network(&data);
        let mut times = vec![Vec::new(); most];
        let mut prints = Vec::new();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(8) || times[0].len() < 3 {
            for (threads, times) in (1..).zip(&mut times) {
                let trainer = trainer.clone().parallelism(compute(threads).parallelism);
                let mut network = network.clone();
                let start = Instant::now();
                trainer
                    .fit(&mut network, &data)
                    .expect("the loss stays finite");
                times.push(start.elapsed().as_secs_f64());
                prints.push(network.fingerprint());
            }
        }
        prints.dedup();
        let medians = times.into_iter().map(|mut times| {
            times.sort_by(f64::total_cmp);
            (times[times.len() / 2], times[0], times.len())
        });
        let medians: Vec<_> = medians.collect();
        for (threads, (median, least, rounds)) in (1..).zip(&medians) {
            println!(
                "{name} {threads} threads {median:8.4} s, least {least:8.4} s, {:5.2} times one, {rounds} rounds",
                medians[0].0 / median
            );
        }
        println!("{name} fingerprints {prints:016x?}");
    }
}
