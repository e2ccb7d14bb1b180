//! A server with models of several kinds on a free port, for clients that are to be tried against it.
//!
//! It writes its URL as the first line and ends with its standard input.

use std::io::{Read, Write};

use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
use maas_server::{Models, Server};
use maas_service::{LocalModel, Replicas, Shadow};

const WEIGHTS: [f32; 3] = [0.1, -2.0, 30.0];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let echo = |dtype: DType| {
        let signature = Signature::new(
            TensorSpec::rows("in", dtype, &[2]),
            TensorSpec::rows("out", dtype, &[2]),
        );
        let model = FnModel::new(
            signature?,
            |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| outputs.copy(0, &inputs[0]),
        );
        Ok::<_, Error>(LocalModel::new(model))
    };
    let models = Models::new();
    for version in ["1", "2", "3"] {
        models.add("blend", version, Replicas::of(linear()?, 2))?;
    }
    models.weigh("blend", [("1", 9), ("2", 1)])?;
    models.label("blend", "stable", "1")?;
    models.shadow("blend", Shadow::of("3"))?;
    let mut server = Server::new()
        .models(models)
        .model("linear", Replicas::of(linear()?, 3))
        .model("red wine Ü", LocalModel::new(linear()?));
    for dtype in DType::ALL {
        server = server.model(format!("echo_{dtype}"), echo(dtype)?);
    }
    let running = server.bind("127.0.0.1:0").run_in_background()?;
    writeln!(std::io::stdout(), "{}", running.url())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    running.shutdown_blocking()?;
    Ok(())
}

/// y = w · x + 1
fn linear() -> Result<impl maas_core::Model, Error> {
    let signature = Signature::new(
        TensorSpec::rows("x", DType::Fp32, &[3]),
        TensorSpec::rows("y", DType::Fp32, &[1]),
    )?;
    Ok(FnModel::new(
        signature,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            let mut y = outputs.tensor(0, DType::Fp32, &[inputs[0].rows(), 1])?;
            let rows = inputs[0].as_slice::<f32>()?.chunks_exact(3);
            for (y, row) in y.as_mut_slice::<f32>()?.iter_mut().zip(rows) {
                *y = row
                    .iter()
                    .zip(WEIGHTS)
                    .fold(1.0, |sum, (x, w)| w.mul_add(*x, sum));
            }
            Ok::<(), Error>(())
        },
    ))
}
