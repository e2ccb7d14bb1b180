use maas_nn::{Arithmetic, Network, Representation};
use serde::{Deserialize, Serialize};

use crate::compile::{Sample, Target, alone, pack, time};
use crate::format::Written;
use crate::{CompressedNetwork, Error, Latency, LayerChoice};

/// What has become of a dense layer, all of it measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LayerReport {
    /// Its name.
    pub layer: String,
    /// Inputs and units before.
    pub shape_before: [usize; 2],
    /// Inputs and units now; none where the layer has left the network.
    pub shape_after: Option<[usize; 2]>,
    /// Bytes of its parameters before, in single precision.
    pub bytes_before: usize,
    /// Bytes that its parameters take in the compressed file, coded as they are; the file has the architecture beside them.
    pub bytes_after: usize,
    /// What chose those of its weights that became zero; none where none did.
    pub criterion: Option<String>,
    /// Weights that were not zero before: the multiplications and additions of a row.
    pub multiply_adds_before: usize,
    /// Weights that are not zero now.
    pub multiply_adds_after: usize,
    /// What its product is computed with.
    pub arithmetic: Arithmetic,
    /// Bits that tell its non-zero weights apart: those of their codes where it computes with integers, else of a table of
    /// the values that occur.
    pub bits: u32,
    /// How long a call took before, dense and in the arithmetic that it had, alone with its activation.
    pub latency_before: Latency,
    /// How long a call takes now, timed in turns with that before; none where the layer has left the network.
    pub latency_after: Option<Latency>,
    /// The representation chosen for it, and from what; none where the layer has left the network.
    pub choice: Option<LayerChoice>,
    /// What has become of its output, for the same inputs.
    pub output: OutputChange,
}

/// A layer with parameters that is no dense one: pruning and quantising leave it alone unless they are told to take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OtherLayer {
    /// Its name.
    pub layer: String,
    /// Its kind.
    pub kind: String,
    /// How many parameters it has.
    pub parameters: usize,
    /// Bytes that they take in the compressed file.
    pub bytes: usize,
}

/// What compressing has made of a layer's output.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputChange {
    /// It is the same.
    Unchanged,
    /// The power of the output before to that of the difference, in decibels, to a hundredth.
    SignalToNoise(f64),
    /// It has another shape, or is gone.
    Reshaped,
}

impl LayerReport {
    /// The fraction of its weights that are zero now.
    ///
    /// See [`Report`](crate::Report) for an example.
    pub fn sparsity(&self) -> f64 {
        let weights = self.shape_after.map_or(0, |[inputs, units]| inputs * units);
        match weights {
            0 => 0.0,
            _ => 1.0 - self.multiply_adds_after as f64 / weights as f64,
        }
    }
}

/// A report of each dense layer that the network had before.
pub(super) fn layers(
    before: &Network,
    (after, written): (&CompressedNetwork, &Written),
    criterion: &str,
    target: &Target,
    sample: &Sample,
) -> Result<Vec<LayerReport>, Error> {
    let mut reports = Vec::new();
    for (index, node) in before.spec().nodes.iter().enumerate() {
        let Some(old) = alone(before, index)? else {
            continue;
        };
        let name = &node.name;
        let nodes = &after.network().spec().nodes;
        let position = nodes.iter().position(|other| other.name == *name);
        let new = match position {
            Some(position) => alone(after.network(), position)?,
            None => None,
        };
        let x = sample.at(before, node.inputs[0])?;
        let choice = after.choices().iter().find(|choice| choice.layer == *name);
        let (shape_before, multiply_adds_before, _) = weights(&old, name)?;
        let now = new.as_ref().map(|new| weights(new, name)).transpose()?;
        let multiply_adds_after = now.map_or(0, |(_, nonzeros, _)| nonzeros);
        let pruned = multiply_adds_after < multiply_adds_before;
        let arithmetic = match &new {
            Some(new) => new.arithmetic(name)?,
            None => Arithmetic::F32,
        };
        let packed = pack(&old, name, Representation::Dense)?;
        let (latency_before, latency_after) = match (&new, position, choice) {
            (Some(new), Some(position), Some(choice)) => {
                let now = pack(new, name, choice.chosen)?;
                let z = sample.at(after.network(), nodes[position].inputs[0])?;
                let latencies = time(&[(&packed, &x), (&now, &z)], target)?;
                (latencies[0], Some(latencies[1]))
            }
            _ => (time(&[(&packed, &x)], target)?[0], None),
        };
        reports.push(LayerReport {
            layer: name.clone(),
            shape_before,
            shape_after: now.map(|(shape, ..)| shape),
            bytes_before: size_of::<f32>()
                * parameters(before, name)
                    .map(|(_, count)| count)
                    .sum::<usize>(),
            bytes_after: parameters(after.network(), name)
                .map(|(segment, _)| written.segments[segment])
                .sum(),
            criterion: pruned.then(|| criterion.to_owned()),
            multiply_adds_before,
            multiply_adds_after,
            bits: match arithmetic {
                Arithmetic::Int8 { .. } => 8,
                _ => now.map_or(0, |(.., bits)| bits),
            },
            arithmetic,
            latency_before,
            latency_after,
            choice: choice.cloned(),
            output: match &new {
                Some(new) if now.is_some_and(|(shape, ..)| shape == shape_before) => {
                    change(&outputs(&old, &x)?, &outputs(new, &x)?)
                }
                _ => OutputChange::Reshaped,
            },
        });
    }
    Ok(reports)
}

