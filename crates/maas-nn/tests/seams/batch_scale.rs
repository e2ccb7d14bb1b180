use maas_nn::{
    Backward, Error, Forward, FromConfig, Initial, Layer, LayerPlan, Mode, RowType, StateSpec,
};
use serde_json::Value;

/// y = x · momentum-averaged scale: what batch normalisation needs of the seam for state. In training it divides by
/// the root mean square of the batch and moves a running one on; answers use the running one.
#[derive(Debug)]
pub(crate) struct BatchScale;

impl Layer for BatchScale {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        Ok(LayerPlan::new(x.shape.clone()).state(StateSpec::running(
            "square",
            [1],
            Initial::Fill(1.0),
        )))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let x = pass.inputs.f32(0)?;
        let square = match pass.mode {
            Mode::Train { .. } => pass.compute.kernels.sum_squares(x) / x.len() as f32,
            _ => pass.state.get(0)[0],
        };
        if !pass.next_state.is_empty() {
            pass.next_state.get(0)[0] = 0.9 * pass.state.get(0)[0] + 0.1 * square;
        }
        x.iter()
            .zip(&mut *pass.output)
            .for_each(|(x, y)| *y = x / square.sqrt());
        Ok(())
    }

    /// With s = √(Σx²/n): dx = (dy − y · Σ(dy·y)/n) / s.
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let x = pass.inputs.f32(0)?;
        let n = x.len() as f32;
        let s = (pass.compute.kernels.sum_squares(x) / n).sqrt();
        let along = pass.compute.kernels.dot(pass.output_gradient, pass.output) / n;
        if let Some(dx) = pass.input_gradients.get(0) {
            for ((dx, dy), y) in dx.iter_mut().zip(&*pass.output_gradient).zip(pass.output) {
                *dx = (dy - y * along) / s;
            }
        }
        Ok(())
    }
}

impl FromConfig for BatchScale {
    const KIND: &'static str = "batch_scale";

    fn from_config(_: &Value) -> Result<Self, Error> {
        Ok(Self)
    }
}
