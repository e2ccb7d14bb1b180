use maas_nn::{
    Backward, Error, Forward, FromConfig, Layer, LayerPlan, ParameterSpec, Reference, Role,
    RowType, SavedSpec, ScratchSpec,
};
use serde_json::{Value, json};

/// y[t, o] = b[o] + Σ k[d, c, o] · x[t + d, c]: [time, channels] → [time − taps + 1, filters].
/// Windows are gathered into scratch and kept for the gradient of the kernel.
#[derive(Debug)]
pub(crate) struct Convolution {
    pub(crate) taps: usize,
    pub(crate) filters: usize,
}

impl Convolution {
    fn sizes(&self, shape: &[usize]) -> (usize, usize, usize) {
        let (time, channels) = (shape[0], shape[1]);
        (time, channels, time - self.taps + 1)
    }
}

impl Layer for Convolution {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn config(&self) -> Value {
        json!([self.taps, self.filters])
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        let &[time, channels] = &x.shape[..] else {
            return Err(Error::RowShape {
                expected: vec![self.taps, 1],
                found: x.shape.clone(),
            });
        };
        if time < self.taps || self.taps == 0 {
            return Err(Error::custom("the row is shorter than the window"));
        }
        let (steps, window) = (time - self.taps + 1, self.taps * channels);
        Ok(LayerPlan::new([steps, self.filters])
            .parameter(ParameterSpec::new(
                "kernel",
                [self.taps, channels, self.filters],
                Role::Weight,
            ))
            .parameter(ParameterSpec::new("bias", [self.filters], Role::Bias))
            .saved(SavedSpec {
                f32: steps * window,
                ..SavedSpec::default()
            })
            .scratch(ScratchSpec {
                per_row: steps * window,
                fixed: 0,
            })
            .flops((2 * steps * window * self.filters) as u64))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (time, channels, steps) = self.sizes(pass.inputs.row_shape(0));
        let window = self.taps * channels;
        let x = pass.inputs.f32(0)?;
        let windows = if pass.saved.f32.is_empty() {
            &mut *pass.scratch
        } else {
            &mut *pass.saved.f32
        };
        for (row, windows) in x
            .chunks_exact(time * channels)
            .zip(windows.chunks_exact_mut(steps * window))
        {
            for (t, gathered) in windows.chunks_exact_mut(window).enumerate() {
                gathered.copy_from_slice(&row[t * channels..t * channels + window]);
            }
        }
        let (kernel, bias) = (pass.parameters.get(0), pass.parameters.get(1));
        for (x, y) in windows
            .chunks_exact(window)
            .zip(pass.output.chunks_exact_mut(self.filters))
        {
            y.copy_from_slice(bias);
            for (&x, kernel) in x.iter().zip(kernel.chunks_exact(self.filters)) {
                pass.compute.kernels.axpy(x, kernel, y);
            }
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let (time, channels, steps) = self.sizes(pass.inputs.row_shape(0));
        let (window, kernels) = (self.taps * channels, pass.compute.kernels);
        let [dk, db] = pass.parameter_gradients.many([0, 1]);
        dk.fill(0.0);
        db.fill(0.0);
        let windows = pass.saved.f32.chunks_exact(window);
        for (x, dy) in windows.zip(pass.output_gradient.chunks_exact(self.filters)) {
            kernels.add(dy, db);
            for (&x, dk) in x.iter().zip(dk.chunks_exact_mut(self.filters)) {
                kernels.axpy(x, dy, dk);
            }
        }
        let Some(dx) = pass.input_gradients.get(0) else {
            return Ok(());
        };
        dx.fill(0.0);
        let kernel = pass.parameters.get(0);
        for (row, dx) in dx.chunks_exact_mut(time * channels).enumerate() {
            for t in 0..steps {
                let at = (row * steps + t) * self.filters;
                let dy = &pass.output_gradient[at..at + self.filters];
                for (dx, kernel) in dx[t * channels..]
                    .iter_mut()
                    .zip(kernel.chunks_exact(self.filters))
                {
                    *dx += kernels.dot(dy, kernel);
                }
            }
        }
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (time, channels, steps) = self.sizes(pass.row_shape(0));
        let (x, kernel, bias) = (pass.input(0)?, pass.parameter(0), pass.parameter(1));
        for (index, y) in pass.output.iter_mut().enumerate() {
            let (row, t, filter) = (
                index / (steps * self.filters),
                index / self.filters % steps,
                index % self.filters,
            );
            let taps = (0..self.taps * channels).map(|i| {
                kernel[i * self.filters + filter] * x[row * time * channels + t * channels + i]
            });
            *y = bias[filter] + taps.sum::<f64>();
        }
        Ok(true)
    }
}

impl FromConfig for Convolution {
    const KIND: &'static str = "convolution";

    fn from_config(config: &Value) -> Result<Self, Error> {
        let [taps, filters]: [usize; 2] =
            serde_json::from_value(config.clone()).map_err(Error::custom)?;
        Ok(Self { taps, filters })
    }
}
