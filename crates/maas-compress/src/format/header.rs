//! What is written of an architecture, and of the form in which it is packed.

use maas_core::Moments;
use maas_nn::{LayerSpec, NetworkSpec, Representation};

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

/// How each dense layer is packed: a bit where all are dense.
pub(super) fn representations(coder: &mut impl Coder, forms: &mut [Representation]) {
    let others = forms.iter().any(|form| *form != Representation::Dense);
    if coder.even(1, u32::from(others)) == 0 {
        return;
    }
    for form in forms {
        let (other, panels) = (
            *form != Representation::Dense,
            *form == Representation::Panels,
        );
        *form = if coder.even(1, u32::from(other)) == 0 {
            Representation::Dense
        } else if coder.even(1, u32::from(panels)) == 1 {
            Representation::Panels
        } else {
            Representation::Sparse
        };
    }
}
