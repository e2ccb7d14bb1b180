use std::num::NonZeroUsize;
use std::sync::Arc;

use maas_core::{DType, Seed, TensorSpec, Values};
use maas_kernels::{Compute, Kernels, Parallelism};

use super::{Breach, LayerLaws, Quantity};
use crate::layer::ValueType;
use crate::{Error, Layer, LayerSpec, Layers, Mode, Network, NetworkSpec, Node, Plan, PlanOptions};
use crate::{RowType, Source};

/// Rows of an ordinary pass.
pub(super) const ROWS: usize = 9;

/// A network of the layer alone, and how to draw numbers for it.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) network: Network,
    inputs: Vec<RowType>,
    ids_below: i32,
    seed: Seed,
}

/// Values of one input.
#[derive(Clone, Debug)]
pub(super) enum Data {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

/// What one pass gave.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) output: Vec<f32>,
    gradient: Vec<f32>,
    input_gradients: Vec<Vec<f32>>,
    state: Vec<f32>,
}

/// Which plan a pass runs on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) rows: usize,
    pub(super) max_rows: usize,
    pub(super) mode: Mode,
    pub(super) compute: Compute,
}

impl Way {
    pub(super) fn new(rows: usize, mode: Mode) -> Self {
        Self {
            rows,
            max_rows: rows.max(1),
            mode,
            compute: Compute::default(),
        }
    }

    pub(super) fn on(self, kernels: Kernels, threads: NonZeroUsize) -> Self {
        let parallelism = Parallelism::threads(threads);
        Self {
            compute: Compute {
                kernels,
                parallelism,
            },
            ..self
        }
    }
}

impl Subject {
    pub(super) fn new(laws: &LayerLaws) -> Result<Self, Error> {
        let network = alone(&laws.spec, &laws.layer, &laws.table, &laws.inputs)?;
        let mut subject = Self {
            network,
            inputs: laws.inputs.clone(),
            ids_below: laws.ids_below,
            seed: laws.seed,
        };
        // Away from zeros and ones, so that nothing is right by chance.
        let segments = subject.network.segments().to_vec();
        for (index, segment) in segments.into_iter().enumerate() {
            let noise = subject.numbers(segment.range.len(), 1000 + index as u64);
            let values = &mut subject.network.parameters_mut()[segment.range];
            for (value, noise) in values.iter_mut().zip(noise) {
                *value += 0.1 * noise;
            }
        }
        Ok(subject)
    }

    /// The same with another network.
    pub(super) fn with(&self, network: Network) -> Self {
        Self {
            network,
            inputs: self.inputs.clone(),
            ..*self
        }
    }

    pub(super) fn width(&self) -> usize {
        self.network.output_width()
    }

    pub(super) fn inputs(&self) -> &[RowType] {
        &self.inputs
    }

    /// A training step that is as good as any other.
    pub(super) fn training(&self, first_row: u64) -> Mode {
        Mode::Train {
            seed: self.seed,
            step: 3,
            first_row,
        }
    }

    /// Numbers between −1.5 and 1.5.
    pub(super) fn numbers(&self, count: usize, stream: u64) -> Vec<f32> {
        let key = self.seed.derive(stream);
        let number = |index| (key.derive(index).0 >> 40) as f32 / 16_777_216.0 * 3.0 - 1.5;
        (0..count as u64).map(number).collect()
    }

    /// Rows for all inputs.
    pub(super) fn data(&self, rows: usize, stream: u64) -> Vec<Data> {
        let draw = |(index, row): (usize, &RowType)| {
            let stream = stream * 100 + index as u64 + 10;
            let count = rows * row.width();
            match row.value_type {
                ValueType::F32 => Data::F32(self.numbers(count, stream)),
                ValueType::I32 => {
                    let key = self.seed.derive(stream);
                    let bound = self.ids_below.max(1) as u64;
                    let id = |index| (key.derive(index).0 % bound) as i32;
                    Data::I32((0..count as u64).map(id).collect())
                }
            }
        };
        self.inputs.iter().enumerate().map(draw).collect()
    }

