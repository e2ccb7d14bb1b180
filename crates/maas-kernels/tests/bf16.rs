//! bf16: conversions and products give the contract's bits with every set, form, shape, epilogue and thread count.

mod common;

use std::num::NonZeroUsize;

use common::{Numbers, assert_same, float, floats, others};
use maas_kernels::{
    Activation, Bf16, Bf16Matrix, Epilogue, Kernels, Matrix, MatrixMut, Parallelism,
};
use proptest::prelude::*;

/// s + a·b from the definition, in f64 alone: the exact product, the sum rounded to odd, which makes the second rounding
/// harmless, then 24 bits without a lower limit of the exponent, then zero for what is subnormal.
fn multiply_add(a: Bf16, b: Bf16, s: f32) -> f32 {
    let daz = |x: f32| {
        if x.is_subnormal() {
            0f32.copysign(x)
        } else {
            x
        }
    };
    let (product, s) = (
        f64::from(daz(a.to_f32())) * f64::from(daz(b.to_f32())),
        f64::from(s),
    );
    let sum = product + s;
    if !sum.is_finite() || sum == 0.0 {
        return sum as f32;
    }
    let (big, small) = if product.abs() > s.abs() {
        (product, s)
    } else {
        (s, product)
    };
    let error = small - (sum - big);
    let mut bits = sum.to_bits();
    if error != 0.0 && bits & 1 == 0 {
        bits = if (error > 0.0) == (sum > 0.0) {
            bits + 1
        } else {
            bits - 1
        };
    }
    let rounded = f64::from_bits((bits + 0x0fff_ffff + (bits >> 29 & 1)) >> 29 << 29);
    if rounded.abs() < f64::from(f32::MIN_POSITIVE) {
        0f32.copysign(rounded as f32)
    } else {
        rounded as f32
    }
}

fn oracle(a: Bf16Matrix<'_>, b: Bf16Matrix<'_>) -> Vec<f32> {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    let zero = Bf16::default();
    let mut c = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            let mut total = 0.0;
            for start in (0..k).step_by(1024) {
                let mut sum = 0.0;
                for even in (start..k.min(start + 1024)).step_by(2) {
                    let odd = even + 1;
                    sum = if odd < k {
                        multiply_add(a.get(i, odd), b.get(odd, j), sum)
                    } else {
                        multiply_add(zero, zero, sum)
                    };
                    sum = multiply_add(a.get(i, even), b.get(even, j), sum);
                }
                total = if start == 0 { sum } else { total + sum };
            }
            c.push(total);
        }
    }
    c
}

fn matrix(data: &[Bf16], rows: usize, columns: usize, transposed: bool) -> Bf16Matrix<'_> {
    if transposed {
        Bf16Matrix::new(data, columns, rows).transposed()
    } else {
        Bf16Matrix::new(data, rows, columns)
    }
}

fn threads(n: usize) -> Parallelism {
    Parallelism::threads(NonZeroUsize::new(n).expect("at least one thread"))
}

fn run(set: Kernels, a: Bf16Matrix<'_>, b: Bf16Matrix<'_>, t: usize, c: &mut [f32]) {
    let c = MatrixMut::new(c, a.rows(), b.columns());
    set.matmul_bf16(a, b, c, Epilogue::default(), threads(t));
}

fn check(a: Bf16Matrix<'_>, b: Bf16Matrix<'_>, expected: &[f32], sets: &[Kernels]) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    for &set in sets {
        for t in [1, 3] {
            let mut found = vec![7.0; 3 + m * n + 9];
            run(set, a, b, t, &mut found[3..3 + m * n]);
            let what = format!("{m} × {k} × {n} with {set:?} on {t} threads");
            assert_same(&found[3..3 + m * n], expected, &what);
            let around = found[..3].iter().chain(&found[3 + m * n..]);
            assert!(
                around.into_iter().all(|&x| x == 7.0),
                "{what}: C's surroundings"
            );
        }
    }
}

/// Any bits; or small exponents, so that sums come near to the smallest normal number; or ordinary numbers.
fn numbers(len: usize) -> impl Strategy<Value = Vec<Bf16>> {
    let all = proptest::collection::vec(any::<u16>().prop_map(Bf16::from_bits), len);
    let tiny = (30u16..80).prop_flat_map(move |middle| {
        let number = (any::<bool>(), middle - 30..middle + 8, 0u16..4).prop_map(|(sign, e, m)| {
            Bf16::from_bits(u16::from(sign) << 15 | e << 7 | (m << 5 & 0x7f))
        });
        proptest::collection::vec(number, len)
    });
    let ordinary = proptest::collection::vec(float().prop_map(Bf16::from_f32), len);
    prop_oneof![1 => all, 2 => tiny, 2 => ordinary]
}

