use std::ops::{DerefMut, Range};

use maas_kernels::{Buffer, TableLayout, Tables};

use super::options::{PlanOptions, Purpose};
use super::part::{Part, SavedPart, Whole};
use super::program::{Flow, Program};
use crate::Error;
use crate::layer::{ScratchSpec, Updates, ValueType};
use crate::network::architecture::Architecture;
use crate::network::layout::{allocate, reserve};

/// Every buffer that passes need.
#[derive(Clone)]
pub(super) struct Memory {
    /// The tables of values of single precision, and of those of integers, by slot.
    pub(super) values: Arena<Buffer>,
    pub(super) ids: Arena<Vec<i32>>,
    pub(super) gradients: Arena<Buffer>,
    /// Where a step writes a gradient that is added to another, by the position of the input.
    spares: Arena<Buffer>,
    /// What each step keeps for its backward pass.
    saved: SavedArenas,
    /// Workspace of steps that work by rows, and of the others.
    row_scratch: Arena<Buffer>,
    scratch: Buffer,
    pub(super) gradient: Buffer,
    pub(super) next_state: Buffer,
}

#[derive(Clone)]
struct SavedArenas {
    f32: Arena<Buffer>,
    u8: Arena<Vec<u8>>,
    i32: Arena<Vec<i32>>,
    fixed: Vec<Buffer>,
}

impl Memory {
    pub(super) fn new(
        architecture: &Architecture,
        program: &Program,
        options: &PlanOptions,
    ) -> Result<Self, Error> {
        let rows = options.max_rows;
        let trains = options.purpose == Purpose::Train;
        let integers = |slot: usize| {
            let mut inputs = program.inputs.iter().zip(&architecture.inputs);
            inputs.any(|(input, row)| input.slot == slot && row.value_type == ValueType::I32)
        };
        let slots = program.value_widths.iter().enumerate();
        let of_type = |is_integer| {
            let width = move |(slot, &width)| match integers(slot) == is_integer {
                true => width,
                false => 0,
            };
            slots.clone().map(width)
        };
        let kept = |kept: fn(&crate::SavedSpec) -> usize| {
            let steps = program.steps.iter();
            steps.map(move |step| if trains { kept(&step.plan.saved) } else { 0 })
        };
        let layout = &architecture.layout;
        let runs = |updates| updates == Updates::InTraining;
        let moves = trains && layout.state.iter().any(|state| runs(state.updates));
        let scratch = Scratch::of(program, rows)?;
        Ok(Self {
            values: Arena::floats(of_type(false), rows)?,
            ids: Arena::zeros(of_type(true), rows)?,
            gradients: Arena::floats(program.gradient_widths.iter().copied(), rows)?,
            spares: Arena::floats(spare_widths(program), rows)?,
            saved: SavedArenas {
                f32: Arena::floats(kept(|saved| saved.f32), rows)?,
                u8: Arena::zeros(kept(|saved| saved.u8), rows)?,
                i32: Arena::zeros(kept(|saved| saved.i32), rows)?,
                fixed: kept(|saved| saved.fixed)
                    .map(allocate)
                    .collect::<Result<_, _>>()?,
            },
            row_scratch: Arena::floats([scratch.by_rows], rows)?,
            scratch: allocate(scratch.whole)?,
            gradient: allocate(if trains { layout.parameters_length } else { 0 })?,
            next_state: allocate(if moves { layout.state_length } else { 0 })?,
        })
    }

    /// What passes over the first `rows` rows work on, and what they have beside it where they are not cut.
    pub(super) fn rows(&mut self, rows: usize) -> (Part<'_>, Whole<'_>) {
        let part = Part {
            values: self.values.tables(rows),
            ids: self.ids.tables(rows),
            gradients: self.gradients.tables(rows),
            spares: self.spares.tables(rows),
            saved: SavedPart {
                f32: self.saved.f32.tables(rows),
                u8: self.saved.u8.tables(rows),
                i32: self.saved.i32.tables(rows),
            },
            scratch: self.row_scratch.tables(rows),
        };
        let whole = Whole {
            fixed: &mut self.saved.fixed,
            scratch: &mut self.scratch,
            gradient: &mut self.gradient,
            next_state: &mut self.next_state,
        };
        (part, whole)
    }
}

/// Tables in a buffer.
#[derive(Clone)]
pub(super) struct Arena<D> {
    layout: TableLayout,
    data: D,
}

impl<T, D: DerefMut<Target = [T]>> Arena<D> {
    fn new(
        widths: impl IntoIterator<Item = usize>,
        rows: usize,
        make: impl FnOnce(usize) -> Result<D, Error>,
    ) -> Result<Self, Error> {
        let layout = TableLayout::new(widths, rows).ok_or(Error::TooLarge)?;
        let data = make(layout.elements())?;
        Ok(Self { layout, data })
    }

    fn tables(&mut self, rows: usize) -> Tables<'_, T> {
        Tables::new(&mut self.data, &self.layout, rows)
    }

    fn range(&self, slot: usize, rows: usize, width: usize) -> Range<usize> {
        self.layout.range(slot, rows, width)
    }

    pub(super) fn get(&self, slot: usize, rows: usize, width: usize) -> &[T] {
        &self.data[self.range(slot, rows, width)]
    }

    pub(super) fn get_mut(&mut self, slot: usize, rows: usize, width: usize) -> &mut [T] {
        let range = self.range(slot, rows, width);
        &mut self.data[range]
    }
}

impl Arena<Buffer> {
    fn floats(widths: impl IntoIterator<Item = usize>, rows: usize) -> Result<Self, Error> {
        Self::new(widths, rows, allocate)
    }
}

impl<T: Clone + Default> Arena<Vec<T>> {
    fn zeros(widths: impl IntoIterator<Item = usize>, rows: usize) -> Result<Self, Error> {
        Self::new(widths, rows, |length| {
            reserve::<T>(length)?;
            Ok(vec![T::default(); length])
        })
    }
}

/// Workspace: by the row of steps that work by rows, and altogether of the others.
#[derive(Default)]
struct Scratch {
    by_rows: usize,
    whole: usize,
}

impl Scratch {
    fn of(program: &Program, rows: usize) -> Result<Self, Error> {
        let mut scratch = Self::default();
        for step in &program.steps {
            let ScratchSpec { per_row, fixed } = step.plan.scratch;
            if step.plan.by_rows {
                scratch.by_rows = scratch.by_rows.max(per_row);
            } else {
                let need = per_row
                    .checked_mul(rows)
                    .and_then(|need| need.checked_add(fixed));
                scratch.whole = scratch.whole.max(need.ok_or(Error::TooLarge)?);
            }
        }
        Ok(scratch)
    }
}

fn spare_widths(program: &Program) -> Vec<usize> {
    let mut widths: Vec<usize> = Vec::new();
    for step in &program.steps {
        for (position, flow) in step.input_gradients.iter().enumerate() {
            if let Flow::Add(_) = flow {
                widths.resize(widths.len().max(position + 1), 0);
                widths[position] = widths[position].max(step.inputs[position].width);
            }
        }
    }
    widths
}
