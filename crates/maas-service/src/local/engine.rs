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
    pub(crate) fn of(model: Arc<dyn Model>, description: Description, max_rows: usize) -> Self {
        let description = Arc::new(Description {
            max_rows: Some(max_rows),
            ..description
        });
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

    pub(crate) fn limit_rows(&mut self, max_rows: usize) {
        self.max_rows = max_rows;
        Arc::make_mut(&mut self.description).max_rows = Some(max_rows);
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
        self.description
            .signature
            .check_outputs(outputs, rows)
            .map_err(ServeError::Model)
    }

    /// The outputs that are wanted, under their names, in a list that is empty.
    pub(crate) fn named(
        &self,
        wanted: &Wanted,
        mut list: Vec<NamedTensor>,
        mut output: impl FnMut(usize) -> Result<Tensor, maas_core::Error>,
    ) -> Result<Vec<NamedTensor>, ServeError> {
        let mut push = |position: usize| -> Result<(), ServeError> {
            let tensor = output(position).map_err(ServeError::Model)?;
            let name = Arc::clone(&self.outputs[position]);
            list.push(NamedTensor::new(name, tensor));
            Ok(())
        };
        match wanted {
            Wanted::All => (0..self.outputs.len()).try_for_each(&mut push),
            Wanted::These(positions) => positions.iter().copied().try_for_each(&mut push),
        }
        .map(|()| list)
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
