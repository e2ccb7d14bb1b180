use maas_kernels::{Chunks, Matrix};

use super::{ELEMENTS, last};
use crate::reference::Reference;
use crate::{
    Backward, Error, Forward, Initial, Initializer, Layer, LayerPlan, Mode, ParameterSpec, Role,
    RowType, SavedSpec, ScratchSpec, StateSpec, Training,
};

/// y = gamma · (x − m) / √(v + ε) + beta, feature by feature over the last axis (Ioffe and Szegedy, 2015), as Keras 3.
///
/// In training, m and v are the mean and the variance of the pass's rows (v the mean of squares, without Bessel's
/// correction), and the running ones move on: r ← momentum · r + (1 − momentum) · batch. Else, and where the layer is
/// frozen, m and v are the running ones. Without `scale` gamma is 1, without `center` beta is 0.
#[derive(Debug)]
pub(crate) struct BatchNorm {
    pub(crate) momentum: f32,
    pub(crate) epsilon: f32,
    /// Whether beta is there.
    pub(crate) center: bool,
    /// Whether gamma is there.
    pub(crate) scale: bool,
}

impl BatchNorm {
    /// The index of gamma among the parameters, and that of beta.
    fn indices(&self) -> (Option<usize>, Option<usize>) {
        let beta = usize::from(self.scale);
        (self.scale.then_some(0), self.center.then_some(beta))
    }
}

impl Layer for BatchNorm {
    fn kind(&self) -> &str {
        "batch_norm"
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        let features = features(x, self.epsilon)?;
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(Error::Setting {
                name: "the momentum",
                expected: "between 0 and 1",
                found: self.momentum,
            });
        }
        let scratch = features.checked_mul(PARTS).ok_or(Error::TooLarge)?;
        let mut plan = LayerPlan::new(x.shape.clone());
        if self.scale {
            plan = plan.parameter(gamma(features));
        }
        if self.center {
            plan = plan.parameter(beta(features));
        }
        Ok(plan
            .state(StateSpec::running(
                "moving_mean",
                [features],
                Initial::Fill(0.0),
            ))
            .state(StateSpec::running(
                "moving_variance",
                [features],
                Initial::Fill(1.0),
            ))
            .saved(SavedSpec {
                fixed: 2 * features,
                ..SavedSpec::default()
            })
            .scratch(ScratchSpec {
                per_row: 0,
                fixed: scratch,
            })
            .flops(4 * x.width() as u64))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (x, compute) = (pass.inputs.f32(0)?, pass.compute);
        let (gamma, beta) = self.indices();
        let gamma = gamma.map(|gamma| pass.parameters.get(gamma));
        let features = pass.state.get(0).len();
        let count = x.len() / features;
        let [mean, inverse, scale, zeros, _] = parts(pass.scratch, features);
        let beta = match beta {
            Some(beta) => pass.parameters.get(beta),
            None => {
                zeros.fill(0.0);
                &*zeros
            }
        };
        if of_the_batch(pass.mode, pass.training) && count > 0 {
            compute.column_sums(Matrix::new(x, count, features), mean);
            mean.iter_mut().for_each(|mean| *mean /= count as f32);
            compute.column_deviations(x, mean, inverse);
            inverse
                .iter_mut()
                .for_each(|square| *square /= count as f32);
            if !pass.next_state.is_empty() {
                for (index, batch) in [(0, &*mean), (1, &*inverse)] {
                    let moved = pass.next_state.get(index);
                    for (next, batch) in moved.iter_mut().zip(batch) {
                        *next = self.momentum * *next + (1.0 - self.momentum) * batch;
                    }
                }
            }
        } else {
            mean.copy_from_slice(pass.state.get(0));
            inverse.copy_from_slice(pass.state.get(1));
        }
        for (j, (inverse, scale)) in inverse.iter_mut().zip(&mut *scale).enumerate() {
            *inverse = 1.0 / (*inverse + self.epsilon).sqrt();
            *scale = gamma.map_or(*inverse, |gamma| gamma[j] * *inverse);
        }
        if !pass.saved.fixed.is_empty() {
            let (kept_mean, kept_inverse) = pass.saved.fixed.split_at_mut(features);
            kept_mean.copy_from_slice(mean);
            kept_inverse.copy_from_slice(inverse);
        }
        let rows = (
            Chunks::new(x, features),
            Chunks::new(&mut *pass.output, features),
        );
        compute.split(rows, ELEMENTS.div_ceil(features), |(x, y)| {
            compute
                .kernels
                .normalize_columns(x.data, mean, scale, beta, y.data);
        });
        Ok(())
    }

    /// With x̂ = (x − m)·r, r = 1/√(v + ε): dbeta = Σ dy, dgamma = Σ dy·x̂, and, over n numbers of the batch,
    /// dx = gamma·r·(dy − dbeta/n − x̂·dgamma/n). Running statistics are constants: dx = gamma·r·dy.
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let (x, compute) = (pass.inputs.f32(0)?, pass.compute);
        let (gamma, beta) = self.indices();
        let features = pass.saved.fixed.len() / 2;
        let count = x.len() / features;
        let (mean, inverse) = pass.saved.fixed.split_at(features);
        let dy = &*pass.output_gradient;
        let [a, b, c, dgamma, dbeta] = parts(pass.scratch, features);
        let of_the_batch = of_the_batch(pass.mode, pass.training);
        let learns = pass.training == Training::Trainable;
        if of_the_batch || learns {
            compute.column_sums(Matrix::new(dy, count, features), dbeta);
            compute.centred_column_dots(x, mean, dy, dgamma);
            compute.kernels.multiply(inverse, dgamma);
        }
        if learns {
            if let Some(gamma) = gamma {
                pass.parameter_gradients.get(gamma).copy_from_slice(dgamma);
            }
            if let Some(beta) = beta {
                pass.parameter_gradients.get(beta).copy_from_slice(dbeta);
            }
        }
        let gamma = gamma.map(|gamma| pass.parameters.get(gamma));
        let Some(dx) = pass.input_gradients.get(0) else {
            return Ok(());
        };
        let n = count.max(1) as f32;
        for j in 0..features {
            a[j] = gamma.map_or(inverse[j], |gamma| gamma[j] * inverse[j]);
            (b[j], c[j]) = if of_the_batch {
                (-(a[j] * inverse[j] * dgamma[j] / n), -(a[j] * dbeta[j] / n))
            } else {
                (0.0, 0.0)
            };
        }
        let rows = (
            Chunks::new(x, features),
            Chunks::new(dy, features),
            Chunks::new(dx, features),
        );
        compute.split(rows, ELEMENTS.div_ceil(features), |(x, dy, dx)| {
            let coefficients = [&*a, &*b, &*c];
            compute.kernels.normalize_columns_gradient(
                x.data,
                mean,
                dy.data,
                coefficients,
                dx.data,
            );
        });
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let x = pass.input(0)?;
        let (gamma, beta) = self.indices();
        let gamma = gamma.map(|gamma| pass.parameter(gamma));
        let beta = beta.map(|beta| pass.parameter(beta));
        let features = pass.state(0).len();
        let count = (x.len() / features) as f64;
        for feature in 0..features {
            let column = || x.iter().skip(feature).step_by(features);
            let (mean, variance) = if of_the_batch(pass.mode, pass.training) {
                let mean = column().sum::<f64>() / count;
                let squares: f64 = column().map(|x| (x - mean).powi(2)).sum();
                (mean, squares / count)
            } else {
                (pass.state(0)[feature], pass.state(1)[feature])
            };
            let inverse = (variance + f64::from(self.epsilon)).sqrt().recip();
            let y = pass.output.iter_mut().skip(feature).step_by(features);
            for (x, y) in column().zip(y) {
                *y = (x - mean) * inverse * gamma.map_or(1.0, |gamma| gamma[feature])
                    + beta.map_or(0.0, |beta| beta[feature]);
            }
        }
        Ok(true)
    }
}

