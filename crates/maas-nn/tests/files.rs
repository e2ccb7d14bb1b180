//! Saving and loading: the identity for what was saved, an error for everything else.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use maas_core::{Moments, Seed, Statistics};
use maas_nn::{Error, FileFault, Mask, Network, Sequential};
use ndarray::Array2;
use proptest::prelude::*;
use serde_json::{Value, json};

fn network() -> Network {
    let features = Moments::new([0.1, 1e-30, 16_777_217.0], [0.3, 1e-20, 7.0]).unwrap();
    let targets = Some(Moments::new([5.6], [0.8]).unwrap());
    let mut network = Sequential::rows(3)
        .normalize(Statistics { features, targets })
        .dense(5)
        .leaky_relu(0.1)
        .dropout(0.25)
        .dense(4)
        .gelu()
        .dense(1)
        .build(Seed(7))
        .unwrap();
    network
        .set_mask("dense_1.kernel", Mask::from_fn(20, |i| i % 3 != 0))
        .unwrap();
    network
}

fn load(bytes: &[u8]) -> Result<Network, Error> {
    Network::from_bytes(bytes)
}

#[test]
fn save_then_load_is_the_identity() {
    let network = network();
    let loaded = load(&network.to_bytes()).unwrap();
    assert_eq!(loaded.spec(), network.spec());
    assert_eq!(loaded.signature(), network.signature());
    assert_eq!(loaded.parameters(), network.parameters());
    assert_eq!(loaded.state(), network.state());
    assert_eq!(
        loaded.mask("dense_1.kernel").unwrap(),
        network.mask("dense_1.kernel").unwrap()
    );
    assert_eq!(loaded.mask("dense.kernel").unwrap(), None);
    assert_eq!(loaded.fingerprint(), network.fingerprint());
    assert_eq!(loaded.to_bytes(), network.to_bytes());
    let x = Array2::from_shape_vec((9, 3), numbers(27, 1)).unwrap();
    assert_eq!(loaded.predict(&x).unwrap(), network.predict(&x).unwrap());
}

#[test]
fn a_file_is_written_whole_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    network().save(&path).unwrap();
    assert_eq!(
        Network::load(&path).unwrap().fingerprint(),
        network().fingerprint()
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let nowhere = folder.path().join("missing").join("network.safetensors");
    assert!(matches!(network().save(&nowhere), Err(Error::Io { .. })));
    assert!(matches!(Network::load(&nowhere), Err(Error::Io { .. })));
    assert!(matches!(
        Network::load(folder.path()),
        Err(Error::Io { .. })
    ));
}

