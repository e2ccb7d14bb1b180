//! Layers that make one value of several.

mod add;
mod concatenate;
mod multiply;

pub(super) use add::Add;
pub(super) use concatenate::Concatenate;
pub(super) use multiply::Multiply;

use maas_kernels::Kernels;

use super::ELEMENTS;
use crate::reference::Reference;
use crate::{Error, Forward, LayerPlan, RowType};

/// A plan for at least one input, all of them numbers of one shape, which are combined element by element.
fn elementwise(inputs: &[RowType]) -> Result<LayerPlan, Error> {
    let first = inputs.first().ok_or(Error::InputCount {
        expected: 1,
        found: 0,
    })?;
    for input in inputs {
        input.expect_f32()?;
        input.expect_shape(&first.shape)?;
    }
    let flops = (inputs.len() as u64 - 1).saturating_mul(first.width() as u64);
    Ok(LayerPlan::new(first.shape.clone()).flops(flops).by_rows())
}

/// Combines all inputs, from the first to the last.
fn fold(pass: &mut Forward<'_>, combine: fn(Kernels, &[f32], &mut [f32])) -> Result<(), Error> {
    let (compute, output) = (pass.compute, &mut *pass.output);
    output.copy_from_slice(pass.inputs.f32(0)?);
    for index in 1..pass.inputs.len() {
        let parts = (pass.inputs.f32(index)?, &mut *output);
        compute.split(parts, ELEMENTS, |(x, y)| combine(compute.kernels, x, y));
    }
    Ok(())
}

fn fold_reference(pass: &mut Reference<'_>, combine: fn(f64, f64) -> f64) -> Result<bool, Error> {
    pass.output.copy_from_slice(pass.input(0)?);
    for index in 1..pass.inputs() {
        for (x, y) in pass.input(index)?.iter().zip(&mut *pass.output) {
            *y = combine(*y, *x);
        }
    }
    Ok(true)
}
