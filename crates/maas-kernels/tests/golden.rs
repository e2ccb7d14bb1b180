//! Hashes of the numbers that fixed inputs give. A change here is a change of the contract of numbers: every stored model
//! and every retrained weight gets another identity, so the contract's version must rise with it.

mod common;

use std::num::NonZeroUsize;

use common::Numbers;
use maas_kernels::{
    Activation, AdamStep, Around, Bf16, Bf16Matrix, ClassTargets, Compute, Direction, ElementLoss,
    Epilogue, InputScale, Int8Matrix, Kernels, Matrix, MatrixMut, Nesterov, Parallelism,
};

/// FNV-1a over the bits, every NaN counted as one.
fn fnv(values: &[f32]) -> u64 {
    values.iter().fold(0xcbf2_9ce4_8422_2325, |hash, x| {
        let bits = if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() };
        bits.to_le_bytes().iter().fold(hash, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    })
}

#[track_caller]
fn check(what: &str, expected: u64, numbers: impl Fn(Kernels) -> Vec<f32>) {
    for set in Kernels::available() {
        let hash = fnv(&numbers(set));
        assert_eq!(
            hash, expected,
            "{what} with {set:?} now hashes to {hash:#018x}"
        );
    }
}

fn product(
    set: Kernels,
    (m, k, n): (usize, usize, usize),
    activation: Activation,
    threads: usize,
) -> Vec<f32> {
    let mut numbers = Numbers::new(1);
    let (a, b, bias) = (numbers.vec(m * k), numbers.vec(k * n), numbers.vec(n));
    let mut c = vec![0.0; m * n];
    set.matmul(
        Matrix::new(&a, m, k),
        Matrix::new(&b, k, n),
        MatrixMut::new(&mut c, m, n),
        Epilogue {
            bias: Some(&bias),
            activation,
            ..Epilogue::default()
        },
        Parallelism::threads(NonZeroUsize::new(threads).expect("at least one thread")),
    );
    c
}

#[test]
fn products() {
    for threads in 1..=3 {
        let run = |shape, activation| move |set| product(set, shape, activation, threads);
        check("a layer", PRODUCT, run((33, 70, 21), Activation::Relu));
        check(
            "several blocks of k",
            LONG_PRODUCT,
            run((40, 2500, 30), Activation::Linear),
        );
        check("gelu", GELU_PRODUCT, run((5, 11, 64), Activation::Gelu));
    }
}

#[test]
fn functions() {
    let mut numbers = Numbers::new(2);
    let x: Vec<f32> = numbers.vec(3000).iter().map(|x| x * 12.0).collect();
    let map = |kernel: fn(Kernels, &[f32], &mut [f32])| {
        let x = &x;
        move |set| {
            let mut y = vec![0.0; x.len()];
            kernel(set, x, &mut y);
            y
        }
    };
    check("exp", EXP, map(Kernels::exp));
    check("ln", LN, map(Kernels::ln));
    check("tanh", TANH, map(Kernels::tanh));
    check("erf", ERF, map(Kernels::erf));
    check("sigmoid", SIGMOID, map(Kernels::sigmoid));
    check(
        "silu",
        SILU,
        map(|set, x, y| set.activate(Activation::Silu, x, y)),
    );
    check(
        "softmax",
        SOFTMAX,
        map(|set, x, y| set.softmax_rows(x, 30, y)),
    );
    check(
        "gelu's derivative",
        GELU_GRADIENT,
        map(|set, x, y| set.activation_gradient(Activation::Gelu, x, x, y)),
    );
}

/// Values, then derivatives.
#[test]
fn activations() {
    let mut numbers = Numbers::new(6);
    let x: Vec<f32> = numbers.vec(3000).iter().map(|x| x * 12.0).collect();
    let dy = numbers.vec(3000);
    for (activation, expected) in ACTIVATIONS {
        check(&format!("{activation:?}"), expected, |set| {
            let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
            set.activate(activation, &x, &mut y);
            let saved = if activation.derivative_from_output() {
                &y
            } else {
                &x
            };
            set.activation_gradient(activation, saved, &dy, &mut dx);
            y.extend(dx);
            y
        });
    }
}