fn dimension() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0usize),
        Just(1),
        Just(2),
        3..20usize,
        Just(31),
        Just(33),
        Just(64),
        Just(67)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn small_products(
        (a, b, (m, k, n)) in (dimension(), dimension(), dimension())
            .prop_flat_map(|(m, k, n)| (numbers(m * k), numbers(k * n), Just((m, k, n)))),
        transposed: (bool, bool),
    ) {
        let (a, b) = (matrix(&a, m, k, transposed.0), matrix(&b, k, n, transposed.1));
        check(a, b, &oracle(a, b), &Kernels::available());
    }

    /// Rounding first gives what rounding on the way gives.
    #[test]
    fn operands_of_single_precision(
        (a, b, (m, k, n)) in (dimension(), dimension(), dimension())
            .prop_flat_map(|(m, k, n)| (floats(m * k), floats(k * n), Just((m, k, n)))),
        transposed: (bool, bool),
    ) {
        let narrow = |x: &[f32]| x.iter().map(|&x| Bf16::from_f32(x)).collect::<Vec<_>>();
        let expected = {
            let (a, b) = (narrow(&a), narrow(&b));
            oracle(matrix(&a, m, k, transposed.0), matrix(&b, k, n, transposed.1))
        };
        let view = |x, rows, columns, turned| match turned {
            false => Matrix::new(x, rows, columns),
            true => Matrix::new(x, columns, rows).transposed(),
        };
        let (a, b) = (view(&a, m, k, transposed.0), view(&b, k, n, transposed.1));
        for set in Kernels::available() {
            let mut c = vec![7.0; m * n];
            let y = MatrixMut::new(&mut c, m, n);
            set.matmul_as_bf16(a, b, y, Epilogue::default(), threads(2));
            assert_same(&c, &expected, &format!("{m} × {k} × {n} with {set:?}"));
        }
    }

    #[test]
    fn conversions(x in floats(0..100), bits in proptest::collection::vec(any::<u16>(), 0..100)) {
        let expected: Vec<u16> = x.iter().map(|&x| Bf16::from_f32(x).to_bits()).collect();
        let narrow: Vec<Bf16> = bits.iter().map(|&x| Bf16::from_bits(x)).collect();
        let wide: Vec<f32> = narrow.iter().map(|x| x.to_f32()).collect();
        for set in Kernels::available() {
            let mut y = vec![Bf16::default(); x.len()];
            set.narrow_bf16(&x, &mut y);
            assert_eq!(y.iter().map(|y| y.to_bits()).collect::<Vec<_>>(), expected, "{set:?}");
            let mut y = vec![f32::NAN; wide.len()];
            set.widen_bf16(&narrow, &mut y);
            assert_same(&y, &wide, "widened");
        }
    }
}

#[test]
fn every_number_comes_back() {
    for bits in 0..=u16::MAX {
        let x = Bf16::from_bits(bits);
        let back = Bf16::from_f32(x.to_f32()).to_bits();
        let expected = match x.to_f32() {
            y if y.is_nan() => bits | 0x40,
            y if y.is_subnormal() => bits & 0x8000,
            _ => bits,
        };
        assert_eq!(back, expected, "{bits:04x}");
    }
}

#[test]
fn ties_go_to_even() {
    for (bits, expected) in [
        (0x3f80_8000, 0x3f80),
        (0x3f81_8000, 0x3f82),
        (0x3f80_8001, 0x3f81),
        (0x3f80_7fff, 0x3f80),
        (0x7f7f_8000, 0x7f80),
        (0x7f7f_7fff, 0x7f7f),
        (0xff80_0000, 0xff80),
        (0x7f80_0001, 0x7fc0),
        (0x0080_0000, 0x0080),
        (0x007f_ffff, 0x0000),
    ] {
        let x = f32::from_bits(bits);
        assert_eq!(Bf16::from_f32(x).to_bits(), expected, "{bits:08x}");
    }
}

/// 2⁻¹²⁶ minus less than half of the distance to its neighbour below: rounded in 24 bits it lies below the smallest
/// normal number, rounded as a subnormal number it would not.
#[test]
fn just_below_the_smallest_normal_number() {
    let power = |e: i32| Bf16::from_f32(2f64.powi(e) as f32);
    for (quarters, expected) in [
        (1, f32::MIN_POSITIVE),
        (2, f32::MIN_POSITIVE),
        (3, 0.0),
        (4, 0.0),
    ] {
        for sign in [1.0, -1.0] {
            let small = Bf16::from_f32(-f32::from(quarters as u8) * 2f64.powi(-76) as f32 * sign);
            let first = Bf16::from_f32(2f64.powi(-63) as f32 * sign);
            // The odd number of the pair comes first.
            let a = [small, first].repeat(7);
            let mut b = vec![Bf16::default(); 2 * 33];
            for j in 0..33 {
                b[j] = power(-76);
                b[33 + j] = power(-63);
            }
            let (a, b) = (Bf16Matrix::new(&a, 7, 2), Bf16Matrix::new(&b, 2, 33));
            assert_same(&oracle(a, b), &[expected * sign; 7 * 33], "the oracle");
            check(a, b, &[expected * sign; 7 * 33], &Kernels::available());
        }
    }
}

