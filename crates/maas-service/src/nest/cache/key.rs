//! What makes two requests the same.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use maas_core::Tensor;
use quick_cache::Equivalent;

use crate::{InferRequest, NamedTensor, Parameter, Parameters, RequestedOutput};

/// All of a request that its answer may depend on.
#[derive(Clone, Copy, PartialEq)]
struct Asked<'a> {
    model: &'a str,
    version: Option<&'a str>,
    inputs: &'a [NamedTensor],
    outputs: &'a [RequestedOutput],
    parameters: &'a Parameters,
}

impl<'a> Asked<'a> {
    fn of(request: &'a InferRequest) -> Self {
        Self {
            model: &request.model,
            version: request.version.as_deref(),
            inputs: &request.inputs,
            outputs: &request.outputs,
            parameters: &request.parameters,
        }
    }
}

/// A request that may have been asked before, and its hash, without a copy of anything.
pub(super) struct Asking<'a> {
    request: &'a InferRequest,
    hash: u64,
}

impl<'a> Asking<'a> {
    pub(super) fn of(request: &'a InferRequest, hasher: &impl BuildHasher) -> Self {
        Self {
            request,
            hash: hasher.hash_one(Asked::of(request)),
        }
    }

    /// Who asked takes memory and does not matter.
    pub(super) fn to_key(&self) -> Key {
        let mut request = self.request.clone();
        request.id = None;
        request.tenant = None;
        Key {
            request: Arc::new(request),
            hash: self.hash,
        }
    }
}

/// A request that was asked, and its hash. A clone shares it.
#[derive(Clone)]
pub(super) struct Key {
    request: Arc<InferRequest>,
    hash: u64,
}

impl Key {
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.request.inputs)
    }
}

pub(super) fn bytes_of(tensors: &[NamedTensor]) -> usize {
    let bytes = |named: &NamedTensor| named.name.len() + named.tensor.bytes().len();
    tensors.iter().map(bytes).sum()
}

/// Equal in every byte: the hash alone does not decide.
impl Equivalent<Key> for Asking<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.hash == key.hash && Asked::of(self.request) == Asked::of(&key.request)
    }
}

impl Hash for Asking<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && Asked::of(&self.request) == Asked::of(&other.request)
    }
}

/// Tensors are equal by their bytes, and parameters have no NaN.
impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.model.hash(state);
        self.version.hash(state);
        state.write_usize(self.inputs.len());
        for input in self.inputs {
            input.name.hash(state);
            hash_tensor(&input.tensor, state);
        }
        state.write_usize(self.outputs.len());
        for output in self.outputs {
            output.name.hash(state);
            hash_parameters(&output.parameters, state);
        }
        hash_parameters(self.parameters, state);
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
