//! A model with all that a call of it needs, and what the call takes.

use std::{num::NonZeroUsize, time::Instant};

use maas_core::{Context, Error, Model, Outputs, TensorView};

pub(crate) struct Served {
    model: Box<dyn Model>,
    rows: Vec<f32>,
    shape: [usize; 2],
    context: Context,
    outputs: Outputs<'static>,
}

impl Served {
    pub(crate) fn new(
        model: impl Model,
        shape: [usize; 2],
        rows: Vec<f32>,
        threads: NonZeroUsize,
    ) -> Result<Self, Error> {
        let mut context = Context::of(&model, shape[0])?;
        context.threads = threads;
        Ok(Self {
            model: Box::new(model),
            rows,
            shape,
            context,
            outputs: Outputs::new(),
        })
    }

    fn call(&mut self) -> Result<(), Error> {
        let rows = TensorView::from_slice(&self.shape, &self.rows)?;
        self.model
            .predict(&[rows], &mut self.outputs, &mut self.context)
    }

    pub(crate) fn answers(&mut self) -> Result<Vec<f32>, Error> {
        self.call()?;
        Ok(self.outputs.get(0)?.as_slice()?.to_vec())
    }

    /// Of a call, by the least of five blocks that last so long, after one that is not counted.
    pub(crate) fn seconds(&mut self, block: f64) -> Result<f64, Error> {
        let once = self.block(1)?;
        let calls = ((block / once).round() as usize).max(1);
        self.block(calls)?;
        let mut least = f64::INFINITY;
        for _ in 0..5 {
            least = least.min(self.block(calls)?);
        }
        Ok(least)
    }

    fn block(&mut self, calls: usize) -> Result<f64, Error> {
        let start = Instant::now();
        for _ in 0..calls {
            self.call()?;
        }
        Ok(start.elapsed().as_secs_f64() / calls as f64)
    }
}
