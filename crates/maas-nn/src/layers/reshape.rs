use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, RowType};

/// A row's numbers in another shape. Lowering leaves it out: the memory is the same.
#[derive(Debug)]
pub(crate) struct Reshape {
    pub(crate) shape: Vec<usize>,
}

impl Layer for Reshape {
    fn kind(&self) -> &str {
        "reshape"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        let elements = self
            .shape
            .iter()
            .try_fold(1_usize, |n, &m| n.checked_mul(m));
        if elements != Some(x.width()) {
            return Err(Error::Reshape {
                from: x.shape.clone(),
                to: self.shape.clone(),
            });
        }
        Ok(LayerPlan::new(self.shape.clone()))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        pass.output.copy_from_slice(pass.inputs.f32(0)?);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        if let Some(dx) = pass.input_gradients.get(0) {
            dx.copy_from_slice(pass.output_gradient);
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        pass.output.copy_from_slice(pass.input(0)?);
        Ok(true)
    }
}
