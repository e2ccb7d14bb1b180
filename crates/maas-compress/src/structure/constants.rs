use maas_nn::{Kernels, LayerSpec, Source};

use super::affine::Affine;
use super::draft::{Draft, Layer};
use super::features::reshaped;
use super::tensor::last;

/// What each feature of each value is, where it is the same for all inputs that are finite.
#[derive(Debug)]
pub(super) struct Constants {
    inputs: usize,
    values: Vec<Vec<Option<f32>>>,
}

impl Constants {
    pub(super) fn of(draft: &Draft) -> Self {
        let inputs = (0..draft.inputs()).map(Source::Input);
        let mut constants = Self {
            inputs: draft.inputs(),
            values: inputs
                .map(|input| vec![None; draft.features(input)])
                .collect(),
        };
        for layer in &draft.layers {
            let mut value = constants.after(draft, layer);
            value
                .iter_mut()
                .for_each(|one| *one = one.filter(|value| value.is_finite()));
            constants.values.push(value);
        }
        constants
    }

    pub(super) fn of_value(&self, source: Source) -> &[Option<f32>] {
        match source {
            Source::Input(input) => &self.values[input],
            Source::Node(layer) => &self.values[self.inputs + layer],
        }
    }

    /// A value of which every feature is constant.
    pub(super) fn whole(&self, source: Source) -> Option<Vec<f32>> {
        self.of_value(source).iter().copied().collect()
    }

    fn after(&self, draft: &Draft, layer: &Layer) -> Vec<Option<f32>> {
        let inputs = &layer.node.inputs;
        let unknown = || vec![None; last(&layer.shape)];
        match &layer.node.layer {
            LayerSpec::Dense { .. } => self.dense(layer),
            LayerSpec::Embedding { .. } => embedding(layer),
            LayerSpec::Activation(function) => self.each(inputs[0], |x| {
                let mut y = [0.0];
                Kernels::best().activate(*function, &[x], &mut y);
                y[0]
            }),
            LayerSpec::Dropout { .. } | LayerSpec::GaussianNoise { .. } => {
                self.of_value(inputs[0]).to_vec()
            }
            LayerSpec::BatchNorm { .. }
            | LayerSpec::Normalization { .. }
            | LayerSpec::Denormalization { .. } => match Affine::of_layer(layer) {
                Some(affine) => self.affine(inputs[0], &affine),
                None => unknown(),
            },
            LayerSpec::Add => self.fold(inputs, |x, y| Some(x? + y?)),
            LayerSpec::Multiply => self.fold(inputs, |x, y| match (x, y) {
                (Some(0.0), _) | (_, Some(0.0)) => Some(0.0),
                _ => Some(x? * y?),
            }),
            LayerSpec::Concatenate => {
                let parts = inputs.iter().flat_map(|&input| self.of_value(input));
                parts.copied().collect()
            }
            LayerSpec::Flatten | LayerSpec::Reshape { .. } => {
                self.reshape(inputs[0], &draft.shape(inputs[0]), &layer.shape)
            }
            LayerSpec::Softmax => match self.whole(inputs[0]) {
                Some(x) => softmax(&x).map(Some).collect(),
                None => unknown(),
            },
            _ => unknown(),
        }
    }

    /// A unit is constant where all its weights that are not zero have constant inputs; where the product rounds its
    /// operands, only if it has no such weights.
    fn dense(&self, layer: &Layer) -> Vec<Option<f32>> {
        let known = self.of_value(layer.node.inputs[0]);
        let mut sums: Vec<Option<f64>> = layer.bias().iter().map(|&b| Some(b.into())).collect();
        for (x, weights) in known.iter().zip(layer.kernel().rows()) {
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                if weight != 0.0 {
                    *sum = sum
                        .zip(x.filter(|_| layer.takes_over()))
                        .map(|(sum, x)| sum + f64::from(x) * f64::from(weight));
                }
            }
        }
        sums.into_iter()
            .map(|sum| sum.map(|sum| sum as f32))
            .collect()
    }

    fn each(&self, source: Source, function: impl Fn(f32) -> f32) -> Vec<Option<f32>> {
        let x = self.of_value(source).iter();
        x.map(|x| x.map(&function)).collect()
    }

    fn affine(&self, source: Source, affine: &Affine) -> Vec<Option<f32>> {
        let x = self.of_value(source).iter();
        let terms = affine.scale.iter().zip(&affine.shift);
        x.zip(terms)
            .map(|(x, (scale, shift))| match x {
                _ if *scale == 0.0 => Some(*shift as f32),
                Some(x) => Some((f64::from(*x) * scale + shift) as f32),
                None => None,
            })
            .collect()
    }

    fn fold(
        &self,
        inputs: &[Source],
        join: impl Fn(Option<f32>, Option<f32>) -> Option<f32>,
    ) -> Vec<Option<f32>> {
        let first = self.of_value(inputs[0]).to_vec();
        inputs[1..].iter().fold(first, |sum, &input| {
            let terms = sum.into_iter().zip(self.of_value(input));
            terms.map(|(x, y)| join(x, *y)).collect()
        })
    }

    fn reshape(&self, source: Source, from: &[usize], to: &[usize]) -> Vec<Option<f32>> {
        let known = self.of_value(source);
        let mut after: Vec<Seen> = vec![Seen::Nothing; last(to)];
        for (feature, place) in reshaped(from, to) {
            after[place] = after[place].and(known[feature]);
        }
        after.into_iter().map(Seen::constant).collect()
    }
}

/// What has been seen of a feature that several features go into.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Nothing,
    Always(f32),
    Varying,
}

impl Seen {
    fn and(self, value: Option<f32>) -> Self {
        match (self, value) {
            (Self::Nothing, Some(value)) => Self::Always(value),
            (Self::Always(before), Some(value)) if before == value => self,
            _ => Self::Varying,
        }
    }

    fn constant(self) -> Option<f32> {
        match self {
            Self::Always(value) => Some(value),
            Self::Nothing | Self::Varying => None,
        }
    }
}

/// A feature is constant where all ids have the same number there.
fn embedding(layer: &Layer) -> Vec<Option<f32>> {
    let mut seen = vec![Seen::Nothing; last(&layer.shape)];
    if let Some(table) = layer.parameter("table") {
        for vector in table.rows() {
            for (seen, &value) in seen.iter_mut().zip(vector) {
                *seen = seen.and(Some(value));
            }
        }
    }
    seen.into_iter().map(Seen::constant).collect()
}

fn softmax(x: &[f32]) -> impl Iterator<Item = f32> {
    let greatest = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponential = move |x: &f32| f64::from(x - greatest).exp();
    let sum: f64 = x.iter().map(exponential).sum();
    x.iter().map(move |x| (exponential(x) / sum) as f32)
}
