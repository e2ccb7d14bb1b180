//! Every set gives the portable set's bits: element-wise kernels, reductions, losses, optimisers.

mod common;

use common::{assert_same, float, floats, others};
use maas_kernels::{
    Activation, AdamStep, Around, ClassTargets, Compute, Direction, ElementLoss, Kernels,
    LossGradient, Matrix, Nesterov, Parallelism,
};
use proptest::prelude::*;

const ACTIVATIONS: [Activation; 16] = [
    Activation::Linear,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.01 },
    Activation::LeakyRelu { slope: -0.5 },
    Activation::Gelu,
    Activation::Silu,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Elu { alpha: 1.0 },
    Activation::Elu { alpha: -0.5 },
    Activation::Selu,
    Activation::GeluTanh,
    Activation::Mish,
    Activation::HardSigmoid,
    Activation::Softplus,
    Activation::Softsign,
];

/// Runs `kernel` with the portable set and all others on a copy of `y` that starts at an odd offset.
fn compare(what: &str, offset: usize, y: &[f32], kernel: impl Fn(Kernels, &mut [f32])) {
    let mut expected = y.to_vec();
    kernel(Kernels::portable(), &mut expected);
    for set in others() {
        let mut found = vec![f32::NAN; offset];
        found.extend_from_slice(y);
        kernel(set, &mut found[offset..]);
        assert_same(&found[offset..], &expected, &format!("{what} with {set:?}"));
        assert!(
            found[..offset].iter().all(|x| x.is_nan()),
            "{what} with {set:?} wrote before its slice"
        );
    }
}

const STEP: AdamStep = AdamStep {
    beta_1: 0.9,
    beta_2: 0.999,
    epsilon: 1e-7,
    bias_correction_1: 0.271,
    bias_correction_2: 0.002_997,
};

