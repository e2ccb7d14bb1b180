//! A network learns from what another one says (Hinton, Vinyals & Dean, *Distilling the knowledge in a neural network*, 2015).

use anyhow::Result;
use maas::data::{Input, Targets};
use maas::nn::Link;
use maas::prelude::*;

/// How much the teacher's probabilities are evened out: logits are divided by it.
const TEMPERATURE: f32 = 2.0;

/// The rows of these data, to be answered as the teacher answers them.
pub(crate) fn lesson(teacher: &Network, data: &Dataset) -> Result<Dataset> {
    let inputs: Vec<Input> = data.inputs().to_vec();
    let values: Vec<_> = inputs.iter().map(Input::values).collect();
    let mut answers = teacher.predict_values(data.rows(), &values)?;
    for mut row in answers.rows_mut() {
        row.map_inplace(|probability| *probability = probability.powf(1.0 / TEMPERATURE));
        let sum = row.sum();
        row.map_inplace(|probability| *probability /= sum);
    }
    let targets = Targets::Values {
        width: answers.ncols(),
        data: answers.into_iter().collect(),
    };
    Ok(Dataset::from_inputs(inputs, targets)?)
}

/// T²·H(p, softmax(z/T)) for logits z and the teacher's probabilities p, which have been evened out in the same way.
#[derive(Debug)]
pub(crate) struct Distillation;

impl Loss for Distillation {
    fn name(&self) -> &str {
        "distillation"
    }

    fn config(&self) -> serde_json::Value {
        serde_json::json!({ "temperature": TEMPERATURE })
    }

    fn link(&self) -> Link {
        Link::Softmax
    }

    fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
    ) -> Result<f32, maas::nn::Error> {
        let logits: Vec<f32> = batch.predictions.iter().map(|z| z / TEMPERATURE).collect();
        let cooled = LossBatch::new(&logits, batch.targets, batch.rows)?
            .weights(batch.weights)?
            .compute(batch.compute);
        let loss = CategoricalCrossEntropy.evaluate(&cooled, gradient.as_deref_mut())?;
        if let Some(gradient) = gradient {
            gradient.iter_mut().for_each(|g| *g *= TEMPERATURE);
        }
        Ok(TEMPERATURE * TEMPERATURE * loss)
    }
}
