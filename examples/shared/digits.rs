//! The handwritten digits.

use anyhow::{Context, Result};
use maas::prelude::*;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

/// The rows to learn from and those to test with, pixels between 0 and 1.
pub(crate) fn data() -> Result<(Dataset, Dataset)> {
    let digits = Dataset::from_csv(format!("{DATA}/digits.csv"))?.classes("label")?;
    let labels = digits.labels().context("the digits have labels")?;
    let ink = &digits.x() / 16.0;
    let digits = Dataset::classification(
        ink.view(),
        labels,
        digits.class_labels().context("and names")?.to_vec(),
    )?;
    let rows = std::fs::read_to_string(format!("{DATA}/digits.test.txt"))?;
    let rows = rows
        .lines()
        .map(str::parse)
        .collect::<Result<Vec<usize>, _>>()?;
    Ok(digits.hold_out(&rows)?)
}
