//! Folds and strata: every row is validated once, every class has its share, samples follow their weights.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::Seed;
use maas_data::{Dataset, Error, WeightedSampler};
use ndarray::Array2;
use proptest::prelude::*;

/// Every row holds its own number.
fn labelled(labels: &[u32], classes: usize) -> Dataset {
    let x = Array2::from_shape_fn((labels.len(), 1), |(row, _)| row as f32);
    Dataset::classification(x.view(), labels, classes).unwrap()
}

fn numbers(data: &Dataset) -> Vec<usize> {
    data.x().iter().map(|&row| row as usize).collect()
}

fn sorted<'a>(parts: impl IntoIterator<Item = &'a Dataset>) -> Vec<usize> {
    let mut all: Vec<usize> = parts.into_iter().flat_map(numbers).collect();
    all.sort_unstable();
    all
}

proptest! {
    #[test]
    fn every_row_is_in_one_fold(labels in prop::collection::vec(0_u32..3, 2..80), folds in 2_usize..8, seed: u64, stratified: bool) {
        let data = labelled(&labels, 3);
        let make = || if stratified { data.stratified_folds(folds, Seed(seed)) } else { data.folds(folds, Seed(seed)) };
        match make() {
            Ok(pairs) => {
                prop_assert_eq!(pairs.len(), folds);
                let pairs: Vec<_> = pairs.collect();
                let all: Vec<usize> = (0..labels.len()).collect();
                prop_assert_eq!(sorted(pairs.iter().map(|(_, validation)| validation)), all.clone());
                for (index, (train, validation)) in pairs.iter().enumerate() {
                    prop_assert_eq!(sorted([train, validation]), all.clone());
                    prop_assert!(validation.rows() == labels.len() / folds || validation.rows() == labels.len().div_ceil(folds));
                    if stratified {
                        for (count, whole) in validation.class_counts().unwrap().into_iter().zip(data.class_counts().unwrap()) {
                            prop_assert!(count == whole / folds || count == whole.div_ceil(folds));
                        }
                    }
                    let (_, again) = make().unwrap().nth(index).unwrap();
                    prop_assert_eq!(&again, validation);
                }
            }
            Err(Error::FoldCount { .. }) => prop_assert!(folds > labels.len()),
            Err(Error::TooFewOfClass { rows, .. }) => prop_assert!(stratified && rows < folds),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn strata_have_their_share(labels in prop::collection::vec(0_u32..4, 3..200), validation in 0.05_f64..0.45, test in 0.05_f64..0.45, seed: u64) {
        let data = labelled(&labels, 4);
        let fractions = [1.0 - validation - test, validation, test];
        let counts = data.class_counts().unwrap();
        match data.stratified_split(fractions, Seed(seed)) {
            Ok(split) => {
                let parts = [&split.train, &split.validation, &split.test];
                prop_assert_eq!(sorted(parts), (0..labels.len()).collect::<Vec<_>>());
                for (part, fraction) in parts.iter().zip(fractions) {
                    for (found, count) in part.class_counts().unwrap().into_iter().zip(&counts) {
                        prop_assert!(found > 0);
                        prop_assert!((found as f64 - fraction * *count as f64).abs() <= 1.0);
                    }
                }
                prop_assert_eq!(data.stratified_split(fractions, Seed(seed)).unwrap(), split);
            }
            Err(Error::TooFewOfClass { rows, .. }) => prop_assert!(counts.contains(&rows) && rows < 40),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn samples_have_weight(weights in prop::collection::vec(prop_oneof![Just(0.0_f32), 0.0_f32..10.0], 1..30), seed: u64, epoch: u64) {
        match WeightedSampler::new(&weights, Seed(seed)) {
            Ok(sampler) => {
                let mut order = vec![0; 4000];
                sampler.fill(epoch, &mut order);
                let total: f32 = weights.iter().sum();
                for (row, weight) in weights.iter().enumerate() {
                    let expected = f64::from(weight / total) * 4000.0;
                    let found = order.iter().filter(|&&drawn| drawn as usize == row).count() as f64;
                    // Six standard deviations, and a little for rows that are hardly ever drawn.
                    prop_assert!((found - expected).abs() <= 6.0 * expected.sqrt() + 6.0);
                    prop_assert!(*weight > 0.0 || found == 0.0);
                }
            }
            Err(Error::NoWeight) => prop_assert!(weights.iter().all(|&weight| weight == 0.0)),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    #[test]
    fn oversampling_keeps_all_rows_and_levels_classes(labels in prop::collection::vec(0_u32..4, 1..60), seed: u64) {
        let data = labelled(&labels, 4);
        let more = data.oversampled(Seed(seed)).unwrap();
        prop_assert_eq!(&numbers(&more)[..labels.len()], (0..labels.len()).collect::<Vec<_>>());
        let most = data.class_counts().unwrap().into_iter().max().unwrap();
        for (count, before) in more.class_counts().unwrap().into_iter().zip(data.class_counts().unwrap()) {
            prop_assert_eq!(count, if before == 0 { 0 } else { most });
        }
    }
}

#[test]
fn classes_without_rows_are_named() {
    let data = labelled(&[0, 0, 1, 1, 0, 0], 3);
    for error in [
        data.stratified_folds(2, Seed(1)).unwrap_err(),
        data.stratified_split_off(0.5, Seed(1)).unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "class `2` has 0 rows: too few to have some in each of 2 parts"
        );
    }
    assert!(matches!(
        data.folds(1, Seed(1)),
        Err(Error::FoldCount { rows: 6, found: 1 })
    ));
    assert!(matches!(
        data.stratified_split_off(1.5, Seed(1)),
        Err(Error::Fractions { .. })
    ));
}

#[test]
fn parts_of_a_stratified_split_keep_their_sizes() {
    let labels: Vec<u32> = (0..150).map(|row| row % 10).collect();
    let split = labelled(&labels, 10)
        .stratified_split([0.7, 0.15, 0.15], Seed(3))
        .unwrap();
    assert_eq!(
        [
            split.train.rows(),
            split.validation.rows(),
            split.test.rows()
        ],
        [105, 22, 23]
    );
}

#[test]
fn samples_are_those_of_every_version() {
    let mut order = [0; 8];
    let sampler = WeightedSampler::new(&[1.0, 2.0, 3.0, 4.0], Seed(7)).unwrap();
    sampler.fill(3, &mut order);
    assert_eq!(order, [1, 0, 2, 3, 2, 3, 2, 3]);
}
