//! The training workloads that benches and peers share.

use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{MeanSquaredError, Network, Sequential};
use maas_train::{Adam, Progress, Trainer};
use ndarray::Array2;

pub(crate) const ROWS: usize = 10_000;
pub(crate) const WIDTH: usize = 32;

/// 10,000 rows of 32 features with mean 0 and deviation 1, and a smooth target with a little noise.
pub(crate) fn data() -> Dataset {
    let mut random = Random(11);
    let features = Array2::from_shape_simple_fn((ROWS, WIDTH), || random.normal());
    let targets = features.map_axis(ndarray::Axis(1), |x| {
        0.5 * (x[0] + x[1] * x[2] + (2.0 * x[3]).sin() + 0.5 * x[4] * x[4]) + 0.1 * random.normal()
    });
    Dataset::new(
        features.view(),
        targets.insert_axis(ndarray::Axis(1)).view(),
    )
    .expect("the rows are finite")
}

/// The article's network on 32 features: 128-64-32-1 with relu.
pub(crate) fn network(data: &Dataset) -> Network {
    Sequential::new(data.features())
        .dense(128)
        .relu()
        .dense(64)
        .relu()
        .dense(32)
        .relu()
        .dense(1)
        .build(Seed(7))
        .expect("the layers fit")
}

/// Adam and mean squared error.
pub(crate) fn trainer<'a>(batch: usize, epochs: usize) -> Trainer<'a> {
    Trainer::new(Adam::new(1e-3), MeanSquaredError)
        .epochs(epochs)
        .batch_size(batch)
        .seed(Seed(7))
        .progress(Progress::Quiet)
}

/// A counter through a finaliser (splitmix64): good enough for data, the same everywhere.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    }

    /// The sum of twelve uniform numbers has variance 1.
    fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}
