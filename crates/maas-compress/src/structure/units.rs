use std::collections::{BTreeMap, BTreeSet};

use maas_nn::{LayerSpec, Source};

use super::constants::Constants;
use super::draft::{Draft, Layer};
use super::features::{Features, Pin};
use super::report::{Change, Obstacle, Reason};
use super::tensor::stay;

/// Which groups of features have no influence, or one that a bias can have in their place.
#[derive(Debug)]
pub(super) struct Influence {
    features: Features,
    constants: Constants,
    /// Of each group, whether a dense layer needs it as it is.
    needed: Vec<bool>,
    /// Of each group, whether a dense layer reads it.
    read: Vec<bool>,
    /// Of each group, whether a dense layer has weights for it.
    weighed: Vec<bool>,
    leaving: Vec<bool>,
    /// Groups that stay because a layer would have nothing to read.
    last: BTreeSet<usize>,
}

impl Influence {
    pub(super) fn of(draft: &Draft) -> Self {
        let features = Features::of(draft);
        let groups = features.len();
        let mut influence = Self {
            features,
            constants: Constants::of(draft),
            needed: vec![false; groups],
            read: vec![false; groups],
            weighed: vec![false; groups],
            leaving: vec![false; groups],
            last: BTreeSet::new(),
        };
        for layer in draft.layers.iter().filter(|layer| layer.is_dense()) {
            influence.look_at(layer);
        }
        for source in (0..draft.layers.len()).map(Source::Node) {
            for &group in influence.features.of_value(source) {
                let pinned = influence.features.pin(group).is_some();
                influence.leaving[group] = !pinned && !influence.needed[group];
            }
        }
        influence.leave_one(draft);
        influence
    }

    fn look_at(&mut self, layer: &Layer) {
        let source = layer.node.inputs[0];
        let known = self.constants.of_value(source);
        let can_absorb = layer.takes_over() && can_absorb(layer, known);
        let groups = self.features.of_value(source).iter().zip(known);
        for ((&group, constant), weights) in groups.zip(layer.kernel().rows()) {
            self.read[group] = true;
            if weights.iter().any(|&weight| weight != 0.0) {
                self.weighed[group] = true;
                self.needed[group] |= !can_absorb || constant.is_none();
            }
        }
    }

    /// A dense layer reads at least one feature.
    fn leave_one(&mut self, draft: &Draft) {
        for layer in draft.layers.iter().filter(|layer| layer.is_dense()) {
            let groups = self.features.of_value(layer.node.inputs[0]);
            if groups.iter().all(|&group| self.leaving[group]) {
                self.leaving[groups[0]] = false;
                self.last.insert(groups[0]);
            }
        }
    }

    fn leaving_of(&self, source: Source) -> Vec<bool> {
        let groups = self.features.of_value(source).iter();
        groups.map(|&group| self.leaving[group]).collect()
    }

    /// Takes units out of the network.
    pub(super) fn leave(&self, draft: &mut Draft) -> Vec<Change> {
        let mut changes = Vec::new();
        let absorbed = self.absorb(draft, &mut changes);
        for index in producers(draft) {
            let groups = self.features.of_value(Source::Node(index));
            let leaving = groups.iter().filter(|&&group| self.leaving[group]);
            let constant = leaving.clone().filter_map(|group| absorbed.get(group));
            let into: BTreeSet<&String> = constant.clone().flatten().collect();
            let (units, constant) = (leaving.count(), constant.count());
            let layer = draft.name(index);
            if units > constant {
                changes.push(Change::Dead {
                    layer: layer.clone(),
                    units: units - constant,
                });
            }
            if constant > 0 {
                changes.push(Change::Constant {
                    layer,
                    units: constant,
                    into: into.into_iter().cloned().collect(),
                });
            }
        }
        self.empty_last(draft, &mut changes);
        self.cut(draft);
        changes
    }

    /// Adds what leaving constants contribute to biases, and says which group has gone where.
    fn absorb(
        &self,
        draft: &mut Draft,
        changes: &mut Vec<Change>,
    ) -> BTreeMap<usize, BTreeSet<String>> {
        let mut absorbed: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        for layer in draft.layers.iter_mut().filter(|layer| layer.is_dense()) {
            let source = layer.node.inputs[0];
            let mut bias: Vec<f64> = layer.bias().iter().map(|&b| b.into()).collect();
            let mut any = false;
            let groups = self.features.of_value(source).iter();
            let known = groups.zip(self.constants.of_value(source));
            for ((group, constant), weights) in known.zip(layer.kernel().rows()) {
                let zero = weights.iter().all(|&weight| weight == 0.0);
                if let (true, false, Some(x)) = (self.leaving[*group], zero, constant) {
                    any = true;
                    absorbed
                        .entry(*group)
                        .or_default()
                        .insert(layer.node.name.clone());
                    for (bias, &weight) in bias.iter_mut().zip(weights) {
                        *bias += f64::from(*x) * f64::from(weight);
                    }
                }
            }
            if any && layer.set_bias(bias.into_iter().map(|b| b as f32).collect()) {
                changes.push(Change::Bias {
                    layer: layer.node.name.clone(),
                });
            }
        }
        absorbed
    }

