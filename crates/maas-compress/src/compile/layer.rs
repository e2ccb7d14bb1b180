//! One layer of a network as a network of its own.

use maas_core::{DType, TensorSpec};
use maas_nn::{LayerSpec, Network, NetworkSpec, Node, Source};

use crate::Error;

/// The dense layer that is node `index`, with the activation that follows it; `None` for layers of other kinds.
pub(crate) fn alone(network: &Network, index: usize) -> Result<Option<Network>, Error> {
    let nodes = &network.spec().nodes;
    let node = &nodes[index];
    if !matches!(node.layer, LayerSpec::Dense { .. }) {
        return Ok(None);
    }
    let kernel = network.segment(&format!("{}.kernel", node.name))?;
    let input = TensorSpec::rows("x", DType::Fp32, &kernel.shape()[..1]);
    let dense = Node::new(node.name.clone(), node.layer.clone(), [Source::Input(0)]);
    let mut layers = vec![dense];
    let follower = nodes
        .iter()
        .find(|follower| follower.inputs == [Source::Node(index)]);
    if let Some(LayerSpec::Activation(function)) = follower.map(|follower| &follower.layer) {
        let activation = LayerSpec::Activation(*function);
        layers.push(Node::new("activation", activation, [Source::Node(0)]));
    }
    let output = Source::Node(layers.len() - 1);
    let spec = NetworkSpec::new([input], layers, output);
    Ok(Some(network.with_spec(spec)?))
}

#[cfg(test)]
mod tests {
    use maas_core::Seed;
    use maas_nn::Sequential;
    use ndarray::array;

    use super::*;

    #[test]
    fn a_layer_alone_gives_what_it_gives_inside() {
        let network = Sequential::rows(2)
            .dense(5)
            .tanh()
            .dense(1)
            .build(Seed(7))
            .unwrap();
        let rows = array![[1.0, -2.0], [0.5, 3.0]];
        let first = alone(&network, 0).unwrap().unwrap();
        let last = alone(&network, 2).unwrap().unwrap();
        let hidden = first.predict(&rows).unwrap();
        assert_eq!(
            last.predict(&hidden).unwrap(),
            network.predict(&rows).unwrap()
        );
        assert!(alone(&network, 1).unwrap().is_none());
    }
}
