//! Every link keeps every law, and links that break one are told which.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up fails")]

use std::sync::atomic::{AtomicU32, Ordering};

use maas_kernels::Kernels;
use maas_nn::{Acts, Block, Fused, Reduces, Step, Transform};
use maas_train::{
    AverageWeights, ClipByGlobalNorm, ClipByNorm, ClipByValue, DecayWeights, Error, Law, LookAhead,
    Momentum, ProximalL1, ScaleByAdagrad, ScaleByAdam, ScaleByAmsGrad, ScaleByLion, ScaleByNadam,
    ScaleByRms, check_transform,
};

#[test]
fn every_link_keeps_every_law() {
    check_transform(Momentum::new(0.9)).unwrap();
    check_transform(Momentum::new(0.9).nesterov()).unwrap();
    check_transform(ScaleByAdam::default()).unwrap();
    check_transform(ScaleByAmsGrad::default()).unwrap();
    check_transform(ScaleByNadam::default()).unwrap();
    check_transform(ScaleByRms::default()).unwrap();
    check_transform(ScaleByRms::default().centered()).unwrap();
    check_transform(ScaleByAdagrad::default()).unwrap();
    check_transform(ScaleByAdagrad::default().initial_sum(0.0)).unwrap();
    check_transform(ScaleByLion::default()).unwrap();
    check_transform(ClipByValue::new(0.3)).unwrap();
    check_transform(ClipByNorm::new(0.3)).unwrap();
    check_transform(ClipByGlobalNorm::new(0.3)).unwrap();
    check_transform(ClipByGlobalNorm::new(1e9)).unwrap();
    check_transform(DecayWeights::new(0.1)).unwrap();
    check_transform(DecayWeights::new(0.1).everything()).unwrap();
    check_transform(ProximalL1::new(0.1)).unwrap();
    check_transform(ProximalL1::new(0.1).everything()).unwrap();
    check_transform(AverageWeights::default()).unwrap();
    check_transform(LookAhead::new(2, 0.5)).unwrap();
}

#[test]
fn numbers_out_of_range_are_told() {
    let refused = |outcome: Result<(), Error>, expected: &str| {
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, Error::Coefficient { name, .. } if name == expected),
            "{error}"
        );
    };
    refused(check_transform(Momentum::new(1.0)), "momentum");
    refused(
        check_transform(ScaleByAdam::default().beta_1(-0.1)),
        "beta_1",
    );
    refused(
        check_transform(ScaleByAmsGrad::default().beta_2(1.0)),
        "beta_2",
    );
    refused(
        check_transform(ScaleByNadam::default().epsilon(0.0)),
        "epsilon",
    );
    refused(check_transform(ScaleByRms::default().rho(f32::NAN)), "rho");
    refused(
        check_transform(ScaleByAdagrad::default().initial_sum(-1.0)),
        "initial_sum",
    );
    refused(
        check_transform(ScaleByLion::default().beta_1(1.5)),
        "beta_1",
    );
    refused(check_transform(ClipByValue::new(0.0)), "limit");
    refused(check_transform(ClipByNorm::new(-1.0)), "limit");
    refused(check_transform(ClipByGlobalNorm::new(f32::NAN)), "limit");
    refused(check_transform(DecayWeights::new(-0.1)), "weight_decay");
    refused(check_transform(ProximalL1::new(f32::INFINITY)), "lambda");
    refused(check_transform(AverageWeights::new(1.0)), "momentum");
    refused(check_transform(LookAhead::new(0, 0.5)), "steps");
    refused(check_transform(LookAhead::new(5, 1.5)), "share");
}

/// What one of the broken links does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nameless,
    AveragesNothing,
    ReducesInSecret,
    ActsAfterInSecret,
    LooksAtTheBlock,
    LooksAtTheKernels,
    FusesOtherwise,
    TouchesAndDeclines,
    DividesByZero,
    HidesNan,
    CountsOutside,
}

#[derive(Debug)]
struct Broken(Wrong, AtomicU32);

impl Transform for Broken {
    fn name(&self) -> &str {
        if self.0 == Wrong::Nameless {
            ""
        } else {
            "broken"
        }
    }

