//! Two servers with models of several kinds on free ports, for clients that are to be tried against them: everybody may ask the
//! first one, and who has a key the second.
//!
//! It writes their URLs as the first two lines and ends with its standard input.

use std::io::{Read, Write};

use maas_core::{DType, Error, FnModel, Outputs, Signature, TensorSpec, TensorView};
use maas_server::{ApiKey, Models, Server};
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
    models.add("linear", "1", Replicas::of(linear()?, 3))?;
    models.add("red wine Ü", "1", LocalModel::new(linear()?))?;
    for dtype in DType::ALL {
        models.add(format!("echo_{dtype}"), "1", echo(dtype)?)?;
    }
    let serve = || Server::new().models(models.clone()).bind("127.0.0.1:0");
    let open = serve().run_in_background()?;
    let locked = serve()
        .key(ApiKey::infer("page", "open sesame"))
        .run_in_background()?;
    writeln!(std::io::stdout(), "{}\n{}", open.url(), locked.url())?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    open.shutdown_blocking()?;
    locked.shutdown_blocking()?;
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
