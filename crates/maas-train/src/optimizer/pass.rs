//! The links of a chain at work on blocks.

use std::ops::Range;

use maas_nn::{Block, BlockState, Fused, Role, Step, Transform};

use super::blocks::{Part, Stretch};
use super::bound::Bound;
use super::joined::Joined;
use super::rates::Rates;

/// What is the same for all blocks of a pass.
pub(super) struct Pass<'a> {
    pub(super) step: Step,
    pub(super) links: &'a [Bound],
    /// The links that are run at once, where there are such.
    pub(super) joined: Option<&'a Joined>,
    /// The links whose turn it is to change the direction.
    pub(super) turn: Range<usize>,
    /// Whether parameters are moved.
    pub(super) last: bool,
    /// For each part those of all links.
    pub(super) reductions: &'a [f32],
    pub(super) scalars: &'a [f64],
    pub(super) rates: &'a Rates,
    pub(super) parts: &'a [Part],
}

impl Pass<'_> {
    /// Runs the links on every block.
    pub(super) fn run(&self, stretch: Stretch<'_>) {
        self.blocks(stretch, |work, part| {
            if self.last {
                self.step(work);
            } else {
                for number in self.turn.clone() {
                    self.apply(number, work);
                }
            }
            if let Some((mask, first)) = part {
                let words = &mask[first..][..work.theta.len().div_ceil(64)];
                if self.last {
                    self.step.kernels.apply_mask(work.theta, words);
                } else {
                    // The next reduction sees none of what stays.
                    self.step.kernels.apply_mask(work.update, words);
                }
            }
        });
    }

    /// Gives the links' buffers their first values.
    pub(super) fn start(&self, stretch: Stretch<'_>) {
        self.blocks(stretch, |work, _| {
            for number in 0..self.links.len() {
                work.block(self, number, |link, _, block| link.start(block));
            }
        });
    }

    fn blocks(
        &self,
        stretch: Stretch<'_>,
        mut act: impl FnMut(&mut Work<'_>, Option<(&[u64], usize)>),
    ) {
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
            let mut work = Work {
                theta: &mut theta[from..][..len],
                update: &mut update[from..][..len],
                state: &mut state[from * buffers..][..len * buffers],
                role: part.role,
                part: place.part,
                step: self.rates.put(part.rate, self.step),
            };
            let mask = part.mask.as_ref().map(|mask| {
                let first = (place.range.start - part.range.start) / 64;
                (mask.words(), first)
            });
            act(&mut work, mask);
        }
    }

    fn step(&self, work: &mut Work<'_>) {
        match self.joined {
            // At rate 0 links may have their own ways.
            Some(joined) if work.step.learning_rate != 0.0 => {
                let reductions = &self.reductions[work.part * self.links.len()..];
                work.block(self, joined.keeper, |_, step, block| {
                    joined.run(step, block, |number| reductions[number]);
                });
            }
            _ => self.step_apart(work),
        }
        for number in 0..self.links.len() {
            if self.links[number].acts_after() {
                work.block(self, number, Transform::after);
            }
        }
    }

    fn step_apart(&self, work: &mut Work<'_>) {
        let changing = |number: &usize| self.links[*number].acts_before();
        let last = self.turn.clone().rev().find(changing);
        for number in self.turn.start..last.unwrap_or(self.turn.start) {
            self.apply(number, work);
        }
        let mut fused = Fused::Unsupported;
        if let Some(last) = last {
            work.block(self, last, |link, step, block| {
                fused = link.step_fused(step, block);
            });
            if fused == Fused::Unsupported {
                self.apply(last, work);
            }
        }
        if fused == Fused::Unsupported {
            let step = work.step;
            step.kernels
                .gradient_descent(work.theta, work.update, step.learning_rate);
        }
    }

    fn apply(&self, number: usize, work: &mut Work<'_>) {
        if self.links[number].acts_before() {
            work.block(self, number, Transform::apply);
        }
    }
}

/// One block.
struct Work<'a> {
    theta: &'a mut [f32],
    update: &'a mut [f32],
    state: &'a mut [f32],
    role: Role,
    part: usize,
    step: Step,
}

impl Work<'_> {
    fn block(
        &mut self,
        pass: &Pass<'_>,
        number: usize,
        act: impl FnOnce(&dyn Transform, &Step, &mut Block<'_>),
    ) {
        let (bound, len) = (&pass.links[number], self.theta.len());
        let state = &mut self.state[bound.buffers.start * len..bound.buffers.end * len];
        let reduction = pass.reductions[self.part * pass.links.len() + number];
        let mut block = Block::new(
            self.theta,
            self.update,
            BlockState::new(state, len),
            self.role,
            reduction,
        )
        .scalars(&pass.scalars[bound.scalars.clone()]);
        act(bound.link.as_ref(), &self.step, &mut block);
    }
}
