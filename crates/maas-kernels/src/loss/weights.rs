use std::ops::Range;

use crate::reduce::BLOCK;
use crate::simd::{MOST_LANES, Simd};

/// One weight for each `width` elements.
#[derive(Clone, Copy)]
pub(super) struct RowWeights<'a> {
    weights: &'a [f32],
    width: usize,
}

impl<'a> RowWeights<'a> {
    /// # Panics
    /// When the elements are not made of as many rows of equal length as there are weights.
    #[track_caller]
    pub(super) fn new(weights: &'a [f32], elements: usize) -> Self {
        let width = elements.checked_div(weights.len()).unwrap_or(0);
        assert_eq!(weights.len() * width, elements, "rows of equal length");
        Self { weights, width }
    }

    /// A weight for each element of a range of at most [`BLOCK`].
    #[inline(always)]
    pub(super) fn of<'b, S: Simd>(
        self,
        s: S,
        range: Range<usize>,
        room: &'b mut Option<[f32; ROOM]>,
    ) -> &'b [f32]
    where
        'a: 'b,
    {
        if self.width == 1 {
            return &self.weights[range];
        }
        let (len, room) = (range.len(), room.get_or_insert([0.0; ROOM]));
        assert!(len <= BLOCK, "a block");
        let (mut row, mut i) = (range.start / self.width, 0);
        let mut left = self.width - range.start % self.width;
        while i < len {
            let (weight, end) = (s.splat(self.weights[row]), len.min(i + left));
            while i < end {
                // SAFETY: `i < BLOCK`, and the room goes on for a vector beyond. What lies beyond the row is written
                // again by the next one.
                unsafe { s.store(room.as_mut_ptr().add(i), weight) };
                i += S::LANES;
            }
            (row, i, left) = (row + 1, end, self.width);
        }
        &room[..len]
    }
}

/// A block, and what a last vector writes beyond it.
const ROOM: usize = BLOCK + MOST_LANES;
