//! Products of 8-bit codes, dense or sparse, give the contract's bits with every set, shape, epilogue and thread count.

mod common;

use std::num::NonZeroUsize;

use common::{Numbers, assert_same, floats};
use maas_kernels::{
    Activation, Epilogue, Error, InputScale, Int8Matrix, Kernels, Matrix, MatrixMut, Parallelism,
    SparseInt8Matrix,
};
use proptest::prelude::*;

fn threads(n: usize) -> Parallelism {
    Parallelism::threads(NonZeroUsize::new(n).expect("at least one thread"))
}

/// A·B from the definition: sums in i64.
fn oracle(a: Matrix<'_>, scale: InputScale, b: &Int8Matrix) -> Vec<f32> {
    let (k, n, codes) = (b.rows(), b.columns(), b.codes());
    let mut c = Vec::new();
    for i in 0..a.rows() {
        let x: Vec<f32> = (0..k).map(|l| a.get(i, l)).collect();
        let largest = x.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        let (factor, scale) = match scale {
            _ if !x.iter().all(|x| x.is_finite()) => (0.0, f32::NAN),
            InputScale::PerRow if largest < 127.0 * f32::MIN_POSITIVE => (0.0, 0.0),
            InputScale::PerRow => (127.0 / largest, largest / 127.0),
            InputScale::Fixed(scale) => (1.0 / scale, scale),
        };
        let inputs: Vec<i64> = x
            .iter()
            .map(|x| (x * factor).round_ties_even().clamp(-127.0, 127.0) as i64)
            .collect();
        for j in 0..n {
            let products = (0..k).map(|l| inputs[l] * i64::from(codes[l * n + j]));
            let sum: i64 = products.sum();
            c.push(sum as f32 * (scale * b.scales()[j]));
        }
    }
    c
}

fn run(set: Kernels, a: Matrix<'_>, scale: InputScale, b: &Int8Matrix, t: usize, c: &mut [f32]) {
    let c = MatrixMut::new(c, a.rows(), b.columns());
    set.matmul_int8(a, scale, b, c, Epilogue::default(), threads(t));
}

/// As [`run`], where the codes can be had without the zeros.
fn run_sparse(
    set: Kernels,
    a: Matrix<'_>,
    scale: InputScale,
    b: &SparseInt8Matrix,
    t: usize,
    c: &mut [f32],
) {
    let c = MatrixMut::new(c, a.rows(), b.columns());
    set.matmul_sparse_int8(a, scale, b, c, Epilogue::default(), threads(t));
}

fn check(a: Matrix<'_>, scale: InputScale, b: &Int8Matrix, expected: &[f32]) {
    let (m, k, n) = (a.rows(), b.rows(), b.columns());
    let sparse = SparseInt8Matrix::new(b);
    let sparse = sparse
        .inspect_err(|_| assert!(k > 1040, "every sum is exact"))
        .ok();
    let ways = [None, sparse.as_ref()];
    let ways = if sparse.is_some() {
        &ways[..]
    } else {
        &ways[..1]
    };
    for (set, sparse) in Kernels::available()
        .into_iter()
        .flat_map(|set| ways.iter().map(move |sparse| (set, *sparse)))
    {
        for t in [1, 3] {
            let mut found = vec![7.0; 3 + m * n + 9];
            let c = &mut found[3..3 + m * n];
            match sparse {
                Some(b) => run_sparse(set, a, scale, b, t, c),
                None => run(set, a, scale, b, t, c),
            }
            let what = format!("{m} × {k} × {n} with {set:?} on {t} threads, {sparse:?}");
            assert_same(&found[3..3 + m * n], expected, &what);
            let around = found[..3].iter().chain(&found[3 + m * n..]);
            assert!(
                around.into_iter().all(|&x| x == 7.0),
                "{what}: C's surroundings"
            );
        }
    }
}

fn codes(len: usize) -> impl Strategy<Value = Vec<i8>> {
    let any = proptest::collection::vec(-127..=127_i8, len);
    let extreme = proptest::collection::vec(prop_oneof![Just(-127_i8), Just(127)], len);
    let thin = prop_oneof![5 => Just(0), 1 => -127..=127_i8];
    let thin = proptest::collection::vec(thin, len);
    prop_oneof![3 => any, 1 => extreme, 2 => thin]
}

/// Any bits; or ordinary numbers, of both signs or not negative; or the largest and the smallest alone.
fn inputs(len: usize) -> impl Strategy<Value = Vec<f32>> {
    let ordinary = proptest::collection::vec(-4.0_f32..4.0, len);
    let positive = proptest::collection::vec(prop_oneof![Just(0.0), 0.0_f32..9.0], len);
    let extreme = proptest::collection::vec(prop_oneof![Just(-2.5_f32), Just(2.5)], len);
    let tiny = proptest::collection::vec(-3e-36_f32..3e-36, len);
    prop_oneof![2 => floats(len), 4 => ordinary, 3 => positive, 2 => extreme, 1 => tiny]
}

