//! How far a network can be compressed: layer by layer, and within a budget.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::{Bits, BudgetSearch, Error, Level, Sensitivity};
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{CategoricalCrossEntropy, Network, Sequential};
use maas_train::{Adam, Progress, Trainer};
use ndarray::Array2;

/// Four classes by the signs of the first two of eight features.
fn data(first: usize) -> Dataset {
    let x = Array2::from_shape_fn((256, 8), |(i, j)| {
        ((first + i) as f32 * (1.7 + j as f32)).sin()
    });
    let class = |row: usize| u32::from(x[[row, 0]] > 0.0) + 2 * u32::from(x[[row, 1]] > 0.0);
    let labels: Vec<u32> = (0..256).map(class).collect();
    Dataset::classification(x.view(), &labels, 4).unwrap()
}

fn trainer() -> Trainer<'static> {
    Trainer::new(Adam::new(1e-2), CategoricalCrossEntropy)
        .epochs(15)
        .progress(Progress::Quiet)
}

fn trained() -> Network {
    let train = data(0);
    let mut network = Sequential::new(train.features())
        .dense(48)
        .relu()
        .dense(24)
        .relu()
        .dense(4)
        .softmax()
        .build(Seed(7))
        .unwrap();
    trainer().fit(&mut network, &train).unwrap();
    network
}

#[test]
fn what_is_found_is_within_the_budget_and_beats_layers_all_alike() {
    let (train, validation) = (data(0), data(1000));
    let dense = trained();
    let bytes = |search: BudgetSearch<'_>| {
        let mut network = dense.clone();
        let tune = |network: &mut Network| trainer().fit(network, &train);
        let found = search
            .fine_tune(tune)
            .run(&mut network, &validation)
            .unwrap();
        let report = &found.report;
        assert!(report.metric_before - report.metric_after <= 0.02);
        assert_eq!(report.metric_before, report.metric_before.clamp(0.9, 1.0));
        assert_eq!(network.fingerprint(), found.network.network().fingerprint());
        assert_eq!(found.plan.layers.len(), 3);
        // All that was tried, and what was found.
        let (last, tried) = report.trade_off.after.split_last().unwrap();
        assert_eq!(last.bytes, report.bytes_after);
        assert!(tried.len() > 2 && tried.iter().any(|one| one.bytes.abs_diff(last.bytes) <= 1));
        for layer in &found.plan.layers {
            let kernel = network.segment(&format!("{}.kernel", layer.layer)).unwrap();
            let zeros = kernel.iter().filter(|&&weight| weight == 0.0).count();
            let planned = (layer.sparsity * layer.weights as f64).round() as usize;
            assert!(zeros >= planned, "{layer:?}: {zeros}");
        }
        report.bytes_after
    };
    let (each, alike) = (
        bytes(BudgetSearch::within(0.02)),
        bytes(BudgetSearch::within(0.02).alike()),
    );
    assert!(each < alike, "{each} and {alike} bytes");
}

#[test]
fn the_fastest_has_fewer_units_and_is_within_the_budget() {
    let (train, validation) = (data(0), data(1000));
    let dense = trained();
    let mut network = dense.clone();
    let found = BudgetSearch::within(0.02)
        .fastest()
        .fine_tune(|network: &mut Network| trainer().fit(network, &train))
        .run(&mut network, &validation)
        .unwrap();
    let report = &found.report;
    assert!(report.metric_before - report.metric_after <= 0.02);
    assert!(network.parameters().len() * 4 < dense.parameters().len());
    let units = |network: &Network| network.segment("dense.kernel").unwrap().shape()[1];
    assert_eq!(report.layers[0].shape_after, Some([8, units(&network)]));
    assert!(report.shrunk.is_some());

    // None leave: a search for the smallest file.
    let plan = |search: BudgetSearch<'_>| search.run(&mut dense.clone(), &validation).unwrap().plan;
    let smallest = plan(BudgetSearch::within(0.02));
    for units in [&[0.0][..], &[0.99, 0.0]] {
        assert_eq!(plan(BudgetSearch::within(0.02).units(units)), smallest);
    }
}

