use std::sync::Arc;

use maas_core::{DType, Moments, Signature, TensorSpec};

use super::layout::{Layout, elements};
use crate::layer::{LayerPlan, RowType, Training};
use crate::layers::{Layers, resolve};
use crate::{Error, Layer, LayerSpec, NetworkSpec, Source};

/// A checked architecture with its layers made: what all copies of a network share.
#[derive(Clone, Debug)]
pub(crate) struct Architecture {
    pub(crate) spec: NetworkSpec,
    pub(crate) layers: Vec<Arc<dyn Layer>>,
    pub(crate) plans: Vec<LayerPlan>,
    /// Row types of the inputs.
    pub(crate) inputs: Vec<RowType>,
    pub(crate) layout: Layout,
    pub(crate) signature: Signature,
}

impl Architecture {
    /// Resolves layers by the table, except those that are at hand already.
    pub(crate) fn new(
        spec: NetworkSpec,
        table: &Layers,
        at_hand: &[Option<Arc<dyn Layer>>],
    ) -> Result<Self, Error> {
        spec.check()?;
        let inputs = spec
            .inputs
            .iter()
            .map(row_type)
            .collect::<Result<Vec<_>, _>>()?;
        let mut layers = Vec::with_capacity(spec.nodes.len());
        let mut plans: Vec<LayerPlan> = Vec::with_capacity(spec.nodes.len());
        for (index, node) in spec.nodes.iter().enumerate() {
            let layer = match at_hand.get(index).cloned().flatten() {
                Some(layer) => layer,
                None => resolve(&node.layer, table).map_err(|error| error.in_layer(&node.name))?,
            };
            let types: Vec<RowType> = node
                .inputs
                .iter()
                .map(|&source| row_type_of(source, &inputs, &plans))
                .collect();
            let plan = layer
                .plan(&types)
                .and_then(LayerPlan::checked)
                .and_then(|plan| elements(&plan.output).map(|_| plan))
                .map_err(|error| error.in_layer(&node.name))?;
            layers.push(layer);
            plans.push(plan);
        }
        let layout = Layout::new(&spec, &plans)?;
        let signature = signature(&spec, &inputs, &plans)?;
        Ok(Self {
            spec,
            layers,
            plans,
            inputs,
            layout,
            signature,
        })
    }

    pub(crate) fn row_type(&self, source: Source) -> RowType {
        row_type_of(source, &self.inputs, &self.plans)
    }

    /// Whether a node is frozen.
    pub(crate) fn training(&self, node: usize) -> Training {
        match self.spec.nodes[node].frozen {
            true => Training::Frozen,
            false => Training::Trainable,
        }
    }

    /// Freezes a node or lets it learn again.
    pub(crate) fn set_frozen(&mut self, node: usize, frozen: bool) {
        self.spec.nodes[node].frozen = frozen;
        self.layout.set_frozen(&self.spec.nodes, &self.plans);
    }

    /// Which nodes `value` depends on, its own included.
    pub(crate) fn ancestors(&self, value: Source) -> Vec<bool> {
        let mut live = vec![false; self.spec.nodes.len()];
        if let Source::Node(node) = value {
            live[node] = true;
        }
        for index in (0..live.len()).rev() {
            if live[index] {
                for &source in &self.spec.nodes[index].inputs {
                    if let Source::Node(node) = source {
                        live[node] = true;
                    }
                }
            }
        }
        live
    }

    /// Numbers a row of the output.
    pub(crate) fn output_width(&self) -> usize {
        match self.spec.output {
            Source::Input(input) => self.inputs[input].width(),
            Source::Node(node) => self.plans[node].output.iter().product(),
        }
    }

    /// The moments of a denormalisation that ends the network.
    pub(crate) fn target_moments(&self) -> Option<&Moments> {
        match self.spec.output {
            Source::Node(node) => match &self.spec.nodes[node].layer {
                LayerSpec::Denormalization { moments } => Some(moments),
                _ => None,
            },
            Source::Input(_) => None,
        }
    }
}

fn row_type_of(source: Source, inputs: &[RowType], plans: &[LayerPlan]) -> RowType {
    match source {
        Source::Input(input) => inputs[input].clone(),
        Source::Node(node) => RowType::f32(plans[node].output.clone()),
    }
}

fn row_type(spec: &TensorSpec) -> Result<RowType, Error> {
    let input = || spec.name().to_owned();
    let shape = spec
        .fixed_row_shape()
        .ok_or_else(|| Error::FreeDimension { input: input() })?;
    elements(&shape)?;
    match spec.dtype() {
        DType::Fp32 => Ok(RowType::f32(shape)),
        DType::Int32 => Ok(RowType::i32(shape)),
        dtype => Err(Error::InputType {
            input: input(),
            dtype,
        }),
    }
}

fn signature(
    spec: &NetworkSpec,
    inputs: &[RowType],
    plans: &[LayerPlan],
) -> Result<Signature, Error> {
    let row = row_type_of(spec.output, inputs, plans);
    let mut output = TensorSpec::rows("output", DType::Fp32, &row.shape);
    if let Some(labels) = &spec.labels {
        output = output.with_labels(labels)?;
    }
    Ok(Signature::new(spec.inputs.clone(), output)?)
}
