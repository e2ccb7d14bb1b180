//! Laws of the formula, w ← w − λ·sign(w), raw and stopped at zero.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use maas_compress::{Error, HardThreshold, SignStep, SoftThreshold};
use ndarray::{Array2, Axis, Slice, array};
use proptest::prelude::*;

fn weights() -> impl Strategy<Value = Vec<f32>> {
    let weight = prop_oneof![
        4 => -10.0_f32..10.0,
        1 => prop::num::f32::NORMAL | prop::num::f32::SUBNORMAL,
        1 => prop::sample::select(vec![0.0, -0.0, 1.0, -1.0, 0.5, -0.5]),
    ];
    prop::collection::vec(weight, 0..200)
}

fn lambda() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(0.0_f32),
        Just(0.5),
        Just(1.0),
        0.0_f32..12.0,
        Just(f32::MIN_POSITIVE),
        Just(f32::MAX)
    ]
}

fn soft(lambda: f32, weights: &[f32]) -> Vec<f32> {
    let mut weights = weights.to_vec();
    SoftThreshold::new(lambda).apply(&mut weights).unwrap();
    weights
}

fn raw(lambda: f32, weights: &[f32]) -> Vec<f32> {
    let mut weights = weights.to_vec();
    SignStep::new(lambda).apply(&mut weights).unwrap();
    weights
}

fn bits(weights: &[f32]) -> Vec<u32> {
    weights.iter().map(|weight| weight.to_bits()).collect()
}

fn sign(weight: f32) -> f32 {
    if weight == 0.0 { 0.0 } else { weight.signum() }
}

proptest! {
    #[test]
    fn soft_is_its_definition(weights in weights(), lambda in lambda()) {
        for (&before, after) in weights.iter().zip(soft(lambda, &weights)) {
            let expected = sign(before) * (before.abs() - lambda).max(0.0);
            prop_assert_eq!(after, expected);
            prop_assert!(after != 0.0 || after.is_sign_positive());
            prop_assert!(after == 0.0 || after.signum() == before.signum());
        }
    }

    #[test]
    fn raw_is_its_definition(weights in weights(), lambda in lambda()) {
        for (&before, after) in weights.iter().zip(raw(lambda, &weights)) {
            prop_assert_eq!(after, before - lambda * sign(before));
            prop_assert!(after != 0.0 || after.is_sign_positive());
        }
    }

    #[test]
    fn raw_and_soft_agree_beyond_lambda(weights in weights(), lambda in lambda()) {
        let (soft, raw) = (soft(lambda, &weights), raw(lambda, &weights));
        for ((&before, soft), raw) in weights.iter().zip(soft).zip(raw) {
            if before.abs() >= lambda {
                prop_assert_eq!(soft.to_bits(), raw.to_bits());
            }
        }
    }

    #[test]
    fn raw_twice_is_nothing_within_lambda(weights in prop::collection::vec(-1.0_f32..1.0, 1..50)) {
        let twice = raw(1.0, &raw(1.0, &weights));
        for (&before, after) in weights.iter().zip(twice) {
            prop_assert!((before - after).abs() <= f32::EPSILON, "{} became {}", before, after);
        }
    }

    #[test]
    fn soft_is_odd_monotone_and_never_expands(mut weights in weights(), lambda in lambda()) {
        weights.sort_by(f32::total_cmp);
        let after = soft(lambda, &weights);
        prop_assert!(after.is_sorted());
        let negated: Vec<f32> = weights.iter().map(|weight| -weight).collect();
        prop_assert!(soft(lambda, &negated).iter().zip(&after).all(|(negated, after)| *negated == -after));
        for (before, after) in weights.windows(2).zip(after.windows(2)) {
            let (before, after) = (f64::from(before[1]) - f64::from(before[0]), f64::from(after[1]) - f64::from(after[0]));
            let rounding = f64::from(weights.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()))) * 1e-6;
            prop_assert!(after <= before + rounding, "{} grew to {}", before, after);
        }
    }

    #[test]
    fn thresholds_add_up(weights in prop::collection::vec(-10.0_f32..10.0, 0..100), first in 0.0_f32..3.0, second in 0.0_f32..3.0) {
        let apart = soft(second, &soft(first, &weights));
        let at_once = soft(first + second, &weights);
        prop_assert!(apart.iter().zip(&at_once).all(|(apart, at_once)| (apart - at_once).abs() <= 4e-6));
    }

    #[test]
    fn more_lambda_more_zeros(weights in weights(), first in lambda(), second in lambda()) {
        let zeros = |lambda| soft(lambda, &weights).iter().filter(|&&weight| weight == 0.0).count();
        prop_assert!(zeros(first.min(second)) <= zeros(first.max(second)));
    }

    #[test]
    fn a_lambda_of_zero_is_nothing(weights in weights()) {
        prop_assert_eq!(soft(0.0, &weights), weights.clone());
        prop_assert_eq!(raw(0.0, &weights), weights);
    }

    #[test]
    fn a_sparsity_is_exact(weights in weights(), sparsity in 0.0_f64..=1.0) {
        let count = (sparsity * weights.len() as f64).round() as usize;
        let mut after = weights.clone();
        let pruned = HardThreshold::to_sparsity(sparsity).apply(&mut after).unwrap();
        // What is zero is what was zero and the `count` of least magnitude, the first of equals.
        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by(|&a, &b| weights[a].abs().total_cmp(&weights[b].abs()).then(a.cmp(&b)));
        let mut expected = weights.clone();
        for &position in &order[..count] {
            expected[position] = 0.0;
        }
        prop_assert_eq!(bits(&after), bits(&expected));
        prop_assert_eq!(pruned.zeros, after.iter().filter(|&&weight| weight == 0.0).count());
        // Soft prunes the same and takes λ from the rest.
        let mut shrunk = weights.clone();
        let pruned = SoftThreshold::to_sparsity(sparsity).apply(&mut shrunk).unwrap();
        prop_assert!(pruned.zeros >= count);
        for (kept, shrunk) in after.iter().zip(shrunk) {
            prop_assert_eq!(shrunk, sign(*kept) * (kept.abs() - pruned.lambda.unwrap()).max(0.0));
        }
    }

    #[test]
    fn strides_do_not_matter(values in prop::collection::vec(-3.0_f32..3.0, 24..25), sparsity in 0.0_f64..=1.0) {
        let matrix = Array2::from_shape_vec((4, 6), values).unwrap();
        for prune in [SoftThreshold::to_sparsity(sparsity), SoftThreshold::new(1.0)] {
            let mut plain = matrix.clone();
            prune.apply(&mut plain).unwrap();
            let even = Slice::new(0, None, 2);
            let mut wide = Array2::<f32>::from_elem((4, 12), f32::NAN);
            wide.slice_axis_mut(Axis(1), even).assign(&matrix);
            prune.apply(wide.slice_axis_mut(Axis(1), even)).unwrap();
            prop_assert_eq!(wide.slice_axis(Axis(1), even), plain.view());
            let odd = Slice::new(1, None, 2);
            prop_assert!(wide.slice_axis(Axis(1), odd).iter().all(|untouched| untouched.is_nan()));
        }
    }

    #[test]
    fn what_is_not_finite_is_refused_and_nothing_changed(weights in prop::collection::vec(-3.0_f32..3.0, 1..20), at: usize) {
        let at = at % weights.len();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut broken = weights.clone();
            broken[at] = bad;
            let before = bits(&broken);
            let outcomes = [
                SoftThreshold::new(1.0).apply(&mut broken),
                SoftThreshold::to_sparsity(0.5).apply(&mut broken),
                HardThreshold::new(1.0).apply(&mut broken),
                SignStep::new(1.0).apply(&mut broken),
            ];
            for outcome in outcomes {
                let found = matches!(outcome, Err(Error::NotFinite { segment: None, index, .. }) if index == at);
                prop_assert!(found);
            }
            prop_assert_eq!(bits(&broken), before);
        }
    }
}

