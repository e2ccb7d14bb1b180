//! Networks in double precision, by the book, and how far rounding may move them.

use maas_nn::{Activation, LayerSpec, Network, Source};

/// What a network gives for one row, and what its rounding errors are proportional to.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) numbers: Vec<f64>,
    /// Sums of magnitudes: the bound of an error, in units of rounding.
    pub(crate) bounds: Vec<f64>,
    shape: Vec<usize>,
}

impl Value {
    fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    fn map(&self, each: impl Fn(usize, f64, f64) -> (f64, f64)) -> Self {
        let columns = self.columns();
        let pairs = self.numbers.iter().zip(&self.bounds).enumerate();
        let (numbers, bounds) = pairs
            .map(|(index, (&x, &bound))| each(index % columns, x, bound))
            .unzip();
        Self {
            numbers,
            bounds,
            shape: self.shape.clone(),
        }
    }
}

/// The output for one row: ids for an input of integers, else numbers.
pub(crate) fn predict(network: &Network, row: &[f32]) -> Value {
    let spec = network.spec();
    let input = Value {
        numbers: row.iter().map(|&x| x.into()).collect(),
        bounds: row.iter().map(|&x| f64::from(x).abs()).collect(),
        shape: spec.inputs[0].fixed_row_shape().unwrap(),
    };
    let mut values: Vec<Value> = Vec::new();
    for node in &spec.nodes {
        let inputs: Vec<&Value> = node
            .inputs
            .iter()
            .map(|source| match *source {
                Source::Input(_) => &input,
                Source::Node(node) => &values[node],
            })
            .collect();
        let parameter = |name: &str| -> Option<Vec<f64>> {
            let segment = network.segment(&format!("{}.{name}", node.name)).ok()?;
            Some(segment.iter().map(|&w| w.into()).collect())
        };
        let state = |name: &str| -> Vec<f64> {
            let name = format!("{}.{name}", node.name);
            let mut segments = network.state_segments().iter();
            let segment = segments.find(|segment| segment.name == name).unwrap();
            let numbers = network.state()[segment.range.clone()].iter();
            numbers.map(|&x| x.into()).collect()
        };
        values.push(layer(&node.layer, &inputs, &parameter, &state));
    }
    match spec.output {
        Source::Node(node) => values[node].clone(),
        Source::Input(_) => input,
    }
}

