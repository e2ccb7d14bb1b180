//! What is written of an architecture.

use maas_core::Moments;
use maas_nn::{LayerSpec, NetworkSpec};

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
