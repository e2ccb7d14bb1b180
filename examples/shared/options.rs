//! What the examples with digits are told.

use anyhow::{Context, Result, bail};
use maas::prelude::*;

/// The seed, and whether figures are printed as JSON.
pub(crate) fn options() -> Result<(Seed, bool)> {
    let (mut seed, mut json) = (Seed(7), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => seed = Seed(arguments.next().context("--seed needs a number")?.parse()?),
            "--json" => json = true,
            other => bail!("unknown argument {other:?}; there are --seed N and --json"),
        }
    }
    Ok((seed, json))
}