/// The handwritten digits, a fifth of them to validate with.
fn digits() -> (Dataset, Dataset) {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/data/digits.csv"
    );
    let digits = Dataset::from_csv(file).unwrap().classes("label").unwrap();
    digits.stratified_split_off(0.2, Seed(7)).unwrap()
}

#[test]
fn on_the_digits_it_beats_uniform_sparsity_at_the_same_budget() {
    let (train, validation) = digits();
    let trainer = |epochs: usize| trainer().epochs(epochs).batch_size(32);
    let layers = Sequential::new(train.features()).normalize(&train);
    let layers = layers.dense(128).relu().dense(64).relu().dense(10);
    let mut dense = layers.softmax().build(Seed(7)).unwrap();
    trainer(10).fit(&mut dense, &train).unwrap();
    let within = |search: BudgetSearch<'_>| {
        let search = search.bits([Bits::Full]);
        let tune = |network: &mut Network| trainer(5).fit(network, &train);
        let mut network = dense.clone();
        search
            .fine_tune(tune)
            .run(&mut network, &validation)
            .unwrap()
    };
    let each = within(BudgetSearch::within(0.01));
    let alike = within(BudgetSearch::within(0.01).alike());
    for found in [&each, &alike] {
        let report = &found.report;
        assert!(report.metric_before - report.metric_after <= 0.01);
    }
    let (each, alike) = (each.report, alike.report);
    assert!(
        each.bytes_after < alike.bytes_after && each.nonzeros() < alike.nonzeros(),
        "{} of {} bytes, {} of {} weights",
        each.bytes_after,
        alike.bytes_after,
        each.nonzeros(),
        alike.nonzeros()
    );
}

#[test]
fn what_cannot_be_found_is_an_error_and_changes_nothing() {
    let validation = data(1000);
    let mut network = trained();
    let before = network.fingerprint();
    let mut fails = |search: BudgetSearch<'_>| {
        let error = search.run(&mut network, &validation).unwrap_err();
        assert_eq!(network.fingerprint(), before);
        error
    };
    let error = fails(BudgetSearch::within(0.01).sparsities([0.99]));
    assert!(
        matches!(error, Error::Budget { expected: 0.01, found } if found > 0.01),
        "{error}"
    );
    assert!(matches!(
        fails(BudgetSearch::within(0.1).bits([])),
        Error::NoChoices
    ));
    assert!(matches!(
        fails(BudgetSearch::within(0.1).bits([Bits::Codebook(0)])),
        Error::NoValues
    ));
    let error = fails(BudgetSearch::within(0.1).sparsities([1.5]));
    assert!(matches!(error, Error::Sparsity { found: 1.5 }));
    for units in [-0.1, 1.5, f64::NAN] {
        let error = fails(BudgetSearch::within(0.1).units([units, 0.0]));
        assert!(matches!(error, Error::Sparsity { .. }), "{units}: {error}");
    }
    assert!(matches!(
        fails(BudgetSearch::within(0.1).units([])),
        Error::NoChoices
    ));
    let broken = |_: &mut Network| Err::<(), _>("no power");
    assert!(matches!(
        fails(BudgetSearch::within(0.1).fine_tune(broken)),
        Error::FineTune(_)
    ));
}

#[test]
fn a_layer_suffers_more_the_more_of_it_is_gone() {
    let validation = data(1000);
    let network = trained();
    let levels = [0.0, 0.3, 1.0].map(Level::Sparsity);
    let levels = [&levels[..], &[Level::Codebook(64), Level::Int8]].concat();
    let sensitivity = Sensitivity::scan(&network, &validation, &levels).unwrap();
    assert_eq!(sensitivity.metric, "accuracy");
    for layer in &sensitivity.layers {
        assert_eq!(layer.metric[0], sensitivity.before);
        assert!(layer.metric[2] < 0.6, "{layer:?}");
        assert!(layer.metric[3] > 0.9 && layer.metric[4] > 0.9, "{layer:?}");
    }
    let json = serde_json::to_string(&sensitivity).unwrap();
    assert_eq!(
        serde_json::from_str::<Sensitivity>(&json).unwrap(),
        sensitivity
    );
    assert_eq!(sensitivity.to_svg().matches("<polyline").count(), 3);
    assert!(sensitivity.to_string().contains("30 % zeros"));
}
