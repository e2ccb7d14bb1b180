//! Products with a sparse right operand: the bits of the dense product, whatever the numbers.

mod common;

use std::num::NonZeroUsize;

use common::{Numbers, assert_same, float};
use maas_kernels::{Activation, Epilogue, Kernels, Matrix, MatrixMut, Parallelism, SparseMatrix};
use proptest::prelude::*;

fn threads(n: usize) -> Parallelism {
    Parallelism::threads(NonZeroUsize::new(n).expect("at least one thread"))
}

#[derive(Debug)]
struct Case {
    a: Vec<f32>,
    a_turned: bool,
    b: Vec<f32>,
    b_turned: bool,
    shape: (usize, usize, usize),
    bias: Option<Vec<f32>>,
    activation: Activation,
    derived: Option<Activation>,
    outputs: Vec<f32>,
}

impl Case {
    /// Plain, in a shape, with numbers from (−1, 1), of which some percent of B are not zero.
    fn new(numbers: &mut Numbers, shape: (usize, usize, usize), percent: u64) -> Self {
        let (m, k, n) = shape;
        let b = (0..k * n)
            .map(|_| match numbers.bits() % 100 {
                draw if draw < percent => numbers.next(),
                _ => 0.0,
            })
            .collect();
        Self {
            a: numbers.vec(m * k),
            a_turned: false,
            b,
            b_turned: false,
            shape,
            bias: Some(numbers.vec(n)),
            activation: Activation::Relu,
            derived: None,
            outputs: numbers.vec(m * n),
        }
    }

    fn matrix(data: &[f32], rows: usize, columns: usize, turned: bool) -> Matrix<'_> {
        if turned {
            Matrix::new(data, columns, rows).transposed()
        } else {
            Matrix::new(data, rows, columns)
        }
    }

    fn run(&self, product: impl FnOnce(Matrix<'_>, MatrixMut<'_>, Epilogue<'_>), c: &mut [f32]) {
        let (m, k, n) = self.shape;
        let epilogue = Epilogue {
            bias: self.bias.as_deref(),
            activation: self.activation,
            derivative: self.derived.map(|derived| (derived, &self.outputs[..])),
            pre_activation: None,
        };
        let a = Self::matrix(&self.a, m, k, self.a_turned);
        product(a, MatrixMut::new(c, m, n), epilogue);
    }

    fn check(&self, parallelisms: &[usize]) {
        let (m, k, n) = self.shape;
        let b = Self::matrix(&self.b, k, n, self.b_turned);
        let sparse = SparseMatrix::new(b);
        let mut expected = vec![f32::NAN; m * n];
        self.run(
            |a, c, epilogue| {
                Kernels::portable().matmul(a, b, c, epilogue, threads(1));
            },
            &mut expected,
        );
        for set in Kernels::available() {
            for &t in parallelisms {
                // C lies within other memory, which must stay as it is.
                let mut found = vec![7.0; m * n + 18];
                self.run(
                    |a, c, epilogue| set.matmul_sparse(a, &sparse, c, epilogue, threads(t)),
                    &mut found[9..9 + m * n],
                );
                let what = format!("{:?} with {set:?} on {t} threads", self.shape);
                assert_same(&found[9..9 + m * n], &expected, &what);
                let (before, after) = (&found[..9], &found[9 + m * n..]);
                assert!(before.iter().chain(after).all(|&x| x == 7.0), "{what}");
            }
        }
    }
}

/// Mostly +0; otherwise any float.
fn thin() -> impl Strategy<Value = f32> {
    prop_oneof![6 => Just(0.0f32), 3 => float()]
}

fn finite() -> impl Strategy<Value = f32> {
    float().prop_map(|x| if x.is_finite() { x } else { 0.5 })
}

/// Numbers whose products are near the smallest there are, and zeros of both signs.
fn tiny() -> impl Strategy<Value = f32> {
    let small = (1u32..9, any::<bool>()).prop_map(|(units, negative)| {
        let x = units as f32 * f32::powi(2.0, -76);
        if negative { -x } else { x }
    });
    prop_oneof![2 => Just(0.0f32), 1 => Just(-0.0f32), 5 => small]
}

