//! The generic code at sixteen lanes gives the portable set's bits, whatever the processor.

use crate::{
    Activation, Around, Bf16, Bf16Matrix, ClassTargets, Compute, Direction, Epilogue, InputScale,
    Int8Matrix, Kernels, Matrix, MatrixMut, PanelMatrix, Parallelism, SparseInt8Matrix,
    SparseMatrix,
};

fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(747_796_405) | 1;
    (0..len)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match i % 97 {
                41 => f32::NAN,
                59 => -0.0,
                _ => (state >> 8) as f32 / (1 << 22) as f32 - 2.0,
            }
        })
        .collect()
}

#[track_caller]
fn compare(what: &str, len: usize, kernel: impl Fn(Kernels, &mut [f32])) {
    compare_sets(what, [Kernels::portable(), Kernels::wide()], len, kernel);
}

#[track_caller]
fn compare_sets(what: &str, sets: [Kernels; 2], len: usize, kernel: impl Fn(Kernels, &mut [f32])) {
    let (mut expected, mut found) = (numbers(len, 9), numbers(len, 9));
    kernel(sets[0], &mut expected);
    kernel(sets[1], &mut found);
    for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!(
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            "{what}: element {i} is {a}, not {b}"
        );
    }
}

#[test]
fn products() {
    let shapes = [
        (1, 20, 300),
        (2, 7, 150),
        (3, 40, 33),
        (9, 17, 16),
        (33, 64, 47),
        (8, 1, 5),
        (50, 130, 1),
        (150, 300, 40),
        (20, 1300, 260),
        (5, 0, 7),
    ];
    for (m, k, n) in shapes {
        let (a, b, bias) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
        let outputs = numbers(m * n, 4);
        for (a_turned, b_turned) in [(false, false), (false, true), (true, false), (true, true)] {
            let a = if a_turned {
                Matrix::new(&a, k, m).transposed()
            } else {
                Matrix::new(&a, m, k)
            };
            let b = if b_turned {
                Matrix::new(&b, n, k).transposed()
            } else {
                Matrix::new(&b, k, n)
            };
            let epilogue = || Epilogue {
                bias: Some(&bias),
                activation: Activation::Relu,
                derivative: Some((Activation::Relu, &outputs)),
                pre_activation: None,
            };
            let (what, single) = (
                format!("{m} × {k} × {n}, {a_turned} {b_turned}"),
                Parallelism::single(),
            );
            compare(&what, m * n, |set, c| {
                set.matmul(a, b, MatrixMut::new(c, m, n), epilogue(), single);
            });
            for made_for in [Kernels::portable(), Kernels::best(), Kernels::wide()] {
                let panels = PanelMatrix::for_kernels(b, made_for);
                for set in [Kernels::wide(), Kernels::best()] {
                    compare_sets(&what, [Kernels::portable(), set], m * n, |set, c| {
                        set.matmul_panels(a, &panels, MatrixMut::new(c, m, n), epilogue(), single);
                    });
                }
            }
        }
    }
}

#[test]
fn bf16_products() {
    for (m, k, n) in [
        (1, 20, 70),
        (7, 9, 33),
        (13, 300, 47),
        (100, 261, 35),
        (50, 131, 1),
        (4, 1100, 20),
    ] {
        for scale in [1.0, 1e-18] {
            let narrow = |x: Vec<f32>| -> Vec<Bf16> {
                x.iter().map(|x| Bf16::from_f32(scale * x)).collect()
            };
            let (a, b) = (narrow(numbers(m * k, 1)), narrow(numbers(k * n, 2)));
            for (a_turned, b_turned) in [(false, false), (false, true), (true, false)] {
                let view = |x, rows, columns, turned| {
                    if turned {
                        Bf16Matrix::new(x, columns, rows).transposed()
                    } else {
                        Bf16Matrix::new(x, rows, columns)
                    }
                };
                let (a, b) = (view(&a, m, k, a_turned), view(&b, k, n, b_turned));
                compare(
                    &format!("{m} × {k} × {n}, {a_turned} {b_turned}"),
                    m * n,
                    |set, c| {
                        let c = MatrixMut::new(c, m, n);
                        set.matmul_bf16(a, b, c, Epilogue::default(), Parallelism::single());
                    },
                );
            }
        }
    }
    let x = numbers(100, 7);
    compare("conversions", 100, |set, y| {
        let mut narrow = [Bf16::default(); 100];
        set.narrow_bf16(&x, &mut narrow);
        set.widen_bf16(&narrow, y);
    });
}

