//! The workloads with our trainer.
//!
//! Without arguments, or with names of workloads: the time and the fingerprint of the trained weights for every kernel
//! set on 1 to 4 threads. `--watch WORKLOAD ROUNDS` prints what metric, callback and progress bar cost.
//! `--export WORKLOAD FOLDER`, `--serve WORKLOAD THREADS` and `--once WORKLOAD FOLDER EPOCHS THREADS` are what `run.py`
//! asks for: they train with all of the three.

#![allow(clippy::print_stdout)]

#[path = "watched.rs"]
mod watched;
#[path = "../workloads.rs"]
mod workloads;

use std::{
    error::Error,
    io::{self, Read},
    num::NonZeroUsize,
    path::Path,
    time::Instant,
};

use maas_core::Seed;
use maas_data::{Dataset, Input, Targets};
use maas_kernels::{Kernels, Parallelism};
use maas_nn::Network;
use maas_train::Trainer;
use workloads::{ALL, Task, W3, W4, W4_BF16, Workload};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--export", name, folder] => export(&named(name)?, Path::new(folder)),
        ["--serve", name, threads] => serve(&named(name)?, threads),
        ["--once", name, folder, epochs, threads] => {
            once(&named(name)?, Path::new(folder), epochs, threads)
        }
        ["--watch", name, rounds] => watched::costs(&named(name)?, rounds.parse()?),
        [] => ALL.iter().try_for_each(compare),
        ref names => names.iter().try_for_each(|name| compare(&named(name)?)),
    }
}

fn named(name: &str) -> Result<Workload, String> {
    ALL.into_iter()
        .find(|workload| workload.name == name)
        .ok_or_else(|| format!("no workload {name}: w1, w2, w3, w4 or w4-bf16, --export WORKLOAD FOLDER or --serve WORKLOAD THREADS"))
}

/// One fingerprint a workload. The portable set has no fused multiply-add of the processor and would take minutes for
/// W3 and W4, so all sets train a short one, and the others the whole one as well.
fn compare(workload: &Workload) -> Result<(), Box<dyn Error>> {
    let sets = Kernels::available();
    if ![W3.name, W4.name, W4_BF16.name].contains(&workload.name) {
        return same_bits(workload, workload.name, &sets);
    }
    let short = Workload {
        rows: 512,
        epochs: 1,
        ..*workload
    };
    same_bits(&short, &format!("{} short", workload.name), &sets)?;
    let fast: Vec<_> = (sets.into_iter())
        .filter(|set| *set != Kernels::portable())
        .collect();
    same_bits(workload, workload.name, &fast)
}

fn same_bits(workload: &Workload, name: &str, sets: &[Kernels]) -> Result<(), Box<dyn Error>> {
    let data = workload.data();
    let mut prints = Vec::new();
    for &kernels in sets {
        for threads in 1..=4 {
            let threads = NonZeroUsize::new(threads).ok_or("no threads")?;
            let trainer = workload
                .trainer()
                .kernels(kernels)
                .parallelism(Parallelism::threads(threads));
            let (seconds, loss, network) = train(workload, &trainer, &data)?;
            let print = network.fingerprint();
            println!(
                "{name:9} {:9} {threads} threads  {seconds:8.4} s  last loss {loss:.6}  fingerprint {print:016x}",
                kernels.name()
            );
            prints.push(print);
        }
    }
    if prints.iter().all(|print| *print == prints[0]) {
        println!("{name}: same bits everywhere");
        Ok(())
    } else {
        Err(format!("{name}: kernel sets or thread counts disagree").into())
    }
}

fn train(
    workload: &Workload,
    trainer: &Trainer<'_>,
    data: &Dataset,
) -> Result<(f64, f32, Network), Box<dyn Error>> {
    let mut network = workload.network(data);
    let start = Instant::now();
    let history = trainer.fit(&mut network, data)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, history.last().ok_or("no epochs")?.loss, network))
}

