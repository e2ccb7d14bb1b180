//! Elementary functions, activations and losses against f64.

mod common;

use common::reference::{FUNCTIONS, erf, sigmoid, ulps};
use common::{Numbers, assert_same, others};
use maas_kernels::{Activation, ClassTargets, ElementLoss, Kernels, LossGradient};

#[test]
fn the_reference_erf_is_one() {
    // From tables to 16 digits.
    for (x, y) in [
        (0.1, 0.112_462_916_018_284_9),
        (0.5, 0.520_499_877_813_046_5),
        (1.0, 0.842_700_792_949_714_9),
        (2.0, 0.995_322_265_018_952_7),
        (3.5, 0.999_999_256_901_627_7),
    ] {
        assert!((erf(x) - y).abs() < 4e-15, "{x}");
        assert!((erf(-x) + y).abs() < 4e-15, "{x}");
    }
}

/// Every 2003rd float; the test target `exhaustive` looks at all of them.
#[test]
fn at_most_two_ulps() {
    let x: Vec<f32> = (0..u32::MAX).step_by(2003).map(f32::from_bits).collect();
    let (mut y, mut other) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for (name, kernel, reference) in FUNCTIONS {
        kernel(Kernels::best(), &x, &mut y);
        for set in others() {
            kernel(set, &x, &mut other);
            assert_same(&other, &y, name);
        }
        for (&x, &y) in x.iter().zip(&y) {
            let exact = reference(f64::from(x));
            assert!(
                ulps(y, exact) <= 2.0,
                "{name}({x:e}) is {exact:e}, not {y:e}: {} ulp",
                ulps(y, exact)
            );
        }
    }
}

#[test]
fn special_values() {
    let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0];
    let expected = [
        ("exp", [f32::NAN, f32::INFINITY, 0.0, 1.0, 1.0]),
        (
            "ln",
            [
                f32::NAN,
                f32::INFINITY,
                f32::NAN,
                f32::NEG_INFINITY,
                f32::NEG_INFINITY,
            ],
        ),
        ("tanh", [f32::NAN, 1.0, -1.0, 0.0, -0.0]),
        ("erf", [f32::NAN, 1.0, -1.0, 0.0, -0.0]),
        ("sigmoid", [f32::NAN, 1.0, 0.0, 0.5, 0.5]),
    ];
    for ((name, kernel, _), (_, expected)) in FUNCTIONS.into_iter().zip(expected) {
        for set in Kernels::available() {
            let mut y = [7.0; 5];
            kernel(set, &x, &mut y);
            assert_same(&y, &expected, name);
        }
    }
    let mut y = [7.0; 5];
    Kernels::best().activate(Activation::Relu, &x, &mut y);
    assert_same(&y, &[f32::NAN, f32::INFINITY, 0.0, 0.0, 0.0], "relu");
}

