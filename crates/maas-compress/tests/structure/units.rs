use maas_compress::shrink;
use maas_compress::structure::{Change, Reason};
use maas_core::Seed;
use maas_nn::{Activation, Sequential};
use ndarray::array;

use crate::common::{fill, rows, shape, small};
use crate::random::ACTIVATIONS;

#[test]
fn units_without_weights_leave_and_the_next_bias_has_their_value() {
    for activation in ACTIVATIONS {
        let network = small(activation);
        let (smaller, report) = shrink(&network).unwrap();
        assert_eq!(shape(&smaller, "dense.kernel"), [3, 2]);
        assert_eq!(
            smaller.segment("dense.bias").unwrap(),
            array![0.0, -0.25].into_dyn()
        );
        assert_eq!(
            smaller.segment("dense_1.kernel").unwrap(),
            array![[1.0], [-1.0]].into_dyn()
        );
        let mut value = [0.0];
        maas_nn::Kernels::best().activate(activation, &[0.5], &mut value);
        assert_eq!(
            smaller.segment("dense_1.bias").unwrap()[0],
            0.125 + 2.0 * value[0]
        );
        assert_eq!(
            report.changes[report.changes.len() - 2..],
            [
                Change::Dead {
                    layer: "dense".to_owned(),
                    units: 1
                },
                Change::Constant {
                    layer: "dense".to_owned(),
                    units: 1,
                    into: vec!["dense_1".to_owned()]
                },
            ]
        );
        let (before, after) = (
            network.predict(&rows(3)).unwrap(),
            smaller.predict(&rows(3)).unwrap(),
        );
        before
            .iter()
            .zip(&after)
            .for_each(|(x, y)| assert!((x - y).abs() < 1e-5, "{x} {y}"));
    }
}

#[test]
fn dropping_zeros_keeps_every_bit() {
    let layers = Sequential::rows(3)
        .dense(40)
        .relu()
        .dense(30)
        .tanh()
        .dense(2);
    let mut network = layers.build(Seed(7)).unwrap();
    for (name, every) in [("dense_1.kernel", 3), ("dense_2.kernel", 2)] {
        let mut kernel = network.segment_mut(name).unwrap();
        let dead = kernel.outer_iter_mut().step_by(every);
        dead.for_each(|mut row| row.fill(0.0));
    }
    let (smaller, _) = shrink(&network).unwrap();
    assert_eq!(shape(&smaller, "dense_1.kernel"), [26, 15]);
    assert_eq!(
        smaller.predict(&rows(3)).unwrap(),
        network.predict(&rows(3)).unwrap()
    );
}

#[test]
fn a_unit_that_leaves_can_kill_the_one_before() {
    let layers = Sequential::rows(2).dense(3).relu().dense(3).relu().dense(1);
    let mut network = layers.build(Seed(7)).unwrap();
    // Unit 0 of `dense` is read by unit 0 of `dense_1` alone, which nobody reads.
    fill(
        &mut network,
        "dense_1.kernel",
        &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    );
    fill(&mut network, "dense_2.kernel", &[0.0, 1.0, 1.0]);
    let (smaller, report) = shrink(&network).unwrap();
    assert_eq!(shape(&smaller, "dense.kernel"), [2, 2]);
    assert_eq!(shape(&smaller, "dense_1.kernel"), [2, 2]);
    assert_eq!(
        (report.layers[0].units_before, report.layers[0].units_after),
        (3, Some(2))
    );
    assert_eq!(
        smaller.predict(&rows(2)).unwrap(),
        network.predict(&rows(2)).unwrap()
    );
}

#[test]
fn a_network_without_weights_keeps_a_unit_a_layer() {
    let layers = Sequential::rows(4)
        .dense(16)
        .relu()
        .dense(8)
        .sigmoid()
        .dense(2);
    let mut network = layers.build(Seed(7)).unwrap();
    fill(&mut network, "dense_2.kernel", &[0.0; 16]);
    fill(&mut network, "dense_2.bias", &[0.5, -1.0]);
    let (smaller, report) = shrink(&network).unwrap();
    assert_eq!(smaller.summary().trainable, 5 + 2 + 4);
    assert_eq!(
        smaller.predict(&rows(4)).unwrap(),
        network.predict(&rows(4)).unwrap()
    );
    assert!(
        report
            .obstacles
            .iter()
            .any(|one| one.reason == Reason::Last),
        "{report}"
    );
    assert_eq!(
        shrink(&smaller).unwrap().0.fingerprint(),
        smaller.fingerprint()
    );
}

#[test]
fn a_bias_is_added_where_a_constant_needs_one() {
    let layers = Sequential::rows(2).dense(3).tanh().dense(2).without_bias();
    let mut network = layers.build(Seed(7)).unwrap();
    fill(
        &mut network,
        "dense.kernel",
        &[0.0, 1.0, 1.0, 0.0, 1.0, -1.0],
    );
    fill(&mut network, "dense.bias", &[2.0, 0.0, 0.0]);
    let (smaller, report) = shrink(&network).unwrap();
    assert_eq!(shape(&smaller, "dense_1.bias"), [2]);
    assert!(report.changes.contains(&Change::Bias {
        layer: "dense_1".to_owned()
    }));

    // relu(−1) is 0, and adds nothing.
    let mut network = small(Activation::Relu);
    fill(&mut network, "dense.bias", &[0.0, 0.0, -1.0, 0.0]);
    let (smaller, _) = shrink(&network).unwrap();
    assert_eq!(smaller.segment("dense_1.bias").unwrap()[0], 0.125);
}

#[test]
fn constants_that_would_overflow_a_bias_stay() {
    let layers = Sequential::rows(1).dense(3).relu().dense(1);
    let mut network = layers.build(Seed(7)).unwrap();
    fill(&mut network, "dense.kernel", &[0.0, 1.0, 0.0]);
    fill(&mut network, "dense.bias", &[1e20, 0.0, 1e20]);
    fill(&mut network, "dense_1.kernel", &[1e20, 1.0, -1e20]);
    let (same, report) = shrink(&network).unwrap();
    assert_eq!(same.fingerprint(), network.fingerprint());
    assert!(report.changes.is_empty(), "{report}");
}
