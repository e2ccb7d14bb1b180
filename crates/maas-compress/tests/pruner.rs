//! The laws of pruning, for every criterion, scope and grain.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::{
    Error, Grain, Magnitude, Masks, Movement, MovementInTraining, Prune, Pruner, Random, Scope,
    SecondOrder, Wanda,
};
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{Mask, MeanSquaredError, Network, Role, Sequential};
use ndarray::Array2;
use proptest::prelude::*;

fn number(seed: u64, index: usize) -> f32 {
    (Seed(seed).derive(index as u64).0 >> 40) as f32 / (1 << 23) as f32 - 1.0
}

fn data(seed: u64, features: usize) -> Dataset {
    let at = |width| move |(row, column)| number(seed, row * width + column);
    let x = Array2::from_shape_fn((24, features), at(features));
    let y = Array2::from_shape_fn((24, 2), at(2));
    Dataset::new(x.view(), y.view()).unwrap()
}

fn network(seed: u64) -> Network {
    let layers = Sequential::rows(6)
        .dense(8)
        .relu()
        .dense(5)
        .batch_norm()
        .tanh()
        .dense(2);
    let mut network = layers.build(Seed(seed)).unwrap();
    for segment in network.segments().to_vec() {
        if segment.role != Role::Weight {
            network.parameters_mut()[segment.range].fill(0.25);
        }
    }
    network
}

const KERNELS: [&str; 3] = ["dense.kernel", "dense_1.kernel", "dense_2.kernel"];
const CRITERIA: usize = 5;

fn pruner(criterion: usize, seed: u64, sparsity: f64) -> Pruner {
    let data = data(seed, 6);
    match criterion {
        0 => Pruner::new(Magnitude, sparsity),
        1 => Pruner::new(Random(Seed(seed)), sparsity),
        2 => Pruner::new(
            Movement::new(&data, MeanSquaredError).batch_size(8),
            sparsity,
        ),
        3 => Pruner::new(Wanda::new(&data), sparsity),
        _ => Pruner::new(SecondOrder::new(&data), sparsity),
    }
}

fn combinations() -> impl Iterator<Item = (Scope, Grain)> {
    let scopes = [Scope::Network, Scope::Layer, Scope::Output];
    let grains = [
        Grain::Element,
        Grain::Block {
            rows: 2,
            columns: 3,
        },
        Grain::Group { of: 4 },
        Grain::Neuron,
    ];
    let all = scopes
        .into_iter()
        .flat_map(move |scope| grains.map(|grain| (scope, grain)));
    all.filter(|&(scope, grain)| (scope, grain) != (Scope::Output, Grain::Neuron))
}

/// What is masked of a segment, as a matrix.
fn gone(network: &Network, segment: &str) -> Array2<bool> {
    let shape = network.segment(segment).unwrap().shape().to_vec();
    let columns = shape[shape.len() - 1];
    let mask = network.mask(segment).unwrap();
    Array2::from_shape_fn(
        (shape.iter().product::<usize>() / columns, columns),
        |(row, column)| mask.is_some_and(|mask| !mask.keeps(row * columns + column)),
    )
}

fn count(gone: &Array2<bool>) -> usize {
    gone.iter().filter(|&&gone| gone).count()
}

/// For each place in which units are compared: how many there are, and how many of them are gone.
fn places(network: &Network, scope: Scope, grain: Grain) -> Vec<(usize, usize)> {
    let mut by_layer = Vec::new();
    for kernel in KERNELS {
        let gone = gone(network, kernel);
        let (rows, columns) = gone.dim();
        let (tall, wide) = match grain {
            Grain::Block { rows, columns } => (rows, columns),
            Grain::Neuron => (rows, 1),
            _ => (1, 1),
        };
        if grain == Grain::Neuron && kernel == "dense_2.kernel" {
            assert_eq!(count(&gone), 0, "the last layer has no hidden neurons");
            continue;
        }
        // Strips of columns, from top to bottom.
        let strips: Vec<Vec<bool>> = (0..columns)
            .step_by(wide)
            .map(|left| {
                let unit = |top: usize| {
                    let area = (top..rows.min(top + tall)).flat_map(|row| {
                        let gone = &gone;
                        (left..columns.min(left + wide)).map(move |column| gone[[row, column]])
                    });
                    area.fold(true, |all, gone| all & gone)
                };
                (0..rows).step_by(tall).map(unit).collect()
            })
            .collect();
        by_layer.push(strips);
    }
    let counted = |units: Vec<bool>| (units.len(), units.iter().filter(|&&gone| gone).count());
    match scope {
        Scope::Network => vec![counted(by_layer.concat().concat())],
        Scope::Layer => by_layer
            .iter()
            .map(|strips| counted(strips.concat()))
            .collect(),
        _ => by_layer.concat().into_iter().map(counted).collect(),
    }
}

