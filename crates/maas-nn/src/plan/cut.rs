//! Where passes are cut between rows.

use std::ops::Range;

use maas_kernels::{Compute, Divisible};

use super::part::{Failure, Part};
use super::program::Step;
use super::step::Context;
use crate::Error;

/// What is worth a thread, and what fits into its cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grain {
    /// Multiply-adds that are worth a thread.
    pub(super) work: usize,
    /// Values and gradients that a thread takes through several steps before it goes on to the next rows.
    pub(super) floats: usize,
}

impl Grain {
    /// As found by measuring; `docs/tried.md` has the figures.
    pub(super) const MEASURED: Self = Self {
        work: 1 << 17,
        floats: 1 << 18,
    };

    /// Cuts wherever that is possible.
    pub(super) const FINEST: Self = Self { work: 1, floats: 1 };
}

/// Parameters of a step that each thread had better not read, and pack, for a few rows only.
const HEAVY: usize = 1 << 16;
/// Rows for which it may.
const MANY_ROWS: usize = 512;

impl Context<'_> {
    /// Whether several threads have enough to do with so many rows.
    pub(super) fn is_shared(self, rows: usize) -> bool {
        let work = self.program.steps.iter().map(Step::work);
        let work = work.fold(0, usize::saturating_add).saturating_mul(rows);
        self.compute.parallelism.get() > 1 && work / 2 >= self.grain.work
    }

    /// Whether threads take some rows each through the step. Otherwise they share its operations.
    pub(super) fn cuts(self, step: usize, rows: usize) -> bool {
        let step = &self.program.steps[step];
        let rows = rows / self.compute.parallelism.get();
        step.plan.by_rows && (step.parameters <= HEAVY || rows >= MANY_ROWS)
    }

    /// Calls `work` for parts of the rows, on several threads. Each part is a region of rows that is worth a thread, in
    /// pieces that fit into its cache.
    pub(super) fn over_rows(
        self,
        steps: Range<usize>,
        part: Part<'_>,
        work: impl Fn(&mut Part<'_>, Compute) -> Result<(), Error> + Sync,
    ) -> Result<(), Error> {
        let steps = &self.program.steps[steps];
        let piece = rows_of(
            self.grain.floats,
            steps.iter().map(|step| 2 * step.output.width),
        );
        let least = rows_of(self.grain.work, steps.iter().map(Step::work));
        let failure = Failure::default();
        self.compute.split(part, least, |mut rest| {
            while rest.units() > piece + piece / 2 {
                let (mut first, others) = rest.divide(piece);
                failure.note(first.values.rows().start, work(&mut first, self.alone()));
                rest = others;
            }
            failure.note(rest.values.rows().start, work(&mut rest, self.alone()));
        });
        failure.result()
    }
}

/// Rows that have so much in all.
fn rows_of(all: usize, each: impl Iterator<Item = usize>) -> usize {
    let row = each.fold(1, usize::saturating_add);
    match all / row {
        rows @ 0..16 => rows.max(1),
        rows => rows.next_multiple_of(16),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use maas_core::{Seed, Values};
    use maas_kernels::{Kernels, Parallelism};

    use super::*;
    use crate::{Mode, Network, Plan, PlanOptions, Sequential};

    /// With layers by rows before, between and behind one that mixes rows, branches, and parameters that do not learn.
    fn network() -> Network {
        let mut network = Sequential::rows(6)
            .dense(9)
            .gelu()
            .layer_norm()
            .dropout(0.3)
            .batch_norm()
            .residual(|branch| branch.dense(9).tanh().dense(9))
            .dense(7)
            .name("still")
            .selu()
            .gaussian_noise(0.1)
            .dense(3)
            .build(Seed(3))
            .unwrap();
        network.freeze("still").unwrap();
        network
    }

    fn gradient(network: &Network, compute: Compute, grain: Grain, rows: usize) -> Vec<u32> {
        let options = PlanOptions::train(rows).compute(compute).input_gradients();
        let mut plan = Plan::new(network, options).unwrap();
        plan.grain = grain;
        let x: Vec<f32> = (0..rows * 6).map(|i| (i as f32).sin()).collect();
        plan.set_input(0, rows, Values::F32(&x)).unwrap();
        plan.forward(rows, network, Mode::train(Seed(1), 2))
            .unwrap();
        let mut bits: Vec<u32> = plan.output().iter().map(|y| y.to_bits()).collect();
        let dy = plan.head_gradient_mut().iter_mut().enumerate();
        dy.for_each(|(i, dy)| *dy = (i as f32).cos());
        plan.backward(rows, network).unwrap();
        assert!(plan.gradient_is_finite());
        bits.extend(plan.gradient().iter().map(|g| g.to_bits()));
        let dx = plan.input_gradient(0, rows).unwrap();
        bits.extend(dx.iter().map(|g| g.to_bits()));
        bits.extend(plan.next_state().unwrap().iter().map(|s| s.to_bits()));
        bits
    }

    #[test]
    fn cuts_change_no_bit() {
        let network = network();
        let whole = Grain {
            work: usize::MAX,
            floats: usize::MAX,
        };
        for rows in [1, 17, 40] {
            let expected = gradient(&network, Compute::default(), whole, rows);
            for threads in [1, 2, 5] {
                let parallelism = Parallelism::threads(NonZeroUsize::new(threads).unwrap());
                let compute = Compute {
                    kernels: Kernels::best(),
                    parallelism,
                };
                for work in [1, 1000] {
                    let grain = Grain { work, floats: work };
                    let found = gradient(&network, compute, grain, rows);
                    assert_eq!(found, expected, "{rows} rows, {threads} threads, {grain:?}");
                }
            }
        }
    }
}
