//! The Wine Quality data and the network that is trained on them.

use std::path::Path;

use anyhow::Result;
use maas::prelude::*;

/// 1,599 wines with eleven measurements each, and the grade to predict.
pub(crate) fn data() -> Result<Dataset> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/winequality-red.csv");
    Ok(Dataset::from_csv(file)?.target("quality")?)
}

#[rustfmt::skip]
pub(crate) fn network(train: &Dataset) -> Result<Network> {
    Ok(Sequential::new(train.features())
        .normalize(train)
        .dense(128).relu().dense(64).relu().dense(32).relu().dense(1)
        .build(Seed(7))?)
}

pub(crate) fn trainer() -> Trainer<'static> {
    Trainer::new(Adam::new(1e-3), MeanSquaredError)
        .batch_size(32)
        .seed(Seed(7))
        .progress(Progress::Quiet)
}
