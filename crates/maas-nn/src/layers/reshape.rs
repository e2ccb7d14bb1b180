use crate::network::layout::elements;
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, RowType};

/// A row's numbers in another shape. Lowering leaves it out: the memory is the same.
#[derive(Debug)]
pub(crate) enum Reshape {
    /// One axis.
    Flat,
    /// These axes.
    To(Vec<usize>),
}

impl Layer for Reshape {
    fn kind(&self) -> &str {
        match self {
            Self::Flat => "flatten",
            Self::To(_) => "reshape",
        }
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        match self {
            Self::Flat => Ok(LayerPlan::new([x.width()]).by_rows()),
            Self::To(shape) if elements(shape).ok() == Some(x.width()) => {
                Ok(LayerPlan::new(shape.clone()).by_rows())
            }
            Self::To(shape) => Err(Error::Reshape {
                from: x.shape.clone(),
                to: shape.clone(),
            }),
        }
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
