//! From an architecture to steps over numbered slots of memory. `README.md` beside this file explains the passes.

use std::sync::Arc;

use maas_kernels::Activation;

use super::options::{Head, InputGradients, PlanOptions, Purpose};
use super::slots::Slots;
use crate::layer::{LayerPlan, RowType, ValueType};
use crate::layers::Dense;
use crate::network::architecture::Architecture;
use crate::pass::ValueRef;
use crate::{Error, Layer, LayerSpec, Link, Source};

/// Steps in the order in which they run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
    /// How many of the steps come before the head.
    pub(crate) head_steps: usize,
    pub(crate) inputs: Vec<ValueRef>,
    pub(crate) head: ValueRef,
    pub(crate) output: ValueRef,
    /// Numbers a row that each slot of values holds.
    pub(crate) value_widths: Vec<usize>,
    /// Numbers a row that each slot of gradients holds.
    pub(crate) gradient_widths: Vec<usize>,
    pub(crate) head_gradient: Option<usize>,
    pub(crate) input_gradients: Vec<Option<usize>>,
}

/// One call of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) layer: Arc<dyn Layer>,
    /// The node whose parameters, state and number it has.
    pub(crate) node: usize,
    pub(crate) plan: LayerPlan,
    pub(crate) types: Vec<RowType>,
    pub(crate) inputs: Vec<ValueRef>,
    pub(crate) output: ValueRef,
    /// The slot with the gradient by the output, where the step takes part in backward passes.
    pub(crate) output_gradient: Option<usize>,
    pub(crate) input_gradients: Vec<Flow>,
    /// Values by number, before slots are given out.
    sources: Vec<usize>,
}

/// What becomes of the gradient by an input of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Nobody asks for it.
    Skip,
    /// It is the first: it overwrites the slot.
    Write(usize),
    /// A later step has written the slot: it is added.
    Add(usize),
}

pub(crate) fn lower(architecture: &Architecture, options: &PlanOptions) -> Result<Program, Error> {
    let head = head(architecture, options.head);
    let mut lowering = Lowering::new(architecture, head);
    lowering.emit(options)?;
    let values = lowering.inputs + lowering.steps.len();
    let (head, output) = (
        lowering.value(head),
        lowering.value(architecture.spec.output),
    );
    let Lowering {
        mut steps, inputs, ..
    } = lowering;
    let widths: Vec<usize> = (architecture.inputs.iter().map(RowType::width))
        .chain(steps.iter().map(|step| step.plan.output.iter().product()))
        .collect();
    let head_steps = if head < inputs { 0 } else { head - inputs + 1 };

    let (places, value_widths) =
        place_values(&steps, inputs, &widths, &[head, output], options.purpose);
    let reference = |value: usize| ValueRef {
        slot: places[value],
        width: widths[value],
    };
    for (index, step) in steps.iter_mut().enumerate() {
        step.inputs = step
            .sources
            .iter()
            .map(|&source| reference(source))
            .collect();
        step.output = reference(inputs + index);
    }
    let mut program = Program {
        head_steps: if options.head == Head::Output {
            steps.len()
        } else {
            head_steps
        },
        inputs: (0..inputs).map(reference).collect(),
        head: reference(head),
        output: reference(output),
        steps,
        value_widths,
        gradient_widths: Vec::new(),
        head_gradient: None,
        input_gradients: vec![None; inputs],
    };
    if options.purpose == Purpose::Train {
        place_gradients(&mut program, architecture, &widths, head, options.inputs);
    }
    debug_assert_eq!(values, widths.len());
    Ok(program)
}

/// The value at which backward passes start.
pub(crate) fn head(architecture: &Architecture, head: Head) -> Source {
    let output = architecture.spec.output;
    let (Head::Before(link), Source::Node(last)) = (head, output) else {
        return output;
    };
    let node = &architecture.spec.nodes[last];
    let left_out = matches!(
        (&node.layer, link),
        (LayerSpec::Denormalization { .. }, _)
            | (LayerSpec::Softmax, Link::Softmax)
            | (LayerSpec::Activation(Activation::Sigmoid), Link::Sigmoid)
    );
    if left_out { node.inputs[0] } else { output }
}

struct Lowering<'a> {
    architecture: &'a Architecture,
    /// Whether the output depends on the node.
    live: Vec<bool>,
    /// How often a node's value is read, and by whom last; the head and the output count as readers.
    readers: Vec<usize>,
    reader: Vec<usize>,
    /// The number of each node's value: several nodes may share one.
    value_of: Vec<usize>,
    inputs: usize,
    steps: Vec<Step>,
}

impl<'a> Lowering<'a> {
    fn new(architecture: &'a Architecture, head: Source) -> Self {
        let nodes = &architecture.spec.nodes;
        let live = architecture.ancestors(architecture.spec.output);
        let (mut readers, mut reader) = (vec![0; nodes.len()], vec![0; nodes.len()]);
        for source in [architecture.spec.output, head] {
            if let Source::Node(node) = source {
                readers[node] += 1;
            }
        }
        for (index, node) in nodes.iter().enumerate().filter(|&(index, _)| live[index]) {
            for &source in &node.inputs {
                if let Source::Node(node) = source {
                    readers[node] += 1;
                    reader[node] = index;
                }
            }
        }
        let inputs = architecture.inputs.len();
        Self {
            architecture,
            live,
            readers,
            reader,
            value_of: vec![usize::MAX; nodes.len()],
            inputs,
            steps: Vec::new(),
        }
    }

