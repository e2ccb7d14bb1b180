use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI, FRAC_2_SQRT_PI};

use maas_kernels::Activation;

use super::elements_of;
use crate::reference::Reference;
use crate::spec::ActivationName;
use crate::{Backward, Error, Forward, Layer, LayerPlan, RowType};

/// y = f(x), element by element.
#[derive(Debug)]
pub(crate) struct Elementwise(pub(crate) Activation);

impl Layer for Elementwise {
    fn kind(&self) -> &str {
        self.0.field_name()
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        let setting = match self.0 {
            Activation::LeakyRelu { slope } => Some(("the slope", slope)),
            Activation::Elu { alpha } => Some(("alpha", alpha)),
            _ => None,
        };
        if let Some((name, found)) = setting.filter(|(_, found)| !found.is_finite()) {
            return Err(Error::Setting {
                name,
                expected: "finite",
                found,
            });
        }
        Ok(LayerPlan::new(x.shape.clone())
            .flops(x.width() as u64)
            .by_rows())
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let compute = pass.compute;
        let parts = (pass.inputs.f32(0)?, &mut *pass.output);
        compute.split(parts, elements_of(self.0), |(x, y)| {
            compute.kernels.activate(self.0, x, y);
        });
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let Some(dx) = pass.input_gradients.get(0) else {
            return Ok(());
        };
        let saved = if self.0.derivative_from_output() {
            pass.output
        } else {
            pass.inputs.f32(0)?
        };
        let compute = pass.compute;
        let parts = (saved, &*pass.output_gradient, dx);
        compute.split(parts, elements_of(self.0), |(saved, dy, dx)| {
            compute.kernels.activation_gradient(self.0, saved, dy, dx);
        });
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        for (&x, y) in pass.input(0)?.iter().zip(&mut *pass.output) {
            *y = reference(self.0, x);
        }
        Ok(true)
    }
}

/// f(x) in double precision.
pub(crate) fn reference(activation: Activation, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu { slope } if x < 0.0 => f64::from(slope) * x,
        Activation::Elu { alpha } if x < 0.0 => f64::from(alpha) * x.exp_m1(),
        Activation::Selu if x < 0.0 => SELU_SCALE * SELU_ALPHA * x.exp_m1(),
        Activation::Selu => SELU_SCALE * x,
        Activation::Gelu => 0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2)),
        Activation::GeluTanh => {
            0.5 * x * (1.0 + (FRAC_2_PI.sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
        }
        Activation::Silu => x * sigmoid(x),
        Activation::Mish => x * softplus(x).tanh(),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
        Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Softplus => softplus(x),
        Activation::Softsign => x / (1.0 + x.abs()),
        _ => x,
    }
}

const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// erf(x) = 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)), whose terms all have one sign.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 * sum.abs() {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::erf;

    #[test]
    fn erf_is_known() {
        // Abramowitz and Stegun, table 7.1.
        for (x, y) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_8),
            (1.0, 0.842_700_792_9),
            (2.0, 0.995_322_265_0),
        ] {
            assert!((erf(x) - y).abs() < 1e-10, "{x}");
            assert!((erf(-x) + y).abs() < 1e-10, "{x}");
        }
    }
}
