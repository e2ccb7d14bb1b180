//! Matrix products beside the crates gemm, faer and matrixmultiply: interleaved rounds, medians, and the ratio to the
//! fastest peer of each shape with its 95 % interval.
//!
//! `products [--threads N] [--rounds N] [--only TEXT] [--least MULTIPLY_ADDS]`

mod contenders;
mod shapes;

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use contenders::{Contender, Product};
use shapes::{SHAPES, Shape};

/// How long a measurement of one contender in one round takes at least.
const SLICE: Duration = Duration::from_millis(3);

struct Options {
    threads: NonZeroUsize,
    rounds: usize,
    only: String,
    least: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("MATMUL_NUM_THREADS", options.threads.to_string()) };
    println!(
        "{} threads, {} rounds, GFLOP/s, `m x n x k`",
        options.threads, options.rounds
    );
    println!(
        "| shape | maas | gemm | faer | matrixmultiply | ratio to the fastest of {} | 95 % |",
        match options.threads.get() {
            1 => "gemm and faer",
            _ => "all",
        }
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut logs = Vec::new();
    for shape in SHAPES {
        if shape.label().contains(&options.only) && shape.multiply_adds() >= options.least {
            let ratio = measure(shape, &options)?;
            logs.push(ratio.ln());
        }
    }
    let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    println!("geometric mean {mean:.3}");
    Ok(())
}

fn options() -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        threads: NonZeroUsize::MIN,
        rounds: 30,
        only: String::new(),
        least: 0,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or("an option without its value")?;
        match name.as_str() {
            "--threads" => options.threads = value.parse()?,
            "--rounds" => options.rounds = value.parse()?,
            "--only" => options.only = value,
            "--least" => options.least = value.parse()?,
            _ => return Err(format!("unknown option {name}").into()),
        }
    }
    Ok(options)
}

/// Prints the row of a shape and returns its ratio.
fn measure(shape: Shape, options: &Options) -> Result<f64, Box<dyn Error>> {
    let mut product = Product::new(shape, options.threads);
    let mut times = [const { Vec::new() }; Contender::ALL.len()];
    let mut repeats = [1; Contender::ALL.len()];
    let mut expected = Vec::new();
    for (contender, repeats) in Contender::ALL.into_iter().zip(&mut repeats) {
        product.run(contender);
        if expected.is_empty() {
            expected = product.result().to_vec();
        }
        let close = |(x, y): (&f32, &f32)| (x - y).abs() <= 1e-3 * (shape.k as f32).sqrt();
        if !expected.iter().zip(product.result()).all(close) {
            return Err(format!("{} is wrong at {}", contender.name(), shape.label()).into());
        }
        let start = Instant::now();
        let mut runs = 0;
        while start.elapsed() < 2 * SLICE || runs < 2 {
            product.run(contender);
            runs += 1;
        }
        let each = start.elapsed() / runs;
        *repeats = SLICE.as_nanos().div_ceil(each.as_nanos().max(1)).max(1) as u32;
    }
    for round in 0..options.rounds {
        for turn in 0..Contender::ALL.len() {
            let index = (round + turn) % Contender::ALL.len();
            product.run(Contender::ALL[index]);
            let start = Instant::now();
            for _ in 0..repeats[index] {
                product.run(Contender::ALL[index]);
            }
            times[index].push(start.elapsed().as_secs_f64() / f64::from(repeats[index]));
        }
    }
    let peers = if options.threads.get() == 1 {
        1..3
    } else {
        1..4
    };
    let best = peers
        .min_by(|&x, &y| median(&times[x]).total_cmp(&median(&times[y])))
        .ok_or("no peers")?;
    let mut ratios: Vec<f64> = times[best]
        .iter()
        .zip(&times[0])
        .map(|(peer, ours)| peer / ours)
        .collect();
    ratios.sort_by(f64::total_cmp);
    let speed = |index: usize| 2e-9 * shape.multiply_adds() as f64 / median(&times[index]);
    let ratio = median(&ratios);
    let (low, high) = interval(&ratios);
    println!(
        "| {} | {:.1} | {:.1} | {:.1} | {:.1} | {ratio:.3} | {low:.3} to {high:.3} |",
        shape.label(),
        speed(0),
        speed(1),
        speed(2),
        speed(3),
    );
    Ok(ratio)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// The 95 % interval of the median of sorted values by order statistics.
fn interval(sorted: &[f64]) -> (f64, f64) {
    let n = sorted.len() as f64;
    let reach = (0.98 * n.sqrt()).ceil() as usize;
    let middle = sorted.len() / 2;
    (
        sorted[middle.saturating_sub(reach)],
        sorted[(middle + reach).min(sorted.len() - 1)],
    )
}