fn shape() -> impl Strategy<Value = (usize, usize, usize)> {
    let dimension = prop_oneof![Just(0usize), Just(1), 2..20usize, 30..50usize];
    (0..70usize, dimension.clone(), dimension)
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::Linear),
        Just(Activation::Relu),
        Just(Activation::LeakyRelu { slope: -0.1 }),
        Just(Activation::Gelu),
        Just(Activation::Tanh),
    ]
}

fn case<A, B>(a: impl Fn() -> A, b: impl Fn() -> B) -> impl Strategy<Value = Case>
where
    A: Strategy<Value = f32>,
    B: Strategy<Value = f32>,
{
    let numbers = shape().prop_flat_map(move |(m, k, n)| {
        use proptest::collection::vec;
        let bias = proptest::option::of(vec(finite(), n));
        (
            vec(a(), m * k),
            vec(b(), k * n),
            bias,
            vec(finite(), m * n),
            Just((m, k, n)),
        )
    });
    let end = (activation(), proptest::option::of(activation()));
    (numbers, any::<(bool, bool)>(), end).prop_map(
        |((a, b, bias, outputs, shape), (a_turned, b_turned), (activation, derived))| Case {
            a,
            a_turned,
            b,
            b_turned,
            shape,
            bias,
            activation,
            derived: derived.filter(|derived| derived.derivative_from_output()),
            outputs,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn finite_numbers(case in case(finite, thin)) {
        case.check(&[1]);
    }

    #[test]
    fn any_numbers(case in case(float, thin)) {
        case.check(&[1]);
    }

    /// Sums that end in −0, which zeros that were left out may have made a +0.
    #[test]
    fn sums_that_underflow(case in case(tiny, tiny)) {
        let case = Case { bias: None, activation: Activation::Linear, derived: None, ..case };
        case.check(&[1]);
    }

    #[test]
    fn to_dense_and_back(
        (b, rows, columns) in (0..600usize, 0..30usize).prop_flat_map(|(rows, columns)| {
            (proptest::collection::vec(thin(), rows * columns), Just(rows), Just(columns))
        }),
    ) {
        let sparse = SparseMatrix::new(Matrix::new(&b, rows, columns));
        prop_assert_eq!((sparse.rows(), sparse.columns()), (rows, columns));
        prop_assert_eq!(sparse.nonzeros(), b.iter().filter(|x| x.to_bits() != 0).count());
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&sparse.to_dense()), bits(&b));
    }
}

/// More rows than a block has, more columns than a band; matrices without zeros, with few and with many.
#[test]
fn long_and_large() {
    let mut numbers = Numbers::new(1);
    for (shape, percent) in [
        ((1, 1024, 300), 5),
        ((1, 2500, 70), 40),
        ((2, 1025, 33), 10),
        ((9, 3000, 20), 3),
        ((17, 1100, 290), 20),
        ((64, 700, 17), 100),
        ((130, 2049, 16), 8),
        ((70, 600, 530), 2),
        ((5, 1500, 31), 0),
    ] {
        let mut case = Case::new(&mut numbers, shape, percent);
        case.b[0] = -0.0;
        case.check(&[1, 3]);
        case.a_turned = true;
        case.activation = Activation::Gelu;
        case.derived = Some(Activation::Tanh);
        case.check(&[2]);
    }
}

#[test]
fn every_batch_on_one_to_four_threads() {
    let mut numbers = Numbers::new(2);
    for m in 1..=70 {
        Case::new(&mut numbers, (m, 100, 150), 30).check(&[1 + m % 4]);
    }
    // With so many elements every thread has a part.
    for m in [1, 16, 40, 200] {
        Case::new(&mut numbers, (m, 300, 900), 40).check(&[1, 2, 3, 4]);
    }
}

