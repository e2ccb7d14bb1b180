//! The links of a chain at work on blocks.

use std::sync::Arc;

use maas_nn::{Block, BlockState, Fused, Role, Step, Transform};

use super::blocks::{Part, Stretch};

/// What is the same for all blocks of a step.
pub(super) struct Pass<'a> {
    pub(super) step: Step,
    pub(super) links: &'a [Arc<dyn Transform>],
    pub(super) reductions: &'a [f32],
    pub(super) parts: &'a [Part],
}

impl Pass<'_> {
    pub(super) fn run(&self, stretch: Stretch<'_>) {
        let Stretch {
            groups,
            blocks,
            start,
            theta,
            update,
            state,
            buffers,
        } = stretch;
        for place in groups.iter().flat_map(|group| &blocks[group.clone()]) {
            let part = &self.parts[place.part];
            let (from, len) = (place.range.start - start, place.range.len());
            let theta = &mut theta[from..][..len];
            let mut work = Work {
                theta: &mut *theta,
                update: &mut update[from..][..len],
                state: &mut state[from * buffers..][..len * buffers],
                role: part.role,
            };
            self.step(&mut work);
            if let Some(mask) = &part.mask {
                let first = (place.range.start - part.range.start) / 64;
                let words = &mask.words()[first..][..len.div_ceil(64)];
                self.step.kernels.apply_mask(theta, words);
            }
        }
    }

    fn step(&self, work: &mut Work<'_>) {
        let mut fused = Fused::Unsupported;
        if self.links.len() == 1 {
            self.each(work, |link, block| {
                fused = link.step_fused(&self.step, block);
            });
        }
        if fused == Fused::Unsupported {
            self.each(work, |link, block| link.apply(&self.step, block));
            self.step
                .kernels
                .gradient_descent(work.theta, work.update, self.step.learning_rate);
        }
        self.each(work, |link, block| link.after(&self.step, block));
    }

    fn each(&self, work: &mut Work<'_>, mut act: impl FnMut(&dyn Transform, &mut Block<'_>)) {
        let len = work.theta.len();
        let mut rest = &mut *work.state;
        for (link, &reduction) in self.links.iter().zip(self.reductions) {
            let (state, others) = rest.split_at_mut(link.buffers() * len);
            rest = others;
            let state = BlockState::new(state, len);
            let (theta, update) = (&mut *work.theta, &mut *work.update);
            act(
                link.as_ref(),
                &mut Block::new(theta, update, state, work.role, reduction),
            );
        }
    }
}

/// One block.
struct Work<'a> {
    theta: &'a mut [f32],
    update: &'a mut [f32],
    state: &'a mut [f32],
    role: Role,
}