/// The workload as JSON, and its numbers as little-endian files: `features.f32`, `targets.f32` or `labels.i32`, and
/// `weights.f32`, the kernel and the bias of each layer.
fn export(workload: &Workload, folder: &Path) -> Result<(), Box<dyn Error>> {
    let data = workload.data();
    let network = workload.network(&data);
    let weights = network
        .segments()
        .iter()
        .flat_map(|segment| &network.parameters()[segment.range.clone()]);
    let write = |name: &str, values: &mut dyn Iterator<Item = [u8; 4]>| {
        std::fs::write(folder.join(name), values.flatten().collect::<Vec<u8>>())
    };
    let little_endian = |value: &f32| value.to_le_bytes();
    write("features.f32", &mut data.x().iter().map(little_endian))?;
    write("weights.f32", &mut weights.map(little_endian))?;
    match data.targets() {
        Targets::Labels { data, .. } => {
            write(
                "labels.i32",
                &mut data.iter().map(|label| label.to_le_bytes()),
            )?;
        }
        _ => write("targets.f32", &mut data.y().iter().map(little_endian))?,
    }
    let Workload {
        name,
        widths,
        task,
        rows,
        batch,
        epochs,
        shuffled,
        precision: _,
    } = workload;
    let task = match task {
        Task::Regression => "regression",
        Task::Classification => "classification",
    };
    let json = format!(
        r#"{{"name": "{name}", "widths": {widths:?}, "task": "{task}", "rows": {rows}, "batch": {batch}, "epochs": {epochs}, "shuffled": {shuffled}}}"#
    );
    Ok(std::fs::write(folder.join("workload.json"), json)?)
}

fn parallelism(threads: &str) -> Result<Parallelism, Box<dyn Error>> {
    Ok(match threads {
        "all" => Parallelism::available(),
        threads => Parallelism::threads(threads.parse()?),
    })
}

/// Every round has orders of its own, as those of the peers have.
fn serve(workload: &Workload, threads: &str) -> Result<(), Box<dyn Error>> {
    let parallelism = parallelism(threads)?;
    let data = workload.data();
    let trainer = |round: u64| {
        let trainer = watched::all(workload).parallelism(parallelism);
        trainer.seed(Seed(7 + round))
    };
    train(workload, &trainer(0), &data)?;
    println!(
        r#"{{"ready": "{}, at most {} threads"}}"#,
        Kernels::best().name(),
        parallelism.get()
    );
    for (round, line) in (1..).zip(io::stdin().lines()) {
        line?;
        let (seconds, loss, _) = train(workload, &trainer(round), &data)?;
        println!(r#"{{"seconds": {seconds}, "loss": {loss}}}"#);
    }
    Ok(())
}

/// Reads the rows that `--export` wrote, trains, and ends with its input.
fn once(
    workload: &Workload,
    folder: &Path,
    epochs: &str,
    threads: &str,
) -> Result<(), Box<dyn Error>> {
    let data = imported(workload, folder)?;
    let trainer = watched::all(workload)
        .epochs(epochs.parse()?)
        .parallelism(parallelism(threads)?);
    let (seconds, loss, _) = train(workload, &trainer, &data)?;
    println!(r#"{{"seconds": {seconds}, "loss": {loss}}}"#);
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn imported(workload: &Workload, folder: &Path) -> Result<Dataset, Box<dyn Error>> {
    let features = words(folder, "features.f32", f32::from_le_bytes)?;
    let features = Input::new("x", &[workload.widths[0]], features)?;
    let width = workload.widths[workload.widths.len() - 1];
    let targets = match workload.task {
        Task::Regression => Targets::Values {
            width,
            data: words(folder, "targets.f32", f32::from_le_bytes)?,
        },
        Task::Classification => Targets::Labels {
            classes: width,
            data: words(folder, "labels.i32", u32::from_le_bytes)?,
        },
    };
    Ok(Dataset::from_inputs(vec![features], targets)?)
}

fn words<T>(folder: &Path, name: &str, of: fn([u8; 4]) -> T) -> io::Result<Vec<T>> {
    let bytes = std::fs::read(folder.join(name))?;
    Ok(bytes.as_chunks().0.iter().map(|&word| of(word)).collect())
}
