use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use maas_core::{Context, Fnv, Model, Outputs, Tensor, TensorView};

use crate::caught::panicked;
use crate::check::Wanted;
use crate::{Description, NamedTensor, ServeError};

/// A model, and what all its runs have in common.
#[derive(Clone)]
pub(crate) struct Engine {
    pub(crate) model: Arc<dyn Model>,
    pub(crate) description: Arc<Description>,
    pub(crate) threads: NonZeroUsize,
    pub(crate) max_rows: usize,
    /// The names of the outputs.
    outputs: Vec<Arc<str>>,
    /// Whether rows of different requests may have different shapes.
    any_shape: bool,
}

impl Engine {
    pub(crate) fn of(
        model: Arc<dyn Model>,
        description: Arc<Description>,
        max_rows: usize,
    ) -> Self {
        let signature = &description.signature;
        let names = signature.outputs().iter().map(|spec| spec.name().into());
        let mut inputs = signature.inputs().iter();
        Self {
            outputs: names.collect(),
            any_shape: inputs.any(|spec| spec.fixed_row_shape().is_none()),
            threads: NonZeroUsize::MIN,
            max_rows,
            description,
            model,
        }
    }

    /// Runs the model. After an error, a panic among them, its context is not to be used again.
    pub(crate) fn run(
        &self,
        inputs: &[TensorView<'_>],
        rows: usize,
        outputs: &mut Outputs<'_>,
        context: &mut Context,
    ) -> Result<(), ServeError> {
        outputs.clear();
        catch_unwind(AssertUnwindSafe(|| {
            self.model.predict(inputs, outputs, context)
        }))
        .map_err(|panic| panicked(panic.as_ref()))?
        .map_err(ServeError::from_model)?;
        let signature = self.model.signature();
        signature
            .check_outputs(outputs, rows)
            .map_err(ServeError::Model)
    }

    /// The outputs that are wanted, under their names.
    pub(crate) fn named(
        &self,
        wanted: &Wanted,
        mut output: impl FnMut(usize) -> Result<Tensor, maas_core::Error>,
    ) -> Result<Vec<NamedTensor>, ServeError> {
        let mut named = Vec::with_capacity(wanted.len(self.outputs.len()));
        for position in wanted.positions(self.outputs.len()) {
            let tensor = output(position).map_err(ServeError::Model)?;
            let name = Arc::clone(&self.outputs[position]);
            named.push(NamedTensor::new(name, tensor));
        }
        Ok(named)
    }

    /// The same number for inputs whose rows may be put together.
    pub(crate) fn key(&self, inputs: &[TensorView<'_>]) -> u64 {
        if !self.any_shape {
            return 0;
        }
        let mut hash = Fnv::new();
        for input in inputs {
            hash.update(&[u8::MAX]);
            for length in input.shape().iter().skip(1) {
                hash.update(&length.to_le_bytes());
            }
        }
        hash.finish()
    }
}