#[test]
fn int8_products() {
    for (m, k, n) in [
        (1, 20, 170),
        (2, 30, 90),
        (7, 9, 33),
        (13, 301, 47),
        (5, 1100, 16),
        (3, 0, 5),
    ] {
        let finite = |x: &mut f32| *x = if x.is_nan() { 0.5 } else { *x };
        let (mut a, mut w, bias) = (numbers(m * k, 1), numbers(k * n, 2), numbers(n, 3));
        w.iter_mut().for_each(finite);
        a[k..].iter_mut().for_each(finite);
        let w = Matrix::new(&w, k, n);
        let mut b = Int8Matrix::quantize(w).expect("finite weights");
        let first = b.clone();
        for set in [Kernels::portable(), Kernels::wide()] {
            b.quantize_with(set, w).expect("finite weights");
            assert_eq!(b, first, "{k} × {n} with {set:?}");
        }
        let sparse = SparseInt8Matrix::new(&b).ok();
        for scale in [InputScale::PerRow, InputScale::Fixed(0.01)] {
            let epilogue = || Epilogue {
                bias: Some(&bias),
                activation: Activation::Relu,
                ..Epilogue::default()
            };
            let what = format!("{m} × {k} × {n}, {scale:?}");
            let (a, single) = (Matrix::new(&a, m, k), Parallelism::single());
            compare(&what, m * n, |set, c| {
                let c = MatrixMut::new(c, m, n);
                set.matmul_int8(a, scale, &b, c, epilogue(), single);
            });
            compare(&what, m * n, |set, c| {
                let c = MatrixMut::new(c, m, n);
                match &sparse {
                    Some(b) => set.matmul_sparse_int8(a, scale, b, c, epilogue(), single),
                    None => set.matmul_int8(a, scale, &b, c, epilogue(), single),
                }
            });
        }
    }
}

#[test]
fn sparse_products() {
    for (m, k, n) in [
        (1, 20, 70),
        (2, 300, 33),
        (16, 1300, 20),
        (17, 90, 280),
        (33, 40, 16),
        (70, 150, 5),
        (3, 0, 4),
    ] {
        let (a, bias, outputs) = (numbers(m * k, 1), numbers(n, 3), numbers(m * n, 4));
        let mut b = numbers(k * n, 2);
        for (i, weight) in b.iter_mut().enumerate() {
            if !(i / 7).is_multiple_of(5) {
                *weight = 0.0;
            }
        }
        let sparse = SparseMatrix::new(Matrix::new(&b, k, n));
        for a_turned in [false, true] {
            let a = if a_turned {
                Matrix::new(&a, k, m).transposed()
            } else {
                Matrix::new(&a, m, k)
            };
            let what = format!("{m} × {k} × {n}, {a_turned}");
            let epilogue = || Epilogue {
                bias: Some(&bias),
                derivative: Some((Activation::Relu, &outputs)),
                ..Epilogue::default()
            };
            let single = Parallelism::single();
            let mut dense = vec![0.0; m * n];
            let c = MatrixMut::new(&mut dense, m, n);
            Kernels::portable().matmul(a, Matrix::new(&b, k, n), c, epilogue(), single);
            compare(&what, m * n, |set, c| {
                if set == Kernels::portable() {
                    c.copy_from_slice(&dense);
                } else {
                    let c = MatrixMut::new(c, m, n);
                    set.matmul_sparse(a, &sparse, c, epilogue(), single);
                }
            });
        }
    }
}

#[test]
fn maps_and_masks() {
    for len in [0, 1, 15, 16, 17, 100, 200] {
        let x = numbers(len, 4);
        compare("exp", len, |set, y| set.exp(&x, y));
        compare("ln", len, |set, y| set.ln(&x, y));
        compare("gelu", len, |set, y| set.activate(Activation::Gelu, &x, y));
        compare("tanh", len, |set, y| set.activate(Activation::Tanh, &x, y));
        compare("silu", len, |set, y| {
            set.activation_gradient(Activation::Silu, &x, &x, y);
        });
        compare("soft threshold", len, |set, y| set.soft_threshold(y, 0.3));
        let mask: Vec<u64> = (0..len.div_ceil(64) as u64)
            .map(|i| 0x5a17_93c4_e8d2_0f6b ^ i << 40)
            .collect();
        compare("mask", len, |set, y| set.apply_mask(y, &mask));
    }
}

