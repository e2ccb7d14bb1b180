//! The seams, from outside: layers and a loss that a user wrote, checked, trained by hand, saved and loaded.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use maas_core::{DType, Seed, TensorSpec, Values};
use maas_nn::{
    Backward, Error, Forward, FromConfig, Graph, Initial, Layer, LayerPlan, Layers, Loss,
    LossBatch, MeanSquaredError, Mode, Network, ParameterSpec, Plan, PlanOptions, Precision,
    Reference, Role, RowType, SavedSpec, ScratchSpec, Sequential, StateSpec, Targets,
    check_gradients,
};
use serde_json::{Value, json};

/// y = x₀ + x₁
#[derive(Debug)]
struct ResidualSum;

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

/// Looks each id up in a table: [ids] → [ids, width].
#[derive(Debug)]
struct Embedding {
    vocabulary: usize,
    width: usize,
}

impl Embedding {
    fn id(&self, id: i32) -> Result<usize, Error> {
        usize::try_from(id)
            .ok()
            .filter(|&id| id < self.vocabulary)
            .ok_or_else(|| {
                Error::custom(format!(
                    "id {id} is outside a vocabulary of {}",
                    self.vocabulary
                ))
            })
    }
}

impl Layer for Embedding {
    fn kind(&self) -> &str {
        Self::KIND
    }

    fn config(&self) -> Value {
        json!({ "vocabulary": self.vocabulary, "width": self.width })
    }

    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [ids] = RowType::exactly(inputs)?;
        ids.expect_i32()?;
        let mut output = ids.shape.clone();
        output.push(self.width);
        Ok(LayerPlan::new(output).parameter(ParameterSpec::new(
            "table",
            [self.vocabulary, self.width],
            Role::Embedding,
        )))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let table = pass.parameters.get(0);
        for (&id, y) in pass
            .inputs
            .i32(0)?
            .iter()
            .zip(pass.output.chunks_exact_mut(self.width))
        {
            let id = self.id(id)?;
            y.copy_from_slice(&table[id * self.width..(id + 1) * self.width]);
        }
        Ok(())
    }

    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let table = pass.parameter_gradients.get(0);
        table.fill(0.0);
        for (&id, dy) in pass
            .inputs
            .i32(0)?
            .iter()
            .zip(pass.output_gradient.chunks_exact(self.width))
        {
            let id = self.id(id)?;
            pass.compute
                .kernels
                .add(dy, &mut table[id * self.width..(id + 1) * self.width]);
        }
        assert!(
            pass.input_gradients.get(0).is_none(),
            "ids have no gradient"
        );
        Ok(())
    }

    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (ids, table) = (pass.ids(0)?, pass.parameter(0));
        for (&id, y) in ids.iter().zip(pass.output.chunks_exact_mut(self.width)) {
            let id = self.id(id)?;
            y.copy_from_slice(&table[id * self.width..(id + 1) * self.width]);
        }
        Ok(true)
    }
}

impl FromConfig for Embedding {
    const KIND: &'static str = "embedding";

    fn from_config(config: &Value) -> Result<Self, Error> {
        let number = |key: &str| {
            let number = config[key].as_u64().and_then(|n| usize::try_from(n).ok());
            number.ok_or_else(|| Error::custom(format!("`{key}` is no count")))
        };
        Ok(Self {
            vocabulary: number("vocabulary")?,
            width: number("width")?,
        })
    }
}

