//! Products: every set, form, copy in panels, shape, epilogue and thread count gives the portable set's bits.

mod common;

use std::num::NonZeroUsize;

use common::{Numbers, assert_same, floats, others};
use maas_kernels::{Activation, Epilogue, Kernels, Matrix, MatrixMut, PanelMatrix, Parallelism};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Form {
    Plain,
    Transposed,
}

const FORMS: [(Form, Form); 4] = [
    (Form::Plain, Form::Plain),
    (Form::Plain, Form::Transposed),
    (Form::Transposed, Form::Plain),
    (Form::Transposed, Form::Transposed),
];

fn matrix(data: &[f32], rows: usize, columns: usize, form: Form) -> Matrix<'_> {
    match form {
        Form::Plain => Matrix::new(data, rows, columns),
        Form::Transposed => Matrix::new(data, columns, rows).transposed(),
    }
}

fn threads(n: usize) -> Parallelism {
    Parallelism::threads(NonZeroUsize::new(n).expect("at least one thread"))
}

struct Case<'a> {
    a: &'a [f32],
    b: &'a [f32],
    shape: (usize, usize, usize),
    form: (Form, Form),
    bias: Option<&'a [f32]>,
    activation: Activation,
    derivative: Option<(Activation, &'a [f32])>,
}

impl Case<'_> {
    fn run(
        &self,
        set: Kernels,
        parallelism: Parallelism,
        panels: Option<&PanelMatrix>,
        c: &mut [f32],
    ) {
        let (m, _, n) = self.shape;
        let (a, c) = (self.left(), MatrixMut::new(c, m, n));
        let epilogue = Epilogue {
            bias: self.bias,
            activation: self.activation,
            derivative: self.derivative,
            pre_activation: None,
        };
        match panels {
            Some(b) => set.matmul_panels(a, b, c, epilogue, parallelism),
            None => set.matmul(a, self.right(), c, epilogue, parallelism),
        }
    }

    fn left(&self) -> Matrix<'_> {
        matrix(self.a, self.shape.0, self.shape.1, self.form.0)
    }

    fn right(&self) -> Matrix<'_> {
        matrix(self.b, self.shape.1, self.shape.2, self.form.1)
    }

    fn check(&self, offset: usize) {
        let (m, _, n) = self.shape;
        let panels = PanelMatrix::new(self.right());
        let mut expected = vec![f32::NAN; m * n];
        self.run(Kernels::portable(), threads(1), None, &mut expected);
        let in_place = others().map(|set| (set, None));
        let in_panels = Kernels::available()
            .into_iter()
            .map(|set| (set, Some(&panels)));
        for (set, panels) in in_place.chain(in_panels) {
            for parallelism in [threads(1), threads(3)] {
                let mut found = vec![7.0; offset + m * n + 9];
                self.run(set, parallelism, panels, &mut found[offset..offset + m * n]);
                let what = format!(
                    "{:?} {:?} with {set:?} on {parallelism:?}, {panels:?}",
                    self.shape, self.form
                );
                assert_same(&found[offset..offset + m * n], &expected, &what);
                assert!(
                    found[..offset]
                        .iter()
                        .chain(&found[offset + m * n..])
                        .all(|&x| x == 7.0),
                    "{what}: C's surroundings"
                );
            }
        }
    }
}

fn dimension() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0usize),
        Just(1),
        Just(2),
        3..20usize,
        Just(31),
        Just(32),
        Just(33),
        Just(64),
        Just(67),
        Just(97)
    ]
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::Linear),
        Just(Activation::Relu),
        Just(Activation::LeakyRelu { slope: 0.1 }),
        Just(Activation::Gelu),
        Just(Activation::Silu),
        Just(Activation::Tanh),
        Just(Activation::Sigmoid),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn small_products(
        (a, b, bias, outputs, shape) in (dimension(), dimension(), dimension()).prop_flat_map(|(m, k, n)| {
            let bias = proptest::option::of(floats(n));
            (floats(m * k), floats(k * n), bias, floats(m * n), Just((m, k, n)))
        }),
        form in proptest::sample::select(&FORMS[..]),
        activation in activation(),
        derived in proptest::option::of(activation()),
        offset in 0usize..9,
    ) {
        let derived = derived.filter(|activation| activation.derivative_from_output());
        let derivative = derived.map(|activation| (activation, &outputs[..]));
        Case { a: &a, b: &b, shape, form, bias: bias.as_deref(), activation, derivative }.check(offset);
    }
}

/// Without rows there is nothing to write, without columns of A every element is its bias.
#[test]
fn products_of_nothing() {
    let (data, bias) = ([1.0; 2000], [0.5; 40]);
    for (m, k, n) in [(0, 50, 40), (50, 0, 40), (50, 40, 0), (0, 0, 0)] {
        for form in FORMS {
            Case {
                a: &data[..m * k],
                b: &data[..k * n],
                shape: (m, k, n),
                form,
                bias: Some(&bias[..n]),
                activation: Activation::Tanh,
                derivative: None,
            }
            .check(1);
        }
    }
}

