//! Our answers for `run.py`, which writes the networks and asks for times; see `README.md`.
//!
//! A line `load VARIANT FOLDER BATCH THREADS WIDTHS` makes a model of the folder's weights and writes its answers,
//! `time VARIANT SECONDS` answers what a call takes.

#![allow(clippy::print_stdout)]

#[path = "served.rs"]
mod served;

use std::{collections::HashMap, error::Error, fs, io, num::ParseIntError, path::Path};

use maas_compress::{CompressedNetwork, Target};
use maas_core::Seed;
use maas_kernels::Kernels;
use maas_nn::{Arithmetic, LayerSpec, Network, Sequential};
use served::Served;

fn main() -> Result<(), Box<dyn Error>> {
    let mut loaded = HashMap::new();
    println!(r#"{{"ready": "{}"}}"#, Kernels::best().name());
    for line in io::stdin().lines() {
        let line = line?;
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["load", variant, folder, batch, threads, widths] => {
                let folder = Path::new(folder);
                let widths = parsed(widths)?;
                let shape = [batch.parse()?, widths[0]];
                let mut rows = floats(&folder.join("rows.f32"))?;
                rows.truncate(shape[0] * shape[1]);
                let network = arithmetic(network(folder, &widths)?, variant, folder)?;
                let threads = threads.parse()?;
                let target = Target::rows(shape[0]).threads(threads);
                let compiled = CompressedNetwork::compile(network, &target)?;
                let representations: Vec<_> = (compiled.choices().iter())
                    .map(|choice| choice.chosen.to_string())
                    .collect();
                let mut served = Served::new(compiled, shape, rows, threads)?;
                fs::write(folder.join("answers.f32"), bytes(&served.answers()?))?;
                loaded.insert(variant.to_owned(), served);
                println!(r#"{{"ready": "{}"}}"#, representations.join("-"));
            }
            ["time", variant, seconds] => {
                let served = loaded.get_mut(variant).ok_or("not loaded")?;
                println!(r#"{{"seconds": {}}}"#, served.seconds(seconds.parse()?)?);
            }
            _ => return Err(format!("no command `{line}`").into()),
        }
    }
    Ok(())
}

/// Of the inputs, then the units of each layer.
fn parsed(widths: &str) -> Result<Vec<usize>, ParseIntError> {
    widths.split('-').map(str::parse).collect()
}

/// Dense layers with relu between them; relu alone where there is but one width.
fn network(folder: &Path, widths: &[usize]) -> Result<Network, Box<dyn Error>> {
    let mut layers = Sequential::rows(widths[0]);
    if widths.len() == 1 {
        layers = layers.relu();
    }
    for (index, &units) in widths.iter().enumerate().skip(1) {
        layers = layers.dense(units);
        if index + 1 < widths.len() {
            layers = layers.relu();
        }
    }
    let mut network = layers.build(Seed(7))?;
    let weights = floats(&folder.join("weights.f32"))?;
    let mut weights = weights.into_iter();
    let ranges: Vec<_> = (network.segments().iter())
        .map(|segment| segment.range.clone())
        .collect();
    for range in ranges {
        let parameters = network.parameters_mut()[range].iter_mut();
        parameters
            .zip(&mut weights)
            .for_each(|(to, from)| *to = from);
    }
    Ok(network)
}

/// The network with the arithmetic that a variant is of: `f32`, or int8 with `dynamic` or `static` ranges of the inputs.
fn arithmetic(
    mut network: Network,
    variant: &str,
    folder: &Path,
) -> Result<Network, Box<dyn Error>> {
    if variant == "f32" {
        return Ok(network);
    }
    let dense: Vec<String> = (network.spec().nodes.iter())
        .filter(|node| matches!(node.layer, LayerSpec::Dense { .. }))
        .map(|node| node.name.clone())
        .collect();
    for (layer, largest) in dense.iter().zip(floats(&folder.join("largest.f32"))?) {
        let input_scale = (variant == "static").then_some(largest / 127.0);
        network.set_arithmetic(layer, Arithmetic::Int8 { input_scale })?;
    }
    Ok(network)
}

fn floats(path: &Path) -> io::Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    Ok((bytes.as_chunks().0.iter())
        .map(|&word| f32::from_le_bytes(word))
        .collect())
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}
