//! Weights stay with their rows, and classes can be made to count the same.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_core::Seed;
use maas_data::{Dataset, Error};
use ndarray::Array2;
use proptest::prelude::*;

fn labelled(labels: &[u32], classes: usize) -> Dataset {
    let x = Array2::from_shape_fn((labels.len(), 1), |(row, _)| row as f32);
    Dataset::classification(x.view(), labels, classes).unwrap()
}

proptest! {
    #[test]
    fn weights_stay_with_their_rows(rows in 5_usize..60, seed: u64) {
        let weights: Vec<f32> = (0..rows).map(|row| row as f32 + 0.5).collect();
        let data = labelled(&vec![0; rows], 1).weighted(weights).unwrap();
        let (train, test) = data.split_off(0.3, Seed(seed)).unwrap();
        for part in [train, test, data.shuffled(Seed(seed)), data.select(&[4, 0, 0]).unwrap()] {
            let expected: Vec<f32> = part.x().iter().map(|row| row + 0.5).collect();
            prop_assert_eq!(part.weights().unwrap(), expected);
        }
    }

    #[test]
    fn balanced_classes_count_the_same(labels in prop::collection::vec(0_u32..5, 1..80)) {
        let data = labelled(&labels, 6).balanced().unwrap();
        let counts = data.class_counts().unwrap();
        let present = counts.iter().filter(|&&count| count > 0).count();
        for class in 0..6 {
            let total: f64 = labels.iter().zip(data.weights().unwrap()).filter(|&(&label, _)| label == class).map(|(_, &weight)| f64::from(weight)).sum();
            let expected = if counts[class as usize] == 0 { 0.0 } else { labels.len() as f64 / present as f64 };
            prop_assert!((total - expected).abs() < 1e-4 * labels.len() as f64);
        }
    }
}

#[test]
fn class_weights_multiply_row_weights() {
    let data = labelled(&[0, 1, 1], 2).weighted([1.0, 2.0, 3.0]).unwrap();
    let data = data.class_weighted(&[10.0, 0.5]).unwrap();
    assert_eq!(data.weights().unwrap(), [10.0, 1.0, 1.5]);
}

#[test]
fn bad_weights_are_refused() {
    let data = labelled(&[0, 1], 2);
    assert_eq!(
        data.clone().weighted([1.0]).unwrap_err().to_string(),
        "`weights`: 2 rows expected, found 1"
    );
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(
            data.clone().weighted([1.0, bad]),
            Err(Error::BadWeight { row: 1, .. })
        ));
    }
    assert!(matches!(
        data.clone().weighted([0.0, -0.0]),
        Err(Error::NoWeight)
    ));
    assert_eq!(
        data.clone().class_weighted(&[1.0]).unwrap_err().to_string(),
        "one weight for each of 2 classes expected, found 1"
    );
    assert!(matches!(
        data.class_weighted(&[1.0, -1.0]),
        Err(Error::BadWeight { row: 1, .. })
    ));
    let regression = Dataset::new(Array2::zeros((2, 1)).view(), Array2::zeros((2, 1)).view());
    assert!(matches!(
        regression.unwrap().balanced(),
        Err(Error::NotAClassification)
    ));
}
