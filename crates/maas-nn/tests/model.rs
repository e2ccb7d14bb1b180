//! A network as a model.

#![allow(clippy::unwrap_used)]

mod common;

use std::num::NonZeroUsize;

use common::numbers;
use maas_core::{Context, DType, Model, Outputs, Seed, Tensor, TensorSpec, predict_once};
use maas_nn::{Error, Network, Sequential};
use ndarray::{Array2, Axis, Slice};

fn network() -> Network {
    let pixels = TensorSpec::rows("pixels", DType::Fp32, &[2, 3]);
    Sequential::new(pixels)
        .flatten()
        .dense(8)
        .relu()
        .dense(3)
        .softmax()
        .labels(["cat", "dog", "bird"])
        .build(Seed(7))
        .unwrap()
}

fn rows(rows: usize) -> Tensor {
    Tensor::from_slice([rows, 2, 3], &numbers(rows * 6, 1)).unwrap()
}

#[test]
fn the_signature_has_names_shapes_and_labels() {
    let signature = Model::signature(&network()).clone();
    assert_eq!(
        signature.inputs()[0],
        TensorSpec::rows("pixels", DType::Fp32, &[2, 3])
    );
    assert_eq!(signature.outputs()[0].fixed_row_shape(), Some(vec![3]));
    assert_eq!(
        signature.outputs()[0].labels().unwrap(),
        ["cat", "dog", "bird"]
    );
}

#[test]
fn any_number_of_rows_gives_the_same_answers() {
    let network = network();
    let all = predict_once(&network, &[rows(1100).view()]).unwrap();
    let all = all[0].as_slice::<f32>().unwrap();
    let mut outputs = Outputs::new();
    for (max_rows, count) in [(1, 7), (3, 7), (64, 600), (4096, 1100), (0, 2), (8, 0)] {
        let mut context = Context::of(&network, max_rows).unwrap();
        context.threads = NonZeroUsize::new(2).unwrap();
        Model::predict(&network, &[rows(count).view()], &mut outputs, &mut context).unwrap();
        let found = outputs.get(0).unwrap();
        assert_eq!(found.shape(), [count, 3]);
        assert_eq!(found.as_slice::<f32>().unwrap(), &all[..count * 3]);
    }
}

#[test]
fn wrong_requests_are_bad_input() {
    let network = network();
    let mut context = Context::of(&network, 4).unwrap();
    let wrong = [
        Tensor::from_slice([2, 6], &[0.0_f32; 12]).unwrap(),
        Tensor::from_slice([2, 2, 4], &[0.0_f32; 16]).unwrap(),
        Tensor::from_slice([2, 2, 3], &[0_i32; 12]).unwrap(),
    ];
    for tensor in &wrong {
        let error = Model::predict(
            &network,
            &[tensor.view()],
            &mut Outputs::new(),
            &mut context,
        )
        .unwrap_err();
        assert!(error.is_bad_input(), "{error}");
    }
    assert!(
        Model::predict(&network, &[], &mut Outputs::new(), &mut context)
            .unwrap_err()
            .is_bad_input()
    );
    let other = Sequential::rows(2).dense(1).build(Seed(1)).unwrap();
    let mut foreign = Context::of(&other, 4).unwrap();
    assert!(
        Model::predict(
            &network,
            &[rows(1).view()],
            &mut Outputs::new(),
            &mut foreign
        )
        .is_err()
    );
}

#[test]
fn arrays_need_not_be_contiguous() {
    let network = Sequential::rows(3)
        .dense(4)
        .tanh()
        .dense(2)
        .build(Seed(7))
        .unwrap();
    let wide = Array2::from_shape_vec((5, 6), numbers(30, 1)).unwrap();
    let every_other = wide.slice_axis(Axis(1), Slice::new(0, None, 2));
    let copy = every_other.as_standard_layout().into_owned();
    assert_eq!(
        network.predict(every_other).unwrap(),
        network.predict(&copy).unwrap()
    );
    assert_eq!(
        network.predict(&Array2::zeros((0, 3))).unwrap().dim(),
        (0, 2)
    );
    assert!(matches!(
        network.predict(&wide),
        Err(Error::Width {
            expected: 3,
            found: 6
        })
    ));
}