    fn cut(&self, draft: &mut Draft) {
        if !self.leaving.contains(&true) {
            return;
        }
        for (index, layer) in draft.layers.iter_mut().enumerate() {
            let leaving = self.leaving_of(Source::Node(index));
            match &mut layer.node.layer {
                LayerSpec::Dense { units, .. } => {
                    *units = stay(&leaving);
                    let rows = self.leaving_of(layer.node.inputs[0]);
                    layer.kernel_mut().leave_rows(&rows);
                }
                LayerSpec::Embedding { width, .. } => *width = stay(&leaving),
                LayerSpec::Reshape { shape } => {
                    if let Some(columns) = shape.last_mut() {
                        *columns = stay(&leaving);
                    }
                }
                LayerSpec::Concatenate => {
                    let stays = |&source: &Source| self.leaving_of(source).contains(&false);
                    layer.node.inputs.retain(stays);
                }
                _ => {}
            }
            let tensors = layer.parameters.iter_mut().chain(&mut layer.state);
            if leaving.contains(&true) {
                tensors.for_each(|tensor| tensor.leave_columns(&leaving));
                if let Some(columns) = layer.shape.last_mut() {
                    *columns = stay(&leaving);
                }
            }
        }
    }

    /// A unit that stays for the sake of its reader, which has no weights for it, needs none itself.
    fn empty_last(&self, draft: &mut Draft, changes: &mut Vec<Change>) {
        let idle = |group: &usize| self.last.contains(group) && !self.weighed[*group];
        for (index, layer) in draft.layers.iter_mut().enumerate() {
            if !layer.is_dense() {
                continue;
            }
            let groups = self.features.of_value(Source::Node(index));
            let name = layer.node.name.clone();
            for unit in (0..groups.len()).filter(|&unit| idle(&groups[unit])) {
                let column = layer.kernel_mut().values.iter_mut().skip(unit);
                let column: Vec<&mut f32> = column.step_by(groups.len()).collect();
                if column.iter().any(|weight| **weight != 0.0) {
                    column.into_iter().for_each(|weight| *weight = 0.0);
                    changes.push(Change::Emptied {
                        layer: name.clone(),
                        units: 1,
                    });
                }
            }
        }
    }

    /// Units that would leave, and what keeps them.
    pub(super) fn obstacles(&self, draft: &Draft) -> Vec<Obstacle> {
        let mut found = Vec::new();
        let mut count = |layer: &str, groups: &[usize], known: &[Option<f32>]| {
            let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
            for (&group, constant) in groups.iter().zip(known) {
                let idle = !self.needed[group] && (self.read[group] || constant.is_some());
                let reason = match self.features.pin(group) {
                    Some(pin) if idle => reason(draft, pin),
                    None if self.last.contains(&group) => Reason::Last,
                    _ => continue,
                };
                *reasons.entry(reason).or_default() += 1;
            }
            for (reason, units) in reasons {
                found.push(Obstacle {
                    layer: layer.to_owned(),
                    units,
                    reason,
                });
            }
        };
        let inputs = (0..draft.inputs()).map(Source::Input);
        for source in inputs.chain(producers(draft).map(Source::Node)) {
            let name = match source {
                Source::Input(input) => draft.input_name(input).to_owned(),
                Source::Node(layer) => draft.name(layer),
            };
            count(
                &name,
                self.features.of_value(source),
                self.constants.of_value(source),
            );
        }
        found
    }
}

/// Layers whose features are their own.
fn producers(draft: &Draft) -> impl Iterator<Item = usize> {
    let layers = draft.layers.iter().enumerate();
    let produces = |layer: &Layer| {
        matches!(
            layer.node.layer,
            LayerSpec::Dense { .. } | LayerSpec::Embedding { .. }
        )
    };
    layers
        .filter(move |(_, layer)| produces(layer))
        .map(|(index, _)| index)
}

/// Whether no sum of b and terms of constants goes beyond `f32`.
fn can_absorb(layer: &Layer, known: &[Option<f32>]) -> bool {
    let mut sums: Vec<f64> = layer.bias().iter().map(|&b| f64::from(b).abs()).collect();
    for (x, weights) in known.iter().zip(layer.kernel().rows()) {
        for (sum, &weight) in sums.iter_mut().zip(weights) {
            *sum += (f64::from(x.unwrap_or(0.0)) * f64::from(weight)).abs();
        }
    }
    sums.iter().all(|&sum| sum <= f64::from(f32::MAX))
}

fn reason(draft: &Draft, pin: Pin) -> Reason {
    match pin {
        Pin::Input(input) => Reason::Input(draft.input_name(input).to_owned()),
        Pin::Output => Reason::Output,
        Pin::Layer(layer) => Reason::Layer(draft.name(layer)),
    }
}
