//! Chains, links of one's own, masks and frozen segments.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod common;

use common::{noise, regression, regressor};
use maas_core::Seed;
use maas_kernels::Kernels;
use maas_nn::{Block, Mask, MeanSquaredError, Network, Reduces, Sequential, Step, Transform};
use maas_train::{
    Adam, Chain, Error, GradientDescent, Momentum, Optimizer, Progress, ScaleByAdam, Sgd, Trainer,
};
use proptest::prelude::*;

/// Scales the whole gradient to a norm of at most the limit.
#[derive(Debug)]
struct ClipNorm(f32);

impl Transform for ClipNorm {
    fn reduces(&self) -> Reduces {
        Reduces::Network
    }

    fn reduce(&self, step: &Step, gradient: &[f32]) -> f32 {
        step.kernels.sum_squares(gradient).sqrt()
    }

    fn apply(&self, _step: &Step, block: &mut Block<'_>) {
        if block.reduction > self.0 {
            let scale = self.0 / block.reduction;
            block.update.iter_mut().for_each(|update| *update *= scale);
        }
    }
}

/// The proximal map of α λ |θ|.
#[derive(Debug)]
struct Shrink(f32);

impl Transform for Shrink {
    fn apply(&self, _step: &Step, _block: &mut Block<'_>) {}

    fn after(&self, step: &Step, block: &mut Block<'_>) {
        step.kernels
            .soft_threshold(block.parameters, step.learning_rate * self.0);
    }
}

/// A link with state of its own: heavy-ball momentum written out by hand.
#[derive(Debug)]
struct HandMomentum(f32);

impl Transform for HandMomentum {
    fn buffers(&self) -> usize {
        1
    }

