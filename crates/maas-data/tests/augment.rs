//! Augmentation: a row is changed in the same way whatever is around it.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::Seed;
use maas_data::{Augmentation, RowRandom};
use proptest::prelude::*;

fn noise() -> Augmentation {
    Augmentation::new(|row, random| {
        for number in row.numbers() {
            *number += random.between(-1.0..1.0);
        }
    })
}

proptest! {
    #[test]
    fn a_row_depends_on_seed_epoch_and_number_alone(seed: u64, epoch: u64, rows in prop::collection::vec(any::<u32>(), 1..20)) {
        let mut batch = vec![0.0; rows.len() * 3];
        noise().apply(0, &[3], &mut batch, &rows, Seed(seed), epoch);
        for (&row, values) in rows.iter().zip(batch.chunks(3)) {
            let mut alone = [0.0; 3];
            noise().apply(0, &[3], &mut alone, &[row], Seed(seed), epoch);
            prop_assert_eq!(values, alone);
            let mut next = [0.0; 3];
            noise().apply(0, &[3], &mut next, &[row], Seed(seed), epoch.wrapping_add(1));
            prop_assert_ne!(alone, next);
        }
    }

    #[test]
    fn numbers_keep_to_their_ranges(seed: u64, start in -1e6_f32..1e6, length in 1e-3_f32..1e6, bound in 1_usize..1000) {
        let mut random = RowRandom::new(Seed(seed), 0, 0);
        for _ in 0..50 {
            prop_assert!((0.0..1.0).contains(&random.uniform()));
            let range = start..start + length;
            let found = random.between(range.clone());
            prop_assert!(range.contains(&found) || range.is_empty());
            prop_assert!(random.below(bound) < bound);
        }
    }
}

#[test]
fn numbers_are_those_of_every_version() {
    let mut random = RowRandom::new(Seed(7), 3, 5);
    assert_eq!(random.number(), 13_298_470_675_632_273_858);
}

#[test]
#[should_panic(expected = "values of 2 rows of shape [3]")]
fn rows_that_do_not_fit_are_a_mistake() {
    noise().apply(0, &[3], &mut [0.0; 5], &[0, 1], Seed(7), 0);
}
