use maas_core::Values;

use super::{MODE, Precision};
use crate::plan::lower::head;
use crate::reference::{Reference, ReferenceValue};
use crate::{Error, Head, Loss, LossBatch, Network, Plan, PlanOptions, Source, Targets};

/// The loss as a function of parameters and inputs, in double precision where that is possible.
pub(super) struct Oracle<'a> {
    loss: &'a dyn Loss,
    targets: Targets<'a>,
    rows: usize,
    numbers: Numbers<'a>,
}

enum Numbers<'a> {
    Double {
        network: &'a Network,
        inputs: Vec<ReferenceValue>,
        parameters: Vec<f64>,
        state: Vec<f64>,
    },
    Single {
        network: Box<Network>,
        inputs: Vec<OwnValues>,
        plan: Box<Plan>,
    },
}

enum OwnValues {
    F32(Vec<f32>),
    I32(Vec<i32>),
}

/// An element that differences move.
#[derive(Clone, Copy)]
pub(super) enum Element {
    Parameter(usize),
    Input(usize, usize),
}

impl<'a> Oracle<'a> {
    pub(super) fn new(
        network: &'a Network,
        loss: &'a dyn Loss,
        inputs: &[Values<'_>],
        targets: Targets<'a>,
        rows: usize,
    ) -> Result<Self, Error> {
        let double = |values: &[f32]| {
            values
                .iter()
                .map(|&value| f64::from(value))
                .collect::<Vec<f64>>()
        };
        let numbers = Numbers::Double {
            network,
            inputs: inputs
                .iter()
                .map(|values| match *values {
                    Values::F32(values) => ReferenceValue::F64(double(values)),
                    Values::I32(values) => ReferenceValue::I32(values.to_vec()),
                    _ => ReferenceValue::I32(Vec::new()),
                })
                .collect(),
            parameters: double(network.parameters()),
            state: double(network.state()),
        };
        let mut oracle = Self {
            loss,
            targets,
            rows,
            numbers,
        };
        if oracle.double()?.is_none() {
            let plan = Plan::new(network, PlanOptions::train(rows).head(loss.link()))?;
            oracle.numbers = Numbers::Single {
                network: Box::new(network.clone()),
                inputs: inputs
                    .iter()
                    .map(|values| match *values {
                        Values::F32(values) => OwnValues::F32(values.to_vec()),
                        Values::I32(values) => OwnValues::I32(values.to_vec()),
                        _ => OwnValues::I32(Vec::new()),
                    })
                    .collect(),
                plan: Box::new(plan),
            };
        }
        Ok(oracle)
    }

    pub(super) fn precision(&self) -> Precision {
        match self.numbers {
            Numbers::Double { .. } => Precision::Double,
            Numbers::Single { .. } => Precision::Single,
        }
    }

    /// The element, which a difference moves and puts back.
    pub(super) fn get(&self, element: Element) -> f64 {
        match (&self.numbers, element) {
            (Numbers::Double { parameters, .. }, Element::Parameter(index)) => parameters[index],
            (Numbers::Double { inputs, .. }, Element::Input(input, index)) => {
                match &inputs[input] {
                    ReferenceValue::F64(values) => values[index],
                    ReferenceValue::I32(_) => 0.0,
                }
            }
            (Numbers::Single { network, .. }, Element::Parameter(index)) => {
                f64::from(network.parameters()[index])
            }
            (Numbers::Single { inputs, .. }, Element::Input(input, index)) => {
                match &inputs[input] {
                    OwnValues::F32(values) => f64::from(values[index]),
                    OwnValues::I32(_) => 0.0,
                }
            }
        }
    }

    /// Sets the element, as far as its precision goes.
    pub(super) fn set(&mut self, element: Element, value: f64) {
        match (&mut self.numbers, element) {
            (Numbers::Double { parameters, .. }, Element::Parameter(index)) => {
                parameters[index] = value;
            }
            (Numbers::Double { inputs, .. }, Element::Input(input, index)) => {
                if let ReferenceValue::F64(values) = &mut inputs[input] {
                    values[index] = value;
                }
            }
            (Numbers::Single { network, .. }, Element::Parameter(index)) => {
                network.parameters_mut()[index] = value as f32;
            }
            (Numbers::Single { inputs, .. }, Element::Input(input, index)) => {
                if let OwnValues::F32(values) = &mut inputs[input] {
                    values[index] = value as f32;
                }
            }
        }
    }

    pub(super) fn loss(&mut self) -> Result<f64, Error> {
        if let Numbers::Single { .. } = self.numbers {
            return self.single();
        }
        Ok(self
            .double()?
            .expect("the references were there when the check began"))
    }

    fn double(&self) -> Result<Option<f64>, Error> {
        let Numbers::Double {
            network,
            inputs,
            parameters,
            state,
        } = &self.numbers
        else {
            return Ok(None);
        };
        let architecture = &network.architecture;
        let head = head(architecture, Head::Before(self.loss.link()));
        let place = |source: Source| match source {
            Source::Input(input) => input,
            Source::Node(node) => inputs.len() + node,
        };
        let live = architecture.ancestors(head);
        let mut values = inputs.clone();
        for (index, node) in architecture.spec.nodes.iter().enumerate() {
            let mut output = Vec::new();
            if live[index] {
                let sources: Vec<usize> = node.inputs.iter().map(|&source| place(source)).collect();
                let types: Vec<_> = node
                    .inputs
                    .iter()
                    .map(|&source| architecture.row_type(source))
                    .collect();
                output.resize(
                    self.rows * architecture.row_type(Source::Node(index)).width(),
                    0.0,
                );
                let known = architecture.layers[index].reference(&mut Reference {
                    rows: self.rows,
                    mode: MODE,
                    layer: index as u32,
                    training: architecture.training(index),
                    output: &mut output,
                    values: &values,
                    sources: &sources,
                    types: &types,
                    parameters,
                    parameter_ranges: &architecture.layout.parameters_of[index],
                    state,
                    state_ranges: &architecture.layout.state_of[index],
                });
                if !known.map_err(|error| error.in_layer(&node.name))? {
                    return Ok(None);
                }
            }
            values.push(ReferenceValue::F64(output));
        }
        let ReferenceValue::F64(predictions) = &values[place(head)] else {
            return Ok(None);
        };
        self.reference_loss(predictions)
    }

    fn single(&mut self) -> Result<f64, Error> {
        let Numbers::Single {
            network,
            inputs,
            plan,
        } = &mut self.numbers
        else {
            return Ok(f64::NAN);
        };
        for (index, values) in inputs.iter().enumerate() {
            let values = match values {
                OwnValues::F32(values) => Values::F32(values),
                OwnValues::I32(values) => Values::I32(values),
            };
            plan.set_input(index, self.rows, values)?;
        }
        plan.forward_head(self.rows, network, MODE)?;
        let predictions: Vec<f64> = plan.head_output().iter().map(|&p| f64::from(p)).collect();
        let batch = LossBatch::new(plan.head_output(), self.targets, self.rows)?;
        match self.loss.reference(&predictions, &batch)? {
            Some(loss) => Ok(loss),
            None => Ok(f64::from(self.loss.evaluate(&batch, None)?)),
        }
    }

    fn reference_loss(&self, predictions: &[f64]) -> Result<Option<f64>, Error> {
        // A loss's reference takes the shape of the batch and its targets from here, and the numbers from there.
        let rounded: Vec<f32> = predictions.iter().map(|&p| p as f32).collect();
        self.loss.reference(
            predictions,
            &LossBatch::new(&rounded, self.targets, self.rows)?,
        )
    }
}
