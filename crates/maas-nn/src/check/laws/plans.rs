//! Laws of `plan`.

use super::subject::alone;
use super::{Breach, LayerLaws, guarded};
use crate::layer::ValueType;
use crate::{Mode, Plan, PlanOptions, RowType, ValuesMut};

/// Layers that would be larger than this are not built.
const ELEMENTS: usize = 1 << 20;

pub(super) fn repeats(laws: &LayerLaws) -> Result<(), Breach> {
    if laws.layer.plan(&laws.inputs)? == laws.layer.plan(&laws.inputs)? {
        return Ok(());
    }
    Err(Breach::Plans {
        inputs: laws.inputs.clone(),
    })
}

pub(super) fn refuses(laws: &LayerLaws) -> Result<(), Breach> {
    for inputs in odd(&laws.inputs) {
        let plan = guarded(|| Ok(laws.layer.plan(&inputs).ok()));
        let plan = match plan {
            Err(Breach::Panic { message }) => return Err(Breach::Accepted { inputs, message }),
            plan => plan?,
        };
        let small = |shape: &[usize]| {
            let elements = shape.iter().try_fold(1_usize, |n, &m| n.checked_mul(m));
            elements.is_some_and(|elements| elements <= ELEMENTS)
        };
        let runs = plan.is_some_and(|plan| {
            small(&plan.output) && plan.parameters.iter().all(|one| small(&one.shape))
        });
        // A network without inputs is refused whatever the layer says.
        if !runs || inputs.is_empty() {
            continue;
        }
        if let Err(Breach::Panic { message }) = guarded(|| run(laws, &inputs)) {
            return Err(Breach::Accepted { inputs, message });
        }
    }
    Ok(())
}

/// Zeros, forwards and backwards; errors are as good as numbers.
fn run(laws: &LayerLaws, inputs: &[RowType]) -> Result<(), Breach> {
    let Ok(network) = alone(&laws.spec, &laws.layer, &laws.table, inputs) else {
        return Ok(());
    };
    let mut plan = Plan::new(&network, PlanOptions::train(2).input_gradients())?;
    for index in 0..inputs.len() {
        match plan.input_mut(index) {
            ValuesMut::F32(values) => values.fill(0.5),
            ValuesMut::I32(values) => values.fill(0),
        }
    }
    let mode = Mode::train(laws.seed, 0);
    if plan.forward(2, &network, mode).is_ok() {
        plan.head_gradient_mut().fill(1.0);
        let _ = plan.backward(2, &network);
    }
    Ok(())
}

/// Types of inputs that are unlike those that the layer is meant for.
fn odd(inputs: &[RowType]) -> Vec<Vec<RowType>> {
    let mut odd = vec![Vec::new()];
    let mut more = inputs.to_vec();
    more.extend(inputs.last().cloned());
    odd.push(more);
    odd.push(inputs[..inputs.len().saturating_sub(1)].to_vec());
    for (index, input) in inputs.iter().enumerate() {
        let with = |row: RowType| {
            let mut inputs = inputs.to_vec();
            inputs[index] = row;
            inputs
        };
        let shaped = |shape: Vec<usize>| {
            with(RowType {
                shape,
                ..input.clone()
            })
        };
        odd.push(with(match input.value_type {
            ValueType::F32 => RowType::i32(input.shape.clone()),
            ValueType::I32 => RowType::f32(input.shape.clone()),
        }));
        odd.extend([Vec::new(), vec![0], vec![1]].map(shaped));
        let mut shape = input.shape.clone();
        shape.insert(0, 2);
        odd.push(shaped(shape));
        let mut shape = input.shape.clone();
        shape.insert(0, 0);
        odd.push(shaped(shape));
        for axis in 0..input.shape.len() {
            for size in [0, 1, input.shape[axis] + 1] {
                let mut shape = input.shape.clone();
                shape[axis] = size;
                odd.push(shaped(shape));
            }
            let mut shape = input.shape.clone();
            shape.remove(axis);
            odd.push(shaped(shape));
        }
    }
    odd
}
