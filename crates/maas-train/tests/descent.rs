//! `GradientDescent` on bare numbers.

use maas_kernels::Kernels;
use maas_train::{Error, GradientDescent};
use ndarray::{Array1, Array2, Axis, Slice, array};
use proptest::prelude::*;

fn bowl(theta: &[f32], gradient: &mut [f32]) -> f32 {
    gradient.copy_from_slice(theta);
    theta.iter().map(|x| 0.5 * x * x).sum()
}

#[test]
fn takes_slices_vectors_arrays_and_views() {
    let descent = GradientDescent::new(0.5);
    let mut slice = [1.0, 2.0];
    descent.step(&mut slice[..], &[2.0, 2.0][..]).unwrap();
    assert_eq!(slice, [0.0, 1.0]);
    let mut vector = vec![1.0, 2.0];
    descent.step(&mut vector, &vec![2.0, 2.0]).unwrap();
    assert_eq!(vector, [0.0, 1.0]);
    let mut one = array![1.0, 2.0];
    descent.step(&mut one, &array![2.0, 2.0]).unwrap();
    descent
        .step(one.view_mut(), array![2.0, 2.0].view())
        .unwrap();
    assert_eq!(one, array![-1.0, 0.0]);
    let mut matrix = Array2::<f32>::ones((4, 6));
    let gradient = Array2::<f32>::ones((4, 6));
    let every_second = Slice::new(0, None, 2);
    descent
        .step(
            matrix.slice_axis_mut(Axis(1), every_second),
            gradient.slice_axis(Axis(1), every_second),
        )
        .unwrap();
    assert_eq!(matrix.sum(), 18.0);
}

#[test]
fn minimises_through_a_view_and_leaves_the_rest() {
    let mut matrix = array![[4.0, 9.0], [-2.0, 9.0]];
    let minimum = GradientDescent::new(0.5)
        .minimize(matrix.column_mut(0), bowl)
        .unwrap();
    assert!(minimum.converged && minimum.steps < 40 && minimum.gradient_norm <= 1e-6);
    assert!(matrix[[0, 0]].abs() < 1e-6 && matrix[[1, 0]].abs() < 1e-6);
    assert_eq!((matrix[[0, 1]], matrix[[1, 1]]), (9.0, 9.0));
}

#[test]
fn reports_the_point_that_is_left() {
    let mut theta = [8.0];
    let mut calls = 0;
    let minimum = GradientDescent::new(0.5)
        .steps(3)
        .minimize(&mut theta, |theta, gradient| {
            calls += 1;
            bowl(theta, gradient)
        })
        .unwrap();
    assert_eq!(
        (theta[0], minimum.loss, minimum.gradient_norm),
        (1.0, 0.5, 1.0)
    );
    assert_eq!((minimum.steps, minimum.converged, calls), (3, false, 4));
}

#[test]
fn nothing_to_descend_on_converges_at_once() {
    let minimum = GradientDescent::new(0.5)
        .minimize(&mut [0.0_f32; 0], |_, _| 1.0)
        .unwrap();
    assert!(minimum.converged && minimum.steps == 0);
}

#[test]
fn refuses_what_is_no_learning_rate() {
    for rate in [-0.1, f32::NAN, f32::INFINITY] {
        let mut theta = [1.0];
        let step = GradientDescent::new(rate).step(&mut theta, &[1.0]);
        assert!(
            matches!(step, Err(Error::LearningRate { step: 1, .. })),
            "{rate}"
        );
        let minimum = GradientDescent::new(rate).minimize(&mut theta, bowl);
        assert!(
            matches!(minimum, Err(Error::LearningRate { step: 1, .. })),
            "{rate}"
        );
        assert_eq!(theta, [1.0]);
    }
    let tolerance = GradientDescent::new(0.1)
        .tolerance(f32::NAN)
        .minimize(&mut [1.0], bowl);
    assert!(matches!(tolerance, Err(Error::Tolerance { .. })));
}

#[test]
fn refuses_a_gradient_of_another_shape() {
    let mut theta = [1.0, 2.0];
    let error = GradientDescent::new(0.1)
        .step(&mut theta, &[1.0])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the gradient must have the parameters' shape [2], found [1]"
    );
    assert_eq!(theta, [1.0, 2.0]);
}

#[test]
fn says_when_it_diverges() {
    let mut theta = [1.0];
    let error = GradientDescent::new(1e20)
        .minimize(&mut theta, bowl)
        .unwrap_err();
    assert!(
        matches!(error, Error::Diverged { step: 1 | 2, .. }),
        "{error}"
    );
    let error = GradientDescent::new(0.1)
        .minimize(&mut theta, |_, _| f32::NAN)
        .unwrap_err();
    assert!(matches!(error, Error::Diverged { step: 0, .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_step_is_the_formula_for_every_kernel_set(
        pairs in proptest::collection::vec((-10.0_f32..10.0, -10.0_f32..10.0), 0..70),
        rate in 0.0_f32..2.0,
    ) {
        let (theta, gradient): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        for kernels in Kernels::available() {
            let descent = GradientDescent::new(rate).kernels(kernels);
            let mut flat = theta.clone();
            descent.step(&mut flat, &gradient).unwrap();
            for ((&new, &old), &slope) in flat.iter().zip(&theta).zip(&gradient) {
                prop_assert!((f64::from(new) - (f64::from(old) - f64::from(rate) * f64::from(slope))).abs() <= 1e-5);
            }
            // A strided view takes another road to the same bits.
            let mut strided = Array2::zeros((theta.len(), 2));
            strided.column_mut(0).assign(&Array1::from_vec(theta.clone()));
            descent.step(strided.column_mut(0), Array1::from_vec(gradient.clone()).view()).unwrap();
            prop_assert_eq!(strided.column(0).to_vec(), flat);
        }
    }
}
