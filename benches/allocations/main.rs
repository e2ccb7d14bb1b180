//! What training, prediction and serving allocate, counted over all threads of the process.
//!
//! One test alone, so that no other thread of the test runner has anything to do meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

mod counter;
mod prediction;
mod serving;
mod training;

use std::num::NonZeroUsize;

use maas_nn::{Merge, Network, Sequential};
use ndarray::Array2;

/// The most threads that the cases use; no more than cores are needed for what is counted here.
const THREADS: [usize; 3] = [1, 2, 3];

#[test]
fn nothing_is_allocated_after_the_first_step_and_the_first_answer() {
    for threads in THREADS.map(|n| NonZeroUsize::new(n).unwrap()) {
        training::steps_allocate_nothing(threads);
        training::more_steps_allocate_no_more(threads);
        prediction::answers_allocate_nothing(threads);
        serving::inline_requests_allocate_the_answer(threads);
        serving::queued_requests_allocate_alike(threads);
        serving::services_around_one_allocate_nothing(threads);
    }
}

/// Numbers in −1..1 that look random and are the same everywhere.
fn noise(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(row, column)| {
        let x = (row * columns + column + 1) as u64;
        let x = (x ^ (x >> 3)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (x >> 40) as f32 / (1 << 23) as f32 - 1.0
    })
}

/// Products of it are in place and packed, thin and wide; from some 200 rows on they are worth a second thread.
fn network(inputs: usize, outputs: usize) -> Network {
    Sequential::rows(inputs)
        .gaussian_noise(0.01)
        .dense(256)
        .batch_norm()
        .relu()
        .residual(|x| x.layer_norm().dense(256).gelu())
        .parallel(Merge::Multiply, |x| {
            x.branch(|x| x).branch(Sequential::softsign)
        })
        .dropout(0.1)
        .dense(32)
        .tanh()
        .dense(outputs)
        .build(maas_core::Seed(7))
        .unwrap()
}
