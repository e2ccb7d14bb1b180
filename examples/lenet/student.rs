//! What the teacher knows, in few weights of few values.

use anyhow::Result;
use maas::compress::{
    Codebook, CodebookTraining, FisherMagnitude, GradualPruning, Pruner, Quantize, Ramp, shrink,
};
use maas::prelude::*;

use crate::augmentation;
use crate::teacher::Teacher;

/// Epochs over which weights leave, in which the rest settle, and in which they take few values.
const RAMP: usize = 12;
const SETTLE: usize = 12;
const ROUND: usize = 4;

/// Rows of a step, and steps between two rounds of pruning.
const BATCH: usize = 256;
const EVERY: usize = 50;

/// Values that a layer's weights have at the end, and its biases.
const VALUES: usize = 16;

/// How far digits are moved: the teacher has seen more than few weights can learn.
const MOVED: f32 = 0.6;

/// The rate at which weights are learned, and that at which they are rounded.
const RATE: f32 = 3e-3;
const LAST_RATE: f32 = 3e-4;

/// A copy of the teacher that is pruned, loses the units that nothing is left of, and takes few values.
pub(crate) fn student(teacher: &Teacher, sparsity: f64, seed: Seed) -> Result<Network> {
    let mut student = teacher.network().clone();
    let learn = |student: &mut Network, chain: Chain, epochs: usize, stage: u64| {
        teacher.teach(student, |loss| {
            Trainer::new(chain, loss)
                .epochs(epochs)
                .batch_size(BATCH)
                .seed(seed.derive(stage))
                .augment(augmentation::moved(MOVED))
                .progress(Progress::Quiet)
        })
    };

    // The weights that the loss depends on least leave, many at first and few in the end (Zhu & Gupta, 2017).
    let steps = teacher.rows().div_ceil(BATCH) * RAMP;
    let pruner = Pruner::new(FisherMagnitude::default(), sparsity).start(0.5);
    let pruning = GradualPruning::new(pruner, Ramp::cubic(steps / EVERY)).every(EVERY as u64);
    let rate = LearningRate::constant(RATE).warm_up(Span::epochs(0.5));
    let chain = Chain::new(rate).then(pruning).then(ScaleByAdam::default());
    learn(&mut student, chain, RAMP, 1)?;
    let chain = Adam::new(LearningRate::cosine(RATE)).into();
    learn(&mut student, chain, SETTLE, 2)?;
    let (mut student, _) = shrink(&student)?;

    let codebook = Codebook::new(VALUES).with_biases();
    let chain = Chain::from(Adam::new(LearningRate::cosine(LAST_RATE)))
        .then(CodebookTraining::new(codebook.clone()));
    learn(&mut student, chain, ROUND, 3)?;
    codebook.quantize(&mut student)?;
    Ok(student)
}
