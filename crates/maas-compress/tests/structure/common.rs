//! Small networks with known holes.

use maas_core::Seed;
use maas_nn::{Activation, Network, Sequential};
use ndarray::Array2;

pub(crate) fn fill(network: &mut Network, segment: &str, values: &[f32]) {
    let segment = network.segment_mut(segment).unwrap();
    assert_eq!(segment.len(), values.len());
    segment
        .into_iter()
        .zip(values)
        .for_each(|(to, from)| *to = *from);
}

pub(crate) fn names(network: &Network) -> Vec<&str> {
    let nodes = network.spec().nodes.iter();
    nodes.map(|node| node.name.as_str()).collect()
}

pub(crate) fn shape(network: &Network, segment: &str) -> Vec<usize> {
    network.segment(segment).unwrap().shape().to_vec()
}

pub(crate) fn rows(columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((7, columns), |(row, column)| {
        (row as f32 - 3.0) * 0.5 + column as f32 * 0.25
    })
}

/// 3 → 4 → 1, in which unit 1 has no weight behind it and unit 2 none before it.
pub(crate) fn small(activation: Activation) -> Network {
    let layers = Sequential::rows(3).dense(4).activation(activation).dense(1);
    let mut network = layers.build(Seed(7)).unwrap();
    let kernel = [
        0.5, 1.0, 0.0, -0.5, //
        0.25, 2.0, 0.0, 0.75, //
        -1.0, 3.0, 0.0, 0.125,
    ];
    fill(&mut network, "dense.kernel", &kernel);
    fill(&mut network, "dense.bias", &[0.0, 1.0, 0.5, -0.25]);
    fill(&mut network, "dense_1.kernel", &[1.0, 0.0, 2.0, -1.0]);
    fill(&mut network, "dense_1.bias", &[0.125]);
    network
}

/// Running statistics as training might have left them.
pub(crate) fn settle(network: &mut Network) {
    let mut state = network.state().to_vec();
    for segment in network.state_segments() {
        for (index, value) in state[segment.range.clone()].iter_mut().enumerate() {
            *value = 0.5 + index as f32 * 0.25;
        }
    }
    network.set_state(&state).unwrap();
}

pub(crate) fn predicts_alike(network: &Network, smaller: &Network, columns: usize) {
    let (before, after) = (
        network.predict(&rows(columns)).unwrap(),
        smaller.predict(&rows(columns)).unwrap(),
    );
    for (x, y) in before.iter().zip(&after) {
        assert!((x - y).abs() < 1e-5 * (1.0 + x.abs()), "{x} {y}");
    }
}
