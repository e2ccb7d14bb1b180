//! Where the outputs of dense layers go.

use maas_nn::{LayerSpec, Network, Node, Segment, Source};

/// What belongs to the neurons of a kernel.
#[derive(Debug, Default)]
pub(super) struct Neurons<'a> {
    /// The bias of the layer.
    pub(super) bias: Option<&'a Segment>,
    /// Kernels of which row j takes up neuron j, each with its columns.
    pub(super) readers: Vec<(&'a Segment, usize)>,
}

impl<'a> Neurons<'a> {
    pub(super) fn of(network: &'a Network, kernel: &Segment) -> Self {
        let nodes = &network.spec().nodes;
        let segment = |layer: &str, parameter: &str| {
            let mut segments = network.segments().iter();
            segments.find(|segment| segment.name.strip_prefix(layer) == Some(parameter))
        };
        let Some(node) = dense(nodes, kernel) else {
            return Self::default();
        };
        let Reach { dense, .. } = Reach::of(network, node);
        let readers = dense
            .into_iter()
            .filter_map(|reader| segment(&nodes[reader].name, ".kernel"))
            .filter(|reader| reader.shape[0] == kernel.shape[1]);
        Self {
            bias: segment(&nodes[node].name, ".bias"),
            readers: readers.map(|reader| (reader, reader.shape[1])).collect(),
        }
    }
}

/// Whether a segment is the kernel of a dense layer whose outputs all go to other dense layers.
pub(super) fn has_hidden_neurons(network: &Network, kernel: &Segment) -> bool {
    dense(&network.spec().nodes, kernel).is_some_and(|node| {
        let reach = Reach::of(network, node);
        !reach.output && !reach.dense.is_empty()
    })
}

fn dense(nodes: &[Node], kernel: &Segment) -> Option<usize> {
    let layer = kernel.name.strip_suffix(".kernel")?;
    nodes
        .iter()
        .position(|node| node.name == layer && matches!(node.layer, LayerSpec::Dense { .. }))
}

/// How far a value goes before it comes to dense layers.
#[derive(Debug, Default)]
struct Reach {
    dense: Vec<usize>,
    output: bool,
}

impl Reach {
    fn of(network: &Network, node: usize) -> Self {
        let spec = network.spec();
        let mut reached = vec![false; spec.nodes.len()];
        reached[node] = true;
        let mut reach = Self {
            output: spec.output == Source::Node(node),
            ..Self::default()
        };
        for (index, reader) in spec.nodes.iter().enumerate().skip(node + 1) {
            let takes = |source: &Source| matches!(source, Source::Node(from) if reached[*from]);
            if !reader.inputs.iter().any(takes) {
                continue;
            }
            if matches!(reader.layer, LayerSpec::Dense { .. }) {
                reach.dense.push(index);
            } else {
                reached[index] = true;
                reach.output |= spec.output == Source::Node(index);
            }
        }
        reach
    }
}