fn rounded(sparsity: f64, of: usize) -> usize {
    (sparsity * of as f64).round() as usize
}

fn bits(network: &Network) -> Vec<u32> {
    let numbers = network.parameters().iter().chain(network.state());
    numbers.map(|number| number.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn counts_are_exact_and_nothing_else_is_touched(seed: u64, sparsity in 0.0_f64..=1.0) {
        let before = network(seed);
        for criterion in 0..CRITERIA {
            for (scope, grain) in combinations() {
                let mut pruned = before.clone();
                let pruner = pruner(criterion, seed, sparsity).scope(scope).grain(grain);
                pruner.prune(&mut pruned).unwrap();
                if let Grain::Group { of } = grain {
                    for kernel in KERNELS {
                        for output in gone(&pruned, kernel).columns() {
                            for run in output.to_vec().chunks(of) {
                                let kept = run.iter().filter(|&&gone| !gone).count();
                                prop_assert_eq!(kept, run.len().min(of - rounded(sparsity, of)));
                            }
                        }
                    }
                } else {
                    for (units, gone) in places(&pruned, scope, grain) {
                        prop_assert_eq!(gone, rounded(sparsity, units), "{:?}", &pruner);
                    }
                }
                for segment in before.segments() {
                    let gone = gone(&pruned, &segment.name);
                    let (now, then) = (pruned.segment(&segment.name).unwrap(), before.segment(&segment.name).unwrap());
                    let changes = segment.role == Role::Weight && criterion == 4;
                    for ((now, then), &gone) in now.iter().zip(then).zip(&gone) {
                        prop_assert!(!gone || now.to_bits() == 0);
                        prop_assert!(gone || changes || now == then);
                    }
                    if segment.role != Role::Weight && (grain != Grain::Neuron || segment.role == Role::Norm) {
                        prop_assert_eq!(count(&gone), 0);
                    }
                }
                if grain == Grain::Neuron {
                    for layer in ["dense", "dense_1"] {
                        let (kernel, bias) = (gone(&pruned, &format!("{layer}.kernel")), gone(&pruned, &format!("{layer}.bias")));
                        let silent = kernel.columns().into_iter().map(|neuron| neuron.iter().all(|&gone| gone));
                        prop_assert!(silent.eq(bias.iter().copied()));
                    }
                }
            }
        }
    }

    #[test]
    fn masks_are_nested_and_stay(seed: u64, a in 0.0_f64..=1.0, b in 0.0_f64..=1.0) {
        let (less, more) = (a.min(b), a.max(b));
        let within = |inner: &Network, outer: &Network| {
            inner.segments().iter().all(|segment| {
                let (inner, outer) = (gone(inner, &segment.name), gone(outer, &segment.name));
                inner.iter().zip(&outer).all(|(inner, outer)| !inner | outer)
            })
        };
        for criterion in 0..CRITERIA {
            for (scope, grain) in combinations() {
                let prune = |sparsity: f64, network: &Network| {
                    let mut pruned = network.clone();
                    let pruner = pruner(criterion, seed, sparsity).scope(scope).grain(grain);
                    pruner.prune(&mut pruned).unwrap();
                    pruned
                };
                let first = prune(less, &network(seed));
                prop_assert!(within(&first, &prune(more, &network(seed))));
                let second = prune(more, &first);
                prop_assert!(within(&first, &second));
                // Going on comes to the same count, and going back is no way.
                prop_assert_eq!(places(&second, scope, grain), places(&prune(more, &network(seed)), scope, grain));
                prop_assert_eq!(Masks::of(&prune(less, &second)), Masks::of(&second));
            }
        }
    }

    #[test]
    fn a_network_is_as_it_was_after_an_error(seed: u64, broken in 0_usize..48) {
        let infinite = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY][broken % 3];
        for criterion in 0..CRITERIA {
            for (scope, grain) in combinations() {
                let with = |sparsity| pruner(criterion, seed, sparsity).scope(scope).grain(grain);
                let mut bad = network(seed);
                bad.parameters_mut()[broken] = infinite;
                let before = bits(&bad);
                let error = with(0.5).prune(&mut bad).unwrap_err();
                let is_named = matches!(error, Error::NotFinite { segment: Some(ref name), index, .. } if name == KERNELS[0] && index == broken);
                prop_assert!(is_named);
                prop_assert_eq!(bits(&bad), before);
                prop_assert_eq!(bad.masks().flatten().count(), 0);

                let mut good = network(seed);
                for sparsity in [-0.1, 1.1, f64::NAN] {
                    let refused = [
                        with(sparsity).prune(&mut good),
                        with(0.5).start(sparsity).prune(&mut good),
                        with(0.5).prune_part(sparsity, &mut good),
                    ];
                    let named = |outcome: &Result<_, Error>| matches!(outcome, Err(Error::Sparsity { .. }));
                    prop_assert!(refused.iter().all(named));
                }
                prop_assert_eq!(bits(&good), bits(&network(seed)));
            }
        }
    }

    /// Of all weights under the masks that were chosen, those that are left change the layer's answers least.
    #[test]
    fn second_order_leaves_the_best_weights(seed: u64, sparsity in 0.0_f64..=1.0) {
        let (before, rows) = (network(seed), data(seed, 6));
        let mut pruned = before.clone();
        pruner(4, seed, sparsity).scope(Scope::Layer).prune(&mut pruned).unwrap();
        let mut masked = before.clone();
        Masks::of(&pruned).prune(&mut masked).unwrap();
        let x = rows.x();
        let damping = 0.01 * x.iter().map(|x| x * x).sum::<f32>() / 6.0;
        let cost = |network: &Network| {
            let difference = &kernel(network, KERNELS[0]) - &kernel(&before, KERNELS[0]);
            let answers = x.dot(&difference);
            answers.iter().map(|d| d * d).sum::<f32>() + damping * difference.iter().map(|d| d * d).sum::<f32>()
        };
        prop_assert!(cost(&pruned) <= cost(&masked) * 1.0001 + 1e-6);
    }
}

