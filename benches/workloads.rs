//! The training workloads that benches and peers share.

use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{CategoricalCrossEntropy, MeanSquaredError, Network, Sequential};
use maas_train::{Adam, ProductPrecision, Progress, Trainer};
use ndarray::{Array2, Axis};

/// Dense layers with relu between them, trained with Adam on synthetic rows that can be learned.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// Features, then the units of each layer.
    pub(crate) widths: &'static [usize],
    pub(crate) task: Task,
    pub(crate) rows: usize,
    pub(crate) batch: usize,
    pub(crate) epochs: usize,
    /// Whether every epoch has an order of its own.
    pub(crate) shuffled: bool,
    pub(crate) precision: ProductPrecision,
}

#[derive(Clone, Copy)]
pub(crate) enum Task {
    /// Mean squared error.
    Regression,
    /// Softmax and cross-entropy of labels.
    Classification,
}

/// The article's network in small batches: 3,130 steps of 2.5 MFLOP.
pub(crate) const W1: Workload = Workload {
    name: "w1",
    widths: &[32, 128, 64, 32, 1],
    task: Task::Regression,
    rows: 10_000,
    batch: 32,
    epochs: 10,
    shuffled: true,
    precision: ProductPrecision::F32,
};

/// The same in large batches: 100 steps of 80 MFLOP.
pub(crate) const W2: Workload = Workload {
    name: "w2",
    batch: 1024,
    ..W1
};

/// The same in one batch, without a shuffle: 100 steps of 780 MFLOP.
pub(crate) const W3: Workload = Workload {
    name: "w3",
    batch: 10_000,
    epochs: 100,
    shuffled: false,
    ..W1
};

/// A wide classifier: 60 steps of 4.1 GFLOP.
pub(crate) const W4: Workload = Workload {
    name: "w4",
    widths: &[784, 1024, 1024, 1024, 10],
    task: Task::Classification,
    rows: 5_120,
    batch: 256,
    epochs: 3,
    shuffled: true,
    precision: ProductPrecision::F32,
};

/// The same with bf16 products.
pub(crate) const W4_BF16: Workload = Workload {
    name: "w4-bf16",
    precision: ProductPrecision::Bf16,
    ..W4
};

pub(crate) const ALL: [Workload; 5] = [W1, W2, W3, W4, W4_BF16];

impl Workload {
    pub(crate) fn data(&self) -> Dataset {
        let data = match self.task {
            Task::Regression => regression(self.rows, self.widths[0]),
            Task::Classification => {
                let classes = self.widths[self.widths.len() - 1];
                classification(self.rows, self.widths[0], classes)
            }
        };
        data.expect("the rows are finite")
    }

    pub(crate) fn network(&self, data: &Dataset) -> Network {
        let (&last, hidden) = self.widths[1..].split_last().expect("there are layers");
        let network = hidden
            .iter()
            .fold(Sequential::new(data.features()), |network, &units| {
                network.dense(units).relu()
            })
            .dense(last);
        let network = match self.task {
            Task::Regression => network,
            Task::Classification => network.softmax(),
        };
        network.build(Seed(7)).expect("the layers fit")
    }

    pub(crate) fn trainer<'a>(&self) -> Trainer<'a> {
        let adam = Adam::new(1e-3);
        let trainer = match self.task {
            Task::Regression => Trainer::new(adam, MeanSquaredError),
            Task::Classification => Trainer::new(adam, CategoricalCrossEntropy),
        };
        let trainer = trainer
            .epochs(self.epochs)
            .batch_size(self.batch)
            .precision(self.precision)
            .seed(Seed(7))
            .progress(Progress::Quiet);
        if self.shuffled {
            trainer
        } else {
            trainer.in_order()
        }
    }
}

/// Features with mean 0 and deviation 1, and a smooth target with a little noise.
fn regression(rows: usize, width: usize) -> Result<Dataset, maas_data::Error> {
    let mut random = Random(11);
    let features = Array2::from_shape_simple_fn((rows, width), || random.normal());
    let targets = features.map_axis(Axis(1), |x| {
        0.5 * (x[0] + x[1] * x[2] + (2.0 * x[3]).sin() + 0.5 * x[4] * x[4]) + 0.1 * random.normal()
    });
    Dataset::new(features.view(), targets.insert_axis(Axis(1)).view())
}

/// One faint pattern a class under noise of deviation 1; the classes overlap a little.
fn classification(rows: usize, width: usize, classes: usize) -> Result<Dataset, maas_data::Error> {
    let mut random = Random(13);
    let patterns = Array2::from_shape_simple_fn((classes, width), || 0.15 * random.normal());
    let labels: Vec<u32> = (0..rows).map(|row| (row % classes) as u32).collect();
    let features = Array2::from_shape_fn((rows, width), |(row, column)| {
        patterns[[row % classes, column]] + random.normal()
    });
    Dataset::classification(features.view(), &labels, classes)
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