/// What `from_codes` takes.
fn scales(len: usize) -> impl Strategy<Value = Vec<f32>> {
    let scale = (1_u32..254, 0_u32..0x8000).prop_map(|(e, m)| f32::from_bits(e << 23 | m << 8));
    let scale = scale.prop_filter("127 times as much is finite", |s| (127.0 * s).is_finite());
    proptest::collection::vec(
        prop_oneof![3 => (1_u32..0x8000).prop_map(|m| m as f32 / 4096.0), 1 => scale],
        len,
    )
}

fn scale() -> impl Strategy<Value = InputScale> {
    prop_oneof![
        2 => Just(InputScale::PerRow),
        1 => (0.001_f32..0.1).prop_map(InputScale::Fixed),
        1 => (1_u32..255).prop_map(|e| InputScale::Fixed(f32::from_bits(e << 23))),
    ]
}

fn dimension() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0_usize),
        Just(1),
        Just(2),
        3..20_usize,
        Just(31),
        Just(33),
        Just(64),
        Just(67)
    ]
}

fn view(data: &[f32], rows: usize, columns: usize, turned: bool) -> Matrix<'_> {
    if turned {
        Matrix::new(data, columns, rows).transposed()
    } else {
        Matrix::new(data, rows, columns)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn small_products(
        (a, codes, scales, (m, k, n)) in (dimension(), dimension(), dimension()).prop_flat_map(
            |(m, k, n)| (inputs(m * k), codes(k * n), scales(n), Just((m, k, n)))
        ),
        scale in scale(),
        turned: bool,
    ) {
        let b = Int8Matrix::from_codes(k, n, &codes, &scales).expect("codes and scales in range");
        let a = view(&a, m, k, turned);
        check(a, scale, &b, &oracle(a, scale, &b));
    }

    #[test]
    fn codes_come_back(
        (codes, scales, (k, n)) in (dimension(), dimension())
            .prop_flat_map(|(k, n)| (codes(k * n), scales(n), Just((k, n)))),
    ) {
        let b = Int8Matrix::from_codes(k, n, &codes, &scales).expect("codes and scales in range");
        prop_assert_eq!(b.codes(), &codes[..]);
        prop_assert_eq!(b.scales(), &scales[..]);
        let mut w = vec![f32::NAN; k * n];
        b.dequantize(&mut w);
        for (i, w) in w.iter().enumerate() {
            prop_assert_eq!(f64::from(*w), f64::from(codes[i]) * f64::from(scales[i % n]));
        }
    }

    /// Weights become the nearest codes, and those codes' weights become the same codes.
    #[test]
    fn weights_become_the_nearest_codes(
        (w, (k, n)) in (dimension(), dimension())
            .prop_flat_map(|(k, n)| (floats(k * n), Just((k, n)))),
        turned: bool,
    ) {
        let w: Vec<f32> = w.into_iter().map(|w| if w.is_finite() { w } else { 0.25 }).collect();
        let w = view(&w, k, n, turned);
        let b = Int8Matrix::quantize(w).expect("finite weights");
        let codes = b.codes();
        for j in 0..n {
            let largest = (0..k).map(|l| w.get(l, j).abs()).fold(0.0, f32::max);
            let scale = b.scales()[j];
            prop_assert_eq!(scale, Int8Matrix::scale_of(largest));
            for l in 0..k {
                let code = (w.get(l, j) / scale).round_ties_even().clamp(-127.0, 127.0);
                prop_assert_eq!(f32::from(codes[l * n + j]), code);
            }
        }
        let mut grid = vec![f32::NAN; k * n];
        b.dequantize(&mut grid);
        prop_assert_eq!(&Int8Matrix::quantize(Matrix::new(&grid, k, n)).expect("finite"), &b);
        prop_assert_eq!(&Int8Matrix::from_codes(k, n, &codes, b.scales()).expect("in range"), &b);
    }

    #[test]
    fn scales_are_short_and_just_large_enough(bits in 0..0x7f80_0000_u32) {
        let largest = f32::from_bits(bits);
        let scale = Int8Matrix::scale_of(largest);
        prop_assert_eq!(scale.to_bits() & 0xff, 0);
        prop_assert!((127.0 * scale).is_finite());
        prop_assert_eq!(Int8Matrix::scale_of(127.0 * scale), scale);
        let (exact, scale) = (f64::from(largest) / 127.0, f64::from(scale));
        if largest < 127.0 * f32::MIN_POSITIVE {
            prop_assert_eq!(scale, 1.0);
        } else {
            prop_assert!(scale < exact * (1.0 + f64::powi(2.0, -14)));
            let least = if bits < 0x7f7f_0000 { -24 } else { -14 };
            prop_assert!(scale >= exact * (1.0 - f64::powi(2.0, least)));
        }
    }

    #[test]
    fn a_row_depends_on_itself(
        (row, hostile, codes, (k, n)) in (1..40_usize, 1..40_usize).prop_flat_map(
            |(k, n)| (inputs(k), inputs(k), codes(k * n), Just((k, n)))
        ),
        scale in scale(),
    ) {
        let b = Int8Matrix::from_codes(k, n, &codes, &vec![0.5; n]).expect("in range");
        for set in Kernels::available() {
            let mut alone = vec![0.0; n];
            run(set, Matrix::new(&row, 1, k), scale, &b, 1, &mut alone);
            for m in [2, 3, 5, 8, 23] {
                let (mut a, mut c, at) = (hostile.repeat(m), vec![0.0; m * n], m * 5 / 7);
                a[at * k..(at + 1) * k].copy_from_slice(&row);
                run(set, Matrix::new(&a, m, k), scale, &b, 1, &mut c);
                assert_same(&c[at * n..(at + 1) * n], &alone, &format!("row {at} of {m}, {set:?}"));
            }
        }
    }
}

