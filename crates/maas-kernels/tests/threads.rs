//! What is split over threads gives the bits of one thread.

mod common;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::assert_same;
use maas_kernels::{Activation, Chunks, Compute, Divisible, Kernels, Matrix, Parallelism};
use proptest::prelude::*;

fn compute(threads: usize) -> Compute {
    let threads = NonZeroUsize::new(threads).expect("at least one thread");
    Compute {
        kernels: Kernels::best(),
        parallelism: Parallelism::threads(threads),
    }
}

fn numbers(len: usize) -> Vec<f32> {
    (0..len)
        .map(|i| (i * 7919 % 1013) as f32 / 500.0 - 1.0)
        .collect()
}

proptest! {
    #[test]
    fn every_unit_is_worked_on_once(
        units in 0..3000_usize, width in 1..9_usize, least in 0..70_usize, threads in 1..5_usize,
    ) {
        let counts: Vec<_> = (0..units).map(|_| AtomicUsize::new(0)).collect();
        let calls = AtomicUsize::new(0);
        let chunks = units.div_ceil(width);
        compute(threads).split((0..chunks, Chunks::new(&counts[..], width)), least, |(range, part)| {
            calls.fetch_add(1, Ordering::Relaxed);
            assert_eq!(range.len(), part.units());
            for count in part.data {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        prop_assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        prop_assert!(calls.into_inner() <= 8 * threads);
    }
}

#[test]
fn elements_on_one_to_four_threads() {
    for len in [0, 1, 1000, 40_001, 100_000] {
        let x = numbers(len);
        let mut expected = vec![0.0; len];
        Kernels::portable().activate(Activation::Silu, &x, &mut expected);
        for threads in 1..=4 {
            let mut found = vec![0.0; len];
            compute(threads).split((&x[..], &mut found[..]), 100, |(x, y)| {
                Kernels::best().activate(Activation::Silu, x, y);
            });
            assert_same(&found, &expected, &format!("{len} on {threads} threads"));
        }
    }
}

#[test]
fn sums_on_one_to_four_threads() {
    for len in [0, 1, 4096, 70_000, 1_100_003] {
        let x = numbers(len);
        let expected = Kernels::portable().sum_squares(&x);
        for threads in 1..=4 {
            let found = compute(threads).sum_squares(&x);
            assert_same(
                &[found],
                &[expected],
                &format!("{len} on {threads} threads"),
            );
        }
    }
}

#[test]
fn column_sums_on_one_to_four_threads() {
    for (rows, columns) in [(0, 3), (7, 0), (3, 5), (2000, 1), (1500, 77), (1030, 200)] {
        let x = numbers(rows * columns);
        let mut expected = vec![0.0; columns];
        Kernels::portable().column_sums(Matrix::new(&x, rows, columns), &mut expected);
        for threads in 1..=4 {
            let mut found = vec![f32::NAN; columns];
            compute(threads).column_sums(Matrix::new(&x, rows, columns), &mut found);
            assert_same(
                &found,
                &expected,
                &format!("{rows} × {columns} on {threads} threads"),
            );
        }
    }
}

#[test]
fn sums_of_normalisations_on_one_to_four_threads() {
    for (rows, columns) in [(0, 3), (7, 1), (3, 5), (2000, 16), (1500, 77), (1030, 200)] {
        let (x, y) = (numbers(rows * columns), numbers(rows * columns + 9));
        let (y, means, statistics) = (&y[9..], numbers(columns), numbers(2 * rows));
        let all = |compute: Compute| {
            let mut sums = [(); 3].map(|()| vec![f32::NAN; columns]);
            compute.column_deviations(&x, &means, &mut sums[0]);
            compute.centred_column_dots(&x, &means, y, &mut sums[1]);
            compute.normalized_column_dots(&x, &statistics, y, &mut sums[2]);
            sums.concat()
        };
        let expected = all(Compute {
            kernels: Kernels::portable(),
            parallelism: Parallelism::single(),
        });
        for threads in 1..=4 {
            let found = all(compute(threads));
            assert_same(
                &found,
                &expected,
                &format!("{rows} × {columns}, {threads} threads"),
            );
        }
    }
}

#[test]
fn a_panic_reaches_the_caller() {
    let outcome = std::panic::catch_unwind(|| {
        compute(2).split(0..64, 1, |part| assert!(part.contains(&99), "no such unit"));
    });
    assert!(outcome.is_err());
    let units = AtomicUsize::new(0);
    compute(2).split(0..64, 1, |part| {
        units.fetch_add(part.len(), Ordering::Relaxed);
    });
    assert_eq!(units.into_inner(), 64, "the team goes on");
}

#[test]
#[should_panic(expected = "different lengths")]
fn members_of_a_tuple_must_fit() {
    compute(2).split((0..3, 0..4), 1, |_| ());
}
