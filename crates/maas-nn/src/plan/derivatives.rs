//! Which products multiply with the derivative of the activation before them.

use maas_kernels::Activation;

use super::program::{Flow, Program};
use crate::LayerSpec;
use crate::network::architecture::Architecture;

/// Where a dense layer alone reads what another one has activated, the product that gives the gradient by the value
/// goes on to the one by the sums while a tile is in the registers. The bits are those of two passes.
pub(super) fn derive_early(program: &mut Program, architecture: &Architecture) {
    let inputs = program.inputs.len();
    let is_dense = |node: usize| {
        let layer = &architecture.spec.nodes[node].layer;
        matches!(layer, LayerSpec::Dense { .. })
    };
    for writer in 0..program.head_steps {
        let (activation, slot) = {
            let step = &program.steps[writer];
            (step.activation, step.output_gradient)
        };
        let by_tiles = matches!(activation, Activation::Relu | Activation::LeakyRelu { .. })
            && activation.derivative_from_output();
        let value = inputs + writer;
        let mut readers = (writer + 1..program.head_steps)
            .filter(|&reader| program.steps[reader].sources.contains(&value));
        let (Some(slot), Some(reader), None, true) =
            (slot, readers.next(), readers.next(), by_tiles)
        else {
            continue;
        };
        let step = &mut program.steps[reader];
        if is_dense(step.node) && step.input_gradients == [Flow::Write(slot)] {
            step.derives = Some(activation);
            program.steps[writer].derived = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use maas_core::{Seed, Values};

    use crate::{Mode, Network, Plan, PlanOptions, Sequential};

    fn network() -> Network {
        Sequential::rows(5)
            .dense(20)
            .relu()
            .dense(9)
            .leaky_relu(0.1)
            .dense(8)
            .leaky_relu(-0.1)
            .dense(9)
            .residual(|branch| branch.dense(9).relu().dense(9))
            .dense(7)
            .relu()
            .dropout(0.5)
            .dense(3)
            .build(Seed(5))
            .unwrap()
    }

    fn gradient(plan: &mut Plan, network: &Network) -> Vec<u32> {
        let x: Vec<f32> = (0..40).map(|i| (i as f32).sin()).collect();
        plan.set_input(0, 8, Values::F32(&x)).unwrap();
        plan.forward_head(8, network, Mode::train(Seed(1), 2))
            .unwrap();
        let dy = plan.head_gradient_mut().iter_mut().enumerate();
        dy.for_each(|(i, dy)| *dy = (i as f32).cos());
        plan.backward(8, network).unwrap();
        let by_input = plan.input_gradient(0, 8).unwrap();
        let all = plan.gradient().iter().chain(by_input);
        all.map(|x| x.to_bits()).collect()
    }

    /// Not where a sum or dropout reads the value, nor where the derivative does not follow from it.
    #[test]
    fn dense_layers_that_alone_read_an_activation_derive_it() {
        let network = network();
        let mut plan = Plan::new(&network, PlanOptions::train(8).input_gradients()).unwrap();
        let steps = &plan.program.steps;
        let derived: Vec<_> = (steps.iter().filter(|step| step.derived))
            .map(|step| step.output.width)
            .collect();
        assert_eq!(derived, [20, 9, 9]);
        assert_eq!(
            steps.iter().filter(|step| step.derives.is_some()).count(),
            3
        );
        let early = gradient(&mut plan, &network);
        for step in &mut plan.program.steps {
            (step.derived, step.derives) = (false, None);
        }
        assert_eq!(gradient(&mut plan, &network), early);
    }
}
