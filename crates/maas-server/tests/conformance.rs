//! Our server against the checks for servers of the protocol: a model of each type, one of two inputs, and one with a difficult name.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{echo, sums};
use maas_conformance::{Target, Verdict, run};
use maas_core::{DType, FnModel, Outputs, Signature, TensorSpec, TensorView};
use maas_server::Server;
use maas_service::LocalModel;

const TYPES: [DType; 14] = [
    DType::Bool,
    DType::Int8,
    DType::Int16,
    DType::Int32,
    DType::Int64,
    DType::UInt8,
    DType::UInt16,
    DType::UInt32,
    DType::UInt64,
    DType::Fp16,
    DType::Bf16,
    DType::Fp32,
    DType::Fp64,
    DType::Bytes,
];

fn swap() -> LocalModel {
    let rows = |name: &str, dtype| TensorSpec::rows(name, dtype, &[2]);
    let inputs = [rows("a", DType::Fp32), rows("b", DType::Int32)];
    let outputs = [rows("b", DType::Int32), rows("a", DType::Fp32)];
    let signature = Signature::new(inputs, outputs).unwrap();
    LocalModel::new(FnModel::new(
        signature,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            outputs.copy(0, &inputs[1])?;
            outputs.copy(1, &inputs[0])
        },
    ))
}

#[test]
fn the_server_speaks_the_protocol() {
    let mut server = Server::new()
        .model("red wine/Ü", LocalModel::new(sums(|_| {})))
        .model("swap", swap())
        .bind("127.0.0.1:0");
    let mut models = vec!["red wine/Ü".to_owned(), "swap".to_owned()];
    for dtype in TYPES {
        server = server.model(dtype.name(), echo(dtype));
        models.push(dtype.name().to_owned());
    }
    let server = server.run_in_background().unwrap();
    let mut failed = Vec::new();
    let mut passed = std::collections::BTreeSet::new();
    for model in &models {
        for outcome in run(&Target::new(&server.url(), model)) {
            match outcome.result {
                Ok(Verdict::Passed) => drop(passed.insert(outcome.check)),
                Ok(Verdict::Skipped) => {}
                Err(_) => failed.push(format!("{model}: {outcome}")),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let never: Vec<_> = run(&Target::new(&server.url(), "swap"))
        .into_iter()
        .filter(|outcome| !passed.contains(outcome.check))
        .collect();
    assert!(never.is_empty(), "nobody passed {never:?}");
    server.shutdown_blocking().unwrap();
}
