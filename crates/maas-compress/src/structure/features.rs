use std::collections::BTreeMap;

use maas_nn::{Arithmetic, LayerSpec, Source};

use super::draft::{Draft, Layer};
use super::tensor::last;

/// Which features of all values stay or leave together.
///
/// A unit of a dense layer is a feature of its output, and so is what an activation, a normalisation, a sum or a
/// concatenation makes of it. Features that are tied in this way are one group.
#[derive(Debug)]
pub(super) struct Features {
    /// Where each value's features begin.
    starts: Vec<usize>,
    inputs: usize,
    /// Of each feature the group, which is called after one of its features.
    groups: Vec<usize>,
    pins: BTreeMap<usize, Pin>,
}

/// Why a group cannot leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Pin {
    /// It holds a feature of an input, which stays in the signature.
    Input(usize),
    /// It holds a feature of the output.
    Output,
    /// A layer needs all its features together.
    Layer(usize),
}

impl Features {
    pub(super) fn of(draft: &Draft) -> Self {
        let mut starts = Vec::new();
        let mut end = 0;
        for value in draft.values() {
            starts.push(end);
            end += draft.features(value);
        }
        let mut features = Self {
            starts,
            inputs: draft.inputs(),
            groups: (0..end).collect(),
            pins: BTreeMap::new(),
        };
        for (index, layer) in draft.layers.iter().enumerate() {
            features.tie_layer(draft, index, layer);
        }
        for feature in 0..end {
            features.groups[feature] = features.root(feature);
        }
        features.pin_all(draft);
        features
    }

    /// How many features there are; groups are numbered below that.
    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// The groups of a value's features, in their order.
    pub(super) fn of_value(&self, source: Source) -> &[usize] {
        let value = match source {
            Source::Input(input) => input,
            Source::Node(layer) => self.inputs + layer,
        };
        let end = self.starts.get(value + 1);
        &self.groups[self.starts[value]..end.copied().unwrap_or(self.groups.len())]
    }

    pub(super) fn pin(&self, group: usize) -> Option<Pin> {
        self.pins.get(&group).copied()
    }

    fn tie_layer(&mut self, draft: &Draft, index: usize, layer: &Layer) {
        let output = self.start(Source::Node(index));
        match layer.node.layer {
            LayerSpec::Concatenate => {
                let mut start = output;
                for &input in &layer.node.inputs {
                    let features = draft.features(input);
                    self.tie(self.start(input), start, features);
                    start += features;
                }
            }
            LayerSpec::Flatten | LayerSpec::Reshape { .. } => {
                let input = layer.node.inputs[0];
                let start = self.start(input);
                for (from, to) in reshaped(&draft.shape(input), &layer.shape) {
                    self.join(start + from, output + to);
                }
            }
            _ if keeps_features(&layer.node.layer) || needs_all(&layer.node.layer) => {
                for &input in &layer.node.inputs {
                    let features = draft.features(input);
                    if features == last(&layer.shape) {
                        self.tie(self.start(input), output, features);
                    }
                }
            }
            _ => {}
        }
    }

    fn pin_all(&mut self, draft: &Draft) {
        for input in 0..draft.inputs() {
            self.pin_value(Source::Input(input), Pin::Input(input));
        }
        self.pin_value(draft.output, Pin::Output);
        for (index, layer) in draft.layers.iter().enumerate() {
            if needs_all(&layer.node.layer) {
                self.pin_value(Source::Node(index), Pin::Layer(index));
            }
            if needs_all(&layer.node.layer) || scales_by_rows(&layer.node.layer) {
                for &input in &layer.node.inputs {
                    self.pin_value(input, Pin::Layer(index));
                }
            }
        }
    }

    fn pin_value(&mut self, source: Source, pin: Pin) {
        for group in self.of_value(source).to_vec() {
            self.pins.entry(group).or_insert(pin);
        }
    }

    fn start(&self, source: Source) -> usize {
        match source {
            Source::Input(input) => self.starts[input],
            Source::Node(layer) => self.starts[self.inputs + layer],
        }
    }

    fn tie(&mut self, first: usize, second: usize, features: usize) {
        for feature in 0..features {
            self.join(first + feature, second + feature);
        }
    }

    fn join(&mut self, first: usize, second: usize) {
        let (first, second) = (self.root(first), self.root(second));
        self.groups[first.max(second)] = first.min(second);
    }

    fn root(&mut self, mut feature: usize) -> usize {
        while self.groups[feature] != feature {
            self.groups[feature] = self.groups[self.groups[feature]];
            feature = self.groups[feature];
        }
        feature
    }
}

/// Layers that work feature by feature.
fn keeps_features(layer: &LayerSpec) -> bool {
    matches!(
        layer,
        LayerSpec::Activation(_)
            | LayerSpec::Dropout { .. }
            | LayerSpec::GaussianNoise { .. }
            | LayerSpec::BatchNorm { .. }
            | LayerSpec::Add
            | LayerSpec::Multiply
    )
}

/// Layers that cannot lose a feature of what they read or give.
fn needs_all(layer: &LayerSpec) -> bool {
    !keeps_features(layer)
        && !matches!(
            layer,
            LayerSpec::Dense { .. }
                | LayerSpec::Embedding { .. }
                | LayerSpec::Concatenate
                | LayerSpec::Flatten
                | LayerSpec::Reshape { .. }
        )
}

/// Layers that round what they read on a scale which all its features make.
fn scales_by_rows(layer: &LayerSpec) -> bool {
    let by_rows = Arithmetic::int8();
    matches!(layer, LayerSpec::Dense { arithmetic, .. } if *arithmetic == by_rows)
}

/// Pairs of features, before and after, that hold the same number when a row gets another shape.
pub(super) fn reshaped(
    from: &[usize],
    to: &[usize],
) -> impl Iterator<Item = (usize, usize)> + use<> {
    let (before, after) = (last(from), last(to));
    let elements: usize = from.iter().product();
    (0..elements).map(move |element| (element % before, element % after))
}
