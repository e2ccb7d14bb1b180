use maas_compress::structure::{Obstacle, Reason};
use maas_compress::{Error, ShrinkReport, shrink};
use maas_core::Seed;
use maas_nn::{Activation, Arithmetic, Mask, Network, Sequential};

use crate::common::{fill, rows, small};

#[test]
fn inputs_and_outputs_stay() {
    let mut network = small(Activation::Relu);
    fill(
        &mut network,
        "dense.kernel",
        &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    );
    fill(&mut network, "dense_1.kernel", &[1.0; 4]);
    let (same, report) = shrink(&network).unwrap();
    assert_eq!(same.signature(), network.signature());
    assert_eq!(same.fingerprint(), network.fingerprint());
    let [
        Obstacle {
            layer,
            units,
            reason,
            ..
        },
    ] = &report.obstacles[..]
    else {
        panic!("{report}");
    };
    assert_eq!(
        (&layer[..], *units, reason),
        ("x", 1, &Reason::Input("x".to_owned()))
    );

    let mut network = Sequential::rows(2)
        .dense(3)
        .softmax()
        .build(Seed(7))
        .unwrap();
    fill(
        &mut network,
        "dense.kernel",
        &[1.0, 0.0, 1.0, 1.0, 0.0, 1.0],
    );
    let (same, report) = shrink(&network).unwrap();
    assert_eq!(same.fingerprint(), network.fingerprint());
    assert_eq!(report.obstacles[0].reason, Reason::Output);
}

#[test]
fn files_and_summaries_show_the_smaller_shapes() {
    let network = small(Activation::Relu);
    let (smaller, report) = shrink(&network).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (large, little) = (
        directory.path().join("large"),
        directory.path().join("little"),
    );
    network.save(&large).unwrap();
    smaller.save(&little).unwrap();
    let loaded = Network::load(&little).unwrap();
    assert_eq!(loaded.summary().rows[0].output, [2]);
    assert_eq!(loaded.summary().trainable, 3 * 2 + 2 + 2 + 1);
    assert_eq!(
        loaded.predict(&rows(3)).unwrap(),
        smaller.predict(&rows(3)).unwrap()
    );
    let bytes = |path: &std::path::Path| std::fs::metadata(path).unwrap().len();
    assert!(bytes(&little) < bytes(&large));
    assert_eq!(report.parameters_after(), loaded.summary().trainable);
    assert!(report.flops_after < report.flops_before);
}

#[test]
fn masks_go_on_under_training() {
    let mut network = small(Activation::Relu);
    let kept = [
        true, true, false, true, false, true, false, true, true, true, false, true,
    ];
    network
        .set_mask("dense.kernel", Mask::from_fn(12, |index| kept[index]))
        .unwrap();
    network
        .set_mask("dense_1.bias", Mask::from_fn(1, |_| false))
        .unwrap();
    network.freeze("dense_1").unwrap();
    let (mut smaller, _) = shrink(&network).unwrap();
    assert!(smaller.is_frozen("dense_1").unwrap());
    let mask = smaller.mask("dense.kernel").unwrap().unwrap();
    let expected = [true, true, false, true, true, true];
    assert!((0..6).all(|index| mask.keeps(index) == expected[index]));
    // The bias has the value of a unit now, whatever its mask said.
    assert!(smaller.mask("dense_1.bias").unwrap().unwrap().keeps(0));

    smaller.segment_mut("dense.kernel").unwrap().fill(1.0);
    smaller.apply_masks();
    assert_eq!(smaller.segment("dense.kernel").unwrap()[[1, 0]], 0.0);
}

#[test]
fn what_is_not_finite_is_refused() {
    let mut network = small(Activation::Relu);
    fill(&mut network, "dense_1.bias", &[f32::NAN]);
    let error = shrink(&network).unwrap_err();
    assert!(
        matches!(&error, Error::NotFinite { segment: Some(name), index: 0, .. } if name == "dense_1.bias")
    );

    let mut network = Sequential::rows(2)
        .dense(2)
        .batch_norm()
        .build(Seed(7))
        .unwrap();
    let state = vec![f32::INFINITY; network.state().len()];
    network.set_state(&state).unwrap();
    let error = shrink(&network).unwrap_err();
    assert!(
        error.to_string().contains("`batch_norm.moving_mean`"),
        "{error}"
    );
}

#[test]
fn the_report_is_data_and_a_table() {
    let (_, report) = shrink(&small(Activation::Relu)).unwrap();
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<ShrinkReport>(&json).unwrap(), report);
    let table = "\
layer     units before    after  parameters before      after
dense                4        2                 16          8
relu                 4        2
dense_1              1        1                  5          3
all                                             21         11
`dense`: 1 unit without influence left
`dense`: 1 unit of constant value left, now in the bias of `dense_1`
";
    assert_eq!(report.to_string(), table);
}

#[test]
fn layers_with_weights_on_a_grid_take_nothing_over() {
    let mut network = small(Activation::Relu);
    let fixed = Arithmetic::Int8 {
        input_scale: Some(0.0625),
    };
    for arithmetic in [Arithmetic::Bf16, fixed, Arithmetic::int8()] {
        network.set_arithmetic("dense_1", arithmetic).unwrap();
        let (smaller, report) = shrink(&network).unwrap();
        // The dead unit leaves where it has no part in a scale, the constant one nowhere.
        let by_rows = arithmetic == Arithmetic::int8();
        let units = if by_rows { 4 } else { 3 };
        assert_eq!(smaller.summary().rows[0].output, [units], "{report}");
        let reason = Reason::Layer("dense_1".to_owned());
        let told = report.obstacles.iter().any(|one| one.reason == reason);
        assert_eq!(told, by_rows);
        let (before, after) = (network.predict(&rows(3)), smaller.predict(&rows(3)));
        assert_eq!(after.unwrap(), before.unwrap());
    }

    let layers = Sequential::rows(3).dense(4).batch_norm().relu().dense(1);
    let mut network = layers.build(Seed(7)).unwrap();
    network.set_arithmetic("dense", Arithmetic::int8()).unwrap();
    let (same, report) = shrink(&network).unwrap();
    assert_eq!(same.fingerprint(), network.fingerprint());
    assert_eq!(report.obstacles[0].reason, Reason::Neighbours);
}
