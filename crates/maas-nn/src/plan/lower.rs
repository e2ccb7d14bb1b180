//! From an architecture to steps over numbered slots of memory. `README.md` beside this file explains the passes.

use std::sync::Arc;

use maas_kernels::Activation;

use super::derivatives::derive_early;
use super::options::{Head, PlanOptions, Purpose};
use super::place::{place_gradients, place_values};
use super::program::{Learned, Program, Step};
use crate::layer::RowType;
use crate::layers::Dense;
use crate::network::architecture::Architecture;
use crate::pass::ValueRef;
use crate::{Error, Layer, LayerSpec, Link, Source};

pub(crate) fn lower(architecture: &Architecture, options: &PlanOptions) -> Result<Program, Error> {
    let head = head(architecture, options.head);
    let mut lowering = Lowering::new(architecture, head);
    lowering.emit(options)?;
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
        // The steps that the head depends on come first, and its own is the last of them.
        head_steps: (head + 1).saturating_sub(inputs),
        inputs: (0..inputs).map(reference).collect(),
        head: reference(head),
        output: reference(output),
        steps,
        value_widths,
        gradient_widths: Vec::new(),
        head_gradient: None,
        input_gradients: vec![None; inputs],
        learned: Vec::new(),
    };
    if options.purpose == Purpose::Train {
        place_gradients(&mut program, architecture, &widths, head, options.inputs);
        derive_early(&mut program, architecture);
        program.learned = learned(&program, architecture);
    }
    Ok(program)
}

fn learned(program: &Program, architecture: &Architecture) -> Vec<Learned> {
    let layout = &architecture.layout;
    let takes_part = |(_, step): &(usize, &Step)| {
        step.plan.by_rows && step.output_gradient.is_some() && layout.learns(step.node)
    };
    let of = |(index, step): (usize, &Step)| {
        let ranges = &layout.parameters_of[step.node];
        let range = ranges.first()?.start..ranges.last()?.end;
        let parts = step.plan.parameters.iter().map(|one| one.parts_of);
        let cuts = parts.zip(ranges).map(|(of, one)| Some((one.clone(), of?)));
        let whole = || vec![(range.clone(), range.len())];
        Some(Learned {
            step: index,
            cuts: cuts.collect::<Option<_>>().unwrap_or_else(whole),
            range,
        })
    };
    let steps = program.steps.iter().enumerate();
    steps.filter(takes_part).filter_map(of).collect()
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

/// Who reads a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Readers {
    #[default]
    None,
    /// One node.
    Node(usize),
    /// Several nodes, or whoever asks for the head or the output.
    Several,
}

struct Lowering<'a> {
    architecture: &'a Architecture,
    /// Whether the output depends on the node.
    live: Vec<bool>,
    /// Who reads a node's value.
    readers: Vec<Readers>,
    /// The number of each node's value: several nodes may share one.
    value_of: Vec<usize>,
    inputs: usize,
    steps: Vec<Step>,
}

impl<'a> Lowering<'a> {
    fn new(architecture: &'a Architecture, head: Source) -> Self {
        let nodes = &architecture.spec.nodes;
        let live = architecture.ancestors(architecture.spec.output);
        let mut readers = vec![Readers::None; nodes.len()];
        for (index, node) in nodes.iter().enumerate().filter(|&(index, _)| live[index]) {
            for &source in &node.inputs {
                if let Source::Node(node) = source {
                    readers[node] = match readers[node] {
                        Readers::None => Readers::Node(index),
                        _ => Readers::Several,
                    };
                }
            }
        }
        for source in [architecture.spec.output, head] {
            if let Source::Node(node) = source {
                readers[node] = Readers::Several;
            }
        }
        let inputs = architecture.inputs.len();
        Self {
            architecture,
            live,
            readers,
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
                LayerSpec::Flatten | LayerSpec::Reshape { .. } => true,
                LayerSpec::Dropout { .. } | LayerSpec::GaussianNoise { .. } => {
                    options.purpose == Purpose::Infer
                }
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
            let mut applied = Activation::Linear;
            if let Some((activation, dense)) = self.fused(index) {
                applied = dense.activation;
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
                parameters: plan
                    .parameters
                    .iter()
                    .map(|one| one.shape.iter().product::<usize>())
                    .sum(),
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
                activation: applied,
                derives: None,
                derived: false,
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
            arithmetic,
        } = nodes[index].layer
        else {
            return None;
        };
        let Readers::Node(reader) = self.readers[index] else {
            return None;
        };
        match nodes[reader].layer {
            LayerSpec::Activation(activation) => Some((
                reader,
                Dense {
                    units,
                    bias,
                    kernel_initializer,
                    bias_initializer,
                    arithmetic,
                    activation,
                },
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use maas_core::{Moments, Seed, Statistics};

    use super::*;
    use crate::Sequential;
    use crate::plan::program::Flow;

    fn lowered(network: Sequential, options: PlanOptions) -> Program {
        lower(&network.build(Seed(1)).unwrap().architecture, &options).unwrap()
    }

    #[test]
    fn activations_join_their_dense_layers() {
        let network = Sequential::rows(4).dense(8).relu().dense(3).gelu().tanh();
        for options in [PlanOptions::infer(1), PlanOptions::train(1)] {
            let program = lowered(network.clone(), options);
            let nodes: Vec<usize> = program.steps.iter().map(|step| step.node).collect();
            assert_eq!(nodes, [0, 2, 4]);
            assert_eq!(program.head_steps, 3);
        }
    }

    #[test]
    fn nothing_is_fused_across_the_head() {
        let network = Sequential::rows(4).dense(1).sigmoid();
        let program = lowered(network.clone(), PlanOptions::train(1).head(Link::Sigmoid));
        assert_eq!((program.steps.len(), program.head_steps), (2, 1));
        let program = lowered(network, PlanOptions::train(1).head(Link::Identity));
        assert_eq!((program.steps.len(), program.head_steps), (1, 1));
    }

    #[test]
    fn answers_share_slots_and_leave_out_copies() {
        let network = Sequential::rows(4)
            .normalize(Statistics {
                features: Moments::identity(4),
                targets: Some(Moments::identity(1)),
            })
            .dense(8)
            .relu()
            .flatten()
            .dropout(0.5)
            .dense(8)
            .relu()
            .dense(1);
        let program = lowered(network.clone(), PlanOptions::infer(1));
        assert_eq!((program.steps.len(), program.value_widths.len()), (5, 4));
        let program = lowered(network, PlanOptions::train(1).head(Link::Identity));
        assert_eq!(
            (
                program.steps.len(),
                program.head_steps,
                program.value_widths.len()
            ),
            (6, 5, 7)
        );
        // The input and what normalises it need no gradient.
        assert_eq!(program.steps[0].output_gradient, None);
        assert_eq!(program.steps[1].input_gradients, [Flow::Skip]);
    }
}