/// A run that is about certain sets says so, that it may not pass without them.
#[test]
fn the_sets_that_were_asked_for_are_there() {
    for name in std::env::var("MAAS_KERNEL_SETS")
        .unwrap_or_default()
        .split_whitespace()
    {
        assert_eq!(Kernels::named(name).map(Kernels::name), Ok(name));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn maps(x in floats(0..150), offset in 0usize..17) {
        let x = &x[offset.min(x.len())..];
        compare("exp", offset, x, |set, y| set.exp(x, y));
        compare("ln", offset, x, |set, y| set.ln(x, y));
        compare("tanh", offset, x, |set, y| set.tanh(x, y));
        compare("erf", offset, x, |set, y| set.erf(x, y));
        compare("sigmoid", offset, x, |set, y| set.sigmoid(x, y));
        for activation in ACTIVATIONS {
            compare("activate", offset, x, |set, y| set.activate(activation, x, y));
            compare("activate in place", offset, x, |set, y| {
                set.activate_in_place(activation, y);
                let mut copy = vec![0.0; x.len()];
                set.activate(activation, x, &mut copy);
                assert_same(y, &copy, "in place");
            });
        }
    }

    #[test]
    fn gradients(pairs in proptest::collection::vec((float(), float()), 0..100), offset in 0usize..9) {
        let (x, dy): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let (x, dy) = (&x[offset.min(x.len())..], &dy[offset.min(dy.len())..]);
        for activation in ACTIVATIONS {
            compare("gradient", offset, dy, |set, dx| set.activation_gradient(activation, x, dy, dx));
            compare("gradient in place", offset, dy, |set, dx| {
                set.activation_gradient_in_place(activation, x, dx);
                let mut copy = vec![0.0; x.len()];
                set.activation_gradient(activation, x, dy, &mut copy);
                assert_same(dx, &copy, "in place");
            });
        }
        compare("add", offset, dy, |set, y| set.add(x, y));
        compare("subtract", offset, dy, |set, y| set.subtract(x, y));
        compare("multiply", offset, dy, |set, y| set.multiply(x, y));
        compare("axpy", offset, dy, |set, y| set.axpy(0.3, x, y));
        compare("scale", offset, dy, |set, y| set.scale(-1.7, y));
        compare("fill", offset, dy, |set, y| set.fill(0.5, y));
    }

    #[test]
    fn affine((rows, scale, offset) in (0usize..5, floats(0..40)).prop_flat_map(|(rows, scale)| {
        let n = scale.len();
        (floats(rows * n), Just(scale), floats(n))
    })) {
        compare("affine_columns", 3, &rows, |set, y| set.affine_columns(&rows, &scale, &offset, y));
    }

    #[test]
    fn reductions(x in floats(0..100), repeat in prop_oneof![Just(1usize), Just(47), Just(130)], offset in 0usize..9) {
        let x: Vec<f32> = x.iter().copied().cycle().take(x.len() * repeat).collect();
        let x = &x[offset.min(x.len())..];
        let y: Vec<f32> = x.iter().rev().copied().collect();
        compare("reductions", 5, &[0.0; 4], |set, results| {
            results.copy_from_slice(&[set.sum(x), set.dot(x, &y), set.sum_squares(x), set.max(x)]);
        });
    }

    #[test]
    fn column_sums((x, rows, columns) in (0usize..40, 0usize..40).prop_flat_map(|(m, n)| (floats(m * n), Just(m), Just(n)))) {
        let matrix = Matrix::new(&x, rows, columns);
        compare("column sums", 3, &vec![0.0; columns], |set, sums| set.column_sums(matrix, sums));
        compare("row sums", 3, &vec![0.0; rows], |set, sums| set.column_sums(matrix.transposed(), sums));
    }

    #[test]
    fn normalisation((x, dy, columns) in (0usize..50, 1usize..70).prop_flat_map(|(m, n)| (floats(m * n), floats(m * n), Just(n)))) {
        let at = |start: usize| -> Vec<f32> { (0..columns).map(|j| ((start + j) % 7) as f32 * 0.3 - 0.5).collect() };
        let (means, a, b, c) = (at(0), at(1), at(2), at(3));
        compare("normalize columns", 3, &x, |set, y| set.normalize_columns(&x, &means, &a, &b, y));
        compare("its gradient", 3, &x, |set, dx| {
            set.normalize_columns_gradient(&x, &means, &dy, [&a, &b, &c], dx);
        });
        let rows = x.len() / columns;
        let mut statistics = vec![0.0; 2 * rows];
        Kernels::portable().normalize_rows(&x, 1e-3, &a, &b, &mut vec![0.0; x.len()], Some(&mut statistics));
        compare("normalize rows", 3, &x, |set, y| set.normalize_rows(&x, 1e-3, &a, &b, y, None));
        compare("their statistics", 3, &statistics, |set, statistics| {
            set.normalize_rows(&x, 1e-3, &a, &b, &mut vec![0.0; x.len()], Some(statistics));
        });
        compare("its gradient", 3, &x, |set, dx| set.normalize_rows_gradient(&x, &statistics, &a, &dy, dx));
        for threads in 1..=2 {
            let threads = std::num::NonZeroUsize::new(threads).expect("at least one");
            let compute = |kernels| Compute { kernels, parallelism: Parallelism::threads(threads) };
            compare("deviations", 3, &a, |set, sums| compute(set).column_deviations(&x, &means, sums));
            compare("centred dots", 3, &a, |set, sums| compute(set).centred_column_dots(&x, &means, &dy, sums));
            compare("normalized dots", 3, &a, |set, sums| compute(set).normalized_column_dots(&x, &statistics, &dy, sums));
        }
    }

    #[test]
    fn softmax((x, dy, columns) in (0usize..6, 1usize..70).prop_flat_map(|(m, n)| (floats(m * n), floats(m * n), Just(n)))) {
        compare("softmax", 3, &x, |set, y| set.softmax_rows(&x, columns, y));
        compare("softmax gradient", 3, &x, |set, dx| set.softmax_gradient(&x, &dy, columns, dx));
    }

    #[test]
    fn cross_entropy(
        (x, p, labels, n) in (0usize..6, 1usize..70)
            .prop_flat_map(|(m, n)| (floats(m * n), floats(m * n), proptest::collection::vec(0..n as u32, m), Just(n)))
    ) {
        let rows = labels.len();
        for (target, smoothing) in [
            (ClassTargets::Labels(&labels), 0.0),
            (ClassTargets::Probabilities(&p), 0.0),
            (ClassTargets::Labels(&labels), 0.1),
            (ClassTargets::Probabilities(&p), 0.1),
        ] {
            compare("softmax cross-entropy", 3, &vec![0.0; rows + x.len()], |set, results| {
                let (losses, gradient) = results.split_at_mut(rows);
                let mut alone = vec![0.0; rows];
                set.softmax_cross_entropy(&x, n, target, smoothing, &mut alone, None);
                set.softmax_cross_entropy(&x, n, target, smoothing, losses, Some(gradient));
                assert_same(losses, &alone, "with and without gradient");
            });
        }
    }

    #[test]
    fn element_losses(
        (p, t, w) in (0usize..40, 1usize..200).prop_flat_map(|(m, n)| (floats(m * n), floats(m * n), floats(m)))
    ) {
        compare("scaled rows", 3, &p, |set, x| set.scale_rows(0.3, &w, x));
        for loss in ELEMENT_LOSSES {
            for weights in [None, Some(&w[..])] {
                compare(&format!("{loss:?}"), 3, &vec![0.0; 1 + p.len()], |set, results| {
                    let (sum, out) = results.split_at_mut(1);
                    let alone = [set.element_loss(loss, &p, &t, weights, None)];
                    sum[0] = set.element_loss(loss, &p, &t, weights, Some(LossGradient { out, scale: 0.3 }));
                    assert_same(sum, &alone, "with and without gradient");
                });
            }
        }
    }

    #[test]
    fn gradient_descent(values in proptest::collection::vec((float(), float()), 0..70), offset in 0usize..9) {
        let theta: Vec<f32> = values.iter().map(|v| v.0).collect();
        let gradient: Vec<f32> = values.iter().map(|v| v.1).collect();
        compare("gradient descent", offset, &theta, |set, theta| set.gradient_descent(theta, &gradient, 0.1));
    }

    #[test]
    fn directions(
        values in proptest::collection::vec((float(), float(), float(), float(), float()), 0..70), offset in 0usize..9
    ) {
        let column = |column: usize| -> Vec<f32> {
            values.iter().map(|v| [v.0, v.1, v.2, v.3.abs(), v.4.abs()][column]).collect()
        };
        let (theta, gradient) = (column(0), column(1));
        let n = theta.len();
        for direction in DIRECTIONS {
            let state: Vec<f32> = (0..direction.buffers()).flat_map(|buffer| column(2 + buffer)).collect();
            for decay in [None, Some(0.1)] {
                for (scale, limit) in [(1.0, f32::INFINITY), (0.7, f32::INFINITY), (1.0, 0.5), (0.3, 0.5)] {
                    let around = Around { scale, limit, decay, learning_rate: 1e-2 };
                    let all: Vec<f32> = theta.iter().chain(&state).copied().collect();
                    compare(&format!("{direction:?}"), offset, &all, |set, all| {
                        let (mut apart, mut state2) = (all[..n].to_vec(), all[n..].to_vec());
                        let mut update = gradient.clone();
                        set.scale(scale, &mut update);
                        set.clip(&mut update, limit);
                        set.direct(&mut update, &mut state2, direction);
                        if let Some(decay) = decay {
                            set.axpy(decay, &apart, &mut update);
                        }
                        set.gradient_descent(&mut apart, &update, 1e-2);
                        let (theta, state) = all.split_at_mut(n);
                        set.step_along(theta, &gradient, state, direction, around);
                        assert_same(theta, &apart, "at once and one after another");
                        assert_same(state, &state2, "at once and one after another");
                    });
                }
            }
        }
        let both: Vec<f32> = theta.iter().chain(&gradient).copied().collect();
        compare("average", offset, &theta, |set, mean| set.average(mean, &gradient, 0.1));
        compare("synchronise", offset, &both, |set, both| {
            let (theta, slow) = both.split_at_mut(n);
            set.synchronise(theta, slow, 0.5);
        });
    }

    #[test]
    fn shrinking(w in floats(0..300), mask in proptest::collection::vec(any::<u64>(), 5), offset in 0usize..9) {
        for lambda in [0.0, 1e-3, 1.0, f32::INFINITY] {
            compare("soft threshold", offset, &w, |set, w| set.soft_threshold(w, lambda));
            compare("sign step", offset, &w, |set, w| set.sign_step(w, lambda));
        }
        let words = w.len().div_ceil(64);
        compare("mask", offset, &w, |set, w| set.apply_mask(w, &mask[..words]));
        let mut masked = w.clone();
        Kernels::best().apply_mask(&mut masked, &mask[..words]);
        for (i, (after, before)) in masked.iter().zip(&w).enumerate() {
            let expected = if mask[i / 64] >> (i % 64) & 1 == 1 { *before } else { 0.0 };
            assert_same(&[*after], &[expected], "mask");
        }
    }
}

const DIRECTIONS: [Direction; 10] = [
    Direction::Gradient,
    Direction::Momentum {
        carry: 0.8,
        momentum: 0.9,
        nesterov: Nesterov::No,
    },
    Direction::Momentum {
        carry: 0.8,
        momentum: 0.9,
        nesterov: Nesterov::Yes,
    },
    Direction::Adam(STEP),
    Direction::AmsGrad(STEP),
    Direction::Nadam {
        beta_1: 0.9,
        beta_2: 0.999,
        epsilon: 1e-7,
        momentum_weight: 0.8,
        gradient_weight: 1.3,
        bias_correction_2: 0.002_997,
    },
    Direction::Rms {
        rho: 0.9,
        epsilon: 1e-7,
    },
    Direction::CenteredRms {
        rho: 0.9,
        epsilon: 1e-7,
    },
    Direction::Adagrad { epsilon: 1e-7 },
    Direction::Lion {
        beta_1: 0.9,
        beta_2: 0.99,
    },
];

const ELEMENT_LOSSES: [ElementLoss; 11] = [
    ElementLoss::Squared,
    ElementLoss::Absolute,
    ElementLoss::Huber { delta: 0.7 },
    ElementLoss::LogCosh,
    ElementLoss::SigmoidCrossEntropy { smoothing: 0.1 },
    ElementLoss::Poisson { epsilon: 1e-7 },
    ElementLoss::KullbackLeibler { epsilon: 1e-7 },
    ElementLoss::Poisson { epsilon: 0.0 },
    ElementLoss::KullbackLeibler { epsilon: 0.0 },
    ElementLoss::Hinge,
    ElementLoss::SquaredHinge,
];
