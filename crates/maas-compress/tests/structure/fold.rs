use maas_compress::structure::Reason;
use maas_compress::{Shrink, shrink};
use maas_core::{DType, Moments, Seed, TensorSpec};
use maas_nn::{Graph, Sequential};

use crate::common::{fill, names, predicts_alike, rows, settle, shape};

#[test]
fn a_batch_normalisation_goes_into_the_layer_before_or_behind() {
    let before = Sequential::rows(3)
        .dense(4)
        .without_bias()
        .batch_norm()
        .relu()
        .dense(2);
    let behind = Sequential::rows(3)
        .dense(4)
        .relu()
        .batch_norm()
        .dropout(0.5)
        .dense(2);
    let first = Sequential::rows(3).batch_norm().dense(2);
    for (layers, left) in [
        (before, vec!["dense", "relu", "dense_1"]),
        (behind, vec!["dense", "relu", "dropout", "dense_1"]),
        (first, vec!["dense"]),
    ] {
        let mut network = layers.build(Seed(7)).unwrap();
        settle(&mut network);
        let (smaller, report) = shrink(&network).unwrap();
        assert_eq!(names(&smaller), left, "{report}");
        assert!(smaller.state().is_empty());
        predicts_alike(&network, &smaller, 3);
        let kept = Shrink::new().keep_batch_norm().run(&network).unwrap().0;
        assert_eq!(kept.fingerprint(), network.fingerprint());
    }
}

#[test]
fn a_batch_normalisation_loses_the_features_of_units_that_leave() {
    let layers = Sequential::rows(3).dense(4).batch_norm().relu().dense(2);
    let mut network = layers.build(Seed(7)).unwrap();
    settle(&mut network);
    fill(
        &mut network,
        "dense_1.kernel",
        &[1.0, 2.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0],
    );
    let (smaller, _) = Shrink::new().keep_batch_norm().run(&network).unwrap();
    assert_eq!(shape(&smaller, "batch_norm.gamma"), [2]);
    assert_eq!(smaller.state_segments()[0].shape, [2]);
    let state = smaller.state_segments()[0].range.clone();
    assert_eq!(smaller.state()[state], [0.5, 1.0]);
    assert_eq!(
        smaller.predict(&rows(3)).unwrap(),
        network.predict(&rows(3)).unwrap()
    );
}

#[test]
fn what_cannot_be_folded_is_said() {
    let layers = Sequential::rows(3).dense(4).relu().batch_norm().softmax();
    let network = layers.build(Seed(7)).unwrap();
    let (same, report) = shrink(&network).unwrap();
    assert_eq!(same.fingerprint(), network.fingerprint());
    let reasons: Vec<_> = report
        .obstacles
        .iter()
        .map(|one| (&one.layer[..], &one.reason))
        .collect();
    assert_eq!(reasons, [("batch_norm", &Reason::Neighbours)]);

    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    let normal = graph.batch_norm(graph.input(0));
    graph.without_scale();
    let y = graph.dense(normal, 100);
    graph.without_bias();
    let mut network = graph.build(y, Seed(7)).unwrap();
    settle(&mut network);
    let (_, report) = shrink(&network).unwrap();
    assert_eq!(report.obstacles[0].reason, Reason::Larger);

    let mut network = Sequential::rows(2)
        .dense(2)
        .batch_norm()
        .dense(1)
        .build(Seed(7))
        .unwrap();
    fill(&mut network, "dense.kernel", &[1e30, 1e30, 1.0, 1.0]);
    fill(&mut network, "batch_norm.gamma", &[1e30, 1.0]);
    fill(&mut network, "dense_1.kernel", &[1e30, 1e30]);
    let (same, report) = shrink(&network).unwrap();
    assert_eq!(report.obstacles[0].reason, Reason::Overflow);
    assert_eq!(same.fingerprint(), network.fingerprint());
}

#[test]
fn moments_are_folded_when_that_is_asked_for() {
    let layers = Sequential::rows(2)
        .normalize(Moments::new([3.0, 4.0], [0.5, 2.0]).unwrap())
        .dense(3)
        .relu()
        .dense(1)
        .denormalize(Moments::new([100.0], [10.0]).unwrap());
    let network = layers.build(Seed(7)).unwrap();
    let (smaller, _) = Shrink::new().fold_moments().run(&network).unwrap();
    assert_eq!(names(&smaller), ["dense", "relu", "dense_1"]);
    predicts_alike(&network, &smaller, 2);
    assert_eq!(
        shrink(&network).unwrap().0.fingerprint(),
        network.fingerprint()
    );
}

#[test]
fn a_layer_that_others_read_takes_nothing_over() {
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[3]));
    let h = graph.dense(graph.input(0), 4);
    let normal = graph.batch_norm(h);
    let normal = graph.relu(normal);
    let y = graph.add(&[h, normal]);
    let mut network = graph.build(y, Seed(7)).unwrap();
    settle(&mut network);
    let (same, report) = shrink(&network).unwrap();
    assert_eq!(same.fingerprint(), network.fingerprint());
    assert_eq!(report.obstacles[0].reason, Reason::Neighbours);
}