    /// Runs forwards and backwards on a plan of its own.
    pub(super) fn run(&self, way: Way, data: &[Data]) -> Result<Outcome, Breach> {
        let mut plan = self.plan(way)?;
        self.pass(&mut plan, way, data)
    }

    pub(super) fn plan(&self, way: Way) -> Result<Plan, Error> {
        let options = PlanOptions::train(way.max_rows).compute(way.compute);
        Plan::new(&self.network, options.input_gradients())
    }

    pub(super) fn pass(&self, plan: &mut Plan, way: Way, data: &[Data]) -> Result<Outcome, Breach> {
        let rows = way.rows;
        for (index, data) in data.iter().enumerate() {
            plan.set_input(index, rows, data.values())?;
        }
        plan.forward(rows, &self.network, way.mode)?;
        let output = plan.output().to_vec();
        let gradient = self.numbers(output.len(), 77);
        plan.head_gradient_mut()[..output.len()].copy_from_slice(&gradient);
        plan.backward(rows, &self.network)?;
        let mut input_gradients = Vec::new();
        for (index, row) in self.inputs.iter().enumerate() {
            input_gradients.push(match row.value_type {
                ValueType::F32 => plan.input_gradient(index, rows)?.to_vec(),
                ValueType::I32 => Vec::new(),
            });
        }
        let state = match way.mode {
            Mode::Train { .. } => plan.next_state().unwrap_or_default().to_vec(),
            Mode::Infer => Vec::new(),
        };
        Ok(Outcome {
            output,
            gradient: plan.gradient().to_vec(),
            input_gradients,
            state,
        })
    }
}

impl Data {
    pub(super) fn values(&self) -> Values<'_> {
        match self {
            Self::F32(values) => Values::F32(values),
            Self::I32(values) => Values::I32(values),
        }
    }

    /// These rows of `rows`.
    pub(super) fn rows(&self, rows: usize, range: std::ops::Range<usize>) -> Self {
        let part = |len: usize| {
            let width = len / rows.max(1);
            range.start * width..range.end * width
        };
        match self {
            Self::F32(values) => Self::F32(values[part(values.len())].to_vec()),
            Self::I32(values) => Self::I32(values[part(values.len())].to_vec()),
        }
    }
}

impl Outcome {
    /// Compares everything.
    pub(super) fn same(&self, expected: &Self) -> Result<(), Breach> {
        same(Quantity::Output, &self.output, &expected.output)?;
        same(Quantity::Gradient, &self.gradient, &expected.gradient)?;
        let inputs = self.input_gradients.iter().zip(&expected.input_gradients);
        for (index, (found, expected)) in inputs.enumerate() {
            same(Quantity::InputGradient(index), found, expected)?;
        }
        same(Quantity::State, &self.state, &expected.state)
    }

    pub(super) fn gradient(&self) -> &[f32] {
        &self.gradient
    }
}

/// The same bits, or NaN on both sides.
pub(super) fn same(quantity: Quantity, found: &[f32], expected: &[f32]) -> Result<(), Breach> {
    let equal = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    match found.iter().zip(expected).position(|pair| !equal(pair)) {
        None => Ok(()),
        Some(element) => Err(Breach::Bits {
            quantity,
            element,
            expected: expected[element],
            found: found[element],
        }),
    }
}

/// A network of the layer alone, for rows of these types.
pub(super) fn alone(
    spec: &LayerSpec,
    layer: &Arc<dyn Layer>,
    table: &Layers,
    inputs: &[RowType],
) -> Result<Network, Error> {
    let input = |(index, row): (usize, &RowType)| {
        let dtype = match row.value_type {
            ValueType::F32 => DType::Fp32,
            ValueType::I32 => DType::Int32,
        };
        TensorSpec::rows(format!("x{index}"), dtype, &row.shape)
    };
    let specs: Vec<TensorSpec> = inputs.iter().enumerate().map(input).collect();
    let sources: Vec<Source> = (0..inputs.len()).map(Source::Input).collect();
    let node = Node::new("layer", spec.clone(), sources);
    let spec = NetworkSpec::new(specs, [node], Source::Node(0));
    Network::initialized(spec, table, &[Some(Arc::clone(layer))], Seed(7))
}
