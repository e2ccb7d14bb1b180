//! A model of another engine, served like one of ours: an ONNX file, run by `rten`, behind the trait `Model`.
//!
//! `cargo run --release --example serve_onnx` asks a small network of scikit-learn's; with `-- FILE` it serves any network that
//! takes and gives rows of 32-bit floats, until it is interrupted.

#![allow(clippy::print_stdout)]

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use maas::core::{Context, Dimension, Error, Model, Outputs, Signature, TensorView};
use maas::ndarray::array;
use maas::prelude::*;
use rten::{NodeId, ValueView};

/// A file's network, with its input and its output.
struct Onnx {
    model: rten::Model,
    input: NodeId,
    output: NodeId,
    signature: Signature,
}

impl Onnx {
    fn load(file: &Path) -> Result<Self> {
        let model = rten::Model::load_file(file)?;
        let (&[input], &[output]) = (model.input_ids(), model.output_ids()) else {
            bail!("expected a network with one input and one output");
        };
        let signature = Signature::new(spec(&model, input)?, spec(&model, output)?)?;
        Ok(Self {
            model,
            input,
            output,
            signature,
        })
    }

    /// The answer's rows and columns, and its values.
    fn run(&self, rows: &TensorView<'_>) -> Result<([usize; 2], Vec<f32>)> {
        let rows = ValueView::from_shape(rows.shape(), rows.as_slice::<f32>()?)?;
        let inputs = vec![(self.input, rows.into())];
        let [answer] = self.model.run_n(inputs, [self.output], None)?;
        Ok(answer.into_shape_vec()?)
    }
}

impl Model for Onnx {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn platform(&self) -> &str {
        "onnx_onnxv1"
    }

    fn predict(
        &self,
        inputs: &[TensorView<'_>],
        outputs: &mut Outputs<'_>,
        _context: &mut Context,
    ) -> Result<(), Error> {
        let (shape, values) = self
            .run(&inputs[0])
            .map_err(|error| Error::Model(error.into()))?;
        let mut answer = outputs.tensor(0, DType::Fp32, &shape)?;
        answer.as_mut_slice()?.copy_from_slice(&values);
        Ok(())
    }
}

/// What the file says of one of its values; what it leaves open is free.
fn spec(model: &rten::Model, id: NodeId) -> Result<TensorSpec> {
    let info = model
        .node_info(id)
        .context("the file does not say what its values are")?;
    let shape = info
        .shape()
        .context("the file does not say what shape its values have")?;
    let lengths = shape.into_iter().map(|dimension| match dimension {
        rten::Dimension::Fixed(length) => Dimension::Fixed(length),
        rten::Dimension::Symbolic(_) => Dimension::Free,
    });
    let name = info.name().context("a value has no name")?;
    Ok(TensorSpec::new(
        name,
        DType::Fp32,
        lengths.collect::<Vec<_>>(),
    )?)
}

fn main() -> Result<()> {
    let given = env::args().nth(1).map(PathBuf::from);
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/wine.onnx");
    let file = given.as_ref().unwrap_or(&ours);
    let network =
        Onnx::load(file).with_context(|| format!("{} cannot be served", file.display()))?;
    let server = Server::new()
        .model("onnx", Replicas::of(network, 2))
        .bind("127.0.0.1:0")
        .run_in_background()?;
    println!("curl {}/v2/models/onnx", server.url());
    if given.is_some() {
        return Ok(server.wait_blocking()?);
    }

    let client = Client::new(server.url())?;
    let wine = array![[
        7.4, 0.7, 0.0, 1.9, 0.076, 11.0, 34.0, 0.9978, 3.51, 0.56, 9.4
    ]];
    let grade = client.infer("onnx", wine.view())?.rows()?[[0, 0]];
    println!("the first wine of the data gets {grade:.3}");
    // What ONNX Runtime says of the same row.
    ensure!(
        (grade - 4.987_472).abs() < 1e-4,
        "expected 4.987, found {grade}"
    );
    Ok(server.shutdown_blocking()?)
}
