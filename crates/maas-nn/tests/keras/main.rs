//! Outputs, gradients and running statistics against those that Keras computes: `make.py` beside this file wrote them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use maas_core::{DType, Seed, Values};
use maas_nn::{Layers, Mode, Network, NetworkSpec, Plan, PlanOptions};
use serde::Deserialize;

const FIXTURES: &str = include_str!("fixtures.json");

#[derive(Deserialize)]
struct Case {
    name: String,
    spec: NetworkSpec,
    rows: usize,
    parameters: BTreeMap<String, Vec<f32>>,
    state: BTreeMap<String, Vec<f32>>,
    steps: Vec<Step>,
    answer: Vec<f32>,
}

#[derive(Deserialize)]
struct Step {
    inputs: Vec<Vec<f32>>,
    output_gradient: Vec<f32>,
    output: Vec<f32>,
    gradients: BTreeMap<String, Vec<f32>>,
    input_gradients: Vec<Vec<f32>>,
    state: BTreeMap<String, Vec<f32>>,
}

/// Both sides round each of some tens of operations to 24 bits, relative to the largest number of a tensor where sums
/// cancel.
const TOLERANCE: f32 = 2e-5;

#[track_caller]
fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-2_f32, |m, x| m.max(x.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(
            error <= TOLERANCE * largest,
            "{what}[{index}] is {found}, Keras has {expected}"
        );
    }
}

impl Case {
    fn network(&self) -> Network {
        let mut network = Network::new(self.spec.clone(), &Layers::standard(), Seed(0)).unwrap();
        assert_eq!(
            network.segments().len(),
            self.parameters.len(),
            "{}",
            self.name
        );
        for (name, values) in &self.parameters {
            let mut segment = network.segment_mut(name).unwrap();
            segment.as_slice_mut().unwrap().copy_from_slice(values);
        }
        let mut state = network.state().to_vec();
        for segment in network.state_segments() {
            state[segment.range.clone()].copy_from_slice(&self.state[&segment.name]);
        }
        network.set_state(&state).unwrap();
        network
    }

    fn set_inputs(&self, plan: &mut Plan, step: &Step) {
        for (index, (values, spec)) in step.inputs.iter().zip(&self.spec.inputs).enumerate() {
            let ids: Vec<i32> = values.iter().map(|&id| id as i32).collect();
            let values = match spec.dtype() {
                DType::Int32 => Values::I32(&ids),
                _ => Values::F32(values),
            };
            plan.set_input(index, self.rows, values).unwrap();
        }
    }

    fn check(&self) {
        let mut network = self.network();
        let options = PlanOptions::train(self.rows).input_gradients();
        let mut plan = Plan::new(&network, options).unwrap();
        for (number, step) in self.steps.iter().enumerate() {
            let what = |part: &str| format!("{}, step {number}: {part}", self.name);
            self.set_inputs(&mut plan, step);
            plan.forward(self.rows, &network, Mode::train(Seed(0), number as u64))
                .unwrap();
            close(plan.output(), &step.output, &what("output"));
            plan.head_gradient_mut()
                .copy_from_slice(&step.output_gradient);
            plan.backward(self.rows, &network).unwrap();
            for segment in network.segments().iter().filter(|one| one.trainable) {
                let found = &plan.gradient()[segment.range.clone()];
                close(found, &step.gradients[&segment.name], &what(&segment.name));
            }
            for (index, expected) in step.input_gradients.iter().enumerate() {
                let found = plan.input_gradient(index, self.rows).unwrap();
                close(
                    found,
                    expected,
                    &what(&format!("gradient by input {index}")),
                );
            }
            if let Some(state) = plan.next_state() {
                network.set_state(state).unwrap();
            }
            for segment in network.state_segments() {
                let found = &network.state()[segment.range.clone()];
                close(found, &step.state[&segment.name], &what(&segment.name));
            }
        }
        plan.forward(self.rows, &network, Mode::Infer).unwrap();
        close(
            plan.output(),
            &self.answer,
            &format!("{}: answer", self.name),
        );
    }
}

#[test]
fn numbers_are_those_of_keras() {
    let cases: Vec<Case> = serde_json::from_str(FIXTURES).unwrap();
    assert!(cases.len() > 20, "{} cases", cases.len());
    for case in &cases {
        case.check();
    }
}
