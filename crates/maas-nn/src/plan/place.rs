//! Slots for values and gradients.

use super::options::{InputGradients, Purpose};
use super::program::{Flow, Program, Step};
use super::slots::Slots;
use crate::layer::ValueType;
use crate::network::architecture::Architecture;

/// A slot for each value, and the width of each slot. In training each value has its own, as backward passes read
/// it; answers share slots among values that do not live at once. Inputs and what is kept have their own.
pub(super) fn place_values(
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
        let width = widths[inputs + index];
        places.push(match kept.contains(&(inputs + index)) {
            true => slots.take_new(width),
            false => slots.take(width),
        });
        for (position, &source) in step.sources.iter().enumerate() {
            let again = step.sources[..position].contains(&source);
            if source >= inputs && last_use[source] == index && !again {
                slots.give_back(places[source]);
            }
        }
    }
    (places, slots.widths())
}

/// Slots for gradients, one for each value that needs one: the gradients by parameters are computed of them behind the
/// backward pass.
pub(super) fn place_gradients(
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
            architecture.layout.learns(step.node)
                || step.sources.iter().any(|&source| wanted[source]),
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
                    let slot = slots.take_new(widths[source]);
                    places[source] = Some(slot);
                    Flow::Write(slot)
                }
            })
            .collect();
    }
    for input in (0..inputs).filter(|&input| wanted[input]) {
        // An input that nothing reads has a gradient of zero, in a slot that nothing writes.
        let slot = places[input].unwrap_or_else(|| slots.take_new(widths[input]));
        program.input_gradients[input] = Some(slot);
    }
    program.gradient_widths = slots.widths();
}
