use maas_core::TensorSpec;
use maas_nn::{Arithmetic, LayerSpec, Mask, Network, NetworkSpec, Node, Source};

use super::tensor::{Tensor, last};
use crate::Error;
use crate::cut::first_not_finite;

/// A network while it is rewritten: each layer with its own numbers.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    inputs: Vec<TensorSpec>,
    labels: Option<Vec<String>>,
    pub(super) layers: Vec<Layer>,
    pub(super) output: Source,
}

/// A node with its numbers.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) node: Node,
    /// The shape of a row of its output.
    pub(super) shape: Vec<usize>,
    pub(super) parameters: Vec<Tensor>,
    pub(super) state: Vec<Tensor>,
}

impl Draft {
    /// # Errors
    /// [`Error::NotFinite`].
    pub(super) fn new(network: &Network) -> Result<Self, Error> {
        let spec = network.spec();
        let summary = network.summary();
        let rows = spec.nodes.iter().zip(summary.rows);
        let layers = rows
            .map(|(node, row)| {
                Ok(Layer {
                    node: node.clone(),
                    shape: row.output,
                    parameters: parameters(network, &node.name)?,
                    state: state(network, &node.name)?,
                })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self {
            inputs: spec.inputs.clone(),
            labels: spec.labels.clone(),
            layers,
            output: spec.output,
        })
    }

    /// The network, of whose original it takes users' own layers.
    pub(super) fn build(self, original: &Network) -> Result<Network, Error> {
        let nodes: Vec<Node> = self.layers.iter().map(|layer| layer.node.clone()).collect();
        let mut spec = NetworkSpec::new(self.inputs, nodes, self.output);
        spec.labels = self.labels;
        let mut network = original.with_spec(spec)?;
        let mut state = network.state().to_vec();
        for layer in &self.layers {
            for tensor in &layer.parameters {
                let name = layer.full_name(tensor);
                if let Some(kept) = &tensor.kept {
                    network.set_mask(&name, Mask::from_fn(kept.len(), |index| kept[index]))?;
                }
                let segment = network.segment_mut(&name)?;
                segment
                    .into_iter()
                    .zip(&tensor.values)
                    .for_each(|(to, from)| *to = *from);
            }
            for tensor in &layer.state {
                let name = layer.full_name(tensor);
                let mut segments = network.state_segments().iter();
                if let Some(segment) = segments.find(|segment| segment.name == name) {
                    state[segment.range.clone()].copy_from_slice(&tensor.values);
                }
            }
        }
        network.set_state(&state)?;
        Ok(network)
    }

    /// How many inputs the network has; they are the first values.
    pub(super) fn inputs(&self) -> usize {
        self.inputs.len()
    }

    pub(super) fn input_name(&self, input: usize) -> &str {
        self.inputs[input].name()
    }

    pub(super) fn name(&self, layer: usize) -> String {
        self.layers[layer].node.name.clone()
    }

    /// The shape of a row of a value.
    pub(super) fn shape(&self, source: Source) -> Vec<usize> {
        match source {
            Source::Input(input) => self.inputs[input].fixed_row_shape().unwrap_or_default(),
            Source::Node(layer) => self.layers[layer].shape.clone(),
        }
    }

    /// Features of a value: numbers on its last axis.
    pub(super) fn features(&self, source: Source) -> usize {
        last(&self.shape(source))
    }

    /// All values: the inputs, then what the layers give.
    pub(super) fn values(&self) -> impl Iterator<Item = Source> + use<> {
        let inputs = (0..self.inputs.len()).map(Source::Input);
        inputs.chain((0..self.layers.len()).map(Source::Node))
    }

    /// How often a value is read, by layers and as the output.
    pub(super) fn reads(&self, source: Source) -> usize {
        let inputs = self.layers.iter().flat_map(|layer| &layer.node.inputs);
        let reads = inputs.chain([&self.output]);
        reads.filter(|&&one| one == source).count()
    }

    /// Has `source` read in place of what `layer` gives, and takes the layer away.
    pub(super) fn bypass(&mut self, layer: usize, source: Source) {
        let gone = Source::Node(layer);
        self.sources_mut()
            .filter(|one| **one == gone)
            .for_each(|one| *one = source);
        self.take_away(layer);
    }

    /// Takes away the layers on which the output does not depend, and names them.
    pub(super) fn take_away_unread(&mut self) -> Vec<String> {
        let live = self.live(None);
        let unread = (0..live.len()).rev().filter(|&layer| !live[layer]);
        let mut names: Vec<String> = unread
            .map(|layer| self.take_away(layer).node.name)
            .collect();
        names.reverse();
        names
    }

    /// Parameters and state that go when `source` is read in place of what `layer` gives.
    pub(super) fn freed(&self, layer: usize, source: Source) -> usize {
        let after = self.live(Some((layer, source)));
        let layers = self.layers.iter().zip(self.live(None)).zip(after);
        layers
            .filter(|((_, before), after)| *before && !after)
            .map(|((layer, _), _)| layer.numbers())
            .sum()
    }

    /// Which layers the output depends on, perhaps with one bypassed.
    fn live(&self, bypassed: Option<(usize, Source)>) -> Vec<bool> {
        let read = |source: Source| match bypassed {
            Some((layer, instead)) if source == Source::Node(layer) => instead,
            _ => source,
        };
        let mut live = vec![false; self.layers.len()];
        let mark = |live: &mut Vec<bool>, source| {
            if let Source::Node(layer) = read(source) {
                live[layer] = true;
            }
        };
        mark(&mut live, self.output);
        for layer in (0..live.len()).rev() {
            if live[layer] {
                for &source in &self.layers[layer].node.inputs {
                    mark(&mut live, source);
                }
            }
        }
        live
    }

    fn take_away(&mut self, gone: usize) -> Layer {
        self.sources_mut().for_each(|source| {
            if let Source::Node(layer) = source
                && *layer > gone
            {
                *layer -= 1;
            }
        });
        self.layers.remove(gone)
    }

    fn sources_mut(&mut self) -> impl Iterator<Item = &mut Source> {
        let inputs = self
            .layers
            .iter_mut()
            .flat_map(|layer| &mut layer.node.inputs);
        inputs.chain([&mut self.output])
    }
}

impl Layer {
    pub(super) fn is_dense(&self) -> bool {
        matches!(self.node.layer, LayerSpec::Dense { .. })
    }

