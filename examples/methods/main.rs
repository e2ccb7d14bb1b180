//! Which method when: every way to compress the network for the digits, beside the others, as the tables of
//! `docs/compression.md`.
//!
//! `cargo run --release --example methods`; `-- --seeds N` for means over other than five seeds. It takes some minutes.

#![allow(clippy::print_stdout)]

mod bench;

use anyhow::{Context, Result, bail};
use bench::{Bench, Figures, mean, means};
use maas::compress::{
    Bf16, Bits, BudgetSearch, Calibration, Codebook, F16, FisherMagnitude, GradualPruning, Grain,
    Int8, Magnitude, Movement, MovementInTraining, Prune, Pruner, Quantize, Ramp, Random, Scope,
    SecondOrder, Wanda, shrink,
};
use maas::prelude::*;

fn main() -> Result<()> {
    let benches = (0..seeds()?)
        .map(|seed| Bench::new(Seed(seed)))
        .collect::<Result<Vec<_>>>()?;
    criteria(&benches)?;
    in_training(&benches)?;
    grains(&benches)?;
    bits(&benches)?;
    searches(&benches)
}

fn seeds() -> Result<u64> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        None => Ok(5),
        Some("--seeds") => Ok(arguments
            .next()
            .context("--seeds needs a number")?
            .parse()?),
        Some(other) => bail!("unknown argument {other:?}; there is --seeds N"),
    }
}

/// What chooses the weights that go, all at once.
fn criteria(benches: &[Bench]) -> Result<()> {
    type Make = fn(&Bench, f64) -> Box<dyn Prune>;
    let methods: [(&str, Make); 8] = [
        ("`Random`", |bench, zeros| {
            Box::new(Pruner::new(Random(bench.seed), zeros))
        }),
        ("`SoftThreshold`", |_, zeros| {
            Box::new(SoftThreshold::to_sparsity(zeros))
        }),
        ("`Magnitude`", |_, zeros| {
            Box::new(Pruner::new(Magnitude, zeros))
        }),
        ("`Magnitude`, each layer alike", |_, zeros| {
            Box::new(Pruner::new(Magnitude, zeros).scope(Scope::Layer))
        }),
        ("`Wanda`", |bench, zeros| {
            Box::new(Pruner::new(Wanda::new(&bench.train), zeros))
        }),
        ("`Wanda`, each output alike", |bench, zeros| {
            Box::new(Pruner::new(Wanda::new(&bench.train), zeros).scope(Scope::Output))
        }),
        ("`Movement`", |bench, zeros| {
            let movement = Movement::new(&bench.train, CategoricalCrossEntropy);
            Box::new(Pruner::new(movement, zeros))
        }),
        ("`SecondOrder`", |bench, zeros| {
            Box::new(Pruner::new(SecondOrder::new(&bench.train), zeros))
        }),
    ];
    println!("| in one step | 90 % zeros | fine-tuned | 95 % zeros | fine-tuned |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, make) in methods {
        let mut row = vec![name.to_owned()];
        for zeros in [0.9, 0.95] {
            row.push(percent(mean(benches, |bench| {
                let mut network = bench.dense.clone();
                make(bench, zeros).prune(&mut network)?;
                bench.accuracy(&network)
            })?));
            row.push(percent(mean(benches, |bench| {
                bench.accuracy(&bench.pruned(&*make(bench, zeros))?)
            })?));
        }
        println!("| {} |", row.join(" | "));
    }
    Ok(())
}

/// What chooses them while the network trains, over ten of twenty epochs.
fn in_training(benches: &[Bench]) -> Result<()> {
    type Make = fn(f64) -> Pruner;
    let methods: [(&str, Make); 3] = [
        ("`Magnitude`", |zeros| Pruner::new(Magnitude, zeros)),
        ("`MovementInTraining`", |zeros| {
            Pruner::new(MovementInTraining, zeros)
        }),
        ("`FisherMagnitude`", |zeros| {
            Pruner::new(FisherMagnitude::default(), zeros)
        }),
    ];
    println!(
        "\n| `GradualPruning` | 90 % zeros | 95 % zeros | 98 % zeros |\n| --- | --- | --- | --- |"
    );
    for (name, make) in methods {
        let mut row = vec![name.to_owned()];
        for zeros in [0.9, 0.95, 0.98] {
            row.push(percent(mean(benches, |bench| {
                let steps = bench.train.rows().div_ceil(bench::BATCH) as u64;
                let pruning = GradualPruning::new(make(zeros), Ramp::cubic(20)).every(steps / 2);
                let chain = Chain::new(bench::rate()).then(pruning);
                let mut network = bench.dense.clone();
                bench.tune_with(chain.then(ScaleByAdam::default()), &mut network)?;
                bench.accuracy(&network)
            })?));
        }
        println!("| {} |", row.join(" | "));
    }
    Ok(())
}