#[test]
fn normalisations() {
    let mut numbers = Numbers::new(7);
    let (x, dy) = (numbers.vec(1100 * 21), numbers.vec(1100 * 21));
    let (gamma, beta) = (numbers.vec(21), numbers.vec(21));
    check("by column", BY_COLUMN, |kernels| {
        let compute = Compute {
            kernels,
            ..Compute::default()
        };
        let (mut squares, mut dots, mut y) = (vec![0.0; 21], vec![0.0; 21], vec![0.0; x.len()]);
        compute.column_deviations(&x, &beta, &mut squares);
        compute.centred_column_dots(&x, &beta, &dy, &mut dots);
        kernels.normalize_columns(&x, &beta, &gamma, &squares, &mut y);
        let mut dx = vec![0.0; x.len()];
        kernels.normalize_columns_gradient(&x, &beta, &dy, [&gamma, &squares, &dots], &mut dx);
        [squares, dots, y, dx].concat()
    });
    check("by row", BY_ROW, |kernels| {
        let compute = Compute {
            kernels,
            ..Compute::default()
        };
        let (mut y, mut dx, mut sums) = (vec![0.0; x.len()], vec![0.0; x.len()], vec![0.0; 21]);
        let mut statistics = vec![0.0; 2200];
        kernels.normalize_rows(&x, 1e-3, &gamma, &beta, &mut y, Some(&mut statistics));
        kernels.normalize_rows_gradient(&x, &statistics, &gamma, &dy, &mut dx);
        compute.normalized_column_dots(&x, &statistics, &dy, &mut sums);
        [y, statistics, dx, sums].concat()
    });
}

#[test]
fn reductions_and_losses() {
    let mut numbers = Numbers::new(3);
    let (x, y) = (numbers.vec(10_007), numbers.vec(10_007));
    check("reductions", REDUCTIONS, |set| {
        vec![
            set.sum(&x),
            set.dot(&x, &y),
            set.sum_squares(&x),
            set.max(&x),
        ]
    });
    check("column sums", COLUMN_SUMS, |set| {
        let mut sums = vec![0.0; 4];
        set.column_sums(Matrix::new(&x[..10_000], 2500, 4), &mut sums);
        sums
    });
    check("softmax cross-entropy", CROSS_ENTROPY, |set| {
        let (mut losses, mut gradient) = (vec![0.0; 100], vec![0.0; 10_000]);
        let labels: Vec<u32> = (0..100).collect();
        set.softmax_cross_entropy(
            &x[..10_000],
            100,
            ClassTargets::Labels(&labels),
            0.0,
            &mut losses,
            Some(&mut gradient),
        );
        losses.extend(gradient);
        losses
    });
    check("sigmoid cross-entropy", SIGMOID_CROSS_ENTROPY, |set| {
        let loss = ElementLoss::SigmoidCrossEntropy { smoothing: 0.0 };
        let one = |i| set.element_loss(loss, &x[i..=i], &y[i..=i], None, None);
        (0..x.len()).map(one).collect()
    });
}

#[test]
fn optimizers() {
    let mut numbers = Numbers::new(4);
    let (start, g) = (numbers.vec(999), numbers.vec(999));
    check("momentum", MOMENTUM, |set| {
        let (mut update, mut velocity) = (g.clone(), start.clone());
        let direction = Direction::Momentum {
            carry: 0.9,
            momentum: 0.9,
            nesterov: Nesterov::Yes,
        };
        set.direct(&mut update, &mut velocity, direction);
        update.extend(velocity);
        update
    });
    check("adam", ADAM, |set| {
        let (mut theta, mut moments) = (start.clone(), vec![0.0; 2 * 999]);
        for t in 1..=20 {
            let step = AdamStep {
                beta_1: 0.9,
                beta_2: 0.999,
                epsilon: 1e-7,
                bias_correction_1: (1.0 - f64::powi(0.9, t)) as f32,
                bias_correction_2: (1.0 - f64::powi(0.999, t)) as f32,
            };
            let (direction, around) = (Direction::Adam(step), Around::step(1e-3));
            set.step_along(&mut theta, &g, &mut moments, direction, around);
        }
        theta
    });
    check("soft threshold", SOFT_THRESHOLD, |set| {
        let mut w = start.clone();
        set.soft_threshold(&mut w, 0.3);
        w
    });
}