#[test]
fn pre_activation_is_kept() {
    let mut numbers = Numbers::new(3);
    let (m, k, n) = (13, 21, 19);
    let case = Case::new(&mut numbers, (m, k, n), 30);
    let b = Matrix::new(&case.b, k, n);
    let sparse = SparseMatrix::new(b);
    for activation in [Activation::Linear, Activation::Relu, Activation::Gelu] {
        for set in Kernels::available() {
            let mut results = [(); 2].map(|()| (vec![0.0; m * n], vec![0.0; m * n]));
            let [(dense_c, dense_sums), (sparse_c, sparse_sums)] = &mut results;
            let a = Matrix::new(&case.a, m, k);
            let epilogue = |sums| Epilogue {
                bias: case.bias.as_deref(),
                activation,
                pre_activation: Some(sums),
                derivative: Some((Activation::Relu, &case.outputs)),
            };
            let c = MatrixMut::new(dense_c, m, n);
            set.matmul(a, b, c, epilogue(dense_sums), threads(1));
            let c = MatrixMut::new(sparse_c, m, n);
            set.matmul_sparse(a, &sparse, c, epilogue(sparse_sums), threads(1));
            assert_same(sparse_c, dense_c, "product");
            assert_same(sparse_sums, dense_sums, "pre-activation");
        }
    }
}

/// A row's answer must not depend on its batch, whoever else is in it.
#[test]
fn batches_do_not_leak() {
    let mut numbers = Numbers::new(4);
    let (k, n) = (37, 21);
    let b = Case::new(&mut numbers, (0, k, n), 30).b;
    let sparse = SparseMatrix::new(Matrix::new(&b, k, n));
    let row = numbers.vec(k);
    for set in Kernels::available() {
        let predict = |a: &[f32], m: usize| {
            let mut c = vec![0.0; m * n];
            set.matmul_sparse(
                Matrix::new(a, m, k),
                &sparse,
                MatrixMut::new(&mut c, m, n),
                Epilogue::default(),
                threads(1),
            );
            c
        };
        let alone = predict(&row, 1);
        for m in 1..=70 {
            let mut a: Vec<f32> = (0..m * k)
                .map(|i| [3e38, f32::NAN, 0.0, numbers.next()][i / k % 4])
                .collect();
            let at = m * 5 / 7;
            a[at * k..(at + 1) * k].copy_from_slice(&row);
            let c = predict(&a, m);
            assert_same(
                &c[at * n..(at + 1) * n],
                &alone,
                &format!("row {at} of {m}"),
            );
        }
    }
}

/// A row and columns of larger matrices, which lie in memory with gaps.
#[test]
fn views_with_gaps() {
    let mut numbers = Numbers::new(5);
    let (data, b) = (
        numbers.vec(40 * 30),
        Case::new(&mut numbers, (0, 20, 18), 40).b,
    );
    let wide = Matrix::new(&data, 40, 30);
    let b = Matrix::new(&b, 20, 18).column_range(1..17);
    let sparse = SparseMatrix::new(b);
    for a in [
        wide.column_range(3..23).row_range(1..2),
        wide.column_range(3..23),
        wide.row_range(5..25).transposed().row_range(7..8),
        wide.row_range(5..25).transposed().row_range(7..20),
    ] {
        let n = a.rows() * b.columns();
        let (mut found, mut expected) = (vec![0.0; n], vec![0.0; n]);
        for set in Kernels::available() {
            let c = MatrixMut::new(&mut expected, a.rows(), b.columns());
            set.matmul(a, b, c, Epilogue::default(), threads(1));
            let c = MatrixMut::new(&mut found, a.rows(), b.columns());
            set.matmul_sparse(a, &sparse, c, Epilogue::default(), threads(1));
            assert_same(
                &found,
                &expected,
                &format!("{} rows with {set:?}", a.rows()),
            );
        }
    }
}

#[test]
#[should_panic(expected = "2 × 3 by 2 × 2 is not 2 × 2")]
fn shapes_must_fit() {
    let sparse = SparseMatrix::new(Matrix::new(&[1.0; 4], 2, 2));
    let (a, mut c) = ([0.0; 6], [0.0; 4]);
    Kernels::best().matmul_sparse(
        Matrix::new(&a, 2, 3),
        &sparse,
        MatrixMut::new(&mut c, 2, 2),
        Epilogue::default(),
        threads(1),
    );
}