    fn buffers(&self) -> usize {
        usize::from(matches!(
            self.0,
            Wrong::AveragesNothing | Wrong::DividesByZero
        ))
    }

    fn averages(&self) -> Option<usize> {
        (self.0 == Wrong::AveragesNothing).then_some(1)
    }

    fn reduces(&self) -> Reduces {
        Reduces::Nothing
    }

    fn reduce(&self, step: &Step, update: &[f32]) -> f32 {
        if self.0 == Wrong::ReducesInSecret {
            step.kernels.sum_squares(update)
        } else {
            0.0
        }
    }

    fn acts(&self) -> Acts {
        if self.0 == Wrong::ActsAfterInSecret {
            Acts::BeforeStep
        } else {
            Acts::Everywhere
        }
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        let len = block.update.len();
        for (index, update) in block.update.iter_mut().enumerate() {
            match self.0 {
                Wrong::LooksAtTheBlock => *update *= 1.0 + (index + 1) as f32 / len as f32,
                Wrong::LooksAtTheKernels => {
                    *update *= if step.kernels == Kernels::portable() {
                        1.0
                    } else {
                        0.5
                    };
                }
                Wrong::DividesByZero => {
                    let sum = &mut block.state.get(0)[index];
                    *sum += *update * *update;
                    *update /= sum.sqrt();
                }
                Wrong::HidesNan => *update = update.max(-1.0),
                Wrong::CountsOutside => *update *= self.1.fetch_add(1, Ordering::Relaxed) as f32,
                _ => {}
            }
        }
    }

    fn after(&self, _: &Step, block: &mut Block<'_>) {
        if self.0 == Wrong::ActsAfterInSecret {
            block.parameters[0] += 1.0;
        }
    }

    fn step_fused(&self, step: &Step, block: &mut Block<'_>) -> Fused {
        match self.0 {
            Wrong::FusesOtherwise => {
                step.kernels.gradient_descent(
                    block.parameters,
                    block.update,
                    2.0 * step.learning_rate,
                );
                Fused::Done
            }
            Wrong::TouchesAndDeclines => {
                block.update.fill(0.0);
                Fused::Unsupported
            }
            _ => Fused::Unsupported,
        }
    }
}

#[test]
fn a_broken_law_is_named() {
    for (wrong, expected) in [
        (Wrong::Nameless, Law::Identity),
        (Wrong::AveragesNothing, Law::Averages),
        (Wrong::ReducesInSecret, Law::ReductionDeclared),
        (Wrong::ActsAfterInSecret, Law::ActsDeclared),
        (Wrong::LooksAtTheBlock, Law::Cuts),
        (Wrong::FusesOtherwise, Law::Fusion),
        (Wrong::TouchesAndDeclines, Law::Fusion),
        (Wrong::DividesByZero, Law::ZeroGradient),
        (Wrong::HidesNan, Law::NanStays),
        (Wrong::CountsOutside, Law::Cuts),
    ] {
        let error = check_transform(Broken(wrong, AtomicU32::new(1))).unwrap_err();
        assert!(
            matches!(&error, Error::BrokenLaw { law, .. } if *law == expected),
            "{wrong:?}: {error}"
        );
    }
    if Kernels::available().len() > 1 {
        let error = check_transform(Broken(Wrong::LooksAtTheKernels, AtomicU32::new(1)));
        assert!(matches!(
            error,
            Err(Error::BrokenLaw {
                law: Law::KernelSets,
                ..
            })
        ));
    }
}

/// Counts steps instead of calls, so that blocks do not show it.
#[derive(Debug)]
struct Counts(AtomicU32);

impl Transform for Counts {
    fn begin(&self, _: &Step, _: &mut [f64]) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn apply(&self, step: &Step, block: &mut Block<'_>) {
        let count = self.0.load(Ordering::Relaxed);
        step.kernels.scale(1.0 / (1 + count) as f32, block.update);
    }
}

#[test]
fn state_in_the_link_itself_is_found() {
    let error = check_transform(Counts(AtomicU32::new(0))).unwrap_err();
    assert!(matches!(error, Error::BrokenLaw { link, .. } if link == "Counts"));
}
