use std::ops::Range;

use maas_core::{Seed, Shape};
use maas_kernels::Buffer;

use crate::layer::{Initial, LayerPlan, ParameterSpec, Training, Updates};
use crate::spec::{NetworkSpec, Node, check_name};
use crate::{Error, Initializer, Role};

/// Segments start on multiples of this many floats: 64 bytes.
const ALIGNMENT: usize = 16;

/// A named part of a network's flat buffer of parameters, or of its state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Segment {
    /// `layer.parameter`, such as `dense.kernel`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where its elements lie in the buffer. Between segments there are zeros that pad to 64 bytes.
    pub range: Range<usize>,
    /// What it is for.
    pub role: Role,
    /// Whether an optimiser changes it.
    pub trainable: bool,
    /// How it starts.
    pub initializer: Initializer,
}

/// A named part of a network's state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StateSegment {
    /// `layer.state`, such as `normalization.mean`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where its elements lie in the buffer.
    pub range: Range<usize>,
    /// Whether training passes move it on.
    pub updates: Updates,
}

/// Where everything lies in the buffers of parameters and state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) segments: Vec<Segment>,
    pub(crate) state: Vec<StateSegment>,
    /// Ranges of each node's parameters, as declared.
    pub(crate) parameters_of: Vec<Vec<Range<usize>>>,
    /// Ranges of each node's state, as declared.
    pub(crate) state_of: Vec<Vec<Range<usize>>>,
    /// Ranges of each node's parameters that do not learn.
    pub(crate) frozen_of: Vec<Vec<Range<usize>>>,
    /// Lengths of the buffers.
    pub(crate) parameters_length: usize,
    pub(crate) state_length: usize,
    initial_state: Vec<Initial>,
}

impl Layout {
    pub(crate) fn new(spec: &NetworkSpec, plans: &[LayerPlan]) -> Result<Self, Error> {
        let mut layout = Self::default();
        for (node, plan) in spec.nodes.iter().zip(plans) {
            layout
                .add(node, plan)
                .map_err(|error| error.in_layer(&node.name))?;
        }
        Ok(layout)
    }

    /// Whether a node has parameters that learn.
    pub(crate) fn learns(&self, node: usize) -> bool {
        self.frozen_of[node].len() < self.parameters_of[node].len()
    }

    /// Takes over which nodes are frozen.
    pub(crate) fn set_frozen(&mut self, nodes: &[Node], plans: &[LayerPlan]) {
        let mut segments = self.segments.iter_mut();
        for ((node, plan), frozen) in nodes.iter().zip(plans).zip(&mut self.frozen_of) {
            frozen.clear();
            for (parameter, segment) in plan.parameters.iter().zip(&mut segments) {
                segment.trainable = learns(node, parameter);
                if !segment.trainable {
                    frozen.push(segment.range.clone());
                }
            }
        }
    }

    fn add(&mut self, node: &Node, plan: &LayerPlan) -> Result<(), Error> {
        let mut names: Vec<&str> = Vec::new();
        let mut named = |name| {
            check_name(name)?;
            if names.contains(&name) {
                return Err(Error::DuplicateName {
                    name: name.to_owned(),
                });
            }
            names.push(name);
            Ok(format!("{}.{name}", node.name))
        };
        let (mut ranges, mut frozen) = (Vec::new(), Vec::new());
        for parameter in &plan.parameters {
            parameter.initializer.check(&parameter.shape)?;
            let range = place(&mut self.parameters_length, &parameter.shape)?;
            ranges.push(range.clone());
            if !learns(node, parameter) {
                frozen.push(range.clone());
            }
            self.segments.push(Segment {
                name: named(&parameter.name)?,
                shape: parameter.shape.clone(),
                range,
                role: parameter.role,
                trainable: learns(node, parameter),
                initializer: parameter.initializer,
            });
        }
        self.parameters_of.push(ranges);
        self.frozen_of.push(frozen);
        let mut ranges = Vec::new();
        for state in &plan.state {
            let range = place(&mut self.state_length, &state.shape)?;
            if let Initial::Values(values) = &state.initial
                && values.len() != range.len()
            {
                return Err(Error::Length {
                    expected: range.len(),
                    found: values.len(),
                });
            }
            ranges.push(range.clone());
            self.initial_state.push(state.initial.clone());
            self.state.push(StateSegment {
                name: named(&state.name)?,
                shape: state.shape.clone(),
                range,
                updates: state.updates,
            });
        }
        self.state_of.push(ranges);
        Ok(())
    }

    /// Parameters as their initialisers make them, each segment from a stream of its own.
    pub(crate) fn initial_parameters(&self, seed: Seed) -> Result<Buffer, Error> {
        let mut parameters = allocate(self.parameters_length)?;
        for (index, segment) in self.segments.iter().enumerate() {
            let values = &mut parameters[segment.range.clone()];
            segment
                .initializer
                .fill(values, &segment.shape, seed.derive(index as u64))?;
        }
        Ok(parameters)
    }

    pub(crate) fn initial_state(&self) -> Result<Buffer, Error> {
        let mut state = allocate(self.state_length)?;
        for (segment, initial) in self.state.iter().zip(&self.initial_state) {
            let values = &mut state[segment.range.clone()];
            match initial {
                Initial::Fill(value) => values.fill(*value),
                Initial::Values(initial) => values.copy_from_slice(initial),
            }
        }
        Ok(state)
    }
}

fn learns(node: &Node, parameter: &ParameterSpec) -> bool {
    !node.frozen && parameter.training == Training::Trainable
}

/// A zeroed buffer, or an error where the system would refuse the memory.
pub(crate) fn allocate(length: usize) -> Result<Buffer, Error> {
    let padded = length
        .checked_next_multiple_of(ALIGNMENT)
        .ok_or(Error::TooLarge)?;
    reserve::<f32>(padded)?;
    Ok(Buffer::zeroed(length))
}

/// Asks the system for memory and gives it back: whether it is there.
pub(crate) fn reserve<T>(length: usize) -> Result<(), Error> {
    let mut probe: Vec<T> = Vec::new();
    probe
        .try_reserve_exact(length)
        .map_err(|_| Error::OutOfMemory {
            bytes: length.saturating_mul(size_of::<T>()),
        })
}

/// How many floats a shape holds, if a slice could.
pub(crate) fn elements(shape: &[usize]) -> Result<usize, Error> {
    Shape::from(shape)
        .elements()
        .filter(|&elements| elements <= LIMIT)
        .ok_or(Error::TooLarge)
}

/// The next segment's place, aligned; `end` moves behind it.
fn place(end: &mut usize, shape: &[usize]) -> Result<Range<usize>, Error> {
    let start = *end;
    let stop = start.checked_add(elements(shape)?).ok_or(Error::TooLarge)?;
    *end = stop
        .checked_next_multiple_of(ALIGNMENT)
        .filter(|&end| end <= LIMIT)
        .ok_or(Error::TooLarge)?;
    Ok(start..stop)
}

/// The most floats that a slice may hold.
const LIMIT: usize = isize::MAX.unsigned_abs() / size_of::<f32>();
