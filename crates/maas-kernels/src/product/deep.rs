//! Long sums into a small C: no operand is copied, and unfinished sums wait in the second cache.

use super::blocked::Product;
use super::end::Out;
use super::pack::View;
use super::strip::{Left, Strip};
use super::workspace::{Room, Workspace};

impl Product {
    /// Whether C is so small, and k so long, that a copy of Aᵀ would not be read often enough.
    pub(super) fn is_deep(&self, b: View) -> bool {
        let small = || self.m > 2 && self.n >= self.width() && self.m * self.n <= SUMS;
        self.k > 2 * STEPS && self.a.row == 1 && b.column == 1 && small()
    }

    /// What unfinished sums need of a workspace.
    pub(super) fn room_for_sums(&self) -> Room {
        Room {
            left: 0,
            right: self.m * self.n.next_multiple_of(self.width()),
        }
    }

    /// Both operands where they lie, a few steps of all sums at a time.
    pub(super) fn deep(self, b: View, workspace: &mut Workspace) {
        workspace.reserve(self.room_for_sums());
        let (sums, width) = (workspace.right.as_mut_ptr(), self.width());
        for start in (0..self.k).step_by(self.chain.block()) {
            let end = self.k.min(start + self.chain.block());
            for l in (start..end).step_by(STEPS) {
                let k = STEPS.min(end - l);
                for j in (0..self.n).step_by(width) {
                    let sums = sums.wrapping_add(self.m * j);
                    let strip = Strip {
                        chain: self.chain,
                        m: self.m,
                        k,
                        a: Left::InPlace(self.a.at(0, l)),
                        b: b.at(l, j).p,
                        b_stride: b.row,
                        copy: None,
                        go_on: (l > start).then_some(sums.cast_const()),
                        leave: (l + k < end).then_some(sums),
                        out: Out {
                            end: self.end(start, end, j),
                            to: self.to.at(0, j),
                            width: width.min(self.n - j),
                        },
                    };
                    strip.run_on(self.kernels);
                }
            }
        }
    }
}

/// Steps of a sum for which a strip of B, and what a tile reads of A, stay in the first cache.
const STEPS: usize = 64;
/// Unfinished sums that stay in the second cache.
const SUMS: usize = 32 * 1024;
