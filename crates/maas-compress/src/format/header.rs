//! What is written of an architecture, and of the form in which it is packed.

use maas_core::Moments;
use maas_nn::{LayerSpec, NetworkSpec};

use super::coder::Coder;

/// The moments of the layers that have them, in order.
pub(super) fn moments(spec: &mut NetworkSpec) -> impl Iterator<Item = &mut Moments> {
    spec.nodes
        .iter_mut()
        .filter_map(|node| match &mut node.layer {
            LayerSpec::Normalization { moments } | LayerSpec::Denormalization { moments } => {
                Some(moments)
            }
            _ => None,
        })
}

/// The columns of a segment's matrix: a vector has one.
pub(super) fn columns(shape: &[usize]) -> usize {
    match shape {
        [_, .., columns] => *columns,
        _ => 1,
    }
}

/// The names of the dense layers.
pub(super) fn dense_layers(spec: &NetworkSpec) -> impl Iterator<Item = &str> {
    let nodes = spec.nodes.iter();
    nodes
        .filter(|node| matches!(node.layer, LayerSpec::Dense { .. }))
        .map(|node| &node.name[..])
}

/// Whether each dense layer is packed sparse: a bit where none is.
pub(super) fn representations(coder: &mut impl Coder, sparse: &mut [bool]) {
    if coder.even(1, u32::from(sparse.contains(&true))) == 0 {
        return;
    }
    for sparse in sparse {
        *sparse = coder.even(1, u32::from(*sparse)) == 1;
    }
}
