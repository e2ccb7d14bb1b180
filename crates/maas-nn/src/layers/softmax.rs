use maas_kernels::Chunks;

use super::{ELEMENTS, last};
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, RowType};

/// y = exp(x) / Σ exp(x) over the last axis.
#[derive(Debug)]
pub(crate) struct Softmax;

impl Layer for Softmax {
    fn kind(&self) -> &str {
        "softmax"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        if matches!(x.shape.last(), None | Some(0)) {
            return Err(Error::Width {
                expected: 1,
                found: 0,
            });
        }
        // Greatest, difference, exponential, sum, quotient.
        Ok(LayerPlan::new(x.shape.clone())
            .flops(5 * x.width() as u64)
            .by_rows())
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let columns = last(pass.inputs.row_shape(0));
        let (compute, rows) = (pass.compute, |x| Chunks::new(x, columns));
        let parts = (
            rows(pass.inputs.f32(0)?),
            Chunks::new(&mut *pass.output, columns),
        );
        compute.split(parts, ELEMENTS.div_ceil(columns), |(x, y)| {
            compute.kernels.softmax_rows(x.data, columns, y.data);
        });
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let columns = last(pass.inputs.row_shape(0));
        if let Some(dx) = pass.input_gradients.get(0) {
            let (compute, rows) = (pass.compute, |x| Chunks::new(x, columns));
            let parts = (
                rows(pass.output),
                rows(&*pass.output_gradient),
                Chunks::new(dx, columns),
            );
            compute.split(parts, ELEMENTS.div_ceil(columns), |(y, dy, dx)| {
                compute
                    .kernels
                    .softmax_gradient(y.data, dy.data, columns, dx.data);
            });
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let columns = last(pass.row_shape(0));
        for (x, y) in pass
            .input(0)?
            .chunks_exact(columns)
            .zip(pass.output.chunks_exact_mut(columns))
        {
            let greatest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = x.iter().map(|x| (x - greatest).exp()).sum();
            for (x, y) in x.iter().zip(y) {
                *y = (x - greatest).exp() / sum;
            }
        }
        Ok(true)
    }
}