#[test]
fn long_and_large_products() {
    let mut numbers = Numbers::new(1);
    for (m, k, n) in [
        (1, 1024, 70),
        (2, 3001, 37),
        (3, 1023, 18),
        (37, 1100, 50),
        (150, 257, 33),
        (100, 2300, 21),
        (13, 700, 1100),
        (200, 1, 300),
        (90, 1030, 1),
        (128, 512, 64),
    ] {
        let mut vec = |len: usize| -> Vec<Bf16> {
            (0..len)
                .map(|i| match i % 1013 {
                    41 => Bf16::from_bits(0x0035),
                    100 => Bf16::from_f32(3e-36 * numbers.next()),
                    777 => Bf16::from_f32(f32::INFINITY),
                    _ => Bf16::from_f32(numbers.next()),
                })
                .collect()
        };
        let (a, b) = (vec(m * k), vec(k * n));
        for transposed in [(false, false), (false, true), (true, false), (true, true)] {
            let (a, b) = (
                matrix(&a, m, k, transposed.0),
                matrix(&b, k, n, transposed.1),
            );
            check(a, b, &oracle(a, b), &others().collect::<Vec<_>>());
        }
    }
}

/// A chain that a part of k left near to the smallest normal number is watched in the parts that follow.
#[test]
fn a_chain_remembers_its_smallest_product() {
    let (m, k, n) = (6, 1000, 16);
    let mut a = vec![Bf16::default(); m * k];
    for row in a.chunks_mut(k) {
        row[0] = Bf16::from_bits(0x0081);
        row[900] = Bf16::from_f32(-2f64.powi(-63) as f32);
    }
    let mut b = vec![Bf16::from_f32(1.0); k * n];
    b[900 * n..901 * n].fill(Bf16::from_f32(2f64.powi(-63) as f32));
    let (a, b) = (Bf16Matrix::new(&a, m, k), Bf16Matrix::new(&b, k, n));
    check(a, b, &vec![0.0; m * n], &Kernels::available());
}

#[test]
fn epilogues() {
    let mut numbers = Numbers::new(2);
    let (m, k, n) = (13, 41, 35);
    let a: Vec<Bf16> = numbers.vec(m * k).into_iter().map(Bf16::from_f32).collect();
    let b: Vec<Bf16> = numbers.vec(k * n).into_iter().map(Bf16::from_f32).collect();
    let bias = numbers.vec(n);
    let (a, b) = (Bf16Matrix::new(&a, m, k), Bf16Matrix::new(&b, k, n));
    for activation in [Activation::Linear, Activation::Relu, Activation::Gelu] {
        let mut sums = oracle(a, b);
        for row in sums.chunks_mut(n) {
            Kernels::portable().add(&bias, row);
        }
        let mut expected = sums.clone();
        Kernels::portable().activate_in_place(activation, &mut expected);
        for set in Kernels::available() {
            for keep in [false, true] {
                let (mut c, mut kept) = (vec![0.0; m * n], vec![0.0; m * n]);
                let epilogue = Epilogue {
                    bias: Some(&bias),
                    activation,
                    pre_activation: keep.then_some(&mut kept[..]),
                    ..Epilogue::default()
                };
                set.matmul_bf16(a, b, MatrixMut::new(&mut c, m, n), epilogue, threads(1));
                assert_same(&c, &expected, &format!("{activation:?} with {set:?}"));
                if keep {
                    assert_same(&kept, &sums, "pre-activation");
                }
            }
        }
    }
}

/// A row's answer must not depend on its batch, whoever else is in it.
#[test]
fn batches_do_not_leak() {
    let mut numbers = Numbers::new(4);
    let (k, n) = (37, 21);
    let mut vec = |len| -> Vec<Bf16> { numbers.vec(len).into_iter().map(Bf16::from_f32).collect() };
    let (b, row) = (vec(k * n), vec(k));
    for set in Kernels::available() {
        let mut alone = vec![0.0; n];
        run(
            set,
            Bf16Matrix::new(&row, 1, k),
            Bf16Matrix::new(&b, k, n),
            1,
            &mut alone,
        );
        for m in 1..40 {
            let hostile = [f32::NAN, 3e38, 1e-38, f32::INFINITY].map(Bf16::from_f32);
            let mut a: Vec<Bf16> = (0..m * k).map(|i| hostile[i / k % 4]).collect();
            let at = m * 5 / 7;
            a[at * k..(at + 1) * k].copy_from_slice(&row);
            let mut c = vec![0.0; m * n];
            run(
                set,
                Bf16Matrix::new(&a, m, k),
                Bf16Matrix::new(&b, k, n),
                1,
                &mut c,
            );
            assert_same(
                &c[at * n..(at + 1) * n],
                &alone,
                &format!("row {at} of {m} with {set:?}"),
            );
        }
    }
}