#[test]
fn directions() {
    let rms = Direction::CenteredRms {
        rho: 0.9,
        epsilon: 1e-3,
    };
    let lion = Direction::Lion {
        beta_1: 0.9,
        beta_2: 0.99,
    };
    for len in [0, 1, 16, 35, 100] {
        let x = numbers(len, 4);
        for direction in [Direction::Gradient, rms, lion] {
            let around = Around {
                scale: 0.7,
                limit: 0.5,
                decay: Some(0.1),
                learning_rate: 0.1,
            };
            compare("direction", len * (1 + direction.buffers()), |set, y| {
                let (theta, state) = y.split_at_mut(len);
                set.step_along(theta, &x, state, direction, around);
                set.direct(theta, state, direction);
            });
        }
        compare("clip", len, |set, y| set.clip(y, 0.5));
        compare("average", len, |set, y| set.average(y, &x, 0.1));
        compare("synchronise", 2 * len, |set, y| {
            let (theta, slow) = y.split_at_mut(len);
            set.synchronise(theta, slow, 0.5);
        });
    }
}

#[test]
fn reductions_and_losses() {
    for len in [0, 1, 16, 35, 4100, 9000] {
        let x: Vec<f32> = numbers(len, 5)
            .into_iter()
            .map(|x| if x.is_nan() { 0.5 } else { x })
            .collect();
        compare("reductions", 4, |set, y| {
            y.copy_from_slice(&[
                set.sum(&x),
                set.dot(&x, &x),
                set.sum_squares(&x),
                set.max(&x),
            ]);
        });
    }
    let x = numbers(50 * 35, 6);
    compare("column sums", 35, |set, y| {
        set.column_sums(Matrix::new(&x, 50, 35), y);
    });
    compare("softmax", x.len(), |set, y| set.softmax_rows(&x, 35, y));
    let labels: Vec<u32> = (0..50).map(|i| i % 35).collect();
    compare("cross-entropy", 50, |set, y| {
        set.softmax_cross_entropy(&x, 35, ClassTargets::Labels(&labels), 0.1, y, None);
    });
}

#[test]
fn activations() {
    let x: Vec<f32> = numbers(233, 1).iter().map(|x| 5.0 * x).collect();
    for activation in [
        Activation::Elu { alpha: 1.0 },
        Activation::Elu { alpha: -0.5 },
        Activation::Selu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::Mish,
        Activation::HardSigmoid,
        Activation::Softplus,
        Activation::Softsign,
    ] {
        let what = format!("{activation:?}");
        compare(&what, 233, |set, y| set.activate(activation, &x, y));
        let gradient = |set: Kernels, dy: &mut [f32]| {
            set.activation_gradient_in_place(activation, &x, dy);
        };
        compare(&format!("{what}'s gradient"), 233, gradient);
    }
}

#[test]
fn normalisations() {
    for (rows, columns) in [(3, 1), (7, 16), (1030, 5), (40, 77), (9, 200)] {
        let len = rows * columns;
        let (x, dy) = (numbers(len, 1), numbers(len, 2));
        let [means, a, b, c] = [3, 4, 5, 6].map(|seed| numbers(columns, seed));
        let statistics = numbers(2 * rows, 7);
        let what = |part: &str| format!("{part} of {rows} × {columns}");
        compare(&what("columns"), len, |set, y| {
            set.normalize_columns(&x, &means, &a, &b, y);
        });
        compare(&what("columns' gradient"), len, |set, dx| {
            set.normalize_columns_gradient(&x, &means, &dy, [&a, &b, &c], dx);
        });
        compare(&what("rows"), len + 2 * rows, |set, results| {
            let (y, statistics) = results.split_at_mut(len);
            set.normalize_rows(&x, 1e-3, &a, &b, y, Some(statistics));
        });
        compare(&what("rows' gradient"), len, |set, dx| {
            set.normalize_rows_gradient(&x, &statistics, &a, &dy, dx);
        });
        compare(&what("sums"), 3 * columns, |kernels, sums| {
            let compute = Compute {
                kernels,
                parallelism: Parallelism::single(),
            };
            let (deviations, dots) = sums.split_at_mut(columns);
            let (centred, normalized) = dots.split_at_mut(columns);
            compute.column_deviations(&x, &means, deviations);
            compute.centred_column_dots(&x, &means, &dy, centred);
            compute.normalized_column_dots(&x, &statistics, &dy, normalized);
        });
    }
}
