//! The range whose levels keep most of a distribution.

use super::calibration::Histogram;

/// The end of the range for which the distribution of magnitudes, cut off there, diverges least from what is left of it on
/// 128 levels.
pub(super) fn least_divergence(histogram: &Histogram) -> f32 {
    let counts = &histogram.smooth();
    let ranges = LEVELS..=counts.len();
    let best = ranges.min_by(|&a, &b| divergence(counts, a).total_cmp(&divergence(counts, b)));
    histogram.end(best.expect("there are more bins than levels"))
}

/// Σ p ln(p / q) over the first `bins` bins: p counts what lies beyond in the last of them; q spreads what each level
/// holds evenly over those of its bins that hold anything.
fn divergence(counts: &[f64], bins: usize) -> f64 {
    let (inside, beyond) = counts.split_at(bins);
    let beyond: f64 = beyond.iter().sum();
    let kept: f64 = inside.iter().sum();
    let total = kept + beyond;
    let mut sum = 0.0;
    for level in 0..LEVELS {
        let range = level * bins / LEVELS..(level + 1) * bins / LEVELS;
        let level_counts = &inside[range.clone()];
        let held: f64 = level_counts.iter().sum();
        let occupied = level_counts.iter().filter(|&&count| count > 0.0).count();
        for (bin, &count) in range.zip(level_counts) {
            let last = bin + 1 == bins;
            let p = if last { count + beyond } else { count } / total;
            if p > 0.0 {
                let q = held / occupied.max(1) as f64 / kept;
                // Where nothing is left of what was there, the divergence has no bound.
                sum += if count > 0.0 {
                    p * (p / q).ln()
                } else {
                    p * MISSED
                };
            }
        }
    }
    sum
}

/// Levels of a magnitude in eight bits with a sign.
const LEVELS: usize = 128;

/// ln(p / q) for what a level does not hold at all.
const MISSED: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_distribution_loses_nothing() {
        assert!(divergence(&[3.0; 256], 256).abs() < 1e-12);
        assert!(divergence(&[3.0; 256], 128) > 0.1);
    }
}