#[test]
fn long_and_large_products() {
    let mut numbers = Numbers::new(1);
    let shapes = [
        (1, 1024, 70),
        (1, 1025, 9),
        (2, 3000, 37),
        (3, 1023, 18),
        (7, 2049, 5),
        (37, 1100, 50),
        (150, 257, 33),
        (300, 129, 67),
        (13, 2300, 1100),
        (5, 513, 2049),
        (200, 1, 300),
        (1, 2050, 1),
        (90, 1030, 1),
        (160, 1300, 160),
        (128, 512, 64),
        (1030, 180, 190),
        (50, 2048, 40),
    ];
    for shape @ (m, k, n) in shapes {
        let (mut a, mut b, bias) = (numbers.vec(m * k), numbers.vec(k * n), numbers.vec(n));
        let outputs = numbers.vec(m * n);
        // A few numbers that hurt.
        for (i, hostile) in [f32::NAN, f32::INFINITY, 1e30, 1e-40, -0.0]
            .into_iter()
            .enumerate()
        {
            if i < m {
                a[i * k + (i * 7) % k] = hostile;
            }
            if i < n && k > 1 {
                b[(i * 13 % k) * n + i] = hostile;
            }
        }
        for form in FORMS {
            Case {
                a: &a,
                b: &b,
                shape,
                form,
                bias: Some(&bias),
                activation: Activation::Relu,
                derivative: Some((Activation::LeakyRelu { slope: 0.5 }, &outputs)),
            }
            .check(3);
        }
    }
}

#[test]
fn one_to_four_threads() {
    let mut numbers = Numbers::new(2);
    for shape @ (m, k, n) in [
        (300, 310, 150),
        (1100, 310, 200),
        (70, 2048, 130),
        (9, 1500, 1300),
        (1, 1100, 4000),
        (5000, 700, 1),
        (2, 700, 3001),
    ] {
        let (a, b) = (numbers.vec(m * k), numbers.vec(k * n));
        for form in FORMS {
            let case = Case {
                a: &a,
                b: &b,
                shape,
                form,
                bias: None,
                activation: Activation::Silu,
                derivative: None,
            };
            let mut expected = vec![0.0; m * n];
            case.run(Kernels::best(), threads(1), None, &mut expected);
            for t in 2..=4 {
                let mut found = vec![0.0; m * n];
                case.run(Kernels::best(), threads(t), None, &mut found);
                assert_same(
                    &found,
                    &expected,
                    &format!("{shape:?} {form:?} on {t} threads"),
                );
            }
        }
    }
}

#[test]
fn more_threads_than_a_region_has() {
    let mut numbers = Numbers::new(7);
    let shape @ (m, k, n) = (30, 220, 3000);
    let (a, b) = (numbers.vec(m * k), numbers.vec(k * n));
    let case = Case {
        a: &a,
        b: &b,
        shape,
        form: (Form::Plain, Form::Plain),
        bias: None,
        activation: Activation::Linear,
        derivative: None,
    };
    let run = |parallelism| {
        let mut c = vec![0.0; m * n];
        case.run(Kernels::best(), parallelism, None, &mut c);
        c
    };
    assert_same(&run(threads(300)), &run(threads(1)), "300 threads");
}

#[test]
fn pre_activation_is_kept() {
    let mut numbers = Numbers::new(3);
    let (m, k, n) = (13, 21, 19);
    let (a, b, bias) = (numbers.vec(m * k), numbers.vec(k * n), numbers.vec(n));
    for activation in [
        Activation::Linear,
        Activation::Relu,
        Activation::Gelu,
        Activation::Tanh,
    ] {
        for set in Kernels::available() {
            let run = |activation, pre_activation: Option<&mut [f32]>| {
                let mut c = vec![0.0; m * n];
                set.matmul(
                    Matrix::new(&a, m, k),
                    Matrix::new(&b, k, n),
                    MatrixMut::new(&mut c, m, n),
                    Epilogue {
                        bias: Some(&bias),
                        activation,
                        pre_activation,
                        ..Epilogue::default()
                    },
                    Parallelism::single(),
                );
                c
            };
            let mut sums = vec![0.0; m * n];
            let c = run(activation, Some(&mut sums));
            assert_same(
                &c,
                &run(activation, None),
                "with and without pre-activation",
            );
            assert_same(&sums, &run(Activation::Linear, None), "pre-activation");
        }
    }
}