fn layer(
    spec: &LayerSpec,
    inputs: &[&Value],
    parameter: &dyn Fn(&str) -> Option<Vec<f64>>,
    state: &dyn Fn(&str) -> Vec<f64>,
) -> Value {
    let x = inputs[0];
    match spec {
        LayerSpec::Dense { units, .. } => {
            let (kernel, bias) = (parameter("kernel").unwrap(), parameter("bias"));
            let (mut numbers, mut bounds) = (Vec::new(), Vec::new());
            let vectors = x
                .numbers
                .chunks(x.columns())
                .zip(x.bounds.chunks(x.columns()));
            for (x, bound) in vectors {
                for unit in 0..*units {
                    let bias = bias.as_ref().map_or(0.0, |bias| bias[unit]);
                    let weight = |input: usize| kernel[input * units + unit];
                    let terms = x.iter().enumerate();
                    numbers.push(bias + terms.map(|(i, x)| x * weight(i)).sum::<f64>());
                    let terms = bound.iter().enumerate();
                    bounds.push(bias.abs() + terms.map(|(i, x)| x * weight(i).abs()).sum::<f64>());
                }
            }
            let mut shape = x.shape.clone();
            *shape.last_mut().unwrap() = *units;
            Value {
                numbers,
                bounds,
                shape,
            }
        }
        LayerSpec::Embedding { width, .. } => {
            let table = parameter("table").unwrap();
            let vector = |&id: &f64| table[id as usize * width..][..*width].to_vec();
            let numbers: Vec<f64> = x.numbers.iter().flat_map(vector).collect();
            let mut shape = x.shape.clone();
            shape.push(*width);
            Value {
                bounds: numbers.iter().map(|x| x.abs()).collect(),
                numbers,
                shape,
            }
        }
        LayerSpec::Activation(function) => {
            x.map(|_, x, bound| (activation(*function, x), 2.0 * bound + 1.0))
        }
        LayerSpec::Dropout { .. } | LayerSpec::GaussianNoise { .. } => x.clone(),
        LayerSpec::BatchNorm { epsilon, .. } => {
            let (mean, variance) = (state("moving_mean"), state("moving_variance"));
            let (gamma, beta) = (parameter("gamma"), parameter("beta"));
            x.map(|j, x, bound| {
                let deviation = (variance[j] + f64::from(*epsilon)).sqrt();
                let scale = gamma.as_ref().map_or(1.0, |gamma| gamma[j]) / deviation;
                let beta = beta.as_ref().map_or(0.0, |beta| beta[j]);
                let bound = (bound + mean[j].abs()) * scale.abs() + beta.abs();
                ((x - mean[j]) * scale + beta, bound)
            })
        }
        LayerSpec::Normalization { .. } => {
            let (mean, deviation) = (state("mean"), state("deviation"));
            x.map(|j, x, bound| {
                (
                    (x - mean[j]) / deviation[j],
                    (bound + mean[j].abs()) / deviation[j],
                )
            })
        }
        LayerSpec::Denormalization { .. } => {
            let (mean, deviation) = (state("mean"), state("deviation"));
            x.map(|j, x, bound| {
                (
                    x * deviation[j] + mean[j],
                    bound * deviation[j] + mean[j].abs(),
                )
            })
        }
        LayerSpec::Softmax => {
            let greatest = x.numbers.iter().copied().fold(f64::MIN, f64::max);
            let error = x.bounds.iter().copied().fold(0.0, f64::max);
            let sum: f64 = x.numbers.iter().map(|x| (x - greatest).exp()).sum();
            x.map(|_, x, _| ((x - greatest).exp() / sum, 1.0 + 2.0 * error))
        }
        LayerSpec::Flatten => Value {
            shape: vec![x.numbers.len()],
            ..x.clone()
        },
        LayerSpec::Reshape { shape } => Value {
            shape: shape.clone(),
            ..x.clone()
        },
        LayerSpec::Add => joined(inputs, |x, y| x + y),
        LayerSpec::Multiply => joined(inputs, |x, y| x * y),
        LayerSpec::Concatenate => {
            let vectors = x.numbers.len() / x.columns();
            let mut shape = x.shape.clone();
            *shape.last_mut().unwrap() = inputs.iter().map(|x| x.columns()).sum();
            let gather = |part: fn(&Value) -> &[f64]| -> Vec<f64> {
                let vectors = 0..vectors;
                let vector = |at: usize| {
                    inputs
                        .iter()
                        .flat_map(move |x| part(x)[at * x.columns()..][..x.columns()].to_vec())
                };
                vectors.flat_map(vector).collect()
            };
            Value {
                numbers: gather(|x| &x.numbers),
                bounds: gather(|x| &x.bounds),
                shape,
            }
        }
        other => panic!("no double precision for {}", other.kind()),
    }
}

fn joined(inputs: &[&Value], join: fn(f64, f64) -> f64) -> Value {
    let first = inputs[0].clone();
    inputs[1..].iter().fold(first, |sum, x| Value {
        numbers: pairwise(&sum.numbers, &x.numbers, join),
        bounds: pairwise(&sum.bounds, &x.bounds, join),
        shape: sum.shape,
    })
}

fn pairwise(x: &[f64], y: &[f64], join: fn(f64, f64) -> f64) -> Vec<f64> {
    x.iter().zip(y).map(|(&x, &y)| join(x, y)).collect()
}

/// Those that random networks have; their slopes are at most 2.
fn activation(function: Activation, x: f64) -> f64 {
    match function {
        Activation::Linear => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu { slope } => {
            if x < 0.0 {
                f64::from(slope) * x
            } else {
                x
            }
        }
        Activation::Elu { alpha } => {
            if x < 0.0 {
                f64::from(alpha) * x.exp_m1()
            } else {
                x
            }
        }
        Activation::Selu => {
            let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);
            scale * if x < 0.0 { alpha * x.exp_m1() } else { x }
        }
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::HardSigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Activation::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Activation::Softsign => x / (1.0 + x.abs()),
        other => panic!("no double precision for {other:?}"),
    }
}
