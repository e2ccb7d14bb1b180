use maas_kernels::Kernels;

use super::{elementwise, fold, fold_reference};
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
        elementwise(inputs)
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        fold(pass, Kernels::add)
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
        fold_reference(pass, |y, x| y + x)
    }
}
