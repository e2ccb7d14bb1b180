use super::one_shape;
use crate::layers::ELEMENTS;
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, RowType};

/// y = x₀ + x₁ + …, added in this order.
#[derive(Debug)]
pub(crate) struct Add;

impl Layer for Add {
    fn kind(&self) -> &str {
        "add"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let x = one_shape(inputs)?;
        let flops = (inputs.len() as u64 - 1).saturating_mul(x.width() as u64);
        Ok(LayerPlan::new(x.shape.clone()).flops(flops))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (compute, output) = (pass.compute, &mut *pass.output);
        output.copy_from_slice(pass.inputs.f32(0)?);
        for index in 1..pass.inputs.len() {
            let parts = (pass.inputs.f32(index)?, &mut *output);
            compute.split(parts, ELEMENTS, |(x, y)| compute.kernels.add(x, y));
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        for index in 0..pass.inputs.len() {
            if let Some(dx) = pass.input_gradients.get(index) {
                dx.copy_from_slice(pass.output_gradient);
            }
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        pass.output.copy_from_slice(pass.input(0)?);
        for index in 1..pass.inputs() {
            for (x, y) in pass.input(index)?.iter().zip(&mut *pass.output) {
                *y += x;
            }
        }
        Ok(true)
    }
}