#[test]
fn lambdas_and_sparsities_that_make_no_sense_are_refused() {
    let mut weights = [1.0, -2.0];
    for lambda in [-1.0, f32::NAN, f32::INFINITY, -f32::MIN_POSITIVE] {
        assert!(matches!(
            SoftThreshold::new(lambda).apply(&mut weights),
            Err(Error::Lambda { .. })
        ));
        assert!(matches!(
            HardThreshold::new(lambda).apply(&mut weights),
            Err(Error::Lambda { .. })
        ));
        assert!(matches!(
            SignStep::new(lambda).apply(&mut weights),
            Err(Error::Lambda { .. })
        ));
    }
    for sparsity in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            SoftThreshold::to_sparsity(sparsity).apply(&mut weights),
            Err(Error::Sparsity { .. })
        ));
    }
    assert_eq!(weights, [1.0, -2.0]);
}

#[test]
fn ties_go_by_position() {
    let mut weights = array![[1.0, -1.0], [1.0, -1.0]];
    HardThreshold::to_sparsity(0.5).apply(&mut weights).unwrap();
    assert_eq!(weights, array![[0.0, 0.0], [1.0, -1.0]]);
    let pruned = SoftThreshold::to_sparsity(0.0).apply(&mut weights).unwrap();
    assert_eq!(pruned.lambda, Some(0.0));
    assert_eq!(weights, array![[0.0, 0.0], [1.0, -1.0]]);
    SoftThreshold::to_sparsity(1.0).apply(&mut weights).unwrap();
    assert_eq!(weights, array![[0.0, 0.0], [0.0, 0.0]]);
}