/// Numbers a feature of workspace.
const PARTS: usize = 5;

fn parts(scratch: &mut [f32], features: usize) -> [&mut [f32]; PARTS] {
    let mut parts = scratch.chunks_exact_mut(features);
    std::array::from_fn(|_| parts.next().expect("the workspace was asked for"))
}

fn of_the_batch(mode: Mode, training: Training) -> bool {
    matches!(mode, Mode::Train { .. }) && training == Training::Trainable
}

/// Numbers on the last axis, where there are any, and an epsilon that makes sense.
pub(super) fn features(x: &RowType, epsilon: f32) -> Result<usize, Error> {
    x.expect_f32()?;
    if !epsilon.is_finite() || epsilon <= 0.0 {
        return Err(Error::Setting {
            name: "epsilon",
            expected: "finite and above 0",
            found: epsilon,
        });
    }
    match last(&x.shape) {
        0 => Err(Error::Width {
            expected: 1,
            found: 0,
        }),
        features => Ok(features),
    }
}

/// Rows of the same shape, with a gamma of ones and a beta of zeros.
pub(super) fn scaled(x: &RowType, features: usize) -> LayerPlan {
    LayerPlan::new(x.shape.clone())
        .parameter(gamma(features))
        .parameter(beta(features))
}

fn gamma(features: usize) -> ParameterSpec {
    ParameterSpec::new("gamma", [features], Role::Norm)
}

fn beta(features: usize) -> ParameterSpec {
    ParameterSpec::new("beta", [features], Role::Norm).initializer(Initializer::Zeros)
}
