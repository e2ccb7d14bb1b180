//! The gradients by parameters, behind the backward pass.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use maas_kernels::Divisible;

use super::part::{Failure, Part};
use super::program::Learned;
use super::step::Context;
use crate::Error;

impl Context<'_> {
    /// The gradients by the parameters of all steps that work by rows. Each thread computes a stretch of the network's
    /// gradient. Answers whether the whole gradient is finite.
    pub(super) fn all_parameters(
        self,
        part: &Part<'_>,
        gradient: &mut [f32],
    ) -> Result<bool, Error> {
        let count = gradient.len();
        let stretch = Stretch {
            learned: &self.program.learned,
            start: 0,
            gradient,
        };
        let rows = part.values.units().max(1);
        let least = (self.grain.work / (rows * LINE)).max(LEAST_LINES);
        let (failure, finite) = (Failure::default(), AtomicBool::new(true));
        self.compute.split(stretch, least, |stretch| {
            let range = stretch.range();
            for learned in stretch.learned {
                if learned.overlaps(&range) {
                    let gradient = (range.start, &mut *stretch.gradient);
                    let result = self.parameters(learned.step, part, gradient, self.alone());
                    failure.note(learned.step, result);
                    self.clear_frozen(learned.step, (range.start, &mut *stretch.gradient));
                }
            }
            if !self
                .compute
                .kernels
                .squares_are_finite(stretch.gradient, count)
            {
                finite.store(false, Ordering::Relaxed);
            }
        });
        failure.result()?;
        Ok(finite.into_inner())
    }

    /// Zero by the parameters of a step that do not learn.
    pub(super) fn clear_frozen(self, index: usize, (start, gradient): (usize, &mut [f32])) {
        let end = start + gradient.len();
        let node = self.program.steps[index].node;
        for range in &self.architecture.layout.frozen_of[node] {
            let (first, last) = (range.start.clamp(start, end), range.end.clamp(start, end));
            gradient[first - start..last - start].fill(0.0);
        }
    }
}

/// A part of the network's gradient.
struct Stretch<'a> {
    learned: &'a [Learned],
    start: usize,
    gradient: &'a mut [f32],
}

impl Stretch<'_> {
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.gradient.len()
    }
}

impl Divisible for Stretch<'_> {
    fn units(&self) -> usize {
        self.gradient.len().div_ceil(LINE)
    }

    fn divide(self, at: usize) -> (Self, Self) {
        let wish = (at * LINE).min(self.gradient.len()) + self.start;
        let middle = cut(self.learned, wish).clamp(self.start, self.range().end);
        let (first, rest) = self.gradient.split_at_mut(middle - self.start);
        let (learned, start) = (self.learned, self.start);
        let first = Self {
            learned,
            start,
            gradient: first,
        };
        let rest = Self {
            learned,
            start: middle,
            gradient: rest,
        };
        (first, rest)
    }
}

/// Where gradients may be cut, at `wish` or before it.
fn cut(learned: &[Learned], wish: usize) -> usize {
    let mut cuts = learned.iter().flat_map(|learned| &learned.cuts);
    match cuts.find(|(range, _)| range.start < wish && wish < range.end) {
        Some((range, step)) => wish - (wish - range.start) % step,
        None => wish,
    }
}

/// Floats on a line of the cache.
const LINE: usize = 16;
/// Lines of the gradient for which a thread had better not read all rows.
const LEAST_LINES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_keep_parts_and_layers_whole() {
        let learned = [
            Learned {
                step: 0,
                range: 0..112,
                cuts: vec![(0..96, 12), (96..108, 1)],
            },
            Learned {
                step: 1,
                range: 112..144,
                cuts: vec![(112..144, 32)],
            },
        ];
        for (wish, expected) in [
            (0, 0),
            (30, 24),
            (96, 96),
            (100, 100),
            (110, 110),
            (130, 112),
        ] {
            assert_eq!(cut(&learned, wish), expected, "{wish}");
        }
    }
}
