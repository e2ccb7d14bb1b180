//! What the examples with digits are told.

use anyhow::{Context, Result, bail};
use maas::prelude::*;

/// The seed, whether figures are printed as JSON, and the values of options of the example's own.
pub(crate) fn options<const N: usize>(own: [&str; N]) -> Result<(Seed, bool, [Option<String>; N])> {
    let (mut seed, mut json, mut values) = (Seed(7), false, [const { None }; N]);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = own.iter().position(|&name| name == argument);
        let mut value = || {
            let value = arguments.next();
            value.with_context(|| format!("{argument} needs a value"))
        };
        match (number, argument.as_str()) {
            (Some(number), _) => values[number] = Some(value()?),
            (None, "--seed") => seed = Seed(value()?.parse().context("--seed needs a number")?),
            (None, "--json") => json = true,
            (None, other) => bail!("unknown argument {other:?}; there are --seed, --json, {own:?}"),
        }
    }
    Ok((seed, json, values))
}