    /// Whether it is a dense layer whose weights may be any numbers: those of others lie on a grid.
    pub(super) fn takes_over(&self) -> bool {
        matches!(
            self.node.layer,
            LayerSpec::Dense {
                arithmetic: Arithmetic::F32,
                ..
            }
        )
    }

    /// A parameter that its kind is known to have.
    pub(super) fn parameter(&self, name: &str) -> Option<&Tensor> {
        self.parameters.iter().find(|tensor| tensor.name == name)
    }

    pub(super) fn parameter_mut(&mut self, name: &str) -> Option<&mut Tensor> {
        self.parameters
            .iter_mut()
            .find(|tensor| tensor.name == name)
    }

    /// W of a dense layer.
    pub(super) fn kernel(&self) -> &Tensor {
        self.parameter("kernel")
            .expect("a dense layer has a kernel")
    }

    pub(super) fn kernel_mut(&mut self) -> &mut Tensor {
        self.parameter_mut("kernel")
            .expect("a dense layer has a kernel")
    }

    /// b of a dense layer; zeros where it has none.
    pub(super) fn bias(&self) -> Vec<f32> {
        match self.parameter("bias") {
            Some(bias) => bias.values.clone(),
            None => vec![0.0; last(&self.shape)],
        }
    }

    /// Parameters that a bias of these numbers adds to a dense layer.
    pub(super) fn added_by(&self, bias: &[f32]) -> usize {
        let needed = self.parameter("bias").is_none() && bias.iter().any(|&b| b != 0.0);
        if needed { bias.len() } else { 0 }
    }

    /// Gives a dense layer these numbers for b, and says whether it had none before and has one now.
    pub(super) fn set_bias(&mut self, values: Vec<f32>) -> bool {
        let added = self.added_by(&values) > 0;
        if added {
            if let LayerSpec::Dense { bias, .. } = &mut self.node.layer {
                *bias = true;
            }
            self.parameters.push(Tensor {
                name: "bias".to_owned(),
                shape: vec![values.len()],
                values,
                kept: None,
            });
        } else if let Some(bias) = self.parameter_mut("bias") {
            bias.values = values;
            bias.keep_nonzeros();
        }
        added
    }

    /// Parameters and state.
    fn numbers(&self) -> usize {
        let tensors = self.parameters.iter().chain(&self.state);
        tensors.map(|tensor| tensor.values.len()).sum()
    }

    fn full_name(&self, tensor: &Tensor) -> String {
        format!("{}.{}", self.node.name, tensor.name)
    }
}

fn parameters(network: &Network, layer: &str) -> Result<Vec<Tensor>, Error> {
    let segments = network.segments().iter().zip(network.masks());
    segments
        .filter_map(|(segment, mask)| Some((inside(&segment.name, layer)?, segment, mask)))
        .map(|(name, segment, mask)| {
            Ok(Tensor {
                name: name.to_owned(),
                shape: segment.shape.clone(),
                values: finite(&network.parameters()[segment.range.clone()], &segment.name)?,
                kept: mask.map(|mask| (0..mask.len()).map(|index| mask.keeps(index)).collect()),
            })
        })
        .collect()
}

fn state(network: &Network, layer: &str) -> Result<Vec<Tensor>, Error> {
    let segments = network.state_segments().iter();
    segments
        .filter_map(|segment| Some((inside(&segment.name, layer)?, segment)))
        .map(|(name, segment)| {
            Ok(Tensor {
                name: name.to_owned(),
                shape: segment.shape.clone(),
                values: finite(&network.state()[segment.range.clone()], &segment.name)?,
                kept: None,
            })
        })
        .collect()
}

/// The name within the layer of a segment that is the layer's.
fn inside<'a>(segment: &'a str, layer: &str) -> Option<&'a str> {
    segment.strip_prefix(layer)?.strip_prefix('.')
}

fn finite(values: &[f32], segment: &str) -> Result<Vec<f32>, Error> {
    match first_not_finite(values) {
        None => Ok(values.to_vec()),
        Some((index, found)) => Err(Error::NotFinite {
            segment: Some(segment.to_owned()),
            index,
            found,
        }),
    }
}
