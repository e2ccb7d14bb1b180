//! The model of the servers that are compared with.

use maas_nn::{Network, Segment};
use maas_service::{LocalModel, Service};
use ndarray::ArrayView2;

use crate::bodies::COLUMNS;

/// What a handler asks of a model.
pub(crate) trait Rows: Send + Sync + 'static {
    fn answer(&self, rows: usize, values: &[f32]) -> Result<Vec<f32>, String>;
}

impl Rows for LocalModel {
    fn answer(&self, rows: usize, values: &[f32]) -> Result<Vec<f32>, String> {
        let rows =
            ArrayView2::from_shape((rows, COLUMNS), values).map_err(|error| error.to_string())?;
        let answer = self.predict(rows).map_err(|error| error.to_string())?;
        Ok(answer.into_raw_vec_and_offset().0)
    }
}

/// The network as three nested loops.
pub(crate) struct PlainLoop(Vec<Layer>);

struct Layer {
    /// Inputs × outputs.
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl PlainLoop {
    pub(crate) fn of(network: &Network) -> Self {
        let values = |segment: &Segment| network.parameters()[segment.range.clone()].to_vec();
        let tensors: Vec<Vec<f32>> = network.segments().iter().map(values).collect();
        let layers = tensors.chunks(2).map(|pair| Layer {
            weights: pair[0].clone(),
            bias: pair[1].clone(),
        });
        Self(layers.collect())
    }

    fn row(&self, row: &[f32]) -> f32 {
        let mut values = row.to_vec();
        for (number, layer) in self.0.iter().enumerate() {
            let mut next = layer.bias.clone();
            for (value, weights) in values.iter().zip(layer.weights.chunks(next.len())) {
                for (next, weight) in next.iter_mut().zip(weights) {
                    *next += value * weight;
                }
            }
            if number + 1 < self.0.len() {
                next.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            values = next;
        }
        values[0]
    }
}

impl Rows for PlainLoop {
    fn answer(&self, rows: usize, values: &[f32]) -> Result<Vec<f32>, String> {
        Ok(values
            .chunks(COLUMNS)
            .take(rows)
            .map(|row| self.row(row))
            .collect())
    }
}