fn random(k: usize, n: usize, seed: u64) -> Int8Matrix {
    let w = Numbers::new(seed).vec(k * n);
    Int8Matrix::quantize(Matrix::new(&w, k, n)).expect("finite weights")
}

#[test]
fn long_and_large_products() {
    for (m, k, n) in [
        (1, 1024, 70),
        (1, 700, 1500),
        (2, 3001, 133),
        (3, 1023, 18),
        (37, 1100, 50),
        (150, 257, 33),
        (13, 700, 300),
        (5, 6000, 40),
        (300, 1, 300),
        (90, 1030, 1),
    ] {
        let (mut a, b) = (Numbers::new(1).vec(m * k), random(k, n, 2));
        for (i, a) in a.iter_mut().enumerate() {
            // Every other row has no negative number.
            if i / k % 2 == 1 {
                *a = a.abs();
            }
        }
        for turned in [false, true] {
            let a = view(&a, m, k, turned);
            check(
                a,
                InputScale::PerRow,
                &b,
                &oracle(a, InputScale::PerRow, &b),
            );
        }
    }
}

/// The largest sums: 2·127·127 in every pair of neighbours, and as many rows as there may be.
#[test]
fn nothing_saturates() {
    for k in [2, 64, Int8Matrix::MOST_ROWS] {
        let b: Vec<i8> = (0..k).flat_map(|_| [127, -127]).collect();
        let b = Int8Matrix::from_codes(k, 2, &b, &[1.0; 2]).expect("in range");
        for sign in [1.0, -1.0] {
            let a = vec![sign * 127.0; k];
            let sum = sign * (k * 127 * 127) as f32;
            check(Matrix::new(&a, 1, k), InputScale::PerRow, &b, &[sum, -sum]);
            check(
                Matrix::new(&a, 1, k),
                InputScale::Fixed(1.0),
                &b,
                &[sum, -sum],
            );
        }
    }
}

/// The largest sums that a float holds, and one column with one more.
#[test]
fn sparse_sums_are_exact_or_refused() {
    let codes: Vec<i8> = (0..1041)
        .flat_map(|l| [127, if l < 1040 { -127 } else { 24 }])
        .collect();
    let dense = Int8Matrix::from_codes(1041, 2, &codes, &[1.0; 2]).expect("in range");
    let refused = SparseInt8Matrix::new(&dense).expect_err("column 0 is too large");
    assert_eq!(refused, Error::InexactSums { column: 0 });
    let dense = Int8Matrix::from_codes(1040, 2, &codes[..2080], &[1.0; 2]).expect("in range");
    assert!(SparseInt8Matrix::new(&dense).is_ok());
    let a = Matrix::new(&[127.0; 1040], 1, 1040);
    let most = (1040 * 127 * 127) as f32;
    check(a, InputScale::PerRow, &dense, &[most, -most]);
}

#[test]
fn rows_that_are_not_finite() {
    let (k, n) = (41, 19);
    let b = random(k, n, 3);
    for hostile in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for at in [0, 17, 40] {
            for scale in [InputScale::PerRow, InputScale::Fixed(0.01)] {
                let mut a = Numbers::new(4).vec(3 * k);
                let mut expected = oracle(Matrix::new(&a, 3, k), scale, &b);
                a[k + at] = hostile;
                expected[n..2 * n].fill(f32::NAN);
                check(Matrix::new(&a, 3, k), scale, &b, &expected);
            }
        }
    }
}

