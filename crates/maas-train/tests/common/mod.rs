//! Small data and networks that several tests share.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]
#![allow(dead_code, reason = "each test uses a part")]

use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{Network, Sequential};
use ndarray::Array2;

/// Numbers in −1..1 that look random and are the same everywhere.
pub(crate) fn noise(seed: usize, index: usize) -> f32 {
    let x = (seed * 7919 + index + 1) as u64;
    let x = (x ^ (x >> 3)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 40) as f32 / (1 << 23) as f32 - 1.0
}

/// `rows` of 5 features around 10 and a smooth target around 100.
pub(crate) fn regression(rows: usize) -> Dataset {
    let x = Array2::from_shape_fn((rows, 5), |(row, column)| noise(column, row));
    let y = Array2::from_shape_fn((rows, 1), |(row, _)| {
        100.0 + 20.0 * (x[[row, 0]] + x[[row, 1]] * x[[row, 2]])
    });
    Dataset::new((10.0 + x).view(), y.view()).unwrap()
}

/// `rows` of 4 features in three classes.
pub(crate) fn classification(rows: usize) -> Dataset {
    let x = Array2::from_shape_fn((rows, 4), |(row, column)| noise(column, row));
    let score = |row: usize| [x[[row, 0]], x[[row, 1]], x[[row, 2]] + 0.5 * x[[row, 3]]];
    let best = |s: [f32; 3]| (0..3).fold(0, |best, i| if s[i] > s[best] { i } else { best });
    let labels: Vec<u32> = (0..rows).map(|row| best(score(row)) as u32).collect();
    Dataset::classification(x.view(), &labels, 3).unwrap()
}

/// 5 - 16 - 8 - 1 with the data's moments.
pub(crate) fn regressor(data: &Dataset) -> Network {
    Sequential::new(data.features())
        .normalize(data)
        .dense(16)
        .relu()
        .dense(8)
        .tanh()
        .dense(1)
        .build(Seed(3))
        .unwrap()
}

/// 4 - 12 - 3, probabilities.
pub(crate) fn classifier(data: &Dataset) -> Network {
    Sequential::new(data.features())
        .dense(12)
        .relu()
        .dense(3)
        .softmax()
        .build(Seed(3))
        .unwrap()
}