#[test]
fn derivatives_multiply_the_whole_end() {
    let mut numbers = Numbers::new(6);
    let (m, k, n) = (13, 21, 19);
    let (a, b, bias) = (numbers.vec(m * k), numbers.vec(k * n), numbers.vec(n));
    let outputs = numbers.vec(m * n);
    for set in Kernels::available() {
        for activation in [Activation::Linear, Activation::Relu, Activation::Silu] {
            let case = |derivative| Case {
                a: &a,
                b: &b,
                shape: (m, k, n),
                form: (Form::Plain, Form::Plain),
                bias: Some(&bias),
                activation,
                derivative,
            };
            let run = |derivative| {
                let mut c = vec![0.0; m * n];
                case(derivative).run(set, threads(1), None, &mut c);
                c
            };
            for derived in [Activation::Relu, Activation::Tanh] {
                let mut expected = run(None);
                set.activation_gradient_in_place(derived, &outputs, &mut expected);
                let found = run(Some((derived, &outputs)));
                assert_same(&found, &expected, &format!("{activation:?}, {derived:?}"));
            }
        }
    }
}

/// A row's answer must not depend on its batch, whoever else is in it.
#[test]
fn batches_do_not_leak() {
    let mut numbers = Numbers::new(4);
    let (k, n) = (37, 21);
    let (b, bias) = (numbers.vec(k * n), numbers.vec(n));
    let row = numbers.vec(k);
    for set in Kernels::available() {
        let predict = |a: &[f32], m: usize, form: Form| {
            let data: Vec<f32> = match form {
                Form::Plain => a.to_vec(),
                Form::Transposed => (0..k * m).map(|i| a[i % m * k + i / m]).collect(),
            };
            let mut c = vec![0.0; m * n];
            set.matmul(
                matrix(&data, m, k, form),
                Matrix::new(&b, k, n),
                MatrixMut::new(&mut c, m, n),
                Epilogue {
                    bias: Some(&bias),
                    activation: Activation::Gelu,
                    ..Epilogue::default()
                },
                Parallelism::single(),
            );
            c
        };
        let alone = predict(&row, 1, Form::Plain);
        for m in 1..=129 {
            let mut a: Vec<f32> = (0..m * k)
                .map(|i| match i / k % 4 {
                    0 => 3e38,
                    1 => f32::NAN,
                    2 => 0.0,
                    _ => numbers.next(),
                })
                .collect();
            let at = m * 5 / 7;
            a[at * k..(at + 1) * k].copy_from_slice(&row);
            for form in [Form::Plain, Form::Transposed] {
                let c = predict(&a, m, form);
                assert_same(
                    &c[at * n..(at + 1) * n],
                    &alone,
                    &format!("row {at} of {m} with {set:?}"),
                );
            }
        }
    }
}

#[test]
fn matvec_is_a_product() {
    let mut numbers = Numbers::new(5);
    for (m, k) in [(0, 3), (3, 0), (1, 1), (17, 40), (130, 1100)] {
        let (a, x) = (numbers.vec(m * k), numbers.vec(k));
        let mut expected = vec![0.0; m];
        Kernels::portable().matvec(Matrix::new(&a, m, k), &x, &mut expected);
        for set in others() {
            let mut y = vec![f32::NAN; m];
            set.matvec(Matrix::new(&a, m, k), &x, &mut y);
            assert_same(&y, &expected, &format!("{m} × {k} with {set:?}"));
        }
    }
}

#[test]
fn column_sums_are_a_product_with_ones() {
    let mut numbers = Numbers::new(6);
    for (m, n) in [(1, 5), (40, 33), (2500, 18)] {
        let x = numbers.vec(m * n);
        let mut expected = vec![0.0; n];
        let ones = vec![1.0; m];
        Kernels::portable().matmul(
            Matrix::new(&ones, 1, m),
            Matrix::new(&x, m, n),
            MatrixMut::new(&mut expected, 1, n),
            Epilogue::default(),
            Parallelism::single(),
        );
        for set in Kernels::available() {
            let mut sums = vec![f32::NAN; n];
            set.column_sums(Matrix::new(&x, m, n), &mut sums);
            assert_same(&sums, &expected, &format!("{m} × {n} with {set:?}"));
        }
    }
}

#[test]
fn close_to_f64() {
    let mut numbers = Numbers::new(7);
    let (m, k, n) = (19, 2100, 23);
    let (a, b) = (numbers.vec(m * k), numbers.vec(k * n));
    let mut c = vec![0.0; m * n];
    Kernels::best().matmul(
        Matrix::new(&a, m, k),
        Matrix::new(&b, k, n),
        MatrixMut::new(&mut c, m, n),
        Epilogue::default(),
        Parallelism::single(),
    );
    for i in 0..m {
        for j in 0..n {
            let exact: f64 = (0..k)
                .map(|l| f64::from(a[i * k + l]) * f64::from(b[l * n + j]))
                .sum();
            // Each of the 1024 roundings of a block errs by 2⁻²⁴ of sums that stay below 40.
            assert!((f64::from(c[i * n + j]) - exact).abs() < 1e-3, "({i}, {j})");
        }
    }
}
