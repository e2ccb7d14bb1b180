//! Where a step cuts the parameters.

use std::ops::Range;

use maas_kernels::Divisible;
use maas_nn::{Mask, Role};

/// Elements in a block: θ, update and two buffers of a link are 64 KiB, which stay in a core's second-level cache
/// while all links run over them. A multiple of 64, so that a block starts with a word of its mask.
const BLOCK: usize = 4096;
/// Groups of blocks that are worth a thread.
pub(super) const GROUPS: usize = 2;

/// What is known of a segment.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) range: Range<usize>,
    pub(super) role: Role,
    pub(super) trainable: bool,
    pub(super) mask: Option<Mask>,
    /// The number of its rate.
    pub(super) rate: usize,
}

/// A cache-sized part of one trainable segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) range: Range<usize>,
    /// The number of the segment.
    pub(super) part: usize,
}

/// The blocks in their order, and groups of neighbours with at least [`BLOCK`] elements, between which threads cut.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    pub(super) blocks: Vec<Place>,
    /// Numbers of blocks.
    pub(super) groups: Vec<Range<usize>>,
}

impl Groups {
    pub(super) fn new(parts: &[Part]) -> Self {
        let blocks_of = |(number, part): (usize, &Part)| {
            let end = part.range.end;
            let place = move |start| Place {
                range: start..end.min(start + BLOCK),
                part: number,
            };
            part.range.clone().step_by(BLOCK).map(place)
        };
        let trainable = parts.iter().enumerate().filter(|(_, part)| part.trainable);
        let blocks: Vec<Place> = trainable.flat_map(blocks_of).collect();
        let mut groups = Vec::new();
        let (mut first, mut elements) = (0, 0);
        for (number, block) in blocks.iter().enumerate() {
            elements += block.range.len();
            if elements >= BLOCK || number + 1 == blocks.len() {
                groups.push(first..number + 1);
                (first, elements) = (number + 1, 0);
            }
        }
        Self { blocks, groups }
    }
}

/// Groups of blocks with their parameters, directions and buffers.
pub(super) struct Stretch<'a> {
    pub(super) groups: &'a [Range<usize>],
    /// All blocks of the network.
    pub(super) blocks: &'a [Place],
    /// The number of the first parameter.
    pub(super) start: usize,
    pub(super) theta: &'a mut [f32],
    pub(super) update: &'a mut [f32],
    pub(super) state: &'a mut [f32],
    pub(super) buffers: usize,
}

impl Divisible for Stretch<'_> {
    fn units(&self) -> usize {
        self.groups.len()
    }

    fn divide(self, at: usize) -> (Self, Self) {
        let (groups, rest) = self.groups.split_at(at);
        let end = self.start + self.theta.len();
        let middle = rest
            .first()
            .map_or(end, |group| self.blocks[group.start].range.start);
        let len = middle - self.start;
        let (theta, theta_rest) = self.theta.split_at_mut(len);
        let (update, update_rest) = self.update.split_at_mut(len);
        let (state, state_rest) = self.state.split_at_mut(len * self.buffers);
        let first = Self {
            groups,
            theta,
            update,
            state,
            ..self
        };
        let second = Self {
            groups: rest,
            start: middle,
            theta: theta_rest,
            update: update_rest,
            state: state_rest,
            ..first
        };
        (first, second)
    }
}
