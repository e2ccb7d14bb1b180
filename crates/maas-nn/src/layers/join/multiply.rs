use maas_kernels::Kernels;

use super::{elementwise, fold, fold_reference};
use crate::layers::ELEMENTS;
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, RowType};

/// y = x₀ · x₁ · …, element by element, multiplied in this order.
#[derive(Debug)]
pub(crate) struct Multiply;

impl Layer for Multiply {
    fn kind(&self) -> &str {
        "multiply"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        elementwise(inputs)
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        fold(pass, Kernels::multiply)
    }

    /// The gradient by an input is dy times all other inputs.
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let (inputs, compute) = (pass.inputs, pass.compute);
        for index in 0..inputs.len() {
            let Some(dx) = pass.input_gradients.get(index) else {
                continue;
            };
            dx.copy_from_slice(pass.output_gradient);
            for other in (0..inputs.len()).filter(|&other| other != index) {
                let parts = (inputs.f32(other)?, &mut *dx);
                compute.split(parts, ELEMENTS, |(x, dx)| compute.kernels.multiply(x, dx));
            }
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        fold_reference(pass, |y, x| y * x)
    }
}