/// The layers that are not dense, of the network that is left.
pub(super) fn others(network: &Network, written: &Written) -> Vec<OtherLayer> {
    let rows = network.summary().rows.into_iter();
    let others = rows.filter(|row| network.arithmetic(&row.name).is_err());
    let others = others.map(|row| OtherLayer {
        parameters: parameters(network, &row.name).map(|(_, count)| count).sum(),
        bytes: parameters(network, &row.name)
            .map(|(segment, _)| written.segments[segment])
            .sum(),
        layer: row.name,
        kind: row.kind,
    });
    others.filter(|other| other.parameters > 0).collect()
}

/// The positions of a layer's segments among all, and how many parameters each has.
fn parameters(network: &Network, layer: &str) -> impl Iterator<Item = (usize, usize)> {
    let segments = network.segments().iter().enumerate();
    segments
        .filter(move |(_, segment)| {
            let rest = segment.name.strip_prefix(layer);
            rest.is_some_and(|rest| rest.starts_with('.'))
        })
        .map(|(index, segment)| (index, segment.range.len()))
}

/// Shape, non-zeros, and bits that tell the non-zeros apart.
fn weights(layer: &Network, name: &str) -> Result<([usize; 2], usize, u32), Error> {
    let kernel = layer.segment(&format!("{name}.kernel"))?;
    let mut values: Vec<u32> = kernel
        .iter()
        .filter(|&&weight| weight != 0.0)
        .map(|weight| weight.to_bits())
        .collect();
    let nonzeros = values.len();
    values.sort_unstable();
    values.dedup();
    let bits = values.len().next_power_of_two().ilog2();
    Ok(([kernel.shape()[0], kernel.shape()[1]], nonzeros, bits))
}

fn outputs(layer: &Network, x: &[f32]) -> Result<Vec<f32>, Error> {
    let width = layer.signature().inputs()[0].fixed_row_shape();
    let rows = x.len()
        / width
            .map_or(1, |shape| shape.iter().product::<usize>())
            .max(1);
    let outputs = layer.predict_values(rows, &[maas_core::Values::F32(x)])?;
    Ok(outputs.into_iter().collect())
}

fn change(before: &[f32], after: &[f32]) -> OutputChange {
    let power =
        |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let signal = power(&mut before.iter().map(|&y| y.into()));
    let pairs = before.iter().zip(after);
    let noise = power(&mut pairs.map(|(&y, &z)| f64::from(y) - f64::from(z)));
    match noise {
        0.0 => OutputChange::Unchanged,
        _ => OutputChange::SignalToNoise((1000.0 * (signal / noise).log10()).round() / 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_of_the_amplitude_is_twenty_decibels() {
        let found = change(&[1.0, -2.0, 3.0], &[1.1, -2.2, 3.3]);
        assert!(
            matches!(found, OutputChange::SignalToNoise(decibels) if (decibels - 20.0).abs() < 1e-4),
            "{found:?}"
        );
        assert_eq!(change(&[1.0], &[1.0]), OutputChange::Unchanged);
    }
}
