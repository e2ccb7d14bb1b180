//! Rows to time calls with.

use maas_core::{DType, Signature, Tensor, TensorView, Values};
use maas_data::Dataset;
use maas_kernels::normal_quantile;
use maas_nn::{Network, Source};

use crate::Error;
use crate::inputs::values_at;

/// As many rows of a network's inputs as a call has.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    rows: usize,
    inputs: Vec<Numbers>,
}

#[derive(Clone, Debug)]
enum Numbers {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

impl Sample {
    /// The first rows of the data, from the beginning again where there are too few.
    pub(crate) fn of(data: &Dataset, rows: usize) -> Self {
        let inputs = data.inputs().iter().map(|input| {
            let length = rows * input.row_elements();
            match input.values().as_i32() {
                Some(ids) => Numbers::I32(cycle(ids, length)),
                None => Numbers::F32(cycle(input.values().as_f32().unwrap_or_default(), length)),
            }
        });
        Self {
            rows,
            inputs: inputs.collect(),
        }
    }

    /// Standard normal numbers, spread evenly by the golden ratio, and ids of zero.
    pub(crate) fn normal(network: &Network, rows: usize) -> Self {
        let inputs = network.signature().inputs().iter().map(|input| {
            let width: usize = input
                .fixed_row_shape()
                .map_or(0, |shape| shape.iter().product());
            match input.dtype() {
                DType::Int32 => Numbers::I32(vec![0; rows * width]),
                _ => Numbers::F32((1..=rows * width).map(spread).collect()),
            }
        });
        Self {
            rows,
            inputs: inputs.collect(),
        }
    }

    /// What the network's layers see of it where a value comes from.
    pub(crate) fn at(&self, network: &Network, source: Source) -> Result<Vec<f32>, Error> {
        let values: Vec<Values<'_>> = self.inputs.iter().map(Numbers::values).collect();
        values_at(network, source, self.rows, &values)
    }

    /// As the inputs of a model of this signature.
    pub(crate) fn tensors(&self, signature: &Signature) -> Result<Vec<Tensor>, Error> {
        let specs = signature.inputs().iter();
        specs
            .zip(&self.inputs)
            .map(|(spec, numbers)| {
                let mut shape = vec![self.rows];
                shape.extend(spec.fixed_row_shape().unwrap_or_default());
                let view = match numbers {
                    Numbers::F32(values) => TensorView::from_slice(&shape, values),
                    Numbers::I32(values) => TensorView::from_slice(&shape, values),
                };
                view.and_then(|view| view.to_tensor()).map_err(Error::from)
            })
            .collect()
    }
}

impl Numbers {
    fn values(&self) -> Values<'_> {
        match self {
            Self::F32(values) => Values::F32(values),
            Self::I32(values) => Values::I32(values),
        }
    }
}

fn cycle<T: Copy>(values: &[T], length: usize) -> Vec<T> {
    values.iter().copied().cycle().take(length).collect()
}

fn spread(index: usize) -> f32 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    normal_quantile((index as f64 * GOLDEN).fract()) as f32
}
