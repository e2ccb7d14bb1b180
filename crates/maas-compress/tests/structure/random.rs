//! Random networks with random holes in them.

use maas_core::{DType, Moments, Seed, TensorSpec};
use maas_nn::{Activation, Graph, Mask, Network, Role, Source};

/// Draws that a seed determines (SplitMix64).
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.draw() % end as u64) as usize
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// From −1 to 1.
    pub(crate) fn number(&mut self) -> f32 {
        (self.draw() >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

pub(crate) const ACTIVATIONS: [Activation; 11] = [
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.2 },
    Activation::Elu { alpha: 1.0 },
    Activation::Selu,
    Activation::Silu,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::HardSigmoid,
    Activation::Softplus,
    Activation::Softsign,
    Activation::Linear,
];

/// Dense layers, activations and normalisations one behind the other.
pub(crate) fn stack(draws: &mut Draws) -> Network {
    let width = 1 + draws.below(6);
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[width]));
    let mut x = graph.input(0);
    for _ in 0..draws.below(4) {
        let units = 1 + draws.below(12);
        x = hidden(&mut graph, draws, x, units);
    }
    let units = 1 + draws.below(3);
    let y = graph.dense(x, units);
    riddled(graph.build(y, Seed(draws.draw())).unwrap(), draws)
}

/// Dense layers and activations without holes.
pub(crate) fn dense_stack(draws: &mut Draws) -> Network {
    let width = 1 + draws.below(6);
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[width]));
    let mut x = graph.input(0);
    for _ in 0..draws.below(4) {
        x = graph.dense(x, 1 + draws.below(12));
        x = graph.activation(x, ACTIVATIONS[draws.below(ACTIVATIONS.len() - 1)]);
    }
    let y = graph.dense(x, 1 + draws.below(3));
    let mut network = graph.build(y, Seed(draws.draw())).unwrap();
    for segment in network.segments().to_vec() {
        let values = &mut network.parameters_mut()[segment.range];
        values
            .iter_mut()
            .for_each(|value| *value = draws.number() + 1.5);
    }
    network
}

/// A network of every layer that units are followed through, and some that they are not.
pub(crate) fn graph(draws: &mut Draws) -> Network {
    let (mut graph, mut x, mut width) = beginning(draws);
    for _ in 0..1 + draws.below(4) {
        match draws.below(7) {
            0 => {
                let branch = hidden(&mut graph, draws, x, width);
                x = graph.add(&[branch, x]);
            }
            1 => {
                let (left, right) = (1 + draws.below(4), 1 + draws.below(4));
                let parts = [
                    hidden(&mut graph, draws, x, left),
                    hidden(&mut graph, draws, x, right),
                ];
                x = graph.concatenate(&parts);
                width = left + right;
            }
            2 => {
                let gate = graph.dense(x, width);
                let gate = graph.activation(gate, Activation::Sigmoid);
                x = graph.multiply(&[x, gate]);
            }
            3 => {
                let normal = batch_norm(&mut graph, draws, x);
                let normal = graph.activation(normal, Activation::Relu);
                let branch = graph.dense(normal, width);
                x = graph.add(&[x, branch]);
            }
            _ => {
                width = 1 + draws.below(8);
                x = hidden(&mut graph, draws, x, width);
            }
        }
    }
    let units = 1 + draws.below(3);
    let mut y = graph.dense(x, units);
    match draws.below(4) {
        0 => y = graph.softmax(y),
        1 => y = graph.denormalize(y, moments(draws, units)),
        _ => {}
    }
    riddled(graph.build(y, Seed(draws.draw())).unwrap(), draws)
}

/// Rows for the network's input.
pub(crate) fn row(network: &Network, draws: &mut Draws) -> Vec<f32> {
    let input = &network.spec().inputs[0];
    let ids = input.dtype() == DType::Int32;
    let mut number = || match ids {
        true => draws.below(VOCABULARY) as f32,
        false => 2.0 * draws.number(),
    };
    (0..input.row_elements().unwrap())
        .map(|_| number())
        .collect()
}

