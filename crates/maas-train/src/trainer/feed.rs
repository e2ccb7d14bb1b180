//! Rows of a data set, checked against a network and copied into a plan.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use maas_core::{Moments, Seed, Values};
use maas_data::{Augmentation, Dataset};
use maas_kernels::{Chunks, Compute};
use maas_nn::{Loss, LossBatch, Network, Plan, Targets, ValuesMut};

use crate::{Error, Metric};

/// A data set that fits a network: its inputs, and its targets as the loss sees them and as they are.
#[derive(Debug)]
pub(super) struct Feed<'d> {
    inputs: Vec<(Values<'d>, usize)>,
    learned: Rows<'d>,
    /// The targets in raw units, where the loss sees others.
    raw: Option<Rows<'d>>,
    weights: Option<Weights<'d>>,
    shapes: Vec<&'d [usize]>,
    rows: usize,
}

/// How much rows count: all of them, and those that were gathered last.
#[derive(Debug)]
struct Weights<'d> {
    all: &'d [f32],
    batch: Vec<f32>,
}

impl<'d> Feed<'d> {
    /// `name` is how errors call the data.
    pub(super) fn new(
        network: &Network,
        data: &'d Dataset,
        name: &'static str,
    ) -> Result<Self, Error> {
        let inputs = check_inputs(network, data, name)?;
        let width = network.output_width();
        let raw = match data.targets() {
            maas_data::Targets::Values { width: found, data } if *found == width => Rows::Values {
                all: Cow::Borrowed(data),
                width,
                batch: Vec::new(),
            },
            // One output tells two classes apart.
            maas_data::Targets::Labels { classes, data }
                if *classes == width || (width == 1 && *classes <= 2) =>
            {
                Rows::Labels {
                    all: data,
                    batch: Vec::new(),
                }
            }
            maas_data::Targets::Values { width: found, .. }
            | maas_data::Targets::Labels { classes: found, .. } => {
                return Err(Error::TargetWidth {
                    data: name,
                    expected: width,
                    found: *found,
                });
            }
            _ => return Err(Error::NoTargets { data: name }),
        };
        let (learned, raw) = match network
            .target_moments()
            .and_then(|moments| raw.standardised(moments))
        {
            Some(learned) => (learned, Some(raw)),
            None => (raw, None),
        };
        Ok(Self {
            inputs,
            learned,
            raw,
            weights: data.weights().map(|all| Weights {
                all,
                batch: Vec::new(),
            }),
            shapes: data
                .inputs()
                .iter()
                .map(maas_data::Input::row_shape)
                .collect(),
            rows: data.rows(),
        })
    }

    /// Refuse targets that loss or metrics cannot use, before a step is taken.
    pub(super) fn check(
        &self,
        loss: &dyn Loss,
        metrics: &[Arc<dyn Metric>],
        width: usize,
        name: &'static str,
    ) -> Result<(), Error> {
        let predictions = vec![0.0; width];
        let batch = LossBatch::new(&predictions, self.learned(0..1), 1)?;
        loss.evaluate(&batch, None).map_err(|error| match error {
            maas_nn::Error::TargetKind { loss, expected } => Error::TargetKind {
                data: name,
                loss,
                expected,
                found: self.learned.kind(),
            },
            error => error.into(),
        })?;
        let metric = metrics
            .iter()
            .map(AsRef::as_ref)
            .find(|metric| !metric.accepts(self.raw(0..1)));
        match metric {
            None => Ok(()),
            Some(metric) => Err(Error::MetricTargets {
                data: name,
                metric: metric.name().into(),
                found: self.learned.kind(),
            }),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Copy the rows of these numbers into the plan's inputs and gather their targets.
    pub(super) fn gather(&mut self, order: &[u32], plan: &mut Plan, compute: Compute) {
        for (index, &(values, width)) in self.inputs.iter().enumerate() {
            match (values, plan.input_mut(index)) {
                (Values::F32(values), ValuesMut::F32(input)) => {
                    copy_rows(values, width, order, input, compute);
                }
                (Values::I32(values), ValuesMut::I32(input)) => {
                    copy_rows(values, width, order, input, compute);
                }
                _ => unreachable!("the kinds of inputs are compared when a feed is made"),
            }
        }
        self.learned.gather(order, compute);
        if let Some(raw) = &mut self.raw {
            raw.gather(order, compute);
        }
        if let Some(Weights { all, batch }) = &mut self.weights {
            batch.resize(order.len(), 0.0);
            copy_rows(all, 1, order, batch, compute);
        }
    }

    /// Change the gathered rows of these numbers.
    pub(super) fn augment(
        &self,
        augmentation: &Augmentation,
        order: &[u32],
        plan: &mut Plan,
        compute: Compute,
        (seed, epoch): (Seed, u64),
    ) {
        for (index, (&(_, width), &shape)) in self.inputs.iter().zip(&self.shapes).enumerate() {
            // Some microseconds for most of what is worth doing.
            let least = (ELEMENTS / 4).div_ceil(width);
            match plan.input_mut(index) {
                ValuesMut::F32(input) => {
                    let rows = &mut input[..order.len() * width];
                    compute.split((Chunks::new(rows, width), order), least, |(rows, order)| {
                        augmentation.apply(index, shape, rows.data, order, seed, epoch);
                    });
                }
                ValuesMut::I32(input) => {
                    let rows = &mut input[..order.len() * width];
                    compute.split((Chunks::new(rows, width), order), least, |(rows, order)| {
                        augmentation.apply_ids(index, shape, rows.data, order, seed, epoch);
                    });
                }
                _ => unreachable!("plans have inputs of two kinds"),
            }
        }
    }

    /// The gathered weights.
    pub(super) fn weights_batch(&self) -> Option<&[f32]> {
        self.weights.as_ref().map(|weights| &weights.batch[..])
    }

    /// The weights of a run of rows.
    pub(super) fn weights(&self, rows: Range<usize>) -> Option<&[f32]> {
        self.weights.as_ref().map(|weights| &weights.all[rows])
    }

    /// Copy a run of rows into the plan's inputs.
    pub(super) fn copy(&self, rows: Range<usize>, plan: &mut Plan) -> Result<(), Error> {
        for (index, &(values, width)) in self.inputs.iter().enumerate() {
            let elements = rows.start * width..rows.end * width;
            let part = match values {
                Values::F32(values) => Values::F32(&values[elements]),
                Values::I32(values) => Values::I32(&values[elements]),
                _ => unreachable!("the kinds of inputs are compared when a feed is made"),
            };
            plan.set_input(index, rows.len(), part)?;
        }
        Ok(())
    }

    /// The gathered targets as the loss sees them.
    pub(super) fn learned_batch(&self) -> Targets<'_> {
        self.learned.gathered()
    }

    /// The gathered targets in raw units.
    pub(super) fn raw_batch(&self) -> Targets<'_> {
        self.raw.as_ref().unwrap_or(&self.learned).gathered()
    }

