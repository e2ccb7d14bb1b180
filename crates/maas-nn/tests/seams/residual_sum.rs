use maas_nn::{Backward, Error, Forward, FromConfig, Layer, LayerPlan, Reference, RowType};
use serde_json::Value;

/// y = x₀ + x₁
#[derive(Debug)]
pub(crate) struct ResidualSum;

impl Layer for ResidualSum {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [a, b] = RowType::exactly(inputs)?;
        a.expect_f32()?;
        b.expect_shape(&a.shape)?;
        Ok(LayerPlan::new(a.shape.clone()).flops(a.width() as u64))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        pass.output.copy_from_slice(pass.inputs.f32(0)?);
        pass.compute.kernels.add(pass.inputs.f32(1)?, pass.output);
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        for input in 0..2 {
            if let Some(dx) = pass.input_gradients.get(input) {
                dx.copy_from_slice(pass.output_gradient);
            }
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (a, b) = (pass.input(0)?, pass.input(1)?);
        for ((y, a), b) in pass.output.iter_mut().zip(a).zip(b) {
            *y = a + b;
        }
        Ok(true)
    }
}

impl FromConfig for ResidualSum {
    const KIND: &'static str = "residual_sum";

    fn from_config(_: &Value) -> Result<Self, Error> {
        Ok(Self)
    }
}
