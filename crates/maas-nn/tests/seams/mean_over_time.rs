use maas_nn::{Backward, Error, Forward, FromConfig, Layer, LayerPlan, RowType};
use serde_json::Value;

/// The mean over the first axis, without a reference: its check falls back on single precision.
#[derive(Debug)]
pub(crate) struct MeanOverTime;

impl Layer for MeanOverTime {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        match x.shape[..] {
            [time, channels] if time > 0 => Ok(LayerPlan::new([channels]).flops(x.width() as u64)),
            _ => Err(Error::RowShape {
                expected: vec![1, 1],
                found: x.shape.clone(),
            }),
        }
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let &[time, channels] = pass.inputs.row_shape(0) else {
            unreachable!("plan checks the shape")
        };
        let rows = pass.inputs.f32(0)?.chunks_exact(time * channels);
        for (x, y) in rows.zip(pass.output.chunks_exact_mut(channels)) {
            y.fill(0.0);
            x.chunks_exact(channels)
                .for_each(|x| pass.compute.kernels.axpy(1.0 / time as f32, x, y));
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let &[time, channels] = pass.inputs.row_shape(0) else {
            unreachable!("plan checks the shape")
        };
        let Some(dx) = pass.input_gradients.get(0) else {
            return Ok(());
        };
        for (dx, dy) in dx
            .chunks_exact_mut(time * channels)
            .zip(pass.output_gradient.chunks_exact(channels))
        {
            for (index, dx) in dx.iter_mut().enumerate() {
                *dx = dy[index % channels] / time as f32;
            }
        }
        Ok(())
    }
}

impl FromConfig for MeanOverTime {
    const KIND: &'static str = "mean_over_time";

    fn from_config(_: &Value) -> Result<Self, Error> {
        Ok(Self)
    }
}
