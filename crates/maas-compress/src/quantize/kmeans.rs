//! k-means in one dimension.

/// At most `k` numbers that the sum of the squares of these values' distances to the nearest is small for (Lloyd, 1982): the
/// better of two starts, evenly spread over the range and over the values. `values` are sorted and finite.
pub(super) fn kmeans(values: &[f32], k: usize) -> Vec<f32> {
    let (Some(&low), Some(&high)) = (values.first(), values.last()) else {
        return Vec::new();
    };
    let sums = Sums::new(values);
    let spread = |index: usize| (index as f64 + 0.5) / k as f64;
    let range =
        (0..k).map(|index| f64::from(low) + spread(index) * (f64::from(high) - f64::from(low)));
    let ranks = (0..k).map(|index| values[(spread(index) * values.len() as f64) as usize].into());
    let (a, b) = (sums.settle(range.collect()), sums.settle(ranks.collect()));
    let best = if sums.error(&a) <= sums.error(&b) {
        a
    } else {
        b
    };
    let mut centres: Vec<f32> = best.into_iter().map(|centre| centre as f32).collect();
    centres.dedup();
    centres
}

/// The number of the centre nearest to a value; of two as near, the first.
pub(super) fn nearest(centres: &[f32], value: f32) -> usize {
    let after = centres.partition_point(|&centre| centre < value);
    let distance = |index: usize| (f64::from(centres[index]) - f64::from(value)).abs();
    match after {
        0 => 0,
        after if after == centres.len() => after - 1,
        after if distance(after - 1) <= distance(after) => after - 1,
        after => after,
    }
}

/// Sorted values, with sums of all before each.
struct Sums<'a> {
    values: &'a [f32],
    first: Vec<f64>,
    second: Vec<f64>,
}

impl<'a> Sums<'a> {
    fn new(values: &'a [f32]) -> Self {
        let (mut first, mut second) = (vec![0.0], vec![0.0]);
        let (mut sum, mut squares) = (0.0, 0.0);
        for &value in values {
            let value = f64::from(value);
            sum += value;
            squares += value * value;
            first.push(sum);
            second.push(squares);
        }
        Self {
            values,
            first,
            second,
        }
    }

    /// Moves each centre to the mean of the values nearest to it, until none moves. A centre without values leaves.
    fn settle(&self, mut centres: Vec<f64>) -> Vec<f64> {
        for _ in 0..MOST_ROUNDS {
            let bounds = self.bounds(&centres);
            let moved: Vec<f64> = bounds
                .windows(2)
                .filter(|bounds| bounds[0] < bounds[1])
                .map(|bounds| {
                    (self.first[bounds[1]] - self.first[bounds[0]]) / (bounds[1] - bounds[0]) as f64
                })
                .collect();
            if moved == centres {
                break;
            }
            centres = moved;
        }
        centres
    }

    /// Where the values of each centre begin, and where the last one's end.
    fn bounds(&self, centres: &[f64]) -> Vec<usize> {
        let between = centres.windows(2).map(|pair| {
            let middle = f64::midpoint(pair[0], pair[1]);
            self.values
                .partition_point(|&value| f64::from(value) <= middle)
        });
        std::iter::once(0)
            .chain(between)
            .chain([self.values.len()])
            .collect()
    }

    /// The sum of squares of the distances to the nearest centre.
    fn error(&self, centres: &[f64]) -> f64 {
        let bounds = self.bounds(centres);
        let errors = bounds.windows(2).zip(centres).map(|(bounds, centre)| {
            let first = self.first[bounds[1]] - self.first[bounds[0]];
            let second = self.second[bounds[1]] - self.second[bounds[0]];
            second - 2.0 * centre * first + centre * centre * (bounds[1] - bounds[0]) as f64
        });
        errors.sum()
    }
}

/// Lloyd's rounds end long before, on weights of networks.
const MOST_ROUNDS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn groups_far_apart_are_found() {
        let values = [-5.1, -5.0, -4.9, 0.9, 1.1, 7.0];
        let centres = kmeans(&values, 3);
        assert_eq!(centres.len(), 3);
        for (centre, expected) in centres.iter().zip([-5.0, 1.0, 7.0]) {
            assert!((centre - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn fewer_values_than_centres_are_kept_as_they_are() {
        assert_eq!(kmeans(&[1.0, 1.0, 2.0], 5), [1.0, 2.0]);
        assert!(kmeans(&[], 5).is_empty());
    }

    proptest! {
        #[test]
        fn every_centre_is_the_mean_of_the_values_nearest_to_it(
            mut values in prop::collection::vec(-10.0_f32..10.0, 1..200), k in 1_usize..9,
        ) {
            values.sort_by(f32::total_cmp);
            let centres = kmeans(&values, k);
            prop_assert!(!centres.is_empty() && centres.len() <= k);
            prop_assert!(centres.is_sorted());
            for (index, &centre) in centres.iter().enumerate() {
                let near: Vec<f32> =
                    values.iter().copied().filter(|&value| nearest(&centres, value) == index).collect();
                let mean = near.iter().sum::<f32>() / near.len() as f32;
                prop_assert!((mean - centre).abs() < 1e-4, "{} and {}", mean, centre);
            }
        }

        #[test]
        fn the_nearest_is_the_nearest(mut centres in prop::collection::vec(-10.0_f32..10.0, 1..9), value in -12.0_f32..12.0) {
            centres.sort_by(f32::total_cmp);
            let found = (f64::from(centres[nearest(&centres, value)]) - f64::from(value)).abs();
            for centre in centres {
                prop_assert!(found <= (f64::from(centre) - f64::from(value)).abs());
            }
        }
    }
}
