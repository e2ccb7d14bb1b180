//! Which units go.

use maas_nn::{Mask, Network, Segment};

use super::Sparsity;
use super::grain::{Grain, Grid, Scope};
use super::neurons::Neurons;

/// What is pruned as one.
#[derive(Clone, Copy, Debug)]
struct Unit {
    /// Units of the same place are compared with each other.
    place: (usize, usize),
    score: f64,
    /// Whether all of it is masked already.
    gone: bool,
    segment: usize,
    number: usize,
}

/// A mask for each segment that is pruned: what is masked stays masked.
pub(super) fn masks(
    network: &Network,
    segments: &[Segment],
    scores: &[f32],
    (scope, grain): (Scope, Grain),
    sparsity: Sparsity,
) -> Vec<Mask> {
    let mut units = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let place = |unit: usize| match (grain, scope) {
            (Grain::Group { .. }, _) | (_, Scope::Output) => {
                (index, Grid::of(segment).output(grain, unit))
            }
            (_, Scope::Layer) => (index, 0),
            (_, Scope::Network) => (0, 0),
        };
        let means = means(network, segment, scores, grain);
        units.extend(means.into_iter().enumerate().map(|(number, mean)| Unit {
            place: place(number),
            score: mean.unwrap_or(0.0),
            gone: mean.is_none(),
            segment: index,
            number,
        }));
    }
    let mut pruned: Vec<Vec<bool>> = segments
        .iter()
        .map(|segment| vec![false; Grid::of(segment).units(grain)])
        .collect();
    // Stable, so that of equal scores the first in position goes first.
    units.sort_by(|a, b| {
        let (here, there) = ((a.place, !a.gone), (b.place, !b.gone));
        here.cmp(&there).then(a.score.total_cmp(&b.score))
    });
    for compared in units.chunk_by(|a, b| a.place == b.place) {
        let count = match grain {
            Grain::Group { of } => {
                let kept = of - sparsity.of(of);
                compared.len().saturating_sub(kept)
            }
            _ => sparsity.of(compared.len()),
        };
        for unit in &compared[..count] {
            pruned[unit.segment][unit.number] = true;
        }
    }
    let masks = segments.iter().zip(pruned).map(|(segment, pruned)| {
        let grid = Grid::of(segment);
        let earlier = earlier(network, segment);
        Mask::from_fn(segment.range.len(), |element| {
            !pruned[grid.unit(grain, element)] && earlier.is_none_or(|mask| mask.keeps(element))
        })
    });
    masks.collect()
}

/// The mean score of each unit, to which masked weights add nothing; none of a unit that is masked altogether.
fn means(network: &Network, segment: &Segment, scores: &[f32], grain: Grain) -> Vec<Option<f64>> {
    let (grid, earlier) = (Grid::of(segment), earlier(network, segment));
    let mut sums = vec![(0.0, 0_usize, 0_usize); grid.units(grain)];
    for (element, &score) in scores[segment.range.clone()].iter().enumerate() {
        let (sum, count, kept) = &mut sums[grid.unit(grain, element)];
        *count += 1;
        if earlier.is_none_or(|mask| mask.keeps(element)) {
            *sum += f64::from(score);
            *kept += 1;
        }
    }
    if grain == Grain::Neuron {
        for (kernel, rows) in Neurons::of(network, segment).readers {
            let scores = scores[kernel.range.clone()].chunks_exact(rows);
            for ((sum, count, _), scores) in sums.iter_mut().zip(scores) {
                *sum += scores.iter().map(|&score| f64::from(score)).sum::<f64>();
                *count += rows;
            }
        }
    }
    let mean = |(sum, count, kept): (f64, usize, usize)| {
        // Zeros of both signs are one score.
        (kept > 0).then(|| sum / count as f64 + 0.0)
    };
    sums.into_iter().map(mean).collect()
}

fn earlier<'a>(network: &'a Network, segment: &Segment) -> Option<&'a Mask> {
    network
        .mask(&segment.name)
        .expect("the segment is one of the network's")
}