#[test]
fn the_bytes_are_fixed() {
    let bytes = Sequential::rows(2)
        .dense(1)
        .build(Seed(1))
        .unwrap()
        .to_bytes();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    assert_eq!(length % 8, 0);
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert_eq!(
        header["dense.kernel"],
        json!({"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]})
    );
    assert_eq!(
        header["dense.bias"],
        json!({"dtype": "F32", "shape": [1], "data_offsets": [8, 12]})
    );
    assert_eq!(bytes.len(), 8 + length + 12);
    let spec = r#"{"inputs":[{"dtype":"FP32","name":"x","shape":[-1,2]}],"nodes":[{"inputs":[{"input":0}],"layer":{"dense":{"bias":true,"bias_initializer":"zeros","kernel_initializer":"glorot_uniform","units":1}},"name":"dense"}],"output":{"node":0}}"#;
    assert_eq!(header["__metadata__"]["spec"], spec);
}

/// A file's header and tensors, to tamper with.
struct Parts {
    header: Value,
    data: Vec<u8>,
}

impl Parts {
    /// Of the network above, without the checksum that would hide what else is checked.
    fn new() -> Self {
        let bytes = network().to_bytes();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let mut header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        header["__metadata__"]
            .as_object_mut()
            .unwrap()
            .remove("checksum");
        Self {
            header,
            data: bytes[8 + length..].to_vec(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        with_header(&self.header.to_string(), &self.data)
    }

    fn spec(&self) -> Value {
        serde_json::from_str(self.header["__metadata__"]["spec"].as_str().unwrap()).unwrap()
    }

    fn with_spec(mut self, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut spec = self.spec();
        change(&mut spec);
        self.header["__metadata__"]["spec"] = spec.to_string().into();
        self.bytes()
    }

    fn with_header(mut self, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        change(&mut self.header);
        self.bytes()
    }
}

fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn fault(bytes: &[u8]) -> FileFault {
    match load(bytes) {
        Err(Error::File(fault)) => fault,
        other => panic!("expected a fault of the file, found {other:?}"),
    }
}

#[test]
fn untampered_parts_load() {
    assert_eq!(
        load(&Parts::new().bytes()).unwrap().fingerprint(),
        network().fingerprint()
    );
}

#[test]
fn hostile_headers() {
    assert!(matches!(
        fault(&[]),
        FileFault::Truncated {
            expected: 8,
            found: 0
        }
    ));
    assert!(matches!(fault(&[0xff; 64]), FileFault::HeaderLength { .. }));
    assert!(matches!(
        fault(&1_000_000_u64.to_le_bytes()),
        FileFault::Truncated {
            expected: 1_000_008,
            ..
        }
    ));
    assert!(matches!(
        fault(&with_header("", &[])),
        FileFault::Json { .. }
    ));
    assert!(matches!(
        fault(&with_header("[1]", &[])),
        FileFault::Json { .. }
    ));
    assert!(matches!(
        fault(&with_header(&"[".repeat(100_000), &[])),
        FileFault::Json { .. }
    ));
    assert!(matches!(
        fault(&with_header("{}", &[])),
        FileFault::Metadata {
            key: "format",
            found: None,
            ..
        }
    ));
    assert!(matches!(
        fault(&with_header("{}", &[1])),
        FileFault::Trailing { bytes: 1 }
    ));
    let twice = r#"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#;
    assert!(matches!(
        fault(&with_header(twice, &[])),
        FileFault::Json { .. }
    ));
    let giant = format!(
        r#"{{"a":{{"dtype":"F32","shape":[{0},{0}],"data_offsets":[0,4]}}}}"#,
        u64::MAX
    );
    assert!(matches!(
        fault(&with_header(&giant, &[0; 4])),
        FileFault::Offsets { .. }
    ));
    let beyond = r#"{"a":{"dtype":"F32","shape":[4611686018427387903],"data_offsets":[0,18446744073709551612]}}"#;
    assert!(matches!(
        fault(&with_header(beyond, &[0; 4])),
        FileFault::Truncated { .. }
    ));
}

#[test]
fn hostile_tensors() {
    type Change = fn(&mut Value);
    type Expected = fn(&FileFault) -> bool;
    let cases: [(Change, Expected); 9] = [
        (
            |h| h["dense.bias"]["dtype"] = json!("F16"),
            |f| matches!(f, FileFault::DType { .. }),
        ),
        (
            |h| h["dense.kernel"]["shape"] = json!([5, 3]),
            |f| matches!(f, FileFault::Shape { .. }),
        ),
        (
            |h| h["dense.kernel"]["shape"] = json!([16]),
            |f| matches!(f, FileFault::Offsets { .. }),
        ),
        (
            |h| h["dense.bias"]["data_offsets"] = json!([0, 20]),
            |f| matches!(f, FileFault::Offsets { .. }),
        ),
        (
            |h| h["dense.bias"]["data_offsets"] = json!([80, 60]),
            |f| matches!(f, FileFault::Offsets { .. }),
        ),
        (
            |h| h["dense.bias"]["data_offsets"] = json!([-4, 16]),
            |f| matches!(f, FileFault::Json { .. }),
        ),
        (
            |h| {
                let bias = h.as_object_mut().unwrap().remove("dense.bias").unwrap();
                h["dense.scale"] = bias;
            },
            |f| matches!(f, FileFault::MissingTensor { name } if name == "dense.bias"),
        ),
        (
            |h| h["more"] = json!({"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}),
            |f| matches!(f, FileFault::UnknownTensor { name } if name == "more"),
        ),
        (
            |h| {
                let mask = h
                    .as_object_mut()
                    .unwrap()
                    .remove("masks/dense_1.kernel")
                    .unwrap();
                h["masks/dense.kernel"] = mask;
            },
            |f| matches!(f, FileFault::Shape { .. }),
        ),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let fault = fault(&Parts::new().with_header(change));
        assert!(expected(&fault), "case {index}: {fault:?}");
    }
}

#[test]
fn hostile_architectures() {
    let units = |units: u64| {
        move |spec: &mut Value| spec["nodes"][1]["layer"]["dense"]["units"] = json!(units)
    };
    assert!(matches!(
        load(&Parts::new().with_spec(units(1 << 40))),
        Err(Error::File(_))
    ));
    assert!(load(&Parts::new().with_spec(units(u64::MAX))).is_err());
    assert!(load(&Parts::new().with_spec(units(0))).is_err());
    assert!(load(&Parts::new().with_spec(|spec| spec["nodes"] = json!([]))).is_err());
    assert!(load(&Parts::new().with_spec(|spec| spec["inputs"] = json!([]))).is_err());
    assert!(load(&Parts::new().with_spec(|spec| spec["output"] = json!({"node": 99}))).is_err());
    assert!(
        load(&Parts::new().with_spec(|spec| spec["nodes"][0]["inputs"] = json!([{"node": 3}])))
            .is_err()
    );
    assert!(
        load(&Parts::new().with_spec(|spec| spec["nodes"][1]["name"] = json!("dense_1"))).is_err()
    );
    assert!(
        load(&Parts::new().with_spec(|spec| spec["nodes"][1]["name"] = json!("../dense"))).is_err()
    );
    assert!(load(&Parts::new().with_spec(|spec| spec["more"] = json!(1))).is_err());
    let unknown = |spec: &mut Value| {
        spec["nodes"][2]["layer"] = json!({"custom": {"kind": "rotary", "config": null}});
    };
    match load(&Parts::new().with_spec(unknown)) {
        Err(Error::Layer { layer, source }) => {
            assert_eq!(layer, "leaky_relu");
            assert!(matches!(*source, Error::UnknownKind { kind } if kind == "rotary"));
        }
        other => panic!("{other:?}"),
    }
    let changed = Parts::new().with_header(|header| {
        header["__metadata__"]["signature"] = json!(r#"{"inputs":[],"outputs":[]}"#);
    });
    assert!(matches!(fault(&changed), FileFault::Signature));
}

#[test]
fn switches_of_batch_normalisation_are_stored_where_they_are_off() {
    let network = |builder: Sequential| builder.build(Seed(1)).unwrap();
    let on = network(Sequential::rows(3).batch_norm());
    let text = serde_json::to_string(on.spec()).unwrap();
    assert!(
        !text.contains("center") && !text.contains("scale"),
        "{text}"
    );

    // An absent beta of zeros and an absent gamma of ones are those of a new layer.
    let x = ndarray::array![[0.5, -1.0, 2.0]];
    for off in [
        network(Sequential::rows(3).batch_norm().without_center()),
        network(Sequential::rows(3).batch_norm().without_scale()),
        network(
            Sequential::rows(3)
                .batch_norm()
                .without_scale()
                .without_center(),
        ),
    ] {
        let loaded = Network::from_bytes(&off.to_bytes()).unwrap();
        assert_eq!(loaded.spec(), off.spec());
        assert_eq!(loaded.predict(&x).unwrap(), on.predict(&x).unwrap());
        assert_ne!(loaded.fingerprint(), on.fingerprint());
    }
}

#[test]
fn hostile_layers() {
    let with =
        |layer: Value| load(&Parts::new().with_spec(move |spec| spec["nodes"][2]["layer"] = layer));
    assert!(with(json!({"reshape": {"shape": [5]}})).is_ok());
    assert!(with(json!({"activation": "mish"})).is_ok());
    assert!(matches!(
        with(json!("batch_norm")),
        Err(Error::File(FileFault::Json { .. }))
    ));
    assert!(matches!(
        with(json!({"batch_norm": {}})),
        Err(Error::File(FileFault::MissingTensor { name })) if name == "leaky_relu.gamma"
    ));
    let most = u64::MAX;
    for layer in [
        json!({"batch_norm": {"momentum": 1.5}}),
        json!({"batch_norm": {"epsilon": 0.0}}),
        json!({"batch_norm": {"epsilon": 1e-3, "centre": false}}),
        json!({"layer_norm": {"epsilon": -1.0}}),
        json!({"layer_norm": {"epsilon": 1e39}}),
        json!({"gaussian_noise": {"deviation": -1.0}}),
        json!({"embedding": {"vocabulary": 3, "width": 3}}),
        json!({"embedding": {"vocabulary": most, "width": most}}),
        json!({"reshape": {"shape": [most, 2]}}),
        json!({"reshape": {"shape": [4]}}),
        json!({"reshape": {"shape": [5, 0]}}),
        json!({"activation": {"elu": {"alpha": null}}}),
        json!({"activation": {"elu": {}}}),
        json!({"activation": "softermax"}),
        json!({"dense": {"units": 5, "kernel_initializer": {"orthogonal": {"gain": 1e39}}}}),
        json!({"dense": {"units": 5, "kernel_initializer": {"uniform": {"low": 1.0, "high": 0.0}}}}),
        json!({"dense": {"units": 5, "bias_initializer": {"orthogonal": {"gain": 1.0}}}}),
    ] {
        assert!(with(layer.clone()).is_err(), "{layer}");
    }
}

#[test]
fn hostile_moments() {
    let parts = Parts::new();
    let begin = parts.header["normalization.deviation"]["data_offsets"][0]
        .as_u64()
        .unwrap() as usize;
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let mut parts = Parts::new();
        parts.data[begin..begin + 4].copy_from_slice(&bad.to_le_bytes());
        assert!(matches!(load(&parts.bytes()), Err(Error::Core(_))), "{bad}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = network().to_bytes();
    for length in 0..bytes.len() {
        assert!(load(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn every_flipped_byte_of_the_tensors_is_seen() {
    let bytes = network().to_bytes();
    let start = bytes.len() - Parts::new().data.len();
    for index in start..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[index] ^= 0x10;
        assert!(
            matches!(fault(&bytes), FileFault::Checksum { .. }),
            "byte {index}"
        );
    }
}

#[test]
fn a_flipped_bit_changes_nothing_or_is_refused() {
    let (bytes, fingerprint) = (network().to_bytes(), network().fingerprint());
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[index] ^= 1 << bit;
            if let Ok(loaded) = load(&flipped) {
                assert_eq!(
                    loaded.fingerprint(),
                    fingerprint,
                    "bit {bit} of byte {index}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn several_flipped_bits_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8), 2..5)) {
        let mut bytes = network().to_bytes();
        for (index, bit) in flips {
            let index = index.index(bytes.len());
            bytes[index] ^= 1_u8 << bit;
        }
        if let Ok(loaded) = load(&bytes) {
            let _ = loaded.summary().to_string();
        }
    }

    #[test]
    fn headers_with_flipped_bits_and_no_checksum_never_panic(flips in prop::collection::vec((any::<prop::sample::Index>(), 0..7), 1..3)) {
        let parts = Parts::new();
        let mut header = parts.header.to_string().into_bytes();
        for (index, bit) in flips {
            let index = index.index(header.len());
            header[index] ^= 1_u8 << bit;
        }
        if let Ok(loaded) = load(&with_header(&String::from_utf8_lossy(&header), &parts.data)) {
            let _ = loaded.summary().to_string();
        }
    }

    #[test]
    fn noise_is_no_network(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(load(&bytes).is_err());
    }
}