fn normal_distribution(x: f64) -> f64 {
    0.5 * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

type Pair = (Activation, fn(f64) -> f64, fn(f64) -> f64);

/// Each activation and its derivative.
const ACTIVATIONS: [Pair; 15] = [
    (Activation::Linear, |x| x, |_| 1.0),
    (
        Activation::Relu,
        |x| x.max(0.0),
        |x| if x > 0.0 { 1.0 } else { 0.0 },
    ),
    (
        Activation::LeakyRelu { slope: 0.25 },
        |x| if x > 0.0 { x } else { 0.25 * x },
        |x| if x > 0.0 { 1.0 } else { 0.25 },
    ),
    (
        Activation::Gelu,
        |x| x * normal_distribution(x),
        |x| normal_distribution(x) + x * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt(),
    ),
    (
        Activation::Silu,
        |x| x * sigmoid(x),
        |x| sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x))),
    ),
    (Activation::Tanh, f64::tanh, |x| 1.0 - x.tanh().powi(2)),
    (Activation::Sigmoid, sigmoid, |x| {
        sigmoid(x) * (1.0 - sigmoid(x))
    }),
    (
        Activation::Elu { alpha: 0.75 },
        |x| if x > 0.0 { x } else { 0.75 * x.exp_m1() },
        |x| if x > 0.0 { 1.0 } else { 0.75 * x.exp() },
    ),
    (
        Activation::Elu { alpha: -0.5 },
        |x| if x > 0.0 { x } else { -0.5 * x.exp_m1() },
        |x| if x > 0.0 { 1.0 } else { -0.5 * x.exp() },
    ),
    (
        Activation::Selu,
        |x| SELU.0 * if x > 0.0 { x } else { SELU.1 * x.exp_m1() },
        |x| SELU.0 * if x > 0.0 { 1.0 } else { SELU.1 * x.exp() },
    ),
    (
        Activation::GeluTanh,
        |x| x * sigmoid(twice_inner(x)),
        |x| {
            let (sigma, slope) = (
                sigmoid(twice_inner(x)),
                (8.0 / std::f64::consts::PI).sqrt() * (1.0 + 3.0 * 0.044_715 * x * x),
            );
            sigma + x * sigma * (1.0 - sigma) * slope
        },
    ),
    (
        Activation::Mish,
        |x| x * x.exp().ln_1p().tanh(),
        |x| {
            let t = x.exp().ln_1p().tanh();
            t + x * (1.0 - t * t) * sigmoid(x)
        },
    ),
    (
        Activation::HardSigmoid,
        |x| (x + 3.0).clamp(0.0, 6.0) / 6.0,
        |x| if x.abs() < 3.0 { 1.0 / 6.0 } else { 0.0 },
    ),
    (Activation::Softplus, |x| x.exp().ln_1p(), sigmoid),
    (
        Activation::Softsign,
        |x| x / (1.0 + x.abs()),
        |x| (1.0 + x.abs()).powi(-2),
    ),
];

const SELU: (f64, f64) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);

/// 2·√(2/π)·(x + 0.044715·x³).
fn twice_inner(x: f64) -> f64 {
    (8.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x)
}

/// Relative to the value itself where it is near zero: nothing cancels.
#[test]
fn small_values_are_accurate() {
    let x: Vec<f32> = (0..2000).map(|i| -(1.01_f32.powi(-i))).collect();
    let mut y = vec![0.0; x.len()];
    type Case = (Activation, fn(f64) -> f64);
    let cases: [Case; 3] = [
        (Activation::Elu { alpha: 1.0 }, f64::exp_m1),
        (Activation::Selu, |x| SELU.0 * SELU.1 * x.exp_m1()),
        (Activation::Mish, |x| x * x.exp().ln_1p().tanh()),
    ];
    for (activation, exact) in cases {
        Kernels::best().activate(activation, &x, &mut y);
        for (&x, &y) in x.iter().zip(&y) {
            let off = ulps(y, exact(f64::from(x)));
            assert!(off <= 4.0, "{activation:?}({x:e}): {off} ulp");
        }
    }
    let x: Vec<f32> = (0..800).map(|i| -0.1 * i as f32).collect();
    let mut y = vec![0.0; x.len()];
    Kernels::best().activate(Activation::Softplus, &x, &mut y);
    let mut dx = vec![0.0; x.len()];
    let ones = vec![1.0; x.len()];
    Kernels::best().activation_gradient(Activation::Softplus, &y, &ones, &mut dx);
    for i in 0..x.len() {
        let at = f64::from(x[i]);
        assert!(ulps(y[i], at.exp().ln_1p()) <= 4.0, "softplus({at})");
        assert!(ulps(dx[i], sigmoid(at)) <= 6.0, "softplus′({at})");
    }
}

