use maas_kernels::Buffer;

use super::lower::{Flow, Program};
use super::options::{PlanOptions, Purpose};
use crate::Error;
use crate::layer::{SavedSpec, Updates, ValueType};
use crate::network::architecture::Architecture;
use crate::network::layout::{allocate, reserve};
use crate::pass::{Saved, Staged, Value};

/// Every buffer that passes need.
#[derive(Clone)]
pub(super) struct Memory {
    pub(super) values: Vec<Value>,
    pub(super) saved: Vec<SavedBuffers>,
    pub(super) gradients: Vec<Buffer>,
    /// Where a step writes a gradient that is added to another, by the position of the input.
    pub(super) spares: Vec<Buffer>,
    pub(super) staged: Vec<Staged>,
    pub(super) gradient: Buffer,
    pub(super) next_state: Buffer,
    pub(super) scratch: Buffer,
}

/// What one step keeps for its backward pass.
#[derive(Clone, Debug, Default)]
pub(super) struct SavedBuffers {
    f32: Buffer,
    u8: Vec<u8>,
    i32: Vec<i32>,
    fixed: Buffer,
}

impl Memory {
    pub(super) fn new(
        architecture: &Architecture,
        program: &Program,
        options: &PlanOptions,
    ) -> Result<Self, Error> {
        let times = |width: usize| width.checked_mul(options.max_rows).ok_or(Error::TooLarge);
        let buffer = |width: usize| times(width).and_then(allocate);
        let trains = options.purpose == Purpose::Train;

        let integers = |slot: usize| {
            let mut inputs = program.inputs.iter().zip(&architecture.inputs);
            inputs.any(|(input, row)| input.slot == slot && row.value_type == ValueType::I32)
        };
        let mut values = Vec::with_capacity(program.value_widths.len());
        for (slot, &width) in program.value_widths.iter().enumerate() {
            values.push(if integers(slot) {
                Value::I32(zeros(times(width)?)?)
            } else {
                Value::F32(buffer(width)?)
            });
        }

        let mut saved = Vec::with_capacity(program.steps.len());
        let mut spare_widths: Vec<usize> = Vec::new();
        let (mut scratch, mut inputs) = (0, 0);
        for step in &program.steps {
            let SavedSpec {
                f32,
                u8,
                i32,
                fixed,
            } = step.plan.saved;
            saved.push(if trains {
                SavedBuffers {
                    f32: buffer(f32)?,
                    u8: zeros(times(u8)?)?,
                    i32: zeros(times(i32)?)?,
                    fixed: allocate(fixed)?,
                }
            } else {
                SavedBuffers::default()
            });
            let need = times(step.plan.scratch.per_row)?.checked_add(step.plan.scratch.fixed);
            scratch = scratch.max(need.ok_or(Error::TooLarge)?);
            inputs = inputs.max(step.inputs.len());
            for (position, flow) in step.input_gradients.iter().enumerate() {
                if let Flow::Add(_) = flow {
                    spare_widths.resize(spare_widths.len().max(position + 1), 0);
                    let width = step.inputs[position].width;
                    spare_widths[position] = spare_widths[position].max(width);
                }
            }
        }

        let layout = &architecture.layout;
        let runs = |updates| updates == Updates::InTraining;
        let moves = trains && layout.state.iter().any(|state| runs(state.updates));
        let buffers = |widths: &[usize]| -> Result<Vec<Buffer>, Error> {
            widths.iter().map(|&width| buffer(width)).collect()
        };
        Ok(Self {
            values,
            saved,
            gradients: buffers(&program.gradient_widths)?,
            spares: buffers(&spare_widths)?,
            staged: vec![Staged::default(); inputs],
            gradient: allocate(if trains { layout.parameters_length } else { 0 })?,
            next_state: allocate(if moves { layout.state_length } else { 0 })?,
            scratch: allocate(scratch)?,
        })
    }

    pub(super) fn numbers(&self, slot: usize) -> &[f32] {
        match &self.values[slot] {
            Value::F32(values) => values,
            Value::I32(_) => &[],
        }
    }
}

impl SavedBuffers {
    pub(super) fn rows(&mut self, rows: usize, spec: SavedSpec, purpose: Purpose) -> Saved<'_> {
        match purpose {
            Purpose::Infer => Saved::default(),
            Purpose::Train => Saved {
                f32: &mut self.f32[..rows * spec.f32],
                u8: &mut self.u8[..rows * spec.u8],
                i32: &mut self.i32[..rows * spec.i32],
                fixed: &mut self.fixed,
            },
        }
    }
}

fn zeros<T: Clone + Default>(length: usize) -> Result<Vec<T>, Error> {
    reserve::<T>(length)?;
    Ok(vec![T::default(); length])
}