fn kernel(network: &Network, name: &str) -> Array2<f32> {
    network
        .segment(name)
        .unwrap()
        .to_owned()
        .into_dimensionality()
        .unwrap()
}

#[test]
fn second_order_changes_answers_less_than_magnitude() {
    for seed in 0..20 {
        let (before, rows) = (network(seed), data(seed, 6));
        for sparsity in [0.25, 0.5, 0.75] {
            for scope in [Scope::Network, Scope::Layer, Scope::Output] {
                let error = |criterion| {
                    let mut pruned = before.clone();
                    pruner(criterion, seed, sparsity)
                        .only("dense")
                        .scope(scope)
                        .prune(&mut pruned)
                        .unwrap();
                    let difference = &kernel(&pruned, KERNELS[0]) - &kernel(&before, KERNELS[0]);
                    rows.x().dot(&difference).iter().map(|d| d * d).sum::<f32>()
                };
                let (second, magnitude) = (error(4), error(0));
                assert!(
                    second <= magnitude,
                    "{second} > {magnitude}: {seed} {sparsity} {scope:?}"
                );
            }
        }
    }
}

#[test]
fn equal_scores_go_by_position() {
    let mut network = Sequential::rows(3).dense(4).build(Seed(1)).unwrap();
    network.segment_mut("dense.kernel").unwrap().fill(-0.5);
    Pruner::new(Magnitude, 0.5).prune(&mut network).unwrap();
    assert_eq!(
        network.mask("dense.kernel").unwrap(),
        Some(&Mask::from_fn(12, |index| index >= 6))
    );
}

#[test]
fn calibration_rows_have_to_fit() {
    for criterion in [
        Pruner::new(Wanda::new(&data(1, 7)), 0.5),
        Pruner::new(SecondOrder::new(&data(1, 7)), 0.5),
        Pruner::new(Movement::new(&data(1, 7), MeanSquaredError), 0.5),
    ] {
        let mut unchanged = network(1);
        let error = criterion.prune(&mut unchanged).unwrap_err();
        assert_eq!(error.to_string(), "expected rows of shape [6], found [7]");
        assert_eq!(bits(&unchanged), bits(&network(1)));
    }
    let unlabelled = Dataset::unlabelled(data(1, 6).x()).unwrap();
    let movement = Pruner::new(Movement::new(&unlabelled, MeanSquaredError), 0.5);
    assert!(matches!(
        movement.prune(&mut network(1)),
        Err(Error::NoTargets)
    ));
}

