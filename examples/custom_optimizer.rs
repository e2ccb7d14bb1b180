//! An optimiser of one's own: a link that makes any other one cautious, checked against every law and raced with Adam.
//!
//! `cargo run --release --example custom_optimizer`

#![allow(clippy::print_stdout)]

use anyhow::Result;
use maas::nn::{Block, Step, Transform};
use maas::prelude::*;
use maas::train::{ScaleByAdam, check_transform};

/// Moves only where the gradient has the sign that it had in the step before.
#[derive(Debug)]
struct Cautious;

impl Transform for Cautious {
    /// The former gradient. The optimiser owns the numbers, so that they are in its checkpoints.
    fn buffers(&self) -> usize {
        1
    }

    fn apply(&self, _step: &Step, block: &mut Block<'_>) {
        for (update, before) in block.update.iter_mut().zip(block.state.get(0)) {
            let gradient = std::mem::replace(before, *update);
            if gradient * *update < 0.0 {
                *update = 0.0;
            }
        }
    }
}

fn main() -> Result<()> {
    check_transform(Cautious)?;
    println!("the link keeps every law\n");

    let wine = concat!(env!("CARGO_MANIFEST_DIR"), "/data/winequality-red.csv");
    let data = Dataset::from_csv(wine)?
        .target("quality")?
        .split([0.7, 0.15, 0.15], Seed(7))?;
    let cautious = Chain::new(1e-3).then(Cautious).then(ScaleByAdam::default());
    for (name, chain) in [
        ("adam", Adam::new(1e-3).into()),
        ("cautious adam", cautious),
    ] {
        #[rustfmt::skip]
        let mut network = Sequential::new(data.features())
            .normalize(&data.train)
            .dense(64).relu().dense(32).relu().dense(1)
            .build(Seed(7))?;
        let trainer = Trainer::new(chain, MeanSquaredError)
            .epochs(20)
            .validation(&data.validation)
            .progress(Progress::Quiet);
        let history = trainer.fit(&mut network, &data.train)?;
        let best = history.best().and_then(|epoch| epoch.validation_loss);
        println!(
            "{name:15} best validation loss {:.4}",
            best.unwrap_or(f32::NAN)
        );
    }
    Ok(())
}
