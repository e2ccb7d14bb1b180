use maas_nn::{LayerSpec, Source};

use super::constants::Constants;
use super::draft::{Draft, Layer};
use super::tensor::Tensor;

/// y = scale · x + shift, feature by feature: what a dense layer before or behind it can take over.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    pub(super) scale: Vec<f64>,
    pub(super) shift: Vec<f64>,
}

impl Affine {
    /// A batch normalisation as it predicts, and a step to or from standardised rows of one axis.
    pub(super) fn of_layer(layer: &Layer) -> Option<Self> {
        match layer.node.layer {
            LayerSpec::BatchNorm { epsilon, .. } => {
                let (mean, variance) = (
                    state(layer, "moving_mean")?,
                    state(layer, "moving_variance")?,
                );
                let number = |name: &str, feature: usize, missing: f64| {
                    let parameter = layer.parameter(name);
                    parameter.map_or(missing, |tensor| tensor.values[feature].into())
                };
                Some(Self::of_features(mean.len(), |feature| {
                    let deviation = (f64::from(variance[feature]) + f64::from(epsilon)).sqrt();
                    let scale = number("gamma", feature, 1.0) / deviation;
                    let beta = number("beta", feature, 0.0);
                    (scale, beta - f64::from(mean[feature]) * scale)
                }))
            }
            LayerSpec::Normalization { .. } if layer.shape.len() == 1 => {
                let (mean, deviation) = (state(layer, "mean")?, state(layer, "deviation")?);
                Some(Self::of_features(mean.len(), |feature| {
                    let scale = 1.0 / f64::from(deviation[feature]);
                    (scale, -f64::from(mean[feature]) * scale)
                }))
            }
            LayerSpec::Denormalization { .. } if layer.shape.len() == 1 => {
                let (mean, deviation) = (state(layer, "mean")?, state(layer, "deviation")?);
                Some(Self::of_features(mean.len(), |feature| {
                    (deviation[feature].into(), mean[feature].into())
                }))
            }
            _ => None,
        }
    }

    /// A sum or product of one value that varies with values that do not.
    pub(super) fn of_join(
        draft: &Draft,
        constants: &Constants,
        layer: usize,
    ) -> Option<(Source, Self)> {
        let layer = &draft.layers[layer];
        let adds = match layer.node.layer {
            LayerSpec::Add => true,
            LayerSpec::Multiply => false,
            _ => return None,
        };
        let (mut varying, mut known) = (Vec::new(), Vec::new());
        for &input in &layer.node.inputs {
            match constants.whole(input) {
                Some(values) => known.push(values),
                None => varying.push(input),
            }
        }
        let &[source] = &varying[..] else {
            return None;
        };
        let affine = Self::of_features(draft.features(source), |feature| {
            let values = known.iter().map(|values| f64::from(values[feature]));
            match adds {
                true => (1.0, values.sum()),
                false => (values.product(), 0.0),
            }
        });
        (!known.is_empty()).then_some((source, affine))
    }

    fn of_features(features: usize, terms: impl Fn(usize) -> (f64, f64)) -> Self {
        let (scale, shift) = (0..features).map(terms).unzip();
        Self { scale, shift }
    }
}

fn state<'a>(layer: &'a Layer, name: &str) -> Option<&'a [f32]> {
    let tensor: &Tensor = layer.state.iter().find(|tensor| tensor.name == name)?;
    Some(&tensor.values)
}