    fn value(&self, source: Source) -> usize {
        match source {
            Source::Input(input) => input,
            Source::Node(node) => self.value_of[node],
        }
    }

    fn emit(&mut self, options: &PlanOptions) -> Result<(), Error> {
        for (index, node) in self.architecture.spec.nodes.iter().enumerate() {
            if !self.live[index] || self.value_of[index] != usize::MAX {
                continue;
            }
            let copies = match node.layer {
                LayerSpec::Flatten => true,
                LayerSpec::Dropout { .. } => options.purpose == Purpose::Infer,
                _ => false,
            };
            if copies {
                self.value_of[index] = self.value(node.inputs[0]);
                continue;
            }
            let types: Vec<RowType> = node
                .inputs
                .iter()
                .map(|&source| self.architecture.row_type(source))
                .collect();
            let (mut layer, mut plan) = (
                Arc::clone(&self.architecture.layers[index]),
                self.architecture.plans[index].clone(),
            );
            let value = self.inputs + self.steps.len();
            if let Some((activation, dense)) = self.fused(index) {
                plan = dense
                    .plan(&types)
                    .map_err(|error| error.in_layer(&node.name))?;
                layer = Arc::new(dense);
                self.value_of[activation] = value;
            }
            self.value_of[index] = value;
            self.steps.push(Step {
                layer,
                node: index,
                plan,
                types,
                sources: node
                    .inputs
                    .iter()
                    .map(|&source| self.value(source))
                    .collect(),
                inputs: Vec::new(),
                output: ValueRef { slot: 0, width: 0 },
                output_gradient: None,
                input_gradients: Vec::new(),
            });
        }
        Ok(())
    }

    /// The dense layer that does the work of node `index` and of the activation that alone reads it.
    fn fused(&self, index: usize) -> Option<(usize, Dense)> {
        let nodes = &self.architecture.spec.nodes;
        let LayerSpec::Dense {
            units,
            bias,
            kernel_initializer,
            bias_initializer,
        } = nodes[index].layer
        else {
            return None;
        };
        if self.readers[index] != 1 {
            return None;
        }
        let reader = self.reader[index];
        match nodes[reader].layer {
            LayerSpec::Activation(activation) if reader > index => Some((
                reader,
                Dense {
                    units,
                    bias,
                    kernel_initializer,
                    bias_initializer,
                    activation,
                },
            )),
            _ => None,
        }
    }
}

/// A slot for each value, and the width of each slot. In training each value has its own, as backward passes read
/// it; answers share slots among values that do not live at once. Inputs keep theirs.
fn place_values(
    steps: &[Step],
    inputs: usize,
    widths: &[usize],
    kept: &[usize],
    purpose: Purpose,
) -> (Vec<usize>, Vec<usize>) {
    if purpose == Purpose::Train {
        return ((0..widths.len()).collect(), widths.to_vec());
    }
    let mut last_use = vec![0; widths.len()];
    for (index, step) in steps.iter().enumerate() {
        for &source in &step.sources {
            last_use[source] = index;
        }
    }
    for &value in kept {
        last_use[value] = usize::MAX;
    }
    let mut slots = Slots::default();
    let mut places: Vec<usize> = widths[..inputs]
        .iter()
        .map(|&width| slots.take_new(width))
        .collect();
    for (index, step) in steps.iter().enumerate() {
        places.push(slots.take(widths[inputs + index]));
        for (position, &source) in step.sources.iter().enumerate() {
            let again = step.sources[..position].contains(&source);
            if source >= inputs && last_use[source] == index && !again {
                slots.give_back(places[source]);
            }
        }
    }
    (places, slots.widths())
}

/// Slots for gradients, in the order in which a backward pass runs.
fn place_gradients(
    program: &mut Program,
    architecture: &Architecture,
    widths: &[usize],
    head: usize,
    by_inputs: InputGradients,
) {
    let inputs = architecture.inputs.len();
    let mut wanted: Vec<bool> = architecture
        .inputs
        .iter()
        .map(|row| by_inputs == InputGradients::Compute && row.value_type == ValueType::F32)
        .collect();
    for step in &program.steps {
        wanted.push(
            !step.plan.parameters.is_empty() || step.sources.iter().any(|&source| wanted[source]),
        );
    }
    let mut slots = Slots::default();
    let mut places: Vec<Option<usize>> = vec![None; widths.len()];
    places[head] = Some(slots.take_new(widths[head]));
    program.head_gradient = places[head];
    for (index, step) in program.steps[..program.head_steps]
        .iter_mut()
        .enumerate()
        .rev()
    {
        let output = inputs + index;
        let Some(slot) = places[output].filter(|_| wanted[output]) else {
            continue;
        };
        step.output_gradient = Some(slot);
        step.input_gradients = step
            .sources
            .iter()
            .map(|&source| match places[source] {
                _ if !wanted[source] => Flow::Skip,
                Some(slot) => Flow::Add(slot),
                None => {
                    let slot = slots.take(widths[source]);
                    places[source] = Some(slot);
                    Flow::Write(slot)
                }
            })
            .collect();
        if output != head {
            slots.give_back(slot);
        }
    }
    for input in (0..inputs).filter(|&input| wanted[input]) {
        // An input that nothing reads has a gradient of zero, in a slot that nothing writes.
        let slot = places[input].unwrap_or_else(|| slots.take_new(widths[input]));
        program.input_gradients[input] = Some(slot);
    }
    program.gradient_widths = slots.widths();
}