#[test]
fn epilogues() {
    let mut numbers = Numbers::new(2);
    for (m, k, n) in [(13, 41, 35), (1, 20, 150), (40, 300, 50)] {
        let (a, bias, outputs) = (numbers.vec(m * k), numbers.vec(n), numbers.vec(m * n));
        let (a, b) = (Matrix::new(&a, m, k), random(k, n, 5));
        for activation in [
            Activation::Linear,
            Activation::Relu,
            Activation::LeakyRelu { slope: 0.1 },
            Activation::Gelu,
        ] {
            let mut sums = oracle(a, InputScale::PerRow, &b);
            for row in sums.chunks_mut(n) {
                Kernels::portable().add(&bias, row);
            }
            for derivative in [None, Some((Activation::Relu, &outputs[..]))] {
                let mut expected = sums.clone();
                Kernels::portable().activate_in_place(activation, &mut expected);
                if let Some((derived, outputs)) = derivative {
                    Kernels::portable().activation_gradient_in_place(
                        derived,
                        outputs,
                        &mut expected,
                    );
                }
                let ways = [(false, 1), (true, 1), (false, 2)];
                for (set, (keep, t), sparse) in Kernels::available().into_iter().flat_map(|set| {
                    ways.into_iter()
                        .flat_map(move |way| [(set, way, false), (set, way, true)])
                }) {
                    let (mut c, mut kept) = (vec![0.0; m * n], vec![0.0; m * n]);
                    let epilogue = Epilogue {
                        bias: Some(&bias),
                        activation,
                        pre_activation: keep.then_some(&mut kept[..]),
                        derivative,
                    };
                    let y = MatrixMut::new(&mut c, m, n);
                    let scale = InputScale::PerRow;
                    if sparse {
                        let b = SparseInt8Matrix::new(&b).expect("few rows");
                        set.matmul_sparse_int8(a, scale, &b, y, epilogue, threads(t));
                    } else {
                        set.matmul_int8(a, scale, &b, y, epilogue, threads(t));
                    }
                    let what = format!("{activation:?} with {set:?}, sparse: {sparse}");
                    assert_same(&c, &expected, &what);
                    if keep {
                        assert_same(&kept, &sums, "pre-activation");
                    }
                }
            }
        }
    }
}

#[test]
fn a_matrix_is_quantised_again_in_place() {
    let (first, second) = (Numbers::new(6).vec(37 * 21), Numbers::new(7).vec(37 * 21));
    let mut b = Int8Matrix::quantize(Matrix::new(&first, 37, 21)).expect("finite");
    b.requantize(Matrix::new(&second, 37, 21)).expect("finite");
    assert_eq!(
        b,
        Int8Matrix::quantize(Matrix::new(&second, 37, 21)).expect("finite")
    );
    let (before, mut spoiled) = (b.clone(), first);
    spoiled[36 * 21 + 20] = f32::INFINITY;
    assert_eq!(
        b.requantize(Matrix::new(&spoiled, 37, 21)),
        Err(Error::NotFinite { column: 20 })
    );
    assert_eq!(b, before);
}

#[test]
fn what_cannot_be_a_matrix_of_codes() {
    let codes = |rows, columns, codes: &[i8], scales: &[f32]| {
        Int8Matrix::from_codes(rows, columns, codes, scales).expect_err("a mistake")
    };
    assert_eq!(
        codes(2, 2, &[0; 3], &[1.0; 2]),
        Error::Codes {
            expected: (2, 2),
            found: 3
        }
    );
    assert_eq!(
        codes(usize::MAX, 2, &[], &[1.0; 2]),
        Error::Codes {
            expected: (usize::MAX, 2),
            found: 0
        }
    );
    assert_eq!(
        codes(1, 2, &[0; 2], &[1.0; 3]),
        Error::Scales {
            expected: 2,
            found: 3
        }
    );
    assert_eq!(codes(1, 2, &[0, -128], &[1.0; 2]), Error::Code { index: 1 });
    let long = 1.0 + f32::powi(2.0, -16);
    for scale in [
        0.0,
        -1.0,
        1e-40,
        f32::NAN,
        f32::INFINITY,
        f32::MAX,
        3e36,
        long,
    ] {
        let bits = scale.to_bits();
        assert_eq!(
            codes(1, 2, &[0; 2], &[1.0, scale]),
            Error::Scale { column: 1, bits }
        );
    }
    let (rows, most) = (Int8Matrix::MOST_ROWS + 1, Int8Matrix::MOST_ROWS);
    assert_eq!(
        codes(rows, 1, &vec![0; rows], &[1.0]),
        Error::TooManyRows { rows, most }
    );
    let w = vec![0.0; rows];
    let found = Int8Matrix::quantize(Matrix::new(&w, rows, 1));
    assert_eq!(found, Err(Error::TooManyRows { rows, most }));
}
