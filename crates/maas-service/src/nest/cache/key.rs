//! What makes two requests the same.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use maas_core::Tensor;

use crate::{InferRequest, NamedTensor, Parameter, Parameters, RequestedOutput};

/// All of a request that its answer may depend on, and the hash of it. A clone shares it.
#[derive(Clone)]
pub(super) struct Key {
    asked: Arc<Asked>,
    hash: u64,
}

#[derive(PartialEq)]
struct Asked {
    model: Arc<str>,
    version: Option<Arc<str>>,
    inputs: Vec<NamedTensor>,
    outputs: Vec<RequestedOutput>,
    parameters: Parameters,
}

impl Key {
    pub(super) fn of(request: &InferRequest, hasher: &impl BuildHasher) -> Self {
        let asked = Asked {
            model: Arc::clone(&request.model),
            version: request.version.clone(),
            inputs: request.inputs.clone(),
            outputs: request.outputs.clone(),
            parameters: request.parameters.clone(),
        };
        Self {
            hash: hasher.hash_one(&asked),
            asked: Arc::new(asked),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.asked.inputs)
    }
}

pub(super) fn bytes_of(tensors: &[NamedTensor]) -> usize {
    let bytes = |named: &NamedTensor| named.name.len() + named.tensor.bytes().len();
    tensors.iter().map(bytes).sum()
}

/// Equal in every byte: the hash alone does not decide.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.asked == other.asked
    }
}

/// Tensors are equal by their bytes, and parameters have no NaN.
impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Asked {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.model.hash(state);
        self.version.hash(state);
        state.write_usize(self.inputs.len());
        for input in &self.inputs {
            input.name.hash(state);
            hash_tensor(&input.tensor, state);
        }
        state.write_usize(self.outputs.len());
        for output in &self.outputs {
            output.name.hash(state);
            hash_parameters(&output.parameters, state);
        }
        hash_parameters(&self.parameters, state);
    }
}

fn hash_tensor(tensor: &Tensor, state: &mut impl Hasher) {
    tensor.dtype().hash(state);
    tensor.shape().hash(state);
    tensor.bytes().hash(state);
}

fn hash_parameters(parameters: &Parameters, state: &mut impl Hasher) {
    state.write_usize(parameters.len());
    for (name, value) in parameters.iter() {
        name.hash(state);
        match value {
            Parameter::Bool(value) => value.hash(state),
            Parameter::Int(value) => value.hash(state),
            Parameter::UInt(value) => value.hash(state),
            // -0.0 equals 0.0.
            Parameter::Double(value) => (value + 0.0).to_bits().hash(state),
            Parameter::String(value) => value.hash(state),
        }
    }
}
