//! W1 and W2 with our trainer.
//!
//! Without arguments: the time and the fingerprint of the trained weights of W1 for every kernel set at 1, 2 and 3
//! threads. `--export FOLDER` and `--serve BATCH` are what `run.py` asks for.

#![allow(clippy::print_stdout)]

#[path = "../workloads.rs"]
mod workloads;

use std::{error::Error, io, num::NonZeroUsize, path::Path, time::Instant};

use maas_kernels::{Kernels, Parallelism};
use maas_nn::Network;
use maas_train::Trainer;

const EPOCHS: usize = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(),
        ["--export", folder] => export(Path::new(folder)),
        ["--serve", batch] => serve(batch.parse()?),
        _ => Err("expected nothing, --export FOLDER or --serve BATCH".into()),
    }
}

fn compare() -> Result<(), Box<dyn Error>> {
    let data = workloads::data();
    let mut prints = Vec::new();
    for kernels in Kernels::available() {
        for threads in 1..=3 {
            let threads = NonZeroUsize::new(threads).ok_or("no threads")?;
            let trainer = workloads::trainer(32, EPOCHS)
                .kernels(kernels)
                .parallelism(Parallelism::threads(threads));
            let (seconds, loss, network) = train(&trainer, &data)?;
            let print = network.fingerprint();
            println!(
                "{:9} {threads} threads  {seconds:8.4} s  last loss {loss:.6}  fingerprint {print:016x}",
                kernels.name()
            );
            prints.push(print);
        }
    }
    let same = prints.iter().all(|print| *print == prints[0]);
    println!(
        "{}",
        if same {
            "same bits everywhere"
        } else {
            "THE BITS DIFFER"
        }
    );
    if same {
        Ok(())
    } else {
        Err("kernel sets or thread counts disagree".into())
    }
}

fn train(
    trainer: &Trainer<'_>,
    data: &maas_data::Dataset,
) -> Result<(f64, f32, Network), Box<dyn Error>> {
    let mut network = workloads::network(data);
    let start = Instant::now();
    let history = trainer.fit(&mut network, data)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, history.last().ok_or("no epochs")?.loss, network))
}

fn export(folder: &Path) -> Result<(), Box<dyn Error>> {
    let data = workloads::data();
    let network = workloads::network(&data);
    let weights: Vec<f32> = network
        .segments()
        .iter()
        .flat_map(|segment| &network.parameters()[segment.range.clone()])
        .copied()
        .collect();
    let write = |name: &str, values: &mut dyn Iterator<Item = f32>| {
        std::fs::write(
            folder.join(name),
            values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>(),
        )
    };
    write("features.f32", &mut data.x().iter().copied())?;
    write("targets.f32", &mut data.y().iter().copied())?;
    write("weights.f32", &mut weights.into_iter())?;
    Ok(())
}

fn serve(batch: usize) -> Result<(), Box<dyn Error>> {
    let data = workloads::data();
    let trainer = workloads::trainer(batch, EPOCHS);
    train(&trainer, &data)?;
    println!("{{\"ready\": true}}");
    for line in io::stdin().lines() {
        line?;
        let (seconds, loss, _) = train(&trainer, &data)?;
        println!("{{\"seconds\": {seconds}, \"loss\": {loss}}}");
    }
    Ok(())
}
