//! Building networks: names, initial values, summaries, and errors for whatever does not fit.

#![allow(clippy::unwrap_used)]

use maas_core::{DType, Dimension, Moments, Seed, Statistics, TensorSpec};
use maas_nn::{
    Error, Graph, Initializer, LayerSpec, Layers, Network, NetworkSpec, Node, Sequential, Source,
};

/// The error of a layer, and the layer's name.
fn of_layer(result: Result<Network, Error>) -> (String, Error) {
    match result {
        Err(Error::Layer { layer, source }) => (layer, *source),
        other => panic!("expected an error of a layer, found {other:?}"),
    }
}

#[test]
fn bad_architectures() {
    let rows = || Sequential::rows(4);
    assert!(matches!(rows().build(Seed(1)), Err(Error::NoLayers)));
    assert!(matches!(
        Sequential::new([]).dense(1).build(Seed(1)),
        Err(Error::NoInputs)
    ));
    let two = [
        TensorSpec::rows("a", DType::Fp32, &[1]),
        TensorSpec::rows("b", DType::Fp32, &[1]),
    ];
    assert!(matches!(
        Sequential::new(two).dense(1).build(Seed(1)),
        Err(Error::InputCount { .. })
    ));
    let (layer, error) = of_layer(rows().dense(3).relu().dense(0).build(Seed(1)));
    assert_eq!(layer, "dense_1");
    assert!(matches!(error, Error::ZeroUnits));
    for rate in [-0.1, 1.0, f32::NAN, f32::INFINITY] {
        assert!(
            matches!(
                of_layer(rows().dropout(rate).build(Seed(1))).1,
                Error::Rate { .. }
            ),
            "{rate}"
        );
    }
    assert!(matches!(
        of_layer(rows().leaky_relu(f32::NAN).build(Seed(1))).1,
        Error::Setting { .. }
    ));
    let constant = rows().dense(1).initializer(Initializer::Constant(f32::NAN));
    assert!(matches!(
        of_layer(constant.build(Seed(1))).1,
        Error::Setting { .. }
    ));
    let narrow = rows()
        .normalize(Moments::identity(3))
        .dense(1)
        .build(Seed(1));
    assert!(matches!(
        of_layer(narrow).1,
        Error::Width {
            expected: 4,
            found: 3
        }
    ));
    let targets = Statistics {
        features: Moments::identity(4),
        targets: Some(Moments::identity(2)),
    };
    let (layer, error) = of_layer(rows().normalize(targets).dense(3).build(Seed(1)));
    assert_eq!(layer, "denormalization");
    assert!(matches!(
        error,
        Error::Width {
            expected: 3,
            found: 2
        }
    ));
    assert!(matches!(
        of_layer(Sequential::rows(0).dense(1).build(Seed(1))).1,
        Error::Width { .. }
    ));
    assert!(matches!(
        rows().dense(3).labels(["a", "b"]).build(Seed(1)),
        Err(Error::Core(_))
    ));
    assert!(matches!(
        rows().dense(3).name("no.dots").build(Seed(1)),
        Err(Error::Name { .. })
    ));
    assert!(matches!(
        rows().dense(3).name("").build(Seed(1)),
        Err(Error::Name { .. })
    ));
    let twice = rows().dense(3).name("head").dense(3).name("head");
    assert!(matches!(
        twice.build(Seed(1)),
        Err(Error::DuplicateName { .. })
    ));
}

#[test]
fn bad_inputs() {
    let build = |spec: TensorSpec| Sequential::new(spec).flatten().dense(1).build(Seed(1));
    let bytes = build(TensorSpec::rows("x", DType::Bytes, &[4]));
    assert!(matches!(
        bytes,
        Err(Error::InputType {
            dtype: DType::Bytes,
            ..
        })
    ));
    assert!(matches!(
        of_layer(build(TensorSpec::rows("x", DType::Int32, &[4]))).1,
        Error::ValueType { .. }
    ));
    let free = TensorSpec::new("x", DType::Fp32, [Dimension::Free, Dimension::Free]).unwrap();
    assert!(matches!(build(free), Err(Error::FreeDimension { .. })));
}

#[test]
fn too_large_is_an_error_and_not_an_abort() {
    assert!(
        Sequential::rows(usize::MAX)
            .dense(1)
            .build(Seed(1))
            .is_err()
    );
    assert!(
        Sequential::rows(1 << 31)
            .dense(1 << 31)
            .build(Seed(1))
            .is_err()
    );
    assert!(Sequential::rows(10).dense(1 << 50).build(Seed(1)).is_err());
    let wide = TensorSpec::rows("x", DType::Fp32, &[1 << 20, 1 << 20, 1 << 20]);
    assert!(
        Sequential::new(wide)
            .flatten()
            .dense(1)
            .build(Seed(1))
            .is_err()
    );
}

