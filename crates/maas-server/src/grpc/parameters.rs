//! Parameters of requests, responses and tensors.

use std::collections::BTreeMap;

use maas_service::{Parameter, Parameters};

use super::proto::InferParameter;
use super::proto::infer_parameter::ParameterChoice;

pub(super) fn read(parameters: BTreeMap<String, InferParameter>) -> Result<Parameters, String> {
    let read = |(name, parameter): (String, InferParameter)| match value(parameter) {
        Some(value) => Ok((name, value)),
        None => Err(format!(
            "parameter `{name}` must be a boolean, a finite number or a string"
        )),
    };
    parameters.into_iter().map(read).collect()
}

pub(super) fn write(parameters: Parameters) -> BTreeMap<String, InferParameter> {
    let write = |(name, value)| {
        let parameter_choice = match value {
            Parameter::Bool(value) => Some(ParameterChoice::BoolParam(value)),
            Parameter::Int(value) => Some(ParameterChoice::Int64Param(value)),
            Parameter::UInt(value) => Some(ParameterChoice::Uint64Param(value)),
            Parameter::Double(value) => Some(ParameterChoice::DoubleParam(value)),
            Parameter::String(value) => Some(ParameterChoice::StringParam(value)),
            _ => None,
        };
        (name, InferParameter { parameter_choice })
    };
    parameters.into_iter().map(write).collect()
}

fn value(parameter: InferParameter) -> Option<Parameter> {
    match parameter.parameter_choice? {
        ParameterChoice::BoolParam(value) => Some(value.into()),
        ParameterChoice::Int64Param(value) => Some(value.into()),
        ParameterChoice::Uint64Param(value) => Some(value.into()),
        ParameterChoice::DoubleParam(value) => value.is_finite().then(|| value.into()),
        ParameterChoice::StringParam(value) => Some(value.into()),
    }
}
