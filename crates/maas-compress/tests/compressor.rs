//! From a trained network to a smaller one in one call, and what the report says about it.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::structure::Change;
use maas_compress::{
    Compressor, Error, Grain, HardThreshold, Int8, Magnitude, Pruner, Report, Shrink,
};
use maas_core::Seed;
use maas_data::Dataset;
use maas_nn::{Arithmetic, Network, Sequential};
use ndarray::Array2;

fn data() -> Dataset {
    let x = Array2::from_shape_fn((64, 6), |(i, j)| ((6 * i + j) as f32).sin());
    let y = Array2::from_shape_fn((64, 1), |(i, _)| x[[i, 0]] - x[[i, 3]]);
    Dataset::new(x.view(), y.view()).unwrap()
}

fn network() -> Network {
    let layers = Sequential::new(data().features())
        .dense(32)
        .batch_norm()
        .relu()
        .dense(16)
        .relu()
        .dense(1);
    layers.build(Seed(7)).unwrap()
}

fn neurons() -> Pruner {
    Pruner::new(Magnitude, 0.5).grain(Grain::Neuron)
}

fn shapes(network: &Network) -> Vec<Vec<usize>> {
    let kernels = network.segments().iter();
    kernels
        .filter(|segment| segment.name.ends_with("kernel"))
        .map(|segment| segment.shape.clone())
        .collect()
}

#[test]
fn neurons_that_were_pruned_leave_in_the_same_call() {
    let (mut masked, mut smaller) = (network(), network());
    Compressor::new(neurons())
        .run(&mut masked, &data())
        .unwrap();
    let (compact, report) = Compressor::new(neurons())
        .shrink(Shrink::new())
        .run(&mut smaller, &data())
        .unwrap();
    assert_eq!(shapes(&masked), [[6, 32], [32, 16], [16, 1]]);
    let sizes: usize = shapes(&smaller).iter().map(|shape| shape[1]).sum();
    assert_eq!(sizes, 24 + 1);
    assert_eq!(smaller.fingerprint(), compact.network().fingerprint());
    let (before, after) = (masked.predict(data().x()), compact.predict(data().x()));
    for (before, after) in before.unwrap().iter().zip(&after.unwrap()) {
        assert!((before - after).abs() < 1e-5, "{before} and {after}");
    }

    let shrunk = report.shrunk.as_ref().unwrap();
    let left = shrunk.changes.iter().map(|change| match change {
        Change::Dead { units, .. } | Change::Constant { units, .. } => *units,
        _ => 0,
    });
    assert_eq!(left.sum::<usize>(), 24);
    assert!(
        report
            .to_string()
            .contains("`batch_norm` was folded into `dense`")
    );
    assert!(report.to_markdown().contains("- `batch_norm` was folded"));
    for (layer, shape) in report.layers.iter().zip(shapes(&smaller)) {
        assert_eq!(layer.shape_after.unwrap().to_vec(), shape);
    }
    assert_eq!(report.weights, compact.pruned().weights);
}

#[test]
fn what_is_shrunk_is_quantised_after_it() {
    let (mut compact, mut seen) = (network(), Vec::new());
    let (_, report) = Compressor::new(neurons())
        .fine_tune(|network: &mut Network| {
            seen.push((shapes(network), network.arithmetic("dense")?));
            Ok::<_, Error>(())
        })
        .shrink(Shrink::new())
        .quantize(Int8::dynamic())
        .run(&mut compact, &data())
        .unwrap();
    let (whole, small) = (shapes(&network()), shapes(&compact));
    assert_ne!(whole, small);
    assert_eq!(
        seen,
        [(whole, Arithmetic::F32), (small, Arithmetic::int8())]
    );
    assert_eq!(report.layers[0].bits, 8);
}

#[test]
fn a_network_that_cannot_be_shrunk_stays_as_it_was() {
    let mut broken = network();
    let mut state = broken.state().to_vec();
    state[0] = f32::NAN;
    broken.set_state(&state).unwrap();
    let before = broken.fingerprint();
    let error = Compressor::new(neurons())
        .shrink(Shrink::new())
        .run(&mut broken, &data())
        .unwrap_err();
    assert!(matches!(error, Error::NotFinite { .. }), "{error}");
    assert_eq!(broken.fingerprint(), before);
}

#[test]
fn the_report_has_bytes_and_criterion_of_each_layer() {
    let mut compact = network();
    let (compressed, report) = Compressor::new(Pruner::new(Magnitude, 0.9).exclude("dense_2"))
        .run(&mut compact, &data())
        .unwrap();
    let criteria = report.layers.iter().map(|layer| layer.criterion.as_deref());
    assert!(criteria.eq([Some("Magnitude"), Some("Magnitude"), None]));
    let bytes = report.layers.iter().map(|layer| layer.bytes_before);
    assert!(bytes.eq([4 * (6 * 32 + 32), 4 * (32 * 16 + 16), 4 * (16 + 1)]));
    for layer in &report.layers {
        // An arithmetic coder is up to eight bytes behind.
        assert!(layer.bytes_after <= layer.bytes_before + 8, "{layer:?}");
    }
    let layers: usize = report.layers.iter().map(|layer| layer.bytes_after).sum();
    assert!(layers < report.bytes_after);
    assert_eq!(report.bytes_after, compressed.to_bytes().unwrap().len());
    let text = report.to_string();
    assert!(
        text.contains("Magnitude") && text.contains(" to "),
        "{text}"
    );
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[test]
fn layers_that_methods_do_not_apply_to_are_named() {
    let mut compact = network();
    let (_, report) = Compressor::new(Pruner::new(Magnitude, 0.9))
        .run(&mut compact, &data())
        .unwrap();
    let [other] = &report.others[..] else {
        panic!("one layer expected, found {:?}", report.others);
    };
    assert_eq!((&other.layer[..], other.parameters), ("batch_norm", 64));
    let told = format!("its 64 parameters take {} bytes", other.bytes);
    assert!(report.to_string().contains(&told), "{report}");
}

#[test]
fn sizes_are_drawn_against_the_metric() {
    let mut compact = network();
    let (_, report) = Compressor::new(HardThreshold::to_sparsity(0.9))
        .run(&mut compact, &data())
        .unwrap();
    let drawn = &report.trade_off;
    assert_eq!(drawn.before.bytes, report.bytes_before);
    assert_eq!(drawn.before.metric, report.metric_before);
    assert_eq!(drawn.after.len(), 1);
    assert_eq!(drawn.after[0].bytes, report.bytes_after);
    assert_eq!(drawn.after[0].metric, report.metric_after);
    let folder = tempfile::tempdir().unwrap();
    drawn.save_svg(folder.path().join("size.svg")).unwrap();
    let svg = std::fs::read_to_string(folder.path().join("size.svg")).unwrap();
    assert!(svg.contains("root mean squared error") && svg.contains("bytes of the file"));
}