#[test]
fn bad_sources() {
    let node = |source| Node::new("a", LayerSpec::dense(2), [source]);
    let build = |node: Node, output| {
        let input = TensorSpec::rows("x", DType::Fp32, &[2]);
        Network::new(
            NetworkSpec::new(input, [node], output),
            &Layers::standard(),
            Seed(1),
        )
    };
    let (input, own) = (Source::Input(0), Source::Node(0));
    assert!(build(node(input), own).is_ok());
    assert!(matches!(
        build(node(input), Source::Node(1)),
        Err(Error::UnknownSource)
    ));
    assert!(matches!(
        build(node(input), input),
        Err(Error::UnknownSource)
    ));
    assert!(matches!(
        of_layer(build(node(Source::Input(1)), own)).1,
        Error::UnknownSource
    ));
    assert!(matches!(
        of_layer(build(node(own), own)).1,
        Error::UnknownSource
    ));
    let none = Node::new("a", LayerSpec::dense(2), []);
    assert!(matches!(
        of_layer(build(none, own)).1,
        Error::InputCount {
            expected: 1,
            found: 0
        }
    ));
    let custom = LayerSpec::Custom {
        kind: "rotary".into(),
        config: serde_json::Value::Null,
    };
    let custom = Node::new("a", custom, [input]);
    assert!(matches!(
        of_layer(build(custom, own)).1,
        Error::UnknownKind { .. }
    ));
}

#[test]
fn layers_that_nothing_needs_are_left_alone() {
    let mut graph = Graph::new(TensorSpec::rows("x", DType::Fp32, &[2]));
    let x = graph.input(0);
    graph.dense(x, 7);
    let y = graph.dense(x, 3);
    let network = graph.build(y, Seed(1)).unwrap();
    assert_eq!(
        network.predict(&ndarray::array![[1.0, 2.0]]).unwrap().dim(),
        (1, 3)
    );
}

#[test]
fn names_are_free() {
    let network = Sequential::rows(2)
        .dense(2)
        .name("dense_1")
        .dense(2)
        .dense(2)
        .build(Seed(1))
        .unwrap();
    let names: Vec<&str> = network
        .spec()
        .nodes
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(names, ["dense_1", "dense_2", "dense_3"]);
}

#[test]
fn initial_values_are_keras_defaults_and_fixed() {
    let network = Sequential::rows(10)
        .dense(128)
        .relu()
        .dense(64)
        .relu()
        .dense(1)
        .build(Seed(7))
        .unwrap();
    for (name, fans) in [
        ("dense.kernel", 138.0),
        ("dense_1.kernel", 192.0),
        ("dense_2.kernel", 65.0),
    ] {
        let kernel = network.segment(name).unwrap();
        let limit = (6.0_f32 / fans).sqrt();
        let largest = kernel.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
        assert!(largest <= limit && largest > 0.9 * limit, "{name}");
    }
    for name in ["dense.bias", "dense_1.bias", "dense_2.bias"] {
        assert!(network.segment(name).unwrap().iter().all(|&b| b == 0.0));
    }
    // The contract: these bits do not change with a version, a machine or a kernel set.
    assert_eq!(network.fingerprint(), 0x7006_0bc9_2b9e_9d07);
}

#[test]
fn a_summary_reads_as_keras_prints_it() {
    let network = Sequential::rows(10)
        .normalize(Moments::identity(10))
        .dense(128)
        .relu()
        .dense(1)
        .build(Seed(7))
        .unwrap();
    let expected = "\
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━┳━━━━━━━━━━━━━┓
┃ Layer (type)                  ┃ Output shape ┃ Param # ┃ FLOPs / row ┃ Bytes / row ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━╇━━━━━━━━━━━━━┩
│ normalization (normalization) │ (None, 10)   │      20 │          20 │          80 │
├───────────────────────────────┼──────────────┼─────────┼─────────────┼─────────────┤
│ dense (dense)                 │ (None, 128)  │   1,408 │       2,688 │         552 │
├───────────────────────────────┼──────────────┼─────────┼─────────────┼─────────────┤
│ relu (relu)                   │ (None, 128)  │       0 │         128 │       1,024 │
├───────────────────────────────┼──────────────┼─────────┼─────────────┼─────────────┤
│ dense_1 (dense)               │ (None, 1)    │     129 │         257 │         516 │
└───────────────────────────────┴──────────────┴─────────┴─────────────┴─────────────┘
 Total params: 1,557 (6.08 KB)
 Trainable params: 1,537 (6.00 KB)
 Non-trainable params: 20 (80.00 B)
 Per row: 3,093 FLOPs, 2,172 bytes";
    assert_eq!(network.summary().to_string(), expected);
}