    /// The targets of a run of rows as the loss sees them.
    pub(super) fn learned(&self, rows: Range<usize>) -> Targets<'_> {
        self.learned.run(rows)
    }

    /// The targets of a run of rows in raw units.
    pub(super) fn raw(&self, rows: Range<usize>) -> Targets<'_> {
        self.raw.as_ref().unwrap_or(&self.learned).run(rows)
    }
}

/// Targets of all rows, and of those that were gathered last.
#[derive(Debug)]
enum Rows<'d> {
    Values {
        all: Cow<'d, [f32]>,
        width: usize,
        batch: Vec<f32>,
    },
    Labels {
        all: &'d [u32],
        batch: Vec<u32>,
    },
}

impl Rows<'_> {
    /// (y − mean) / deviation, column by column; labels have no units.
    fn standardised(&self, moments: &Moments) -> Option<Self> {
        let Self::Values { all, width, .. } = self else {
            return None;
        };
        let columns = moments.mean().iter().zip(moments.deviation()).cycle();
        let standardise =
            |(value, (mean, deviation)): (&f32, (&f32, &f32))| (value - mean) / deviation;
        Some(Self::Values {
            all: all.iter().zip(columns).map(standardise).collect(),
            width: *width,
            batch: Vec::new(),
        })
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Values { .. } => "values",
            Self::Labels { .. } => "labels",
        }
    }

    fn gather(&mut self, order: &[u32], compute: Compute) {
        match self {
            Self::Values { all, width, batch } => {
                batch.resize(order.len() * *width, 0.0);
                copy_rows(all, *width, order, batch, compute);
            }
            Self::Labels { all, batch } => {
                batch.resize(order.len(), 0);
                copy_rows(all, 1, order, batch, compute);
            }
        }
    }

    fn gathered(&self) -> Targets<'_> {
        match self {
            Self::Values { batch, .. } => Targets::Values(batch),
            Self::Labels { batch, .. } => Targets::Labels(batch),
        }
    }

    fn run(&self, rows: Range<usize>) -> Targets<'_> {
        match self {
            Self::Values { all, width, .. } => {
                Targets::Values(&all[rows.start * width..rows.end * width])
            }
            Self::Labels { all, .. } => Targets::Labels(&all[rows]),
        }
    }
}

fn copy_rows<T: Copy + Send + Sync>(
    from: &[T],
    width: usize,
    order: &[u32],
    to: &mut [T],
    compute: Compute,
) {
    if width == 1 {
        for (to, &row) in to.iter_mut().zip(order) {
            *to = from[row as usize];
        }
        return;
    }
    let to = &mut to[..order.len() * width];
    let parts = (Chunks::new(to, width), order);
    compute.split(parts, ELEMENTS.div_ceil(width), |(to, order)| {
        for (to, &row) in to.data.chunks_exact_mut(width).zip(order) {
            to.copy_from_slice(&from[row as usize * width..][..width]);
        }
    });
}

/// Elements to be copied that are worth a thread.
const ELEMENTS: usize = 16 * 1024;

pub(super) fn check_inputs<'d>(
    network: &Network,
    data: &'d Dataset,
    name: &'static str,
) -> Result<Vec<(Values<'d>, usize)>, Error> {
    let expected = network.signature().inputs();
    if expected.len() != data.inputs().len() {
        return Err(Error::Inputs {
            data: name,
            expected: expected.len(),
            found: data.inputs().len(),
        });
    }
    let check = |(spec, input): (&maas_core::TensorSpec, &'d maas_data::Input)| {
        let dtype = input.spec().dtype();
        if spec.dtype() != dtype {
            return Err(Error::InputKind {
                data: name,
                input: spec.name().into(),
                expected: spec.dtype(),
                found: dtype,
            });
        }
        let shape = spec.fixed_row_shape().unwrap_or_default();
        if shape != input.row_shape() {
            let found = input.row_shape().into();
            return Err(Error::InputShape {
                data: name,
                input: spec.name().into(),
                expected: shape,
                found,
            });
        }
        Ok((input.values(), input.row_elements()))
    };
    expected.iter().zip(data.inputs()).map(check).collect()
}
