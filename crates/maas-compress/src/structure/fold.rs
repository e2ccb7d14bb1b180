use std::collections::BTreeMap;

use maas_nn::{LayerSpec, Source};

use super::affine::Affine;
use super::draft::{Draft, Layer};
use super::features::reshaped;
use super::report::{Change, Reason};
use super::tensor::last;

/// New numbers for a dense layer.
#[derive(Debug)]
struct Rewrite {
    layer: usize,
    kernel: Vec<f32>,
    bias: Vec<f32>,
}

/// Folds `layer`, which computes `affine` of `source`, into the dense layer before it or into those behind it.
///
/// # Errors
/// Why it cannot be; the draft is then as it was.
pub(super) fn fold(
    draft: &mut Draft,
    layer: usize,
    source: Source,
    affine: &Affine,
) -> Result<Vec<Change>, Reason> {
    let rewrites = plan(draft, layer, source, affine)?;
    let into = rewrites.iter().map(|rewrite| draft.name(rewrite.layer));
    let mut changes = vec![Change::Folded {
        layer: draft.name(layer),
        into: into.collect(),
    }];
    for rewrite in rewrites {
        let dense = &mut draft.layers[rewrite.layer];
        dense.kernel_mut().values = rewrite.kernel;
        if dense.set_bias(rewrite.bias) {
            changes.push(Change::Bias {
                layer: draft.name(rewrite.layer),
            });
        }
    }
    draft.bypass(layer, source);
    Ok(changes)
}

/// Why [`fold`] would not do it.
pub(super) fn obstacle(
    draft: &Draft,
    layer: usize,
    source: Source,
    affine: &Affine,
) -> Option<Reason> {
    plan(draft, layer, source, affine).err()
}

fn plan(
    draft: &Draft,
    layer: usize,
    source: Source,
    affine: &Affine,
) -> Result<Vec<Rewrite>, Reason> {
    let rewrites = match before(draft, source, affine) {
        Some(rewrite) => vec![rewrite],
        None => behind(draft, layer, affine).ok_or(Reason::Neighbours)?,
    };
    let numbers = |rewrite: &Rewrite| {
        rewrite
            .kernel
            .iter()
            .chain(&rewrite.bias)
            .all(|w| w.is_finite())
    };
    if !rewrites.iter().all(numbers) {
        return Err(Reason::Overflow);
    }
    let added = rewrites
        .iter()
        .map(|rewrite| draft.layers[rewrite.layer].added_by(&rewrite.bias));
    if added.sum::<usize>() > draft.freed(layer, source) {
        return Err(Reason::Larger);
    }
    Ok(rewrites)
}

/// Into the dense layer that gives `source`, where nobody else reads that.
fn before(draft: &Draft, mut source: Source, affine: &Affine) -> Option<Rewrite> {
    loop {
        let Source::Node(index) = source else {
            return None;
        };
        if draft.reads(source) != 1 {
            return None;
        }
        let layer = &draft.layers[index];
        match layer.node.layer {
            _ if layer.takes_over() => return Some(scale_columns(index, layer, affine)),
            LayerSpec::Dropout { .. } | LayerSpec::GaussianNoise { .. } => {
                source = layer.node.inputs[0];
            }
            _ => return None,
        }
    }
}

/// Into all layers behind `from`, where they are dense ones.
fn behind(draft: &Draft, from: usize, affine: &Affine) -> Option<Vec<Rewrite>> {
    // Of each value that holds features of `from`, which feature each of its own is.
    let mut holds: BTreeMap<usize, Vec<Option<usize>>> = BTreeMap::new();
    holds.insert(from, (0..affine.scale.len()).map(Some).collect());
    let mut rewrites = Vec::new();
    for (index, layer) in draft.layers.iter().enumerate().skip(from + 1) {
        let held = |source: &Source| match source {
            Source::Node(layer) => holds.get(layer),
            Source::Input(_) => None,
        };
        let Some(first) = layer.node.inputs.iter().find_map(held) else {
            continue;
        };
        let value = match layer.node.layer {
            _ if layer.takes_over() => {
                rewrites.push(scale_rows(index, layer, first, affine));
                continue;
            }
            LayerSpec::Dropout { .. } | LayerSpec::GaussianNoise { .. } => first.clone(),
            LayerSpec::Flatten | LayerSpec::Reshape { .. } => {
                reshape(first, &draft.shape(layer.node.inputs[0]), &layer.shape)?
            }
            LayerSpec::Concatenate => {
                let parts = layer.node.inputs.iter().map(|source| match held(source) {
                    Some(value) => value.clone(),
                    None => vec![None; draft.features(*source)],
                });
                parts.flatten().collect()
            }
            _ => return None,
        };
        holds.insert(index, value);
    }
    let ends = matches!(draft.output, Source::Node(layer) if holds.contains_key(&layer));
    (!ends).then_some(rewrites)
}

/// Which feature each feature of the new shape is, if that is one.
fn reshape(value: &[Option<usize>], from: &[usize], to: &[usize]) -> Option<Vec<Option<usize>>> {
    let mut after: Vec<Option<Option<usize>>> = vec![None; last(to)];
    for (feature, place) in reshaped(from, to) {
        match after[place] {
            Some(seen) if seen != value[feature] => return None,
            _ => after[place] = Some(value[feature]),
        }
    }
    after.into_iter().collect()
}

/// scale · (x·W + b) + shift.
fn scale_columns(index: usize, layer: &Layer, affine: &Affine) -> Rewrite {
    let scaled = |weights: &[f32]| {
        let columns = weights.iter().zip(&affine.scale);
        columns
            .map(|(&weight, scale)| (f64::from(weight) * scale) as f32)
            .collect::<Vec<f32>>()
    };
    let terms = affine.scale.iter().zip(&affine.shift);
    Rewrite {
        layer: index,
        kernel: layer.kernel().rows().flat_map(scaled).collect(),
        bias: layer
            .bias()
            .iter()
            .zip(terms)
            .map(|(&b, (scale, shift))| (f64::from(b) * scale + shift) as f32)
            .collect(),
    }
}

/// (scale · x + shift)·W + b, of those rows of W that read a feature.
fn scale_rows(index: usize, layer: &Layer, value: &[Option<usize>], affine: &Affine) -> Rewrite {
    let mut kernel = layer.kernel().values.clone();
    let mut bias: Vec<f64> = layer.bias().iter().map(|&b| b.into()).collect();
    for (row, feature) in kernel.chunks_exact_mut(bias.len()).zip(value) {
        let Some(feature) = *feature else {
            continue;
        };
        for (weight, bias) in row.iter_mut().zip(&mut bias) {
            *bias += affine.shift[feature] * f64::from(*weight);
            *weight = (f64::from(*weight) * affine.scale[feature]) as f32;
        }
    }
    Rewrite {
        layer: index,
        kernel,
        bias: bias.into_iter().map(|b| b as f32).collect(),
    }
}
