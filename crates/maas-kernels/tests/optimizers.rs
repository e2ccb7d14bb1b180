//! Optimisers' passes against plain formulas in f64, and the laws of shrinking.

mod common;

use common::{Numbers, ordinary};
use maas_kernels::{AdamStep, Around, Direction, Kernels, Nesterov};
use proptest::prelude::*;

#[track_caller]
fn assert_close(found: &[f32], expected: &[f64], tolerance: f64) {
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (f64::from(*a) - b).abs() <= tolerance * b.abs().max(1.0),
            "element {i}: {a} is not {b}"
        );
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

#[test]
fn gradient_descent() {
    let mut numbers = Numbers::new(1);
    let (mut theta, g) = (numbers.vec(37), numbers.vec(37));
    let expected: Vec<f64> = wide(&theta)
        .iter()
        .zip(wide(&g))
        .map(|(t, g)| t - f64::from(0.1f32) * g)
        .collect();
    Kernels::best().gradient_descent(&mut theta, &g, 0.1);
    assert_close(&theta, &expected, 1e-7);
}

#[test]
fn momentum() {
    let mut numbers = Numbers::new(2);
    let mu = f64::from(0.9f32);
    for nesterov in [Nesterov::No, Nesterov::Yes] {
        let mut velocity = vec![0.0; 37];
        let mut exact = vec![0.0; 37];
        for _ in 0..10 {
            let g = numbers.vec(37);
            let mut update = g.clone();
            let direction = Direction::Momentum {
                carry: 0.9,
                momentum: 0.9,
                nesterov,
            };
            Kernels::best().direct(&mut update, &mut velocity, direction);
            let mut direction = vec![0.0; 37];
            for i in 0..37 {
                let g = f64::from(g[i]);
                exact[i] = mu * exact[i] + g;
                direction[i] = match nesterov {
                    Nesterov::No => exact[i],
                    Nesterov::Yes => mu * exact[i] + g,
                };
            }
            assert_close(&velocity, &exact, 1e-6);
            assert_close(&update, &direction, 1e-6);
        }
    }
}

#[test]
fn adam() {
    let mut numbers = Numbers::new(3);
    let n = 37;
    let (alpha, beta_1, beta_2, epsilon) = (1e-3f32, 0.9f32, 0.999f32, 1e-7f32);
    let mut theta = numbers.vec(n);
    let mut moments = vec![0.0; 2 * n];
    let mut exact = wide(&theta);
    let (mut exact_m, mut exact_v) = (vec![0.0; n], vec![0.0; n]);
    for t in 1..=50 {
        let g = numbers.vec(n);
        let (b1, b2) = (f64::from(beta_1), f64::from(beta_2));
        let (c1, c2) = (1.0 - b1.powi(t), 1.0 - b2.powi(t));
        let step = AdamStep {
            beta_1,
            beta_2,
            epsilon,
            bias_correction_1: c1 as f32,
            bias_correction_2: c2 as f32,
        };
        let (direction, around) = (Direction::Adam(step), Around::step(alpha));
        Kernels::best().step_along(&mut theta, &g, &mut moments, direction, around);
        for i in 0..n {
            let g = f64::from(g[i]);
            exact_m[i] = b1 * exact_m[i] + (1.0 - b1) * g;
            exact_v[i] = b2 * exact_v[i] + (1.0 - b2) * g * g;
            exact[i] -= f64::from(alpha) * c2.sqrt() / c1 * exact_m[i]
                / (exact_v[i].sqrt() + f64::from(epsilon));
        }
    }
    assert_close(&theta, &exact, 2e-6);
    assert_close(&moments[..n], &exact_m, 1e-6);
    assert_close(&moments[n..], &exact_v, 1e-6);
}

