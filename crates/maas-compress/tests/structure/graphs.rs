use maas_compress::shrink;
use maas_compress::structure::{Change, Reason};
use maas_core::{DType, Seed, TensorSpec};
use maas_nn::{
    Activation, Backward, Forward, Graph, Layer, LayerPlan, LayerSpec, RowType, Sequential,
};

use crate::common::{fill, names, predicts_alike, rows, shape};

#[test]
fn a_branch_of_zeros_leaves_a_residual_network() {
    let layers = Sequential::rows(3)
        .dense(4)
        .residual(|branch| branch.dense(8).relu().dense(4))
        .dense(2);
    let mut network = layers.build(Seed(7)).unwrap();
    fill(&mut network, "dense_2.kernel", &[0.0; 32]);
    let (smaller, report) = shrink(&network).unwrap();
    assert_eq!(names(&smaller), ["dense", "dense_3"], "{report}");
    assert_eq!(
        smaller.predict(&rows(3)).unwrap(),
        network.predict(&rows(3)).unwrap()
    );

    fill(&mut network, "dense_2.bias", &[1.0, 2.0, 3.0, 4.0]);
    let (smaller, report) = shrink(&network).unwrap();
    assert_eq!(names(&smaller), ["dense", "dense_3"], "{report}");
    predicts_alike(&network, &smaller, 3);
}

#[test]
fn a_channel_of_a_residual_network_leaves_all_its_layers() {
    let layers = Sequential::rows(3)
        .dense(4)
        .residual(|branch| branch.dense(8).relu().dense(4))
        .dense(2);
    let mut network = layers.build(Seed(7)).unwrap();
    for name in ["dense_1.kernel", "dense_3.kernel"] {
        network
            .segment_mut(name)
            .unwrap()
            .outer_iter_mut()
            .nth(2)
            .unwrap()
            .fill(0.0);
    }
    let (smaller, _) = shrink(&network).unwrap();
    assert_eq!(shape(&smaller, "dense.kernel"), [3, 3]);
    assert_eq!(shape(&smaller, "dense_1.kernel"), [3, 8]);
    assert_eq!(shape(&smaller, "dense_2.kernel"), [8, 3]);
    assert_eq!(
        smaller.predict(&rows(3)).unwrap(),
        network.predict(&rows(3)).unwrap()
    );
}

#[test]
fn a_part_of_a_concatenation_leaves() {
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[3]));
    let left = graph.dense(graph.input(0), 4);
    let right = graph.dense(graph.input(0), 2);
    let right = graph.relu(right);
    let both = graph.concatenate(&[left, right]);
    let y = graph.dense(both, 2);
    let mut network = graph.build(y, Seed(7)).unwrap();
    let mut kernel = network.segment_mut("dense_2.kernel").unwrap();
    kernel
        .outer_iter_mut()
        .skip(3)
        .for_each(|mut row| row.fill(0.0));
    let (smaller, _) = shrink(&network).unwrap();
    assert_eq!(names(&smaller), ["dense", "dense_2"]);
    assert_eq!(shape(&smaller, "dense_2.kernel"), [3, 2]);
    assert_eq!(
        smaller.predict(&rows(3)).unwrap(),
        network.predict(&rows(3)).unwrap()
    );
}

#[test]
fn embeddings_and_reshapes_lose_features() {
    let mut graph = Graph::new(TensorSpec::rows("ids", DType::Int32, &[2]));
    let vectors = graph.embedding(graph.input(0), 5, 3);
    let flat = graph.flatten(vectors);
    let back = graph.reshape(flat, [1, 6]);
    let y = graph.dense(back, 2);
    let y = graph.flatten(y);
    let mut network = graph.build(y, Seed(7)).unwrap();
    let mut kernel = network.segment_mut("dense.kernel").unwrap();
    for row in [1, 4] {
        kernel.outer_iter_mut().nth(row).unwrap().fill(0.0);
    }
    let (smaller, _) = shrink(&network).unwrap();
    assert_eq!(shape(&smaller, "embedding.table"), [5, 2]);
    assert_eq!(
        smaller.spec().nodes[2].layer,
        LayerSpec::Reshape { shape: vec![1, 4] }
    );
    let ids = [maas_core::Values::I32(&[0, 4, 2, 3])];
    assert_eq!(
        smaller.predict_values(2, &ids).unwrap(),
        network.predict_values(2, &ids).unwrap()
    );
}

#[test]
fn layers_that_do_nothing_and_layers_that_nobody_reads_leave() {
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[3]));
    let h = graph.dense(graph.input(0), 4);
    let h = graph.activation(h, Activation::Linear);
    let h = graph.dropout(h, 0.0);
    let h = graph.gaussian_noise(h, 0.0);
    let h = graph.reshape(h, [4]);
    graph.dense(h, 9);
    let y = graph.relu(h);
    let network = graph.build(y, Seed(7)).unwrap();
    let (smaller, report) = shrink(&network).unwrap();
    assert_eq!(names(&smaller), ["dense", "relu"]);
    assert_eq!(
        report.changes[0],
        Change::Unread {
            layer: "dense_1".to_owned()
        }
    );
    assert_eq!(
        smaller.predict(&rows(3)).unwrap(),
        network.predict(&rows(3)).unwrap()
    );

    let only = Sequential::rows(3).dropout(0.0).build(Seed(7)).unwrap();
    assert_eq!(names(&shrink(&only).unwrap().0), ["dropout"]);
}

/// y = −x, which the table does not know.
#[derive(Debug)]
struct Negated;

impl Layer for Negated {
    fn kind(&self) -> &str {
        "negated"
    }
    fn plan(&self, inputs: &[RowType]) -> Result<LayerPlan, maas_nn::Error> {
        Ok(LayerPlan::new(inputs[0].shape.clone()))
    }
    fn forward(&self, pass: &mut Forward<'_>) -> Result<(), maas_nn::Error> {
        let x = pass.inputs.f32(0)?;
        x.iter().zip(&mut *pass.output).for_each(|(x, y)| *y = -x);
        Ok(())
    }
    fn backward(&self, _: &mut Backward<'_>) -> Result<(), maas_nn::Error> {
        Ok(())
    }
}

#[test]
fn layers_of_ones_own_keep_their_features() {
    let layers = Sequential::rows(3)
        .dense(4)
        .relu()
        .dense(5)
        .layer(Negated)
        .dense(2);
    let mut network = layers.build(Seed(7)).unwrap();
    fill(
        &mut network,
        "dense_2.kernel",
        &[0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
    );
    network
        .segment_mut("dense_1.kernel")
        .unwrap()
        .outer_iter_mut()
        .next()
        .unwrap()
        .fill(0.0);
    let (smaller, report) = shrink(&network).unwrap();
    assert_eq!(shape(&smaller, "dense_1.kernel"), [3, 5]);
    assert!(
        report
            .obstacles
            .iter()
            .any(|one| one.reason == Reason::Layer("negated".to_owned()))
    );
    assert_eq!(
        smaller.predict(&rows(3)).unwrap(),
        network.predict(&rows(3)).unwrap()
    );
}