#[test]
fn bf16_products() {
    let mut numbers = Numbers::new(5);
    let (m, k, n) = (37, 2077, 41);
    let mut vec =
        |len: usize| -> Vec<Bf16> { numbers.vec(len).into_iter().map(Bf16::from_f32).collect() };
    let (a, b) = (vec(m * k), vec(k * n));
    check("bf16 product", BF16_PRODUCT, |set| {
        let mut c = vec![0.0; m * n];
        set.matmul_bf16(
            Bf16Matrix::new(&a, m, k),
            Bf16Matrix::new(&b, k, n),
            MatrixMut::new(&mut c, m, n),
            Epilogue::default(),
            Parallelism::single(),
        );
        c
    });
}

/// A layer with weights of its own, and one with a fixed scale.
#[test]
fn int8_products() {
    let mut numbers = Numbers::new(8);
    let (m, k, n) = (37, 1077, 41);
    let (mut a, w) = (numbers.vec(m * k), numbers.vec(k * n));
    a[5 * k + 7] = f32::NAN;
    let b = Int8Matrix::quantize(Matrix::new(&w, k, n)).expect("finite weights");
    check("int8 product", INT8_PRODUCT, |set| {
        let product = |scale| {
            let (mut c, a) = (vec![0.0; m * n], Matrix::new(&a, m, k));
            let y = MatrixMut::new(&mut c, m, n);
            set.matmul_int8(a, scale, &b, y, Epilogue::default(), Parallelism::single());
            c
        };
        [
            product(InputScale::PerRow),
            product(InputScale::Fixed(0.005)),
        ]
        .concat()
    });
}

const ACTIVATIONS: [(Activation, u64); 8] = [
    (Activation::Elu { alpha: 1.0 }, 0x7ed4_0931_5c12_ee5d),
    (Activation::Elu { alpha: -0.5 }, 0x2198_ae92_7a69_d9ed),
    (Activation::Selu, 0xdc93_12fa_aa34_dc4a),
    (Activation::GeluTanh, 0x592a_95bf_ca9d_8778),
    (Activation::Mish, 0xdc09_fc80_4843_57aa),
    (Activation::HardSigmoid, 0x34be_09a1_b9da_596d),
    (Activation::Softplus, 0x70d7_16c5_f861_5e9b),
    (Activation::Softsign, 0xd347_887f_f2f5_6940),
];
const BY_COLUMN: u64 = 0x1ea4_2408_6277_cea0;
const BY_ROW: u64 = 0xa07e_d8c1_1af6_1561;
const INT8_PRODUCT: u64 = 0xb50d_a7f0_3556_5fca;
const BF16_PRODUCT: u64 = 0x850e_cd64_2bd5_3d18;
const PRODUCT: u64 = 0x139d_83a7_ce31_968a;
const LONG_PRODUCT: u64 = 0x6303_42c2_9a97_0ed8;
const GELU_PRODUCT: u64 = 0xd67b_2bda_3015_99f0;
const EXP: u64 = 0x7e32_c2ea_d443_8fc1;
const LN: u64 = 0x15c0_f7be_b548_faac;
const TANH: u64 = 0xd778_3b8e_a966_b688;
const ERF: u64 = 0xdbcc_fc20_3170_502a;
const SIGMOID: u64 = 0x6278_c972_c07c_6e4d;
const SILU: u64 = 0xd93b_0668_2df4_c686;
const SOFTMAX: u64 = 0x62e1_1a9b_fb33_76b5;
const GELU_GRADIENT: u64 = 0xe673_3cb9_d38b_c214;
const REDUCTIONS: u64 = 0xdc04_75db_b2d6_1c18;
const COLUMN_SUMS: u64 = 0x771e_4d5c_fe1a_1745;
const CROSS_ENTROPY: u64 = 0x8cfe_b209_0d76_870e;
const SIGMOID_CROSS_ENTROPY: u64 = 0x8567_8cdc_8b2b_6a2e;
const MOMENTUM: u64 = 0x8683_cad6_7238_ce2f;
const ADAM: u64 = 0xaf84_5be8_eef1_e06b;
const SOFT_THRESHOLD: u64 = 0xce67_30b5_0ac2_a9f4;
