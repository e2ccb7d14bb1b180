//! Layers that make one value of several.

mod add;
mod concatenate;
mod multiply;

pub(super) use add::Add;
pub(super) use concatenate::Concatenate;
pub(super) use multiply::Multiply;

use crate::{Error, RowType};

/// Checks that there is at least one input, and that all are numbers of one shape, and gives it.
fn one_shape(inputs: &[RowType]) -> Result<&RowType, Error> {
    let first = inputs.first().ok_or(Error::InputCount {
        expected: 1,
        found: 0,
    })?;
    for input in inputs {
        input.expect_f32()?;
        input.expect_shape(&first.shape)?;
    }
    Ok(first)
}