#[test]
fn activations_at_the_ends() {
    let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38, -3e38];
    let nan = f32::NAN;
    let expected: [(Activation, [f32; 5]); 8] = [
        (
            Activation::Elu { alpha: 2.0 },
            [nan, f32::INFINITY, -2.0, 3e38, -2.0],
        ),
        (
            Activation::Selu,
            [nan, f32::INFINITY, -1.758_099_3, 3.152_103e38, -1.758_099_3],
        ),
        (Activation::GeluTanh, [nan, f32::INFINITY, nan, 3e38, -0.0]),
        (Activation::Mish, [nan, f32::INFINITY, nan, 3e38, -0.0]),
        (Activation::HardSigmoid, [nan, 1.0, 0.0, 1.0, 0.0]),
        (Activation::Softplus, [nan, f32::INFINITY, 0.0, 3e38, 0.0]),
        (Activation::Softsign, [nan, nan, nan, 1.0, -1.0]),
        (Activation::Silu, [nan, f32::INFINITY, nan, 3e38, -0.0]),
    ];
    for (activation, expected) in expected {
        let mut y = [7.0; 5];
        Kernels::best().activate(activation, &x, &mut y);
        assert_same(&y, &expected, &format!("{activation:?}"));
        // Far out the derivatives are those of the lines that the functions approach.
        let (x, dy) = ([1e30, -1e30], [1.0; 2]);
        let (mut y, mut dx) = ([0.0; 2], [7.0; 2]);
        Kernels::best().activate(activation, &x, &mut y);
        let saved = if activation.derivative_from_output() {
            &y
        } else {
            &x
        };
        Kernels::best().activation_gradient(activation, saved, &dy, &mut dx);
        let flat = matches!(activation, Activation::HardSigmoid | Activation::Softsign);
        let above = match activation {
            Activation::Selu => 1.050_701,
            _ if flat => 0.0,
            _ => 1.0,
        };
        assert!(
            (dx[0] - above).abs() < 1e-6 && dx[1].abs() < 1e-6,
            "{activation:?}: {dx:?}"
        );
    }
}

#[test]
fn activations_and_their_gradients() {
    let mut numbers = Numbers::new(1);
    let x: Vec<f32> = (0..4001).map(|i| (i as f32 - 2000.5) * 0.01).collect();
    let dy = numbers.vec(x.len());
    let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    for (activation, value, derivative) in ACTIVATIONS {
        Kernels::best().activate(activation, &x, &mut y);
        let saved = if activation.derivative_from_output() {
            &y
        } else {
            &x
        };
        Kernels::best().activation_gradient(activation, saved, &dy, &mut dx);
        for i in 0..x.len() {
            let exact = value(f64::from(x[i]));
            let scale = exact.abs().max(f64::from(x[i].abs())).max(1e-3);
            assert!(
                (f64::from(y[i]) - exact).abs() <= 3e-7 * scale,
                "{activation:?}({})",
                x[i]
            );
            let exact = derivative(f64::from(x[i])) * f64::from(dy[i]);
            assert!(
                (f64::from(dx[i]) - exact).abs() <= 5e-7,
                "{activation:?}′({})",
                x[i]
            );
        }
    }
}

#[test]
fn softmax_and_its_gradient() {
    let mut numbers = Numbers::new(2);
    for columns in [1, 2, 10, 17, 1000, 5000] {
        let rows = 3;
        let x: Vec<f32> = numbers
            .vec(rows * columns)
            .iter()
            .map(|x| x * 30.0)
            .collect();
        let dy = numbers.vec(x.len());
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        Kernels::best().softmax_rows(&x, columns, &mut y);
        Kernels::best().softmax_gradient(&y, &dy, columns, &mut dx);
        for i in 0..rows {
            let row = i * columns..(i + 1) * columns;
            let exact = softmax(&x[row.clone()]);
            let dot: f64 = exact
                .iter()
                .zip(&dy[row.clone()])
                .map(|(y, dy)| y * f64::from(*dy))
                .sum();
            for (j, at) in row.enumerate() {
                assert!(
                    (f64::from(y[at]) - exact[j]).abs() < 1e-6,
                    "{columns} columns"
                );
                assert!(
                    (f64::from(dx[at]) - exact[j] * (f64::from(dy[at]) - dot)).abs() < 1e-6,
                    "{columns} columns"
                );
            }
        }
    }
}

fn softmax(x: &[f32]) -> Vec<f64> {
    let max = x
        .iter()
        .fold(f64::NEG_INFINITY, |max, &x| max.max(f64::from(x)));
    let exp: Vec<f64> = x.iter().map(|&x| (f64::from(x) - max).exp()).collect();
    let sum: f64 = exp.iter().sum();
    exp.into_iter().map(|e| e / sum).collect()
}