#[test]
fn what_a_method_does_not_apply_to_is_named() {
    let rows = data(1, 6);
    let reason = |pruner: Pruner| {
        let mut unchanged = network(1);
        let error = pruner.prune(&mut unchanged).unwrap_err().to_string();
        assert_eq!(bits(&unchanged), bits(&network(1)));
        error
    };
    let no_kernel = "`dense.bias`: it is no kernel of a dense layer";
    assert_eq!(
        reason(Pruner::new(Wanda::new(&rows), 0.5).including(Role::Bias)),
        format!("Wanda does not apply to {no_kernel}")
    );
    assert_eq!(
        reason(Pruner::new(SecondOrder::new(&rows), 0.5).including(Role::Bias)),
        format!("SecondOrder does not apply to {no_kernel}")
    );
    assert_eq!(
        reason(
            Pruner::new(Magnitude, 0.5)
                .grain(Grain::Neuron)
                .only("dense_2")
        ),
        "pruning by neurons does not apply to `dense_2.kernel`: it is no kernel of a dense layer with other dense layers behind it"
    );
    assert_eq!(
        reason(Pruner::new(MovementInTraining, 0.5)),
        "MovementInTraining scores weights in training only"
    );
    assert_eq!(
        reason(Pruner::new(SecondOrder::new(&rows).damping(0.0), 0.5)),
        "a finite damping above 0 expected, found 0"
    );
    assert!(
        reason(Pruner::new(Magnitude, 0.5).exclude("dens"))
            .starts_with("`dens` is no layer or parameter, expected one of [\"dense.kernel\", ")
    );
    assert_eq!(
        reason(Pruner::new(Magnitude, 0.5).grain(Grain::Group { of: 0 })),
        "a grain to prune by expected, found Group { of: 0 }: a run of no weights"
    );
    assert!(matches!(
        Pruner::new(Magnitude, 0.5)
            .grain(Grain::Block {
                rows: 1,
                columns: 0
            })
            .check(),
        Err(Error::Grain { .. })
    ));
    assert!(matches!(
        Pruner::new(Magnitude, 0.5)
            .grain(Grain::Neuron)
            .scope(Scope::Output)
            .check(),
        Err(Error::Grain { .. })
    ));

    let mut frozen = network(1);
    frozen.freeze("dense_1").unwrap();
    let error = pruner(2, 1, 0.5).prune(&mut frozen).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Movement does not apply to `dense_1.kernel`: it is frozen and does not move"
    );
    pruner(2, 1, 0.5)
        .exclude("dense_1")
        .prune(&mut frozen)
        .unwrap();

    let mut other = Sequential::rows(6)
        .dense(8)
        .dense(2)
        .build(Seed(1))
        .unwrap();
    let error = Masks::of(&network(1)).prune(&mut other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a network with the same parameters expected: `dense_1.kernel` of 40, found `dense_1.kernel` of 16"
    );
}

#[test]
fn what_is_named_or_included_is_pruned() {
    let prune = |pruner: Pruner| {
        let mut network = network(1);
        pruner.prune(&mut network).unwrap();
        let masked = network
            .segments()
            .iter()
            .zip(network.masks())
            .filter(|(_, mask)| mask.is_some());
        masked
            .map(|(segment, _)| segment.name.clone())
            .collect::<Vec<_>>()
    };
    let with = || Pruner::new(Magnitude, 0.5);
    assert_eq!(prune(with()), KERNELS);
    assert_eq!(
        prune(with().exclude("dense_1")),
        ["dense.kernel", "dense_2.kernel"]
    );
    assert_eq!(prune(with().only("dense_1")), ["dense_1.kernel"]);
    assert_eq!(prune(with().only("dense.bias")), ["dense.bias"]);
    assert_eq!(
        prune(with().only("dense").including(Role::Bias)),
        ["dense.kernel", "dense.bias"]
    );
    assert_eq!(
        prune(
            with()
                .including(Role::Norm)
                .exclude("dense")
                .exclude("dense_2")
        ),
        ["dense_1.kernel", "batch_norm.gamma", "batch_norm.beta"]
    );
}