const VOCABULARY: usize = 5;

/// Vectors of ids, rows of vectors or plain rows, as plain rows in the end.
fn beginning(draws: &mut Draws) -> (Graph, Source, usize) {
    let width = 1 + draws.below(6);
    let (mut graph, vectors) = match draws.below(4) {
        0 => {
            let mut graph = Graph::new(TensorSpec::rows("ids", DType::Int32, &[VECTORS]));
            let vectors = graph.embedding(graph.input(0), VOCABULARY, width);
            (graph, vectors)
        }
        1 => {
            let graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[VECTORS, width]));
            let x = graph.input(0);
            (graph, x)
        }
        kind => {
            let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[width]));
            let mut x = graph.input(0);
            if kind == 2 {
                x = graph.normalize(x, moments(draws, width));
            }
            return (graph, x, width);
        }
    };
    let units = 1 + draws.below(4);
    let x = hidden(&mut graph, draws, vectors, units);
    let x = graph.flatten(x);
    (graph, x, VECTORS * units)
}

const VECTORS: usize = 3;

fn hidden(graph: &mut Graph, draws: &mut Draws, x: Source, units: usize) -> Source {
    let mut y = graph.dense(x, units);
    if draws.once_in(4) {
        graph.without_bias();
    }
    if draws.once_in(5) {
        graph.freeze();
    }
    if draws.once_in(3) {
        y = batch_norm(graph, draws, y);
    }
    y = graph.activation(y, ACTIVATIONS[draws.below(ACTIVATIONS.len())]);
    if draws.once_in(4) {
        y = graph.dropout(y, [0.0, 0.3][draws.below(2)]);
    }
    if draws.once_in(4) {
        y = batch_norm(graph, draws, y);
    }
    y
}

fn batch_norm(graph: &mut Graph, draws: &mut Draws, x: Source) -> Source {
    let y = graph.batch_norm(x);
    if draws.once_in(4) {
        graph.without_center();
    }
    if draws.once_in(4) {
        graph.without_scale();
    }
    y
}

fn moments(draws: &mut Draws, columns: usize) -> Moments {
    let mean: Vec<f32> = (0..columns).map(|_| draws.number()).collect();
    let deviation: Vec<f32> = (0..columns).map(|_| 1.5 + draws.number()).collect();
    Moments::new(mean, deviation).unwrap()
}

/// The network with other numbers, and with masks over some weights, whole columns and whole rows.
fn riddled(mut network: Network, draws: &mut Draws) -> Network {
    for segment in network.segments().to_vec() {
        let values = &mut network.parameters_mut()[segment.range.clone()];
        values.iter_mut().for_each(|value| *value = draws.number());
        if segment.role == Role::Norm {
            values
                .iter_mut()
                .filter(|_| draws.once_in(6))
                .for_each(|gamma| *gamma = 0.0);
        }
        if segment.role == Role::Weight && !draws.once_in(4) {
            let columns = *segment.shape.last().unwrap();
            let one_of = 1 + draws.below(4);
            let holes = |draws: &mut Draws, count: usize, times: usize| -> Vec<bool> {
                (0..count).map(|_| draws.once_in(times)).collect()
            };
            let pruned = holes(draws, segment.range.len(), one_of + 1);
            let dead_rows = holes(draws, segment.shape[0], 4);
            let dead_columns = holes(draws, columns, 4);
            let keep = |index: usize| {
                !(pruned[index] || dead_rows[index / columns] || dead_columns[index % columns])
            };
            let mask = Mask::from_fn(segment.range.len(), keep);
            network.set_mask(&segment.name, mask).unwrap();
        }
    }
    let mut state = network.state().to_vec();
    for segment in network.state_segments() {
        let positive = segment.name.ends_with("variance");
        let values = &mut state[segment.range.clone()];
        values
            .iter_mut()
            .for_each(|value| *value = draws.number() + if positive { 1.5 } else { 0.0 });
    }
    network.set_state(&state).unwrap();
    network
}