    fn apply(&self, _step: &Step, block: &mut Block<'_>) {
        for (update, velocity) in block.update.iter_mut().zip(block.state.get(0)) {
            *velocity = self.0.mul_add(*velocity, *update);
            *update = *velocity;
        }
    }
}

fn network() -> Network {
    // The first kernel is larger than one block.
    Sequential::rows(70)
        .dense(100)
        .relu()
        .dense(3)
        .build(Seed(2))
        .unwrap()
}

fn gradient(network: &Network, step: usize) -> Vec<f32> {
    let mut gradient = vec![0.0; network.parameters().len()];
    for segment in network.segments() {
        for index in segment.range.clone() {
            gradient[index] = noise(step, index);
        }
    }
    gradient
}

fn run(chain: impl Into<Chain>, steps: usize) -> Network {
    let mut network = network();
    let mut optimizer = Optimizer::new(chain, &network).unwrap();
    for step in 0..steps {
        let mut gradient = gradient(&network, step);
        optimizer.step(&mut network, &mut gradient).unwrap();
    }
    assert_eq!(optimizer.steps(), steps as u64);
    network
}

fn same(a: &Network, b: &Network) -> bool {
    a.parameters()
        .iter()
        .zip(b.parameters())
        .all(|(a, b)| a.to_bits() == b.to_bits())
}

#[derive(Debug)]
struct Nothing;

impl Transform for Nothing {
    fn apply(&self, _step: &Step, _block: &mut Block<'_>) {}
}

#[test]
fn fused_and_unfused_are_the_same_bits() {
    let chain = Chain::new(1e-2).then(ScaleByAdam::default()).then(Nothing);
    assert!(same(&run(Adam::new(1e-2), 20), &run(chain, 20)));
}

#[test]
fn named_chains_are_their_links() {
    assert!(same(
        &run(Sgd::new(0.1), 5),
        &run(GradientDescent::new(0.1), 5)
    ));
    assert!(same(
        &run(Sgd::new(0.1).momentum(0.9), 5),
        &run(Chain::new(0.1).then(Momentum::new(0.9)), 5)
    ));
    assert!(same(
        &run(Sgd::new(0.1).momentum(0.9), 5),
        &run(Chain::new(0.1).then(HandMomentum(0.9)), 5)
    ));
}

#[test]
fn adam_is_the_paper_in_double_precision() {
    let (mut theta, mut m, mut v) = (
        network()
            .parameters()
            .iter()
            .map(|&x| f64::from(x))
            .collect::<Vec<_>>(),
        0.0,
        0.0,
    );
    let index = 4321;
    for step in 0..50 {
        let g = f64::from(gradient(&network(), step)[index]);
        let t = step as i32 + 1;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        let rate = 1e-2 * (1.0 - 0.999_f64.powi(t)).sqrt() / (1.0 - 0.9_f64.powi(t));
        theta[index] -= rate * m / (v.sqrt() + 1e-7);
    }
    let found = f64::from(run(Adam::new(1e-2), 50).parameters()[index]);
    assert!(
        (found - theta[index]).abs() < 1e-5,
        "{found} {}",
        theta[index]
    );
}

#[test]
fn reductions_see_the_whole_gradient() {
    let network = network();
    let mut moved = network.clone();
    let mut optimizer = Optimizer::new(Chain::new(1.0).then(ClipNorm(0.5)), &network).unwrap();
    optimizer
        .step(&mut moved, &mut gradient(&network, 0))
        .unwrap();
    let length: f64 = moved
        .parameters()
        .iter()
        .zip(network.parameters())
        .map(|(a, b)| f64::from(a - b).powi(2))
        .sum::<f64>()
        .sqrt();
    assert!((length - 0.5).abs() < 1e-4, "{length}");
}

#[test]
fn links_of_ones_own_train_a_network() {
    let data = regression(200);
    let mut network = regressor(&data);
    let chain = Chain::new(0.02)
        .then(ClipNorm(1.0))
        .then(HandMomentum(0.9))
        .then(Shrink(0.05));
    let trainer = Trainer::new(chain, MeanSquaredError)
        .epochs(20)
        .progress(Progress::Quiet);
    let history = trainer.fit(&mut network, &data).unwrap();
    assert!(history.last().unwrap().loss < 0.5 * history.epochs[0].loss);
    let zeros = network
        .segment("dense.kernel")
        .unwrap()
        .iter()
        .filter(|w| **w == 0.0)
        .count();
    assert!(zeros > 5, "{zeros}");
}

/// Behind every other step it keeps the parameters in its second buffer, puts the first one in their place and fills that with ones.
#[derive(Debug)]
struct Alternate;

impl Transform for Alternate {
    fn buffers(&self) -> usize {
        2
    }

