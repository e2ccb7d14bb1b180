use maas_nn::{Activation, LayerSpec, Source};

use super::constants::Constants;
use super::draft::{Draft, Layer};
use super::report::Change;

/// Takes away one layer that gives what it takes, or one input that changes nothing.
pub(super) fn simplify(draft: &mut Draft) -> Option<Change> {
    let constants = Constants::of(draft);
    for index in 0..draft.layers.len() {
        let layer = &draft.layers[index];
        let name = draft.name(index);
        if is_identity(draft, layer) && stays_a_network(draft, index) {
            let source = layer.node.inputs[0];
            draft.bypass(index, source);
            return Some(Change::Identity { layer: name });
        }
        if let Some(neutral) = neutral(layer, &constants) {
            draft.layers[index].node.inputs.remove(neutral);
            return Some(Change::Neutral {
                layer: name,
                inputs: 1,
            });
        }
    }
    None
}

fn is_identity(draft: &Draft, layer: &Layer) -> bool {
    let inputs = &layer.node.inputs;
    match layer.node.layer {
        LayerSpec::Activation(Activation::Linear) => true,
        LayerSpec::Dropout { rate } => rate == 0.0,
        LayerSpec::GaussianNoise { deviation } => deviation == 0.0,
        LayerSpec::Flatten | LayerSpec::Reshape { .. } => draft.shape(inputs[0]) == layer.shape,
        LayerSpec::Add | LayerSpec::Multiply | LayerSpec::Concatenate => inputs.len() == 1,
        _ => false,
    }
}

/// The output of a network is that of a layer.
fn stays_a_network(draft: &Draft, index: usize) -> bool {
    let ends = draft.output == Source::Node(index);
    !(ends && matches!(draft.layers[index].node.inputs[0], Source::Input(_)))
}

/// An input of zeros of a sum, or of ones of a product, that has others.
fn neutral(layer: &Layer, constants: &Constants) -> Option<usize> {
    let inputs = &layer.node.inputs;
    let neutral = match layer.node.layer {
        LayerSpec::Add => 0.0,
        LayerSpec::Multiply => 1.0,
        _ => return None,
    };
    let changes_nothing = |&source: &Source| {
        let values = constants.whole(source);
        values.is_some_and(|values| values.iter().all(|&value| value == neutral))
    };
    let found = inputs.iter().position(changes_nothing)?;
    (inputs.len() > 1).then_some(found)
}
