use maas_kernels::{Chunks, Matrix};

use super::ELEMENTS;
use super::batch_norm::{features, scaled};
use crate::reference::Reference;
use crate::{Backward, Error, Forward, Layer, LayerPlan, ParameterPass, RowType, SavedSpec};

/// y = gamma · (x − m) / √(v + ε) + beta, with the mean m and the variance v of each vector along the last axis (Ba,
/// Kiros and Hinton, 2016), as Keras 3.
#[derive(Debug)]
pub(crate) struct LayerNorm {
    pub(crate) epsilon: f32,
}

impl Layer for LayerNorm {
    fn kind(&self) -> &str {
        "layer_norm"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        let features = features(x, self.epsilon)?;
        Ok(scaled(x, features)
            .saved(SavedSpec {
                f32: 2 * (x.width() / features),
                ..SavedSpec::default()
            })
            .flops(8 * x.width() as u64)
            .by_rows())
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (x, compute) = (pass.inputs.f32(0)?, pass.compute);
        let (gamma, beta) = (pass.parameters.get(0), pass.parameters.get(1));
        let features = gamma.len();
        let least = ELEMENTS.div_ceil(2 * features);
        let (x, y) = (
            Chunks::new(x, features),
            Chunks::new(&mut *pass.output, features),
        );
        if pass.saved.f32.is_empty() {
            compute.split((x, y), least, |(x, y)| {
                let kernels = compute.kernels;
                kernels.normalize_rows(x.data, self.epsilon, gamma, beta, y.data, None);
            });
        } else {
            let statistics = Chunks::new(&mut *pass.saved.f32, 2);
            compute.split((x, y, statistics), least, |(x, y, statistics)| {
                let (kernels, statistics) = (compute.kernels, Some(statistics.data));
                kernels.normalize_rows(x.data, self.epsilon, gamma, beta, y.data, statistics);
            });
        }
        Ok(())
    }

    /// With x̂ = (x − m)·r and g = dy·gamma: dx = r·(g − mean(g) − x̂·mean(g·x̂)).
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let (x, compute) = (pass.inputs.f32(0)?, pass.compute);
        let gamma = pass.parameters.get(0);
        let features = gamma.len();
        let (dy, statistics) = (&*pass.output_gradient, &*pass.saved.f32);
        if let Some(dx) = pass.input_gradients.get(0) {
            let rows = (
                Chunks::new(x, features),
                Chunks::new(statistics, 2),
                Chunks::new(dy, features),
                Chunks::new(dx, features),
            );
            let least = ELEMENTS.div_ceil(2 * features);
            compute.split(rows, least, |(x, statistics, dy, dx)| {
                compute.kernels.normalize_rows_gradient(
                    x.data,
                    statistics.data,
                    gamma,
                    dy.data,
                    dx.data,
                );
            });
        }
        Ok(())
    }

    /// dgamma = Σ dy·x̂, dbeta = Σ dy.
    fn parameter_gradients(&self, pass: &mut ParameterPass<'_>) -> Result<(), Error> {
        let (x, dy, compute) = (pass.inputs.f32(0)?, pass.output_gradient, pass.compute);
        let features = pass.parameters.get(0).len();
        let (_, dgamma) = pass.gradients.part(0);
        compute.normalized_column_dots(x, pass.saved.f32, dy, dgamma);
        let (_, dbeta) = pass.gradients.part(1);
        compute.column_sums(Matrix::new(dy, dy.len() / features, features), dbeta);
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (gamma, beta) = (pass.parameter(0), pass.parameter(1));
        let features = gamma.len();
        let x = pass.input(0)?.chunks_exact(features);
        for (x, y) in x.zip(pass.output.chunks_exact_mut(features)) {
            let mean = x.iter().sum::<f64>() / features as f64;
            let squares: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
            let variance = squares / features as f64;
            let inverse = (variance + f64::from(self.epsilon)).sqrt().recip();
            for (((x, y), gamma), beta) in x.iter().zip(y).zip(gamma).zip(beta) {
                *y = (x - mean) * inverse * gamma + beta;
            }
        }
        Ok(true)
    }
}
