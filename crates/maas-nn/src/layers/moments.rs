use maas_core::Moments;

use crate::reference::Reference;
use crate::{Backward, Error, Forward, Initial, Layer, LayerPlan, RowType, StateSpec};

/// y = (x − mean) / deviation, column by column.
#[derive(Debug)]
pub(crate) struct Normalization {
    pub(crate) moments: Moments,
}

/// y = x · deviation + mean, column by column.
#[derive(Debug)]
pub(crate) struct Denormalization {
    pub(crate) moments: Moments,
}

impl Layer for Normalization {
    fn kind(&self) -> &str {
        "normalization"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        plan(&self.moments, inputs)
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (mean, deviation) = (pass.state.get(0), pass.state.get(1));
        columns(
            pass.inputs.f32(0)?,
            pass.output,
            mean,
            deviation,
            |x, mean, deviation| (x - mean) / deviation,
        );
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let (mean, deviation) = (pass.state.get(0), pass.state.get(1));
        if let Some(dx) = pass.input_gradients.get(0) {
            columns(
                pass.output_gradient,
                dx,
                mean,
                deviation,
                |dy, _, deviation| dy / deviation,
            );
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (mean, deviation) = (pass.state(0), pass.state(1));
        columns(
            pass.input(0)?,
            pass.output,
            mean,
            deviation,
            |x, mean, deviation| (x - mean) / deviation,
        );
        Ok(true)
    }
}

impl Layer for Denormalization {
    fn kind(&self) -> &str {
        "denormalization"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        plan(&self.moments, inputs)
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (mean, deviation) = (pass.state.get(0), pass.state.get(1));
        columns(
            pass.inputs.f32(0)?,
            pass.output,
            mean,
            deviation,
            |x, mean, deviation| x * deviation + mean,
        );
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let (mean, deviation) = (pass.state.get(0), pass.state.get(1));
        if let Some(dx) = pass.input_gradients.get(0) {
            columns(
                pass.output_gradient,
                dx,
                mean,
                deviation,
                |dy, _, deviation| dy * deviation,
            );
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (mean, deviation) = (pass.state(0), pass.state(1));
        columns(
            pass.input(0)?,
            pass.output,
            mean,
            deviation,
            |x, mean, deviation| x * deviation + mean,
        );
        Ok(true)
    }
}

fn plan(moments: &Moments, inputs: &[RowType]) -> Result<LayerPlan, Error> {
    let [x] = RowType::exactly(inputs)?;
    x.expect_f32()?;
    if moments.columns() != x.width() {
        return Err(Error::Width {
            expected: x.width(),
            found: moments.columns(),
        });
    }
    Ok(LayerPlan::new(x.shape.clone())
        .by_rows()
        .state(StateSpec::constant(
            "mean",
            x.shape.clone(),
            Initial::Values(moments.mean().to_vec()),
        ))
        .state(StateSpec::constant(
            "deviation",
            x.shape.clone(),
            Initial::Values(moments.deviation().to_vec()),
        ))
        .flops(2 * x.width() as u64))
}

fn columns<T: Copy>(x: &[T], y: &mut [T], mean: &[T], deviation: &[T], f: impl Fn(T, T, T) -> T) {
    let width = mean.len().max(1);
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
        for (((&x, y), &mean), &deviation) in x.iter().zip(y).zip(mean).zip(deviation) {
            *y = f(x, mean, deviation);
        }
    }
}