/// y[t, o] = b[o] + Σ k[d, c, o] · x[t + d, c]: [time, channels] → [time − taps + 1, filters].
/// Windows are gathered into scratch and kept for the gradient of the kernel.
#[derive(Debug)]
struct Convolution {
    taps: usize,
    filters: usize,
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

/// The mean over the first axis, without a reference: its check falls back on single precision.
#[derive(Debug)]
struct MeanOverTime;

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

/// y = x · momentum-averaged scale: what batch normalisation needs of the seam for state. In training it divides by
/// the root mean square of the batch and moves a running one on; answers use the running one.
#[derive(Debug)]
struct BatchScale;

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

/// The mean of ln cosh(p − t).
#[derive(Debug)]
struct LogCosh;

impl Loss for LogCosh {
    fn name(&self) -> &str {
        "log_cosh"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        let targets = batch.values(self.name())?;
        let n = targets.len() as f32;
        let differences = || batch.predictions.iter().zip(targets).map(|(p, t)| p - t);
        if let Some(gradient) = gradient {
            gradient
                .iter_mut()
                .zip(differences())
                .for_each(|(g, d)| *g = d.tanh() / n);
        }
        Ok(differences().map(|d| d.cosh().ln()).sum::<f32>() / n)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        let targets = batch.values(self.name())?;
        let terms = predictions
            .iter()
            .zip(targets)
            .map(|(p, &t)| (p - f64::from(t)).cosh().ln());
        Ok(Some(terms.sum::<f64>() / targets.len() as f64))
    }
}

fn layers() -> Layers {
    Layers::standard()
        .with::<ResidualSum>()
        .with::<Embedding>()
        .with::<Convolution>()
        .with::<MeanOverTime>()
        .with::<BatchScale>()
}

const ROWS: usize = 16;

/// Checks gradients, trains by hand, θ ← θ − α ∇J(θ), until the loss falls to a third, saves, loads, and compares answers bit by bit.
fn through_all_stages(
    mut network: Network,
    loss: &dyn Loss,
    inputs: &[Values<'_>],
    precision: Precision,
    learning_rate: f32,
) {
    let targets = numbers(ROWS * network.output_width(), 77);
    let report = check_gradients(&network, loss, inputs, Targets::Values(&targets), 1e-3).unwrap();
    assert_eq!(report.precision, precision, "{report}");

    let mut plan = Plan::new(&network, PlanOptions::train(ROWS)).unwrap();
    for (index, &values) in inputs.iter().enumerate() {
        plan.set_input(index, ROWS, values).unwrap();
    }
    let mut losses = Vec::new();
    for step in 0..400 {
        plan.forward(ROWS, &network, Mode::train(Seed(1), step))
            .unwrap();
        let (predictions, gradient) = plan.head(ROWS);
        let batch = LossBatch::new(predictions, Targets::Values(&targets), ROWS).unwrap();
        losses.push(loss.evaluate(&batch, Some(gradient)).unwrap());
        plan.backward(ROWS, &network).unwrap();
        for (theta, g) in network.parameters_mut().iter_mut().zip(plan.gradient()) {
            *theta -= learning_rate * g;
        }
        if let Some(state) = plan.next_state() {
            network.set_state(state).unwrap();
        }
    }
    assert!(
        losses[399] < losses[0] / 3.0,
        "{} to {}",
        losses[0],
        losses[399]
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    network.save(&path).unwrap();
    assert!(
        matches!(Network::load(&path), Err(Error::Layer { .. })),
        "the table is explicit"
    );
    let loaded = Network::load_with(&path, &layers()).unwrap();
    assert_eq!(loaded.fingerprint(), network.fingerprint());
    let answers = |network: &Network| {
        network
            .predict_values(ROWS, inputs)
            .unwrap()
            .mapv(f32::to_bits)
    };
    assert_eq!(answers(&loaded), answers(&network));
}

#[test]
fn a_residual_sum_and_a_loss() {
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[6]));
    let x = graph.input(0);
    let first = graph.dense(x, 8);
    let h = graph.relu(first);
    let h = graph.dense(h, 8);
    let sum = graph.layer(ResidualSum, &[h, first]);
    // Both inputs of the second sum are the same value.
    let sum = graph.layer(ResidualSum, &[sum, sum]);
    let y = graph.dense(sum, 2);
    let network = graph.build(y, Seed(3)).unwrap();
    through_all_stages(
        network,
        &LogCosh,
        &[Values::F32(&numbers(ROWS * 6, 4))],
        Precision::Double,
        0.2,
    );
}

#[test]
fn an_embedding_over_integer_ids() {
    let network = Sequential::new(TensorSpec::rows("ids", DType::Int32, &[5]))
        .layer(Embedding {
            vocabulary: 12,
            width: 4,
        })
        .flatten()
        .dense(8)
        .tanh()
        .dense(1)
        .build(Seed(5))
        .unwrap();
    let ids: Vec<i32> = numbers(ROWS * 5, 6)
        .iter()
        .map(|x| ((x + 1.0) * 6.0) as i32)
        .collect();
    through_all_stages(
        network,
        &MeanSquaredError,
        &[Values::I32(&ids)],
        Precision::Double,
        0.2,
    );
}

#[test]
fn ids_beyond_the_vocabulary_are_an_error() {
    let network = Sequential::new(TensorSpec::rows("ids", DType::Int32, &[2]))
        .layer(Embedding {
            vocabulary: 12,
            width: 4,
        })
        .build(Seed(5))
        .unwrap();
    for id in [12, -1] {
        let error = network
            .predict_values(1, &[Values::I32(&[0, id])])
            .unwrap_err();
        let Error::Layer { layer, source } = error else {
            panic!("{error}")
        };
        assert_eq!(
            (layer.as_str(), source.to_string()),
            (
                "embedding",
                format!("id {id} is outside a vocabulary of 12")
            )
        );
    }
    // The plan still works after a failed pass.
    let mut plan = Plan::new(&network, PlanOptions::infer(1)).unwrap();
    plan.set_input(0, 1, Values::I32(&[0, 99])).unwrap();
    assert!(plan.forward(1, &network, Mode::Infer).is_err());
    plan.set_input(0, 1, Values::I32(&[0, 1])).unwrap();
    plan.forward(1, &network, Mode::Infer).unwrap();
    assert_eq!(
        plan.output(),
        &network
            .segment("embedding.table")
            .unwrap()
            .as_slice()
            .unwrap()[..8]
    );
}

#[test]
fn a_layer_over_three_axes() {
    let network = Sequential::new(TensorSpec::rows("signal", DType::Fp32, &[9, 2]))
        .layer(Convolution {
            taps: 3,
            filters: 4,
        })
        .tanh()
        .layer(Convolution {
            taps: 2,
            filters: 3,
        })
        .flatten()
        .dense(1)
        .build(Seed(6))
        .unwrap();
    assert_eq!(
        network.segment("convolution.kernel").unwrap().shape(),
        [3, 2, 4]
    );
    through_all_stages(
        network,
        &LogCosh,
        &[Values::F32(&numbers(ROWS * 18, 7))],
        Precision::Double,
        0.2,
    );
}

#[test]
fn layers_without_a_reference_and_with_running_state() {
    let network = Sequential::new(TensorSpec::rows("signal", DType::Fp32, &[5, 4]))
        .dense(16)
        .tanh()
        .layer(MeanOverTime)
        .layer(BatchScale)
        .dense(1)
        .build(Seed(8))
        .unwrap();
    let before = network.state().to_vec();
    let x = numbers(ROWS * 20, 9);
    let mut plan = Plan::new(&network, PlanOptions::train(ROWS)).unwrap();
    plan.set_input(0, ROWS, Values::F32(&x)).unwrap();
    plan.forward(ROWS, &network, Mode::train(Seed(0), 0))
        .unwrap();
    assert_ne!(
        plan.next_state().unwrap(),
        before,
        "training moves the state on"
    );
    let moved = plan.next_state().unwrap().to_vec();
    plan.forward(ROWS, &network, Mode::Infer).unwrap();
    assert_eq!(plan.next_state().unwrap(), moved, "answers do not");
    through_all_stages(
        network,
        &MeanSquaredError,
        &[Values::F32(&x)],
        Precision::Single,
        0.02,
    );
}

#[test]
fn several_inputs_of_different_types() {
    let mut graph = Graph::new([
        TensorSpec::rows("ids", DType::Int32, &[3]),
        TensorSpec::rows("x", DType::Fp32, &[12]),
    ]);
    let (ids, x1) = (graph.input(0), graph.input(1));
    let table = graph.layer(
        Embedding {
            vocabulary: 5,
            width: 4,
        },
        &[ids],
    );
    let table = graph.flatten(table);
    let sum = graph.layer(ResidualSum, &[table, x1]);
    let h = graph.dense(sum, 16);
    let h = graph.activation(h, maas_nn::Activation::Silu);
    let y = graph.dense(h, 1);
    let network = graph.build(y, Seed(9)).unwrap();
    let ids: Vec<i32> = (0..ROWS as i32 * 3).map(|i| i * 3 % 5).collect();
    let x = numbers(ROWS * 12, 10);
    through_all_stages(
        network,
        &MeanSquaredError,
        &[Values::I32(&ids), Values::F32(&x)],
        Precision::Double,
        0.2,
    );
}