    fn apply(&self, _: &Step, _: &mut Block<'_>) {}

    fn revises(&self, step: &Step) -> bool {
        step.number.is_multiple_of(2)
    }

    fn revise(
        &self,
        _: &Step,
        buffers: &mut [f32],
        network: &mut Network,
    ) -> Result<(), maas_nn::Error> {
        let (first, second) = buffers.split_at_mut(network.parameters().len());
        second.copy_from_slice(network.parameters());
        network.parameters_mut().copy_from_slice(first);
        first.fill(1.0);
        Ok(())
    }
}

#[test]
fn a_link_that_revises_keeps_what_it_writes_and_sees_no_other_links_buffers() {
    let mut network = network();
    let chain = Chain::from(Sgd::new(0.1).momentum(0.9)).then(Alternate);
    let mut optimizer = Optimizer::new(chain, &network).unwrap();
    let length = network.parameters().len();
    let used: Vec<bool> = (0..length)
        .map(|i| network.segments().iter().any(|s| s.range.contains(&i)))
        .collect();
    let only_used = |values: &[f32]| -> Vec<f32> {
        let used = values.iter().zip(&used).filter(|(_, used)| **used);
        used.map(|(value, _)| *value).collect()
    };
    let mut before = Vec::new();
    for step in 1..=4 {
        let earlier = network.clone();
        let mut gradient = gradient(&network, step);
        optimizer.step(&mut network, &mut gradient).unwrap();
        let values = optimizer.state().values;
        let (first, second) = values[length..].split_at(length);
        match step {
            2 => assert!(only_used(network.parameters()).iter().all(|&w| w == 0.0)),
            4 => assert!(only_used(network.parameters()).iter().all(|&w| w == 1.0)),
            _ => assert_ne!(network.parameters(), earlier.parameters()),
        }
        if step % 2 == 0 {
            assert!(only_used(first).iter().all(|&value| value == 1.0));
            assert_ne!(only_used(second), before);
            before = only_used(second);
        }
    }
}

#[test]
fn the_padding_between_segments_stays_zero() {
    for network in [run(Adam::new(1e-2), 3), run(Sgd::new(0.1).momentum(0.5), 3)] {
        let mut rest = network.parameters().to_vec();
        for segment in network.segments() {
            rest[segment.range.clone()].fill(0.0);
        }
        assert!(rest.iter().all(|&x| x == 0.0));
    }
}

#[test]
fn a_gradient_of_another_network_is_refused() {
    let mut network = network();
    let mut optimizer = Optimizer::new(Sgd::new(0.1), &network).unwrap();
    assert!(matches!(
        optimizer.step(&mut network, &mut [1.0]),
        Err(Error::GradientShape { .. })
    ));
    let mut other = Sequential::rows(2).dense(1).build(Seed(2)).unwrap();
    let mut gradient = gradient(&network, 0);
    assert!(matches!(
        optimizer.step(&mut other, &mut gradient),
        Err(Error::GradientShape { .. })
    ));
    assert_eq!(optimizer.steps(), 0);
}

/// Every optimiser that there is.
fn optimizers() -> Vec<Chain> {
    vec![
        GradientDescent::new(0.01).into(),
        Sgd::new(0.01).into(),
        Sgd::new(0.01).momentum(0.9).into(),
        Sgd::new(0.01).momentum(0.9).nesterov().into(),
        Adam::new(0.01).into(),
        Chain::new(0.01)
            .then(ClipNorm(1.0))
            .then(ScaleByAdam::default())
            .then(Momentum::new(0.5))
            .then(Shrink(0.1)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn masks_survive_fine_tuning_under_every_optimiser(
        bits in proptest::collection::vec(any::<bool>(), 80 + 128),
        batch_size in 1_usize..40,
        seed in any::<u64>(),
    ) {
        let data = regression(40);
        for chain in optimizers() {
            for kernels in Kernels::available() {
                let mut network = regressor(&data);
                network.set_mask("dense.kernel", Mask::from_fn(80, |i| bits[i])).unwrap();
                network.set_mask("dense_1.kernel", Mask::from_fn(128, |i| bits[80 + i])).unwrap();
                let before = network.clone();
                let trainer = Trainer::new(chain.clone(), MeanSquaredError)
                    .epochs(2)
                    .batch_size(batch_size)
                    .seed(Seed(seed))
                    .kernels(kernels)
                    .progress(Progress::Quiet);
                trainer.fit(&mut network, &data).unwrap();
                for (name, offset) in [("dense.kernel", 0), ("dense_1.kernel", 80)] {
                    for (index, weight) in network.segment(name).unwrap().iter().enumerate() {
                        // Masked weights are +0, to the bit.
                        prop_assert!(bits[offset + index] || weight.to_bits() == 0, "{chain:?}, {name}[{index}] = {weight}");
                    }
                }
                prop_assert_ne!(network.fingerprint(), before.fingerprint());
            }
        }
    }

    #[test]
    fn a_mask_hides_its_weights_from_reductions(keep in proptest::collection::vec(any::<bool>(), 7000)) {
        let mut network = network();
        network.set_mask("dense.kernel", Mask::from_fn(7000, |i| keep[i])).unwrap();
        let mut moved = network.clone();
        let mut optimizer = Optimizer::new(Chain::new(1.0).then(ClipNorm(0.5)), &network).unwrap();
        optimizer.step(&mut moved, &mut gradient(&network, 0)).unwrap();
        let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
        let length = moved.parameters().iter().zip(network.parameters()).map(square).sum::<f64>().sqrt();
        prop_assert!((length - 0.5).abs() < 1e-4, "{}", length);
    }
}
