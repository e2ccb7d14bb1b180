//! A layer of one's own: declared, checked against every law, trained, saved and loaded.
//!
//! `cargo run --release --example custom_layer`
//!
//! The layer learns which of its inputs matter: y = x ⊙ σ(g), with one number g a feature.

#![allow(clippy::print_stdout)]

use anyhow::Result;
use maas::ndarray::Array2;
use maas::nn::check::LayerLaws;
use maas::nn::{
    Backward, Error, Forward, FromConfig, LayerPlan, ParameterSpec, Reference, Role, RowType,
    ScratchSpec,
};
use maas::prelude::*;

/// y = x ⊙ σ(g).
#[derive(Debug)]
struct Gate;

impl Layer for Gate {
    fn kind(&self) -> &str {
        Self::KIND
    }

    /// What the layer needs for rows of this type; types that do not fit are refused here.
    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, Error> {
        let [x] = RowType::exactly(inputs)?;
        x.expect_f32()?;
        let gate = ParameterSpec::new("gate", [x.width()], Role::Norm);
        Ok(LayerPlan::new(x.shape.clone())
            .parameter(gate.initializer(Initializer::Zeros))
            .scratch(ScratchSpec {
                per_row: 0,
                fixed: 2 * x.width(),
            })
            .flops(x.width() as u64))
    }

    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), Error> {
        let (x, kernels) = (pass.inputs.f32(0)?, pass.compute.kernels);
        let gate = pass.parameters.get(0);
        let open = &mut pass.scratch[..gate.len()];
        kernels.sigmoid(gate, open);
        pass.output.copy_from_slice(x);
        for y in pass.output.chunks_exact_mut(open.len().max(1)) {
            kernels.multiply(open, y);
        }
        Ok(())
    }

    /// dx = dy ⊙ σ(g), dg = Σ dy ⊙ x ⊙ σ′(g) over the rows.
    fn backward(&self, pass: &mut Backward<'_>) -> Result<(), Error> {
        let (x, kernels) = (pass.inputs.f32(0)?, pass.compute.kernels);
        let gate = pass.parameters.get(0);
        let width = gate.len().max(1);
        let (open, product) = pass.scratch.split_at_mut(gate.len());
        kernels.sigmoid(gate, open);
        let dy = &*pass.output_gradient;

        let gradient = pass.parameter_gradients.get(0);
        gradient.fill(0.0);
        for (x, dy) in x.chunks_exact(width).zip(dy.chunks_exact(width)) {
            product.copy_from_slice(x);
            kernels.multiply(dy, product);
            kernels.add(product, gradient);
        }
        kernels.activation_gradient_in_place(Activation::Sigmoid, open, gradient);

        if let Some(dx) = pass.input_gradients.get(0) {
            dx.copy_from_slice(dy);
            for dx in dx.chunks_exact_mut(width) {
                kernels.multiply(open, dx);
            }
        }
        Ok(())
    }

    /// The same in double precision, slow and obvious: it makes the check of gradients sharp.
    fn reference(&self, pass: &mut Reference<'_>) -> Result<bool, Error> {
        let (x, gate) = (pass.input(0)?, pass.parameter(0));
        for (index, (x, y)) in x.iter().zip(&mut *pass.output).enumerate() {
            *y = x / (1.0 + (-gate[index % gate.len()]).exp());
        }
        Ok(true)
    }
}

/// How a file's words become the layer again.
impl FromConfig for Gate {
    const KIND: &'static str = "gate";

    fn from_config(_: &serde_json::Value) -> Result<Self, Error> {
        Ok(Self)
    }
}

fn main() -> Result<()> {
    // Gradients, the same bits however a pass is run, errors instead of panics, files: all of it belongs in a test.
    let report = LayerLaws::of(Gate, [RowType::f32([6])]).check()?;
    println!("{report}");

    // Of six features two matter: y = x₁ · x₄.
    let x = Array2::from_shape_fn((2000, 6), |(row, column)| {
        (Seed(3).derive((row * 6 + column) as u64).0 >> 40) as f32 / 8_388_608.0 - 1.0
    });
    let y = Array2::from_shape_fn((2000, 1), |(row, _)| x[[row, 1]] * x[[row, 4]]);
    let data = Dataset::new(x.view(), y.view())?;
    let mut network = Sequential::new(data.features())
        .layer(Gate)
        .dense(32)
        .tanh()
        .dense(1)
        .build(Seed(7))?;
    let history = Trainer::new(Adam::new(5e-3), MeanSquaredError)
        .epochs(60)
        .progress(Progress::Quiet)
        .fit(&mut network, &data)?;
    println!(
        "loss {:.5} to {:.5}",
        history.epochs[0].loss, history.epochs[59].loss
    );
    println!("gates {:.2}", network.segment("gate.gate")?);

    let bytes = network.to_bytes();
    let loaded = Network::from_bytes_with(&bytes, &Layers::standard().with::<Gate>())?;
    assert_eq!(loaded.fingerprint(), network.fingerprint());
    println!("saved and loaded: {} bytes", bytes.len());
    Ok(())
}
