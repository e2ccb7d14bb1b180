//! The few values that numbers are rounded to.

use super::kmeans::{kmeans, nearest};

/// At least one value and at most so many, ascending; none where all numbers are zero.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Palette {
    values: Vec<f32>,
    bits: u32,
}

impl Palette {
    /// The values that finite numbers have beside zero, if there are at most so many, and else those of their k-means.
    pub(super) fn of(numbers: &[f32], most: usize) -> Self {
        let bits = most.max(1).next_power_of_two().ilog2() + GUARD;
        let nonzero = || numbers.iter().copied().filter(|&number| number != 0.0);
        let values = different(nonzero(), most).unwrap_or_else(|| {
            let mut sorted: Vec<f32> = nonzero().collect();
            sorted.sort_unstable_by(f32::total_cmp);
            rounded(kmeans(&sorted, most), bits)
        });
        Self { values, bits }
    }

    /// The value nearest to a number; zero for zero.
    pub(super) fn nearest(&self, number: f32) -> f32 {
        match number == 0.0 || self.values.is_empty() {
            true => number,
            false => self.values[nearest(&self.values, number)],
        }
    }

    /// Moves each value to the mean of the numbers nearest to it. One that is nearest to none leaves.
    pub(super) fn follow(&mut self, numbers: &[f32]) {
        let mut clusters = vec![(0.0, 0_u32); self.values.len()];
        if clusters.is_empty() {
            return;
        }
        for &number in numbers.iter().filter(|&&number| number != 0.0) {
            let (sum, count) = &mut clusters[nearest(&self.values, number)];
            *sum += f64::from(number);
            *count += 1;
        }
        let means = clusters
            .into_iter()
            .filter(|&(_, count)| count > 0)
            .map(|(sum, count)| (sum / f64::from(count)) as f32);
        self.values = rounded(means.collect(), self.bits);
    }
}

/// The different numbers among these, ascending, if there are at most so many.
fn different(numbers: impl Iterator<Item = f32>, most: usize) -> Option<Vec<f32>> {
    let mut found: Vec<f32> = Vec::new();
    for number in numbers {
        if let Err(place) = found.binary_search_by(|other| other.total_cmp(&number)) {
            if found.len() == most {
                return None;
            }
            found.insert(place, number);
        }
    }
    Some(found)
}

/// These ascending numbers with so many significant bits, each once.
fn rounded(mut numbers: Vec<f32>, bits: u32) -> Vec<f32> {
    let Some(behind @ 1..) = f32::MANTISSA_DIGITS.checked_sub(bits) else {
        return numbers;
    };
    for number in &mut numbers {
        let half = 1 << (behind - 1);
        let near = f32::from_bits((number.to_bits() + half) & (u32::MAX << behind));
        *number = if near.is_finite() { near } else { *number };
    }
    numbers.dedup();
    numbers
}

/// Significant bits of a value beyond those of its place.
const GUARD: u32 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_values_stay_as_they_are() {
        let numbers = [0.1, 0.0, -3.3, 0.1, 7.7];
        let palette = Palette::of(&numbers, 3);
        assert_eq!(palette.values, [-3.3, 0.1, 7.7]);
        assert!(numbers.iter().all(|&n| palette.nearest(n) == n));
        let nothing = Palette::of(&[0.0, -0.0], 3);
        assert_eq!((nothing.values.len(), nothing.nearest(0.5)), (0, 0.5));
    }

    #[test]
    fn values_follow_their_numbers_and_leave_without_any() {
        let mut palette = Palette::of(&[1.0, 2.0, 9.0], 3);
        palette.follow(&[0.5, 0.0, 1.0, 8.0, 8.5]);
        assert_eq!(palette.values, [0.75, 8.25]);
        palette.follow(&[]);
        assert!(palette.values.is_empty());
    }

    #[test]
    fn the_largest_numbers_stay_finite() {
        let palette = Palette::of(&[f32::MAX, f32::MAX.next_down(), 1.0, -1.0], 2);
        assert!(palette.values.iter().all(|value| value.is_finite()));
    }

    proptest! {
        #[test]
        fn values_are_few_short_and_ascending(
            numbers in prop::collection::vec(-10.0_f32..10.0, 1..200), most in 1_usize..40,
        ) {
            let mut palette = Palette::of(&numbers, most);
            for _ in 0..2 {
                prop_assert!((1..=most).contains(&palette.values.len()));
                prop_assert!(palette.values.is_sorted_by(|a, b| a < b));
                palette.follow(&numbers);
                let short = |value: &f32| value.to_bits().trailing_zeros() >= 24 - palette.bits;
                prop_assert!(palette.values.iter().all(short));
            }
            let rounded: Vec<f32> = numbers.iter().map(|&n| palette.nearest(n)).collect();
            prop_assert!(rounded.iter().all(|&n| Palette::of(&rounded, most).nearest(n) == n));
        }
    }
}