/// What goes as one.
fn grains(benches: &[Bench]) -> Result<()> {
    let grains = [
        ("none", Grain::Element, 0.0),
        ("weights, 90 %", Grain::Element, 0.9),
        (
            "blocks of 4 × 4, 80 %",
            Grain::Block {
                rows: 4,
                columns: 4,
            },
            0.8,
        ),
        ("2 of 4", Grain::Group { of: 4 }, 0.5),
        ("neurons, 50 %", Grain::Neuron, 0.5),
        ("neurons, 75 %", Grain::Neuron, 0.75),
    ];
    heading("zeros");
    for (name, grain, zeros) in grains {
        line(
            name,
            &means(benches, |bench| {
                let network = bench.pruned(&Pruner::new(Magnitude, zeros).grain(grain))?;
                bench.figures(&shrink(&network)?.0)
            })?,
        );
    }
    Ok(())
}

/// What weights are rounded to, without training behind it: alone, and behind pruning.
fn bits(benches: &[Bench]) -> Result<()> {
    type Make = fn(&Bench) -> Option<Box<dyn Quantize + '_>>;
    let methods: [(&str, Make); 10] = [
        ("single precision", |_| None),
        ("`F16`", |_| Some(Box::new(F16))),
        ("`Bf16`", |_| Some(Box::new(Bf16::new()))),
        ("`Int8::dynamic`", |_| Some(Box::new(Int8::dynamic()))),
        ("`Int8`, `MinMax`", |bench| {
            calibrated(bench, Calibration::MinMax)
        }),
        ("`Int8`, `Percentile(99.9)`", |bench| {
            calibrated(bench, Calibration::Percentile(99.9))
        }),
        ("`Int8`, `Entropy`", |bench| {
            calibrated(bench, Calibration::Entropy)
        }),
        ("`Codebook::new(32)`", |_| Some(Box::new(Codebook::new(32)))),
        ("`Codebook::new(16)`", |_| Some(Box::new(Codebook::new(16)))),
        ("`Codebook::new(4)`", |_| Some(Box::new(Codebook::new(4)))),
    ];
    let pruned = benches
        .iter()
        .map(|bench| {
            let network = bench.pruned(&Pruner::new(Magnitude, 0.9))?;
            Ok(Bench {
                dense: network,
                ..bench.clone()
            })
        })
        .collect::<Result<Vec<_>>>()?;
    for (name, benches) in [("bits, no zeros", benches), ("bits, 90 % zeros", &pruned)] {
        heading(name);
        for (name, make) in &methods {
            line(
                name,
                &means(benches, |bench| {
                    let mut network = bench.dense.clone();
                    if let Some(quantize) = make(bench) {
                        quantize.quantize(&mut network)?;
                    }
                    bench.figures(&network)
                })?,
            );
        }
    }
    Ok(())
}

fn calibrated(bench: &Bench, calibration: Calibration) -> Option<Box<dyn Quantize + '_>> {
    Some(Box::new(Int8::calibrated(&bench.train, calibration)))
}

/// Each layer as far as it bears it, and all layers alike.
fn searches(benches: &[Bench]) -> Result<()> {
    type Make = fn(BudgetSearch<'_>) -> BudgetSearch<'_>;
    let searches: [(&str, Make); 4] = [
        ("all layers alike, single precision", |search| {
            search.alike().bits([Bits::Full])
        }),
        ("each layer for itself, single precision", |search| {
            search.bits([Bits::Full])
        }),
        ("all layers alike, codebooks too", |search| search.alike()),
        ("each layer for itself, codebooks too", |search| search),
    ];
    heading("a percentage point of validation accuracy");
    for (name, make) in searches {
        line(
            name,
            &means(benches, |bench| {
                let mut network = bench.dense.clone();
                make(BudgetSearch::within(0.01))
                    .fine_tune(|network: &mut Network| bench.tune(network))
                    .run(&mut network, &bench.validation)?;
                bench.figures(&network)
            })?,
        );
    }
    Ok(())
}

fn heading(name: &str) {
    println!("\n| {name} | accuracy | bytes | 64 rows |\n| --- | --- | --- | --- |");
}

fn line(name: &str, figures: &Figures) {
    println!(
        "| {name} | {} | {:.0} | {:.0} µs |",
        percent(figures.accuracy),
        figures.bytes,
        figures.latency
    );
}

fn percent(fraction: f64) -> String {
    format!("{:.1} %", 100.0 * fraction)
}
