//! Mistakes that callers make panic with a message; nothing is read or written out of bounds.

use std::panic::catch_unwind;

use maas_kernels::{
    Activation, Around, Bf16, Bf16Matrix, Buffer, ClassTargets, Compute, Direction, ElementLoss,
    Epilogue, Error, InputScale, Int8Matrix, Kernels, Matrix, MatrixMut, Parallelism,
};

fn message(call: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(call).expect_err("the call must panic");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .expect("a message")
}

fn multiply(m: usize, k: usize, n: usize, bias: usize) {
    let (a, b, bias) = ([1.0; 6], [1.0; 6], vec![0.0; bias]);
    let mut c = vec![0.0; m * n];
    Kernels::best().matmul(
        Matrix::new(&a, 2, 3),
        Matrix::new(&b[..k * n], k, n),
        MatrixMut::new(&mut c, m, n),
        Epilogue {
            bias: Some(&bias),
            ..Epilogue::default()
        },
        Parallelism::single(),
    );
}

#[test]
fn shapes_that_do_not_fit() {
    multiply(2, 3, 2, 2);
    assert_eq!(
        message(|| multiply(2, 2, 2, 2)),
        "2 × 3 by 2 × 2 is not 2 × 2"
    );
    assert_eq!(
        message(|| multiply(1, 3, 2, 2)),
        "2 × 3 by 3 × 2 is not 1 × 2"
    );
    assert!(message(|| multiply(2, 3, 2, 1)).contains("one bias a column"));
    assert_eq!(
        message(|| _ = Matrix::new(&[1.0; 5], 2, 3)),
        "5 values cannot be a matrix of 2 × 3"
    );
    assert!(message(|| _ = Matrix::new(&[], usize::MAX, 2)).contains("cannot be a matrix"));
}

#[test]
fn scales_that_cannot_be() {
    let b = Int8Matrix::from_codes(1, 1, &[1], &[1.0]).expect("a code and a scale");
    for scale in [0.0, -1.0, 1e-40, f32::NAN, f32::INFINITY] {
        let multiply = || {
            let mut c = [0.0];
            Kernels::best().matmul_int8(
                Matrix::new(&[1.0], 1, 1),
                InputScale::Fixed(scale),
                &b,
                MatrixMut::new(&mut c, 1, 1),
                Epilogue::default(),
                Parallelism::single(),
            );
        };
        let said = message(std::panic::AssertUnwindSafe(multiply));
        assert!(said.contains("is not a positive normal number"), "{said}");
    }
}

#[test]
fn normalisations_that_do_not_fit() {
    let (x, one, two) = ([1.0; 6], [1.0; 1], [1.0; 2]);
    let (set, compute) = (Kernels::best(), Compute::default());
    let said =
        |call: &dyn Fn(&mut [f32])| message(std::panic::AssertUnwindSafe(|| call(&mut [0.0; 6])));
    let differ = "slices of different lengths";
    assert!(said(&|y| set.normalize_columns(&x[1..], &two, &two, &two, y)).contains(differ));
    assert!(
        said(&|y| set.normalize_columns(&x[1..], &two, &two, &two, &mut y[1..]))
            .contains("a part of a row")
    );
    assert!(said(&|y| set.normalize_columns(&x, &two, &one, &two, y)).contains("as many scales"));
    assert!(said(&|y| set.normalize_columns(&x, &[], &[], &[], y)).contains("without columns"));
    let back = |coefficients: [&[f32]; 3], dx: &mut [f32]| {
        set.normalize_columns_gradient(&x, &two, &x, coefficients, dx);
    };
    assert!(said(&|dx| back([&two, &two, &one], dx)).contains("as many coefficients"));
    assert!(said(&|dx| back([&two, &two, &two], &mut dx[2..])).contains(differ));
    let rows = |statistics: &mut [f32], y: &mut [f32]| {
        set.normalize_rows(&x, 1e-3, &two, &two, y, Some(statistics));
    };
    assert!(said(&|y| rows(&mut [0.0; 5], y)).contains("two statistics a row"));
    assert!(
        said(&|y| set.normalize_rows(&x, 1e-3, &two, &one, y, None)).contains("as many gammas")
    );
    let back = |statistics: &[f32], dx: &mut [f32]| {
        set.normalize_rows_gradient(&x, statistics, &two, &x, dx);
    };
    assert!(said(&|dx| back(&[0.0; 7], dx)).contains("two statistics a row"));
    assert!(said(&|s| compute.column_deviations(&x, &one, &mut s[..2])).contains("as many means"));
    assert!(
        said(&|s| compute.column_deviations(&x[1..], &two, &mut s[..2]))
            .contains("a part of a row")
    );
    assert!(
        said(&|s| compute.centred_column_dots(&x, &two, &x[1..], &mut s[..2])).contains(differ)
    );
    assert!(
        said(&|s| compute.normalized_column_dots(&x, &x[1..], &x, &mut s[..2]))
            .contains("two statistics")
    );
}