/// Three steps of each direction against its formula in double precision.
#[test]
fn directions() {
    let mut numbers = Numbers::new(5);
    let n = 37;
    let step = AdamStep {
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-3,
        bias_correction_1: 0.271,
        bias_correction_2: 0.03,
    };
    let nadam = Direction::Nadam {
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-3,
        momentum_weight: 0.8,
        gradient_weight: 1.3,
        bias_correction_2: 0.03,
    };
    type Formula = fn(f64, &mut [f64]) -> f64;
    let cases: [(Direction, Formula); 6] = [
        (Direction::AmsGrad(step), |g, s| {
            s[0] += 0.1 * (g - s[0]);
            s[1] += 0.01 * (g * g - s[1]);
            s[2] = s[2].max(s[1]);
            0.03_f64.sqrt() / 0.271 * s[0] / (s[2].sqrt() + 1e-3)
        }),
        (nadam, |g, s| {
            s[0] += 0.1 * (g - s[0]);
            s[1] += 0.01 * (g * g - s[1]);
            (0.8 * s[0] + 1.3 * g) / ((s[1] / 0.03).sqrt() + 1e-3)
        }),
        (
            Direction::Rms {
                rho: 0.9,
                epsilon: 1e-3,
            },
            |g, s| {
                s[0] += 0.1 * (g * g - s[0]);
                g / (s[0] + 1e-3).sqrt()
            },
        ),
        (
            Direction::CenteredRms {
                rho: 0.9,
                epsilon: 1e-3,
            },
            |g, s| {
                s[0] += 0.1 * (g * g - s[0]);
                s[1] += 0.1 * (g - s[1]);
                g / (s[0] - s[1] * s[1] + 1e-3).sqrt()
            },
        ),
        (Direction::Adagrad { epsilon: 1e-3 }, |g, s| {
            s[0] += g * g;
            g / (s[0] + 1e-3).sqrt()
        }),
        (
            Direction::Lion {
                beta_1: 0.9,
                beta_2: 0.99,
            },
            |g, s| {
                let sign = (0.9 * s[0] + 0.1 * g).signum();
                s[0] += 0.01 * (g - s[0]);
                sign
            },
        ),
    ];
    for (direction, formula) in cases {
        let buffers = direction.buffers();
        let (mut state, mut wide_state) = (vec![0.0; n * buffers], vec![vec![0.0; buffers]; n]);
        for _ in 0..3 {
            let mut update = numbers.vec(n);
            let expected: Vec<f64> = wide(&update)
                .into_iter()
                .zip(&mut wide_state)
                .map(|(g, state)| formula(g, state))
                .collect();
            Kernels::best().direct(&mut update, &mut state, direction);
            assert_close(&update, &expected, 1e-5);
        }
    }
}

fn soft(w: f32, lambda: f32) -> f32 {
    let mut w = [w];
    Kernels::best().soft_threshold(&mut w, lambda);
    w[0]
}

fn raw(w: f32, lambda: f32) -> f32 {
    let mut w = [w];
    Kernels::best().sign_step(&mut w, lambda);
    w[0]
}

proptest! {
    #[test]
    fn soft_threshold_is_odd_and_shrinks(w in ordinary(), lambda in 0.0f32..3.0) {
        let s = soft(w, lambda);
        prop_assert_eq!(s, -soft(-w, lambda));
        prop_assert_eq!(s.abs(), (w.abs() - lambda).max(0.0));
        prop_assert!(s * w >= 0.0, "the sign is kept");
        prop_assert_eq!(soft(w, 0.0).to_bits(), w.to_bits());
    }

    #[test]
    fn soft_threshold_is_monotone_and_contracts(a in ordinary(), b in ordinary(), lambda in 0.0f32..3.0) {
        let (low, high) = if a < b { (a, b) } else { (b, a) };
        prop_assert!(soft(low, lambda) <= soft(high, lambda));
        // One rounding on each side.
        prop_assert!(soft(high, lambda) - soft(low, lambda) <= high - low + 5e-7);
    }

    #[test]
    fn soft_thresholds_add_up(w in ordinary(), a in 0.0f32..1.0, b in 0.0f32..1.0) {
        prop_assert!((soft(soft(w, a), b) - soft(w, a + b)).abs() <= 5e-7);
    }

    #[test]
    fn a_larger_lambda_leaves_fewer(w in proptest::collection::vec(ordinary(), 50), a in 0.0f32..3.0, b in 0.0f32..3.0) {
        let zeros = |lambda: f32| w.iter().filter(|&&w| soft(w, lambda) == 0.0).count();
        prop_assert!(zeros(a.min(b)) <= zeros(a.max(b)));
    }

    #[test]
    fn raw_step_equals_soft_threshold_outside(w in ordinary(), share in 0.0f32..=1.0) {
        let lambda = w.abs() * share;
        prop_assert_eq!(raw(w, lambda), soft(w, lambda));
    }

    #[test]
    fn raw_step_returns_inside(w in ordinary(), more in 1.01f32..4.0) {
        let lambda = w.abs() * more;
        prop_assert!((raw(raw(w, lambda), lambda) - w).abs() <= 1e-6 * lambda);
    }

    #[test]
    fn zero_stays_zero(lambda in 0.0f32..3.0) {
        for w in [0.0, -0.0] {
            prop_assert_eq!(soft(w, lambda).to_bits(), 0);
            prop_assert_eq!(raw(w, lambda).to_bits(), 0);
        }
    }
}
