//! Few values for many weights: k-means over those of a segment (Han, Mao & Dally, *Deep compression*, 2016), taken over
//! by the largest weights first (Zhou et al., *Incremental network quantization*, 2017).

use std::collections::{BTreeMap, BTreeSet};

use maas::nn::{Acts, Block, Step, Transform};
use maas::prelude::*;
use maas::serde_json::{Value, json};

/// For each segment its values, ascending.
pub(crate) type Palettes = BTreeMap<String, Vec<f32>>;

/// Palettes of at most so many values for what is not zero in the segments of a network.
pub(crate) fn of(network: &Network, values: usize) -> Palettes {
    let palette = |segment: &maas::nn::Segment| {
        let mut weights: Vec<f32> = network.parameters()[segment.range.clone()].to_vec();
        weights.retain(|weight| *weight != 0.0);
        weights.sort_unstable_by(f32::total_cmp);
        (segment.name.clone(), centres(&weights, values))
    };
    network.segments().iter().map(palette).collect()
}

/// The centres of k clusters of ascending numbers, to eight significant bits.
fn centres(numbers: &[f32], k: usize) -> Vec<f32> {
    let (Some(&least), Some(&greatest)) = (numbers.first(), numbers.last()) else {
        return Vec::new();
    };
    let share = |i: usize| (i as f32 + 0.5) / k as f32;
    let even = |i| least + (greatest - least) * share(i);
    let quantile = |i| numbers[(share(i) * numbers.len() as f32) as usize];
    let mut centres: Vec<f32> = (0..k).map(|i| 0.5 * (even(i) + quantile(i))).collect();
    for _ in 0..100 {
        let mut clusters = vec![(0.0, 0_u32); k];
        for &number in numbers {
            let (sum, count) = &mut clusters[nearest(&centres, number)];
            *sum += number;
            *count += 1;
        }
        for (centre, (sum, count)) in centres.iter_mut().zip(clusters) {
            if count > 0 {
                *centre = sum / count as f32;
            }
        }
        centres.sort_unstable_by(f32::total_cmp);
    }
    let short = |centre: f32| f32::from_bits((centre.to_bits() + 0x8000) & 0xffff_0000);
    centres
        .iter_mut()
        .for_each(|centre| *centre = short(*centre));
    centres.dedup();
    centres
}

/// Which of these ascending numbers is nearest.
fn nearest(numbers: &[f32], to: f32) -> usize {
    let above = numbers.partition_point(|&number| number < to);
    match above {
        0 => 0,
        _ if above == numbers.len() => above - 1,
        _ if to - numbers[above - 1] <= numbers[above] - to => above - 1,
        _ => above,
    }
}

/// Gives this share of the numbers of each segment that are not zero, the largest, the nearest value of its palette.
pub(crate) fn round(network: &mut Network, palettes: &Palettes, share: f64) {
    for segment in network.segments().to_vec() {
        let palette = &palettes[&segment.name];
        let weights = &mut network.parameters_mut()[segment.range];
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.retain(|&index| weights[index] != 0.0);
        order.sort_by(|&a, &b| weights[b].abs().total_cmp(&weights[a].abs()));
        order.truncate((share * order.len() as f64).ceil() as usize);
        for index in order {
            weights[index] = palette[nearest(palette, weights[index])];
        }
    }
}

/// A link that leaves numbers alone which have a value of a palette when training begins.
#[derive(Debug)]
pub(crate) struct Hold(BTreeSet<u32>);

impl Hold {
    pub(crate) fn new(palettes: &Palettes) -> Self {
        Self(
            palettes
                .values()
                .flatten()
                .map(|value| value.to_bits())
                .collect(),
        )
    }
}

impl Transform for Hold {
    fn config(&self) -> Value {
        json!(self.0)
    }

    /// What a number is held at; NaN for one that moves.
    fn buffers(&self) -> usize {
        1
    }

    fn acts(&self) -> Acts {
        Acts::AfterStep
    }

    fn start(&self, block: &mut Block<'_>) {
        for (held, &parameter) in block.state.get(0).iter_mut().zip(&*block.parameters) {
            let is_held = self.0.contains(&parameter.to_bits());
            *held = if is_held { parameter } else { f32::NAN };
        }
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn after(&self, _: &Step, block: &mut Block<'_>) {
        for (parameter, &mut held) in block.parameters.iter_mut().zip(block.state.get(0)) {
            if !held.is_nan() {
                *parameter = held;
            }
        }
    }
}