#[test]
fn derivatives_that_do_not_fit() {
    let derive = |activation, outputs: usize| {
        let outputs = vec![1.0; outputs];
        Kernels::best().matmul(
            Matrix::new(&[1.0; 6], 2, 3),
            Matrix::new(&[1.0; 6], 3, 2),
            MatrixMut::new(&mut [0.0; 4], 2, 2),
            Epilogue {
                derivative: Some((activation, &outputs)),
                ..Epilogue::default()
            },
            Parallelism::single(),
        );
    };
    derive(Activation::Tanh, 4);
    assert!(message(|| derive(Activation::Relu, 3)).contains("one output an element"));
    assert!(message(|| derive(Activation::Gelu, 4)).contains("does not follow from its output"));
}

#[test]
fn bf16_shapes_that_do_not_fit() {
    let multiply = |k: usize, bias: usize| {
        let (a, b, bias) = ([Bf16::default(); 6], [Bf16::default(); 6], vec![0.0; bias]);
        Kernels::best().matmul_bf16(
            Bf16Matrix::new(&a, 2, 3),
            Bf16Matrix::new(&b[..k * 2], k, 2),
            MatrixMut::new(&mut [0.0; 4], 2, 2),
            Epilogue {
                bias: Some(&bias),
                ..Epilogue::default()
            },
            Parallelism::single(),
        );
    };
    multiply(3, 2);
    assert_eq!(message(|| multiply(2, 2)), "2 × 3 by 2 × 2 is not 2 × 2");
    assert!(message(|| multiply(3, 1)).contains("one bias a column"));
    assert!(message(|| _ = Bf16Matrix::new(&[], 1, 1)).contains("cannot be a matrix"));
    assert!(message(|| _ = Bf16Matrix::new(&[], 0, 1).get(0, 0)).contains("(0, 0) of 0 × 1"));
    let set = Kernels::best();
    assert!(
        message(move || set.narrow_bf16(&[1.0], &mut [])).contains("slices of different lengths")
    );
    assert!(
        message(move || set.widen_bf16(&[], &mut [1.0])).contains("slices of different lengths")
    );
}

#[test]
fn lengths_that_differ() {
    let set = Kernels::best();
    assert!(message(move || set.add(&[1.0], &mut [])).contains("different lengths"));
    assert!(message(move || set.exp(&[1.0], &mut [0.0; 2])).contains("different lengths"));
    assert!(message(move || _ = set.dot(&[1.0], &[])).contains("different lengths"));
    assert!(
        message(move || set.softmax_rows(&[1.0; 5], 2, &mut [0.0; 5])).contains("a part of a row")
    );
    assert!(
        message(move || set.apply_mask(&mut [1.0; 65], &[0])).contains("one bit of mask a weight")
    );
    assert!(
        message(move || set.gradient_descent(&mut [1.0], &[], 0.1)).contains("different lengths")
    );
    let label = ClassTargets::Labels(&[2]);
    assert_eq!(
        message(move || set.softmax_cross_entropy(&[0.0; 2], 2, label, 0.0, &mut [0.0], None)),
        "label 2 among 2 classes"
    );
    let squared = ElementLoss::Squared;
    assert!(
        message(move || _ = set.element_loss(squared, &[0.0; 2], &[0.0], None, None))
            .contains("different lengths")
    );
    let weights = Some(&[1.0; 2][..]);
    assert!(
        message(move || _ = set.element_loss(squared, &[0.0; 3], &[0.0; 3], weights, None))
            .contains("rows of equal length")
    );
}

#[test]
fn sets_that_are_not_there() {
    assert_eq!(
        Kernels::named(""),
        Err(Error::UnknownSet {
            name: String::new()
        })
    );
    for name in ["portable", "avx2", "avx512"] {
        match Kernels::named(name) {
            Ok(set) => assert!(set.name() == name && Kernels::available().contains(&set)),
            Err(error) => {
                assert!(matches!(error, Error::Unsupported { set } if set == name));
                assert!(Kernels::available().iter().all(|set| set.name() != name));
            }
        }
    }
}

#[test]
fn buffers_are_aligned_and_zeroed() {
    for len in [0, 1, 15, 16, 17, 1000] {
        let mut buffer = Buffer::zeroed(len);
        assert_eq!(buffer.len(), len);
        assert!(buffer.iter().all(|&x| x == 0.0));
        assert_eq!(buffer.as_ptr() as usize % 64, 0);
        buffer.iter_mut().for_each(|x| *x = 1.0);
        let copy = buffer.clone();
        assert_eq!(copy, buffer);
        assert_eq!(copy.as_ptr() as usize % 64, 0);
        assert_eq!(Buffer::from(&buffer[..]), buffer);
    }
    assert!(Buffer::default().is_empty());
}

#[test]
fn directions_with_too_little_state() {
    let rms = Direction::Rms {
        rho: 0.9,
        epsilon: 1e-3,
    };
    let expected = "a number of state for each parameter and buffer";
    let direct = || Kernels::best().direct(&mut [1.0; 20], &mut [0.0; 19], rms);
    assert!(message(direct).contains(expected));
    let along = || {
        let around = Around::step(0.1);
        Kernels::best().step_along(&mut [1.0; 20], &[1.0; 20], &mut [0.0; 40], rms, around);
    };
    assert!(message(along).contains(expected));
    let along = || {
        let around = Around::step(0.1);
        Kernels::best().step_along(&mut [1.0; 20], &[1.0; 19], &mut [0.0; 20], rms, around);
    };
    assert!(message(along).contains("slices of different lengths"));
}
