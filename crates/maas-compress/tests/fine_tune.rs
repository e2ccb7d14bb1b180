//! What is pruned stays pruned under every optimiser, and fine-tuning gives back what pruning took.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::{CompressedNetwork, Compressor, ProximalL1, Prune, SoftThreshold};
use maas_core::Seed;
use maas_data::{Dataset, Split};
use maas_nn::{Block, MeanSquaredError, Network, Role, Sequential, Step, Transform};
use maas_train::{
    Adagrad, Adam, AdamW, AmsGrad, AverageWeights, Chain, ClipByGlobalNorm, GradientDescent, Lion,
    LookAhead, Momentum, Nadam, Optimizer, Progress, RmsProp, ScaleByAdam, Sgd, Trainer,
};
use ndarray::Array2;

fn data() -> Split {
    let x = Array2::from_shape_fn((400, 6), |(row, column)| {
        ((row * (7 + column) + column * column) % 17) as f32 / 8.0
    });
    let y = Array2::from_shape_fn((400, 1), |(row, _)| {
        5.0 + x[[row, 0]] * x[[row, 1]] - 2.0 * x[[row, 4]]
    });
    Dataset::new(x.view(), y.view())
        .unwrap()
        .split([0.7, 0.15, 0.15], Seed(7))
        .unwrap()
}

fn network(data: &Dataset) -> Network {
    let layers = Sequential::new(data.features())
        .normalize(data)
        .dense(32)
        .relu()
        .dense(16)
        .relu()
        .dense(1);
    layers.build(Seed(7)).unwrap()
}

fn trainer<'a>(optimizer: impl Into<Chain>, epochs: usize) -> Trainer<'a> {
    Trainer::new(optimizer, MeanSquaredError)
        .epochs(epochs)
        .seed(Seed(7))
        .progress(Progress::Quiet)
}

/// Positions of the weights that the masks hold at zero.
fn masked(network: &Network) -> Vec<usize> {
    let segments = network.segments().iter().zip(network.masks());
    let masked = segments.filter_map(|(segment, mask)| Some((segment.range.start, mask?)));
    masked
        .flat_map(|(start, mask)| {
            (0..mask.len())
                .filter(|&at| !mask.keeps(at))
                .map(move |at| start + at)
        })
        .collect()
}

/// A link that pushes every weight, masked or not, in its own way.
#[derive(Debug)]
struct Push;

impl Transform for Push {
    fn apply(&self, _: &Step, block: &mut Block<'_>) {
        block.update.iter_mut().for_each(|update| *update += 0.1);
    }

    fn after(&self, _: &Step, block: &mut Block<'_>) {
        block
            .parameters
            .iter_mut()
            .for_each(|parameter| *parameter += 0.001);
    }
}

#[test]
fn masks_survive_every_optimiser() {
    let data = data();
    let adam = || Chain::from(Adam::new(1e-3));
    let optimisers: [(&str, Chain); 16] = [
        ("gradient descent", GradientDescent::new(0.01).into()),
        ("sgd", Sgd::new(0.01).into()),
        ("momentum", Sgd::new(0.01).momentum(0.9).into()),
        ("nesterov", Sgd::new(0.01).momentum(0.9).nesterov().into()),
        ("adam", adam()),
        ("amsgrad", AmsGrad::new(1e-3).into()),
        ("nadam", Nadam::new(1e-3).into()),
        ("rmsprop", RmsProp::new(1e-3).momentum(0.9).into()),
        ("adagrad", Adagrad::new(1e-2).into()),
        ("lion", Lion::new(1e-4).into()),
        ("decay", AdamW::new(1e-3).into()),
        ("averaging", adam().then(AverageWeights::new(0.9))),
        ("look-ahead", adam().then(LookAhead::new(3, 0.5))),
        (
            "clipping and shrinking",
            Chain::new(1e-3)
                .then(ClipByGlobalNorm::new(0.1))
                .then(ScaleByAdam::default())
                .then(ProximalL1::new(1e-3)),
        ),
        (
            "a chain of several",
            Chain::new(1e-3)
                .then(Momentum::new(0.9))
                .then(ScaleByAdam::default()),
        ),
        ("a user's own link", Chain::new(1e-3).then(Push)),
    ];
    for (name, optimiser) in optimisers {
        let mut network = network(&data.train);
        SoftThreshold::to_sparsity(0.8).prune(&mut network).unwrap();
        let (pruned, before) = (masked(&network), network.parameters().to_vec());
        assert_eq!(
            pruned.len(),
            (0.8_f64 * (6.0 * 32.0 + 32.0 * 16.0 + 16.0)).round() as usize
        );
        trainer(optimiser, 2)
            .fit(&mut network, &data.train)
            .unwrap();
        for &position in &pruned {
            assert_eq!(
                network.parameters()[position].to_bits(),
                0,
                "{name} moved weight {position}"
            );
        }
        assert_eq!(masked(&network), pruned, "{name} changed the masks");
        assert_ne!(network.parameters(), before, "{name} did not train");
    }
}

