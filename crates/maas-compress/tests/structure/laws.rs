use maas_compress::{Shrink, shrink};
use maas_core::{DType, Values};
use maas_nn::{LayerSpec, Network};
use proptest::prelude::*;

use crate::oracle::{self, Value};
use crate::random::{self, Draws};

/// f32's unit of rounding.
const UNIT: f64 = 1.0 / (1 << 24) as f64;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn stacks_predict_the_same(seed: u64) {
        let mut draws = Draws(seed);
        let network = random::stack(&mut draws);
        let smaller = check(&network, Shrink::new(), &mut draws)?;
        no_dead_units(&smaller)?;
    }

    #[test]
    fn graphs_predict_the_same(seed: u64) {
        let mut draws = Draws(seed);
        let network = random::graph(&mut draws);
        let how = match draws.below(3) {
            0 => Shrink::new(),
            1 => Shrink::new().keep_batch_norm(),
            _ => Shrink::new().fold_moments(),
        };
        check(&network, how, &mut draws)?;
    }

    #[test]
    fn what_has_no_holes_comes_back_equal(seed: u64) {
        let mut draws = Draws(seed);
        let network = random::dense_stack(&mut draws);
        let (same, report) = shrink(&network).unwrap();
        prop_assert_eq!(same.fingerprint(), network.fingerprint());
        prop_assert_eq!(report.parameters_after(), report.parameters_before());
        prop_assert!(report.changes.is_empty() && report.obstacles.is_empty(), "{}", report);
    }
}

fn check(network: &Network, how: Shrink, draws: &mut Draws) -> Result<Network, TestCaseError> {
    let before = network.clone();
    let (smaller, report) = how.run(network).unwrap();
    prop_assert_eq!(network.fingerprint(), before.fingerprint());
    prop_assert_eq!(network.signature(), smaller.signature());
    prop_assert!(
        report.parameters_after() <= report.parameters_before(),
        "{}",
        report
    );
    prop_assert!(
        report.flops_after <= report.flops_before + added_biases(network, &smaller),
        "{}",
        report
    );

    let (again, _) = how.run(&smaller).unwrap();
    prop_assert_eq!(again.fingerprint(), smaller.fingerprint(), "{}", report);

    for node in &smaller.spec().nodes {
        let mut nodes = network.spec().nodes.iter();
        let same = nodes.find(|one| one.name == node.name).unwrap();
        prop_assert_eq!(same.frozen, node.frozen);
        prop_assert_eq!(same.layer.kind(), node.layer.kind());
    }
    masks_hold(&smaller)?;
    let loaded = Network::from_bytes(&smaller.to_bytes()).unwrap();
    prop_assert_eq!(loaded.fingerprint(), smaller.fingerprint());

    for _ in 0..3 {
        let row = random::row(network, draws);
        let (expected, exact) = (
            oracle::predict(network, &row),
            oracle::predict(&smaller, &row),
        );
        let found = predict(&loaded, &row);
        close(&expected, &exact.numbers, &exact, 1.0, &report)?;
        close(&expected, &found, &exact, 4.0, &report)?;
    }
    Ok(smaller)
}

/// Every layer rounds a number a few times, and what it does to earlier errors is in the bounds.
fn close(
    expected: &Value,
    found: &[f64],
    smaller: &Value,
    slack: f64,
    report: &impl std::fmt::Display,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(expected.numbers.len(), found.len());
    let bounds = expected.bounds.iter().zip(&smaller.bounds);
    for ((expected, found), (before, after)) in expected.numbers.iter().zip(found).zip(bounds) {
        let tolerance = 64.0 * slack * UNIT * (before + after);
        prop_assert!(
            (expected - found).abs() <= tolerance,
            "{expected} {found} {tolerance}\n{report}"
        );
    }
    Ok(())
}

fn predict(network: &Network, row: &[f32]) -> Vec<f64> {
    let ids: Vec<i32> = row.iter().map(|&id| id as i32).collect();
    let values = match network.spec().inputs[0].dtype() {
        DType::Int32 => Values::I32(&ids),
        _ => Values::F32(row),
    };
    let answers = network.predict_values(1, &[values]).unwrap();
    answers.iter().map(|&y| y.into()).collect()
}

/// Operations of biases that the smaller network has and the other had not.
fn added_biases(network: &Network, smaller: &Network) -> u64 {
    let biases = smaller
        .segments()
        .iter()
        .filter(|segment| segment.name.ends_with(".bias"));
    let added = biases.filter(|segment| network.segment(&segment.name).is_err());
    added.map(|segment| 3 * segment.range.len() as u64).sum()
}

fn masks_hold(network: &Network) -> Result<(), TestCaseError> {
    let mut masked = network.clone();
    masked.apply_masks();
    prop_assert_eq!(masked.parameters(), network.parameters());
    Ok(())
}

/// Of dense layers one behind the other, each unit has a weight before and behind it, unless it is the last one.
fn no_dead_units(network: &Network) -> Result<(), TestCaseError> {
    let nodes = network.spec().nodes.iter();
    let dense = nodes.filter(|node| matches!(node.layer, LayerSpec::Dense { .. }));
    let kernels: Vec<_> = dense
        .map(|node| network.segment(&format!("{}.kernel", node.name)).unwrap())
        .collect();
    for (layer, next) in kernels.iter().zip(kernels.iter().skip(1)) {
        let units = layer.shape()[1];
        for unit in (0..units).filter(|_| units > 1) {
            let column = layer.index_axis(ndarray::Axis(1), unit);
            let row = next.index_axis(ndarray::Axis(0), unit);
            prop_assert!(column.iter().any(|&w| w != 0.0));
            prop_assert!(row.iter().any(|&w| w != 0.0));
        }
    }
    Ok(())
}