#[test]
fn cross_entropy_from_logits() {
    let mut numbers = Numbers::new(3);
    let (rows, columns) = (5, 11);
    let x: Vec<f32> = numbers
        .vec(rows * columns)
        .iter()
        .map(|x| x * 20.0)
        .collect();
    let labels: Vec<u32> = (0..rows as u32).map(|i| i * 7 % columns as u32).collect();
    let p: Vec<f32> = (0..rows)
        .flat_map(|i| softmax(&x[i..i + columns]))
        .map(|p| p as f32)
        .collect();
    let one_hot: Vec<f32> = (0..rows * columns)
        .map(|i| f32::from(u8::from(i % columns == labels[i / columns] as usize)))
        .collect();
    for (target, dense) in [
        (ClassTargets::Labels(&labels), &one_hot),
        (ClassTargets::Probabilities(&p), &p),
    ] {
        let (mut losses, mut gradient) = (vec![0.0; rows], vec![0.0; x.len()]);
        Kernels::best().softmax_cross_entropy(
            &x,
            columns,
            target,
            0.0,
            &mut losses,
            Some(&mut gradient),
        );
        for (i, &found) in losses.iter().enumerate() {
            let row = i * columns..(i + 1) * columns;
            let y = softmax(&x[row.clone()]);
            let loss: f64 = y
                .iter()
                .zip(&dense[row.clone()])
                .map(|(y, t)| -f64::from(*t) * y.ln())
                .sum();
            assert!((f64::from(found) - loss).abs() < 1e-5, "{loss}");
            for (j, at) in row.enumerate() {
                assert!((f64::from(gradient[at]) - (y[j] - f64::from(dense[at]))).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn a_class_without_probability_adds_nothing() {
    let logits = [0.0, f32::NEG_INFINITY];
    let mut losses = [7.0];
    let target = ClassTargets::Probabilities(&[1.0, 0.0]);
    Kernels::best().softmax_cross_entropy(&logits, 2, target, 0.0, &mut losses, None);
    assert_eq!(losses, [0.0]);
}

#[test]
fn sigmoid_cross_entropy_keeps_small_losses() {
    let x: Vec<f32> = (-800..=800).map(|i| i as f32 * 0.1).collect();
    for t in [0.0f32, 1.0, 0.3] {
        let targets = vec![t; x.len()];
        let (mut losses, mut gradient) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let loss = ElementLoss::SigmoidCrossEntropy { smoothing: 0.0 };
        for i in 0..x.len() {
            let gradient = LossGradient {
                out: &mut gradient[i..=i],
                scale: 1.0,
            };
            let (x, t) = (&x[i..=i], &targets[i..=i]);
            losses[i] = Kernels::best().element_loss(loss, x, t, None, Some(gradient));
        }
        for i in 0..x.len() {
            let (x, t) = (f64::from(x[i]), f64::from(t));
            let exact = x.max(0.0) - x * t + (-x.abs()).exp().ln_1p();
            assert!(
                (f64::from(losses[i]) - exact).abs() <= 4e-7 * exact,
                "{x} {t}: {} {exact}",
                losses[i]
            );
            assert!((f64::from(gradient[i]) - (sigmoid(x) - t)).abs() < 2e-7);
        }
    }
}

/// Whatever is behind the last element of a row of vectors.
#[test]
fn losses_without_an_epsilon_are_finite_for_any_length() {
    let (p, t) = ([0.5; 130], [0.25; 130]);
    for loss in [
        ElementLoss::Poisson { epsilon: 0.0 },
        ElementLoss::KullbackLeibler { epsilon: 0.0 },
    ] {
        for set in Kernels::available() {
            for len in 0..=p.len() {
                let sum = set.element_loss(loss, &p[..len], &t[..len], None, None);
                assert!(sum.is_finite(), "{loss:?} of {len} on {set:?}: {sum}");
            }
        }
    }
}
