use maas_nn::{
    Backward, Error, Forward, FromConfig, Initial, Layer, LayerPlan, Mode, RowType, SavedSpec,
    StateSpec,
};
use serde_json::Value;

/// What batch normalisation needs of the seams: in training, y = x / s with the root mean square s of the batch, and
/// a running one moves on; answers use the running one.
#[derive(Debug)]
pub(crate) struct BatchScale;

impl Layer for BatchScale {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        Ok(LayerPlan::new(x.shape.clone())
            .state(StateSpec::running("square", [1], Initial::Fill(1.0)))
            .saved(SavedSpec {
                fixed: 1,
                ..SavedSpec::default()
            }))
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
        if let [saved] = pass.saved.fixed {
            *saved = square;
        }
        x.iter()
            .zip(&mut *pass.output)
            .for_each(|(x, y)| *y = x / square.sqrt());
        Ok(())
    }

    /// With s = √(Σx²/n): dx = (dy − y · Σ(dy·y)/n) / s.
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let n = pass.output.len() as f32;
        let s = pass.saved.fixed[0].sqrt();
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
