//! Requests against signatures.

use maas_core::{Signature, TensorSpec, TensorView};

use crate::{NamedTensor, RequestedOutput, ServeError};

/// Which outputs are wanted, by their positions in the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    These(Vec<usize>),
}

/// Calls `run` with the inputs in the signature's order and the number of their rows.
pub(crate) fn with_inputs<R>(
    signature: &Signature,
    inputs: &[NamedTensor],
    run: impl FnOnce(&[TensorView<'_>], usize) -> R,
) -> Result<R, ServeError> {
    let specs = signature.inputs();
    let run = |views: &[TensorView<'_>]| {
        let rows = signature.check(views).map_err(ServeError::Input)?;
        Ok(run(views, rows))
    };
    // Most models have one or two inputs: their list is not worth an allocation.
    if let ([spec], [input]) = (specs, inputs)
        && *input.name == *spec.name()
    {
        return run(&[input.tensor.view()]);
    }
    for (index, input) in inputs.iter().enumerate() {
        if position(specs, &input.name).is_none() {
            return Err(ServeError::UnknownInput {
                name: input.name.to_string(),
                expected: names(specs),
            });
        }
        if inputs[..index].iter().any(|other| other.name == input.name) {
            return Err(ServeError::RepeatedInput {
                name: input.name.to_string(),
            });
        }
    }
    let find = |spec| input(spec, inputs);
    match specs {
        [first, second] => run(&[find(first)?, find(second)?]),
        _ => run(&specs.iter().map(find).collect::<Result<Vec<_>, _>>()?),
    }
}

/// The input of this name.
pub(crate) fn input<'a>(
    spec: &TensorSpec,
    inputs: &'a [NamedTensor],
) -> Result<TensorView<'a>, ServeError> {
    let mut inputs = inputs.iter();
    let input = inputs.find(|input| &*input.name == spec.name());
    let view = input.map(|input| input.tensor.view());
    view.ok_or_else(|| ServeError::MissingInput {
        name: spec.name().to_owned(),
    })
}

pub(crate) fn outputs(
    signature: &Signature,
    outputs: &[RequestedOutput],
) -> Result<Wanted, ServeError> {
    if outputs.is_empty() {
        return Ok(Wanted::All);
    }
    let specs = signature.outputs();
    let mut wanted = Vec::with_capacity(outputs.len().min(specs.len()));
    for output in outputs {
        let index = position(specs, &output.name).ok_or_else(|| ServeError::UnknownOutput {
            name: output.name.to_string(),
            expected: names(specs),
        })?;
        if wanted.contains(&index) {
            return Err(ServeError::RepeatedOutput {
                name: output.name.to_string(),
            });
        }
        wanted.push(index);
    }
    Ok(Wanted::These(wanted))
}

/// Whether an answer to so many rows is one of a model of this signature.
pub(crate) fn answer(
    signature: &Signature,
    outputs: &[NamedTensor],
    rows: usize,
) -> Result<(), ServeError> {
    let specs = signature.outputs();
    for output in outputs {
        let bad = |reason: String| ServeError::BadAnswer { reason };
        let index = position(specs, &output.name)
            .ok_or_else(|| bad(format!("no output is called `{}`", output.name)))?;
        let view = output.tensor.view();
        specs[index]
            .check(&view)
            .map_err(|error| bad(error.to_string()))?;
        if view.rows() != rows {
            let (name, found) = (&output.name, view.rows());
            return Err(bad(format!(
                "output `{name}` has {found} rows, {rows} expected"
            )));
        }
    }
    Ok(())
}

fn position(specs: &[TensorSpec], name: &str) -> Option<usize> {
    specs.iter().position(|spec| spec.name() == name)
}

fn names(specs: &[TensorSpec]) -> Vec<String> {
    specs.iter().map(|spec| spec.name().to_owned()).collect()
}
