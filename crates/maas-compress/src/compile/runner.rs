use maas_core::{Context, Model, Outputs, TensorView};

/// A model with everything that a call needs, so that calls allocate nothing.
#[derive(Debug)]
pub(crate) struct Runner<'a, M: ?Sized> {
    model: &'a M,
    context: Context,
    outputs: Outputs<'static>,
}

impl<'a, M: Model + ?Sized> Runner<'a, M> {
    pub(crate) fn new(model: &'a M, target: &super::Target) -> Result<Self, maas_core::Error> {
        let mut context = Context::of(model, target.rows)?;
        context.threads = target.threads;
        Ok(Self {
            model,
            context,
            outputs: Outputs::new(),
        })
    }

    pub(crate) fn call(&mut self, inputs: &[TensorView<'_>]) -> Result<(), maas_core::Error> {
        self.model
            .predict(inputs, &mut self.outputs, &mut self.context)
    }
}