#[test]
fn a_network_that_was_read_again_is_fine_tuned_under_its_masks() {
    let data = data();
    let mut network = network(&data.train);
    SoftThreshold::to_sparsity(0.9).prune(&mut network).unwrap();
    let bytes = CompressedNetwork::new(network.clone())
        .unwrap()
        .to_bytes()
        .unwrap();
    let mut again = CompressedNetwork::from_bytes(&bytes)
        .unwrap()
        .into_network();
    for network in [&mut network, &mut again] {
        trainer(Adam::new(1e-3), 2)
            .fit(network, &data.train)
            .unwrap();
    }
    assert_eq!(again.parameters(), network.parameters());
    assert_eq!(masked(&again), masked(&network));
}

#[test]
fn fine_tuning_gives_back_what_pruning_took() {
    let data = data();
    let mut network = network(&data.train);
    let trainer = trainer(Adam::new(5e-3), 20);
    trainer.fit(&mut network, &data.train).unwrap();
    let untuned = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .run(&mut network.clone(), &data.validation)
        .unwrap()
        .1;
    let (compact, report) = Compressor::new(SoftThreshold::to_sparsity(0.9))
        .fine_tune(|network: &mut Network| trainer.fit(network, &data.train))
        .run(&mut network, &data.validation)
        .unwrap();

    assert_eq!(report.metric_before, untuned.metric_before);
    assert!(
        report.metric_after < untuned.metric_after / 2.0,
        "{untuned}{report}"
    );
    let weights = report.weights as f64;
    assert!(report.nonzeros() <= (weights * 0.1).round() as usize);
    let counted = compact
        .network()
        .segments()
        .iter()
        .filter(|segment| segment.role == Role::Weight);
    let nonzeros =
        counted.flat_map(|segment| &compact.network().parameters()[segment.range.clone()]);
    assert_eq!(
        nonzeros.filter(|&&weight| weight != 0.0).count(),
        report.nonzeros()
    );
    assert_eq!(
        compact.predict(data.test.x()).unwrap(),
        network.predict(data.test.x()).unwrap()
    );
}

#[test]
fn proximal_descent_finds_the_minimum_of_the_sum() {
    // ½‖w − a‖² + λ‖w‖₁ is least at the soft threshold of a.
    let aims = [1.0, -0.3, 0.05, -0.099, 0.0, 2.5];
    let mut network = Sequential::rows(aims.len())
        .dense(1)
        .build(Seed(7))
        .unwrap();
    let chain = Chain::from(Sgd::new(0.1)).then(ProximalL1::new(0.1));
    let mut optimizer = Optimizer::new(chain, &network).unwrap();
    network.segment_mut("dense.bias").unwrap().fill(0.5);
    let mut gradient = vec![0.0; network.parameters().len()];
    for _ in 0..300 {
        gradient.fill(0.0);
        for ((gradient, weight), aim) in gradient.iter_mut().zip(network.parameters()).zip(aims) {
            *gradient = weight - aim;
        }
        optimizer.step(&mut network, &mut gradient).unwrap();
    }
    let mut expected = aims;
    SoftThreshold::new(0.1).apply(&mut expected).unwrap();
    for (weight, expected) in network
        .segment("dense.kernel")
        .unwrap()
        .iter()
        .zip(expected)
    {
        assert!(
            (weight - expected).abs() < 1e-5,
            "{weight} is not {expected}"
        );
        assert_eq!(*weight == 0.0, expected == 0.0);
    }
    assert_eq!(network.segment("dense.bias").unwrap()[[0]], 0.5);
}
