//! Signatures as data, outputs that keep their memory, models of every kind behind one trait.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::error::Error as _;
use std::sync::Arc;

use maas_core::{
    CallerBuffer, Context, DType, Dimension, Error, FnModel, Model, Moments, Outputs, Signature,
    Tensor, TensorSpec, TensorView, predict_once,
};
use proptest::prelude::*;

fn doubling() -> impl Model {
    let signature = Signature::new(
        TensorSpec::rows("x", DType::Fp32, &[2]),
        TensorSpec::rows("y", DType::Fp32, &[2])
            .with_labels(["a", "b"])
            .unwrap(),
    )
    .unwrap();
    FnModel::new(
        signature,
        |inputs: &[TensorView<'_>], outputs: &mut Outputs<'_>| {
            let x = inputs[0].as_slice::<f32>()?;
            let mut y = outputs.tensor(0, DType::Fp32, inputs[0].shape())?;
            for (y, x) in y.as_mut_slice::<f32>()?.iter_mut().zip(x) {
                *y = 2.0 * x;
            }
            Ok::<(), Error>(())
        },
    )
}

#[test]
fn boxes_and_arcs_of_models_are_models() {
    let model: Arc<dyn Model> = Arc::new(doubling());
    let nested: Box<dyn Model> = Box::new(model);
    let x = Tensor::from_slice([1, 2], &[1.0_f32, 2.0]).unwrap();
    let answers = predict_once(&nested, &[x.view()]).unwrap();
    assert_eq!(answers[0].as_slice::<f32>().unwrap(), [2.0, 4.0]);
    assert_eq!(nested.platform(), "maas");
}

#[test]
fn zero_rows_are_a_batch() {
    let x = Tensor::zeros(DType::Fp32, [0, 2]).unwrap();
    let answers = predict_once(&doubling(), &[x.view()]).unwrap();
    assert_eq!(answers[0].shape().dims(), [0, 2]);
}

#[test]
fn inputs_that_do_not_fit_say_what_was_expected() {
    let model = doubling();
    let ask = |shape: &[usize]| {
        let x = Tensor::zeros(DType::Fp32, shape).unwrap();
        predict_once(&model, &[x.view()]).unwrap_err()
    };
    assert_eq!(
        ask(&[1, 3]).to_string(),
        "tensor `x` must be of shape [any, 2], found [1, 3]"
    );
    assert_eq!(
        ask(&[2]).to_string(),
        "tensor `x` must be of shape [any, 2], found [2]"
    );
    assert!(ask(&[2]).is_bad_input());
    let ids = Tensor::zeros(DType::Int32, [1, 2]).unwrap();
    let error = predict_once(&model, &[ids.view()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tensor `x` must be of type FP32, found INT32"
    );
    assert!(matches!(
        predict_once(&model, &[]),
        Err(Error::TensorCount {
            expected: 1,
            found: 0
        })
    ));
}

#[test]
fn rows_of_all_inputs_agree() {
    let signature = Signature::new(
        vec![
            TensorSpec::rows("a", DType::Fp32, &[1]),
            TensorSpec::rows("b", DType::Fp32, &[1]),
        ],
        vec![],
    )
    .unwrap();
    let (two, three) = (
        Tensor::zeros(DType::Fp32, [2, 1]).unwrap(),
        Tensor::zeros(DType::Fp32, [3, 1]).unwrap(),
    );
    let error = signature.check(&[two.view(), three.view()]).unwrap_err();
    assert!(
        matches!(
            error,
            Error::TensorRows {
                expected: 2,
                found: 3,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_model_that_breaks_its_signature_is_at_fault_not_the_caller() {
    let signature = Signature::new(vec![], TensorSpec::rows("y", DType::Fp32, &[1])).unwrap();
    let silent = FnModel::new(signature, |_: &[TensorView<'_>], _: &mut Outputs<'_>| {
        Ok::<(), Error>(())
    });
    let error = predict_once(&silent, &[]).unwrap_err();
    assert!(!error.is_bad_input());
    assert!(error.source().unwrap().to_string().contains("output 0"));
}

#[test]
fn outputs_keep_their_memory() {
    let model = doubling();
    let x = Tensor::from_slice([4, 2], &[1.0_f32; 8]).unwrap();
    let (mut outputs, mut context) = (Outputs::new(), Context::of(&model, 4).unwrap());
    model
        .predict(&[x.view()], &mut outputs, &mut context)
        .unwrap();
    let first = outputs.get(0).unwrap().bytes().as_ptr();
    let row = Tensor::from_slice([1, 2], &[3.0_f32, 4.0]).unwrap();
    model
        .predict(&[row.view()], &mut outputs, &mut context)
        .unwrap();
    assert_eq!(
        outputs.get(0).unwrap().as_slice::<f32>().unwrap(),
        [6.0, 8.0]
    );
    model
        .predict(&[x.view()], &mut outputs, &mut context)
        .unwrap();
    assert_eq!(outputs.get(0).unwrap().bytes().as_ptr(), first);
}

#[test]
fn old_answers_do_not_shine_through() {
    let mut secret = [7.0_f32; 2];
    let mut outputs = Outputs::into_caller([CallerBuffer::new(&mut secret)]);
    for _ in 0..2 {
        assert_eq!(
            outputs
                .tensor(0, DType::Fp32, &[2])
                .unwrap()
                .as_mut_slice::<f32>()
                .unwrap(),
            [0.0, 0.0]
        );
        outputs
            .tensor(0, DType::Fp32, &[2])
            .unwrap()
            .as_mut_slice::<f32>()
            .unwrap()
            .fill(9.0);
        assert_eq!(
            outputs
                .tensor(1, DType::Int8, &[2])
                .unwrap()
                .as_mut_slice::<i8>()
                .unwrap(),
            [0, 0]
        );
        outputs
            .tensor(1, DType::Int8, &[2])
            .unwrap()
            .as_mut_slice::<i8>()
            .unwrap()
            .fill(9);
    }
    assert!(matches!(
        outputs.tensor(0, DType::Fp64, &[1]),
        Err(Error::ElementType { .. })
    ));
    assert!(matches!(outputs.get(0), Err(Error::NoOutput { .. })));
    assert_eq!(outputs.get(1).unwrap().as_slice::<i8>().unwrap(), [9, 9]);
    assert!(matches!(
        outputs.tensor(2, DType::Fp32, &[usize::MAX, 9]),
        Err(Error::TooManyElements { .. })
    ));
}

#[test]
fn a_signature_is_json() {
    let signature = doubling().signature().clone();
    let json = serde_json::to_string(&signature).unwrap();
    assert_eq!(
        json,
        r#"{"inputs":[{"name":"x","dtype":"FP32","shape":[-1,2]}],"outputs":[{"name":"y","dtype":"FP32","shape":[-1,2],"labels":["a","b"]}]}"#
    );
    assert_eq!(serde_json::from_str::<Signature>(&json).unwrap(), signature);
}

#[test]
fn json_that_is_no_signature_is_refused() {
    for hostile in [
        r#"{"inputs":[{"name":"","dtype":"FP32","shape":[-1]}],"outputs":[]}"#,
        r#"{"inputs":[{"name":"x","dtype":"FP32","shape":[2]}],"outputs":[]}"#,
        r#"{"inputs":[{"name":"x","dtype":"FP32","shape":[]}],"outputs":[]}"#,
        r#"{"inputs":[{"name":"x","dtype":"FP32","shape":[-1,-2]}],"outputs":[]}"#,
        r#"{"inputs":[{"name":"x","dtype":"fp32","shape":[-1]}],"outputs":[]}"#,
        r#"{"inputs":[{"name":"x","dtype":"FP32","shape":[-1,3],"labels":["a"]}],"outputs":[]}"#,
        r#"{"inputs":[{"name":"x","dtype":"FP32","shape":[-1]},{"name":"x","dtype":"FP32","shape":[-1]}],"outputs":[]}"#,
    ] {
        assert!(
            serde_json::from_str::<Signature>(hostile).is_err(),
            "{hostile}"
        );
    }
    assert!(serde_json::from_str::<Moments>(r#"{"mean":[0.0],"deviation":[-1.0]}"#).is_err());
    assert!(serde_json::from_str::<Moments>(r#"{"mean":[0.0],"deviation":[]}"#).is_err());
}

#[test]
fn free_dimensions_admit_any_length() {
    let tokens =
        TensorSpec::new("tokens", DType::Int32, [Dimension::Free, Dimension::Free]).unwrap();
    for length in [0, 1, 77] {
        tokens
            .check(&Tensor::zeros(DType::Int32, [2, length]).unwrap().view())
            .unwrap();
    }
}

proptest! {
    #[test]
    fn moments_standardise(rows in prop::collection::vec((-1e3_f32..1e3, -1e-3_f32..1e-3), 2..50), constant in -1e6_f32..1e6) {
        let values: Vec<f32> = rows.iter().flat_map(|&(large, small)| [large, small, constant]).collect();
        let moments = Moments::of_rows(3, &values).unwrap();
        prop_assert_eq!(moments.mean()[2], constant);
        prop_assert_eq!(moments.deviation()[2], 1.0);
        for column in 0..2 {
            let z = |row: &[f32]| f64::from((row[column] - moments.mean()[column]) / moments.deviation()[column]);
            let n = rows.len() as f64;
            let mean = values.chunks(3).map(z).sum::<f64>() / n;
            let variance = values.chunks(3).map(|row| (z(row) - mean).powi(2)).sum::<f64>() / n;
            prop_assert!(mean.abs() < 1e-3, "mean {}", mean);
            prop_assert!((variance - 1.0).abs() < 1e-3 || moments.deviation()[column] == 1.0, "variance {}", variance);
        }
    }

    #[test]
    fn moments_keep_their_bits_in_json(mean in prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL, deviation in prop::num::f32::POSITIVE | prop::num::f32::NORMAL) {
        let moments = Moments::new([mean], [deviation.abs()]).unwrap();
        let json = serde_json::to_string(&moments).unwrap();
        let again: Moments = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(again.mean()[0].to_bits(), mean.to_bits(), "{}", json);
        prop_assert_eq!(again.deviation()[0].to_bits(), moments.deviation()[0].to_bits(), "{}", json);
    }
}
