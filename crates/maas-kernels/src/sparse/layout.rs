//! Which element lies where. `README.md` beside this file has a picture.

use std::cmp::Reverse;
use std::ops::Range;

use super::matrix::elements;
use crate::Matrix;
use crate::product::{BLOCK, share};

/// A matrix cut into bands of columns and blocks of rows. Where a band crosses a block, its columns are in an order of
/// their own, longest first, and every `GROUP` of them are a group.
#[derive(Clone)]
pub(super) struct Layout {
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// Rows of a block, all but the last: a divisor of the product's blocks where there are several of those.
    depth: usize,
    bands: usize,
    /// Each group's first step, band by band, block by block; and where the last group ends.
    starts: Vec<usize>,
    /// For each group its columns, counted from the band's first one. What is missing in a last group is filled up with
    /// columns beyond the band.
    order: Vec<u16>,
}

impl Layout {
    pub(super) fn new(dense: Matrix<'_>, nonzeros: usize) -> Self {
        let (rows, columns) = (dense.rows(), dense.columns());
        let most = if nonzeros * CROWDED > rows * columns {
            SHORT
        } else {
            LONG
        };
        let span = rows.clamp(1, BLOCK);
        let depth = span.div_ceil(span.div_ceil(most));
        let mut layout = Self {
            rows,
            columns,
            depth,
            bands: columns.div_ceil(WIDTH),
            starts: vec![0],
            order: Vec::new(),
        };
        let mut steps = 0;
        for band in 0..layout.bands {
            let columns = layout.band(band);
            for block in 0..layout.blocks() {
                let mut lengths = vec![0; columns.len().next_multiple_of(GROUP)];
                for l in layout.block(block) {
                    for (j, _) in elements(dense, l, columns.clone()) {
                        lengths[j - columns.start] += 1;
                    }
                }
                let mut order: Vec<usize> = (0..lengths.len()).collect();
                order.sort_by_key(|&column| Reverse(lengths[column]));
                for group in order.chunks(GROUP) {
                    steps += lengths[group[0]];
                    layout.starts.push(steps);
                }
                layout
                    .order
                    .extend(order.iter().map(|&column| column as u16));
            }
        }
        layout
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.starts[..]) + size_of_val(&self.order[..])
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// At least one, so that sums of nothing are written as well.
    pub(super) fn blocks(&self) -> usize {
        self.rows.div_ceil(self.depth).max(1)
    }

    pub(super) fn bands(&self) -> usize {
        self.bands
    }

    /// Rows of a block.
    pub(super) fn block(&self, block: usize) -> Range<usize> {
        let start = block * self.depth;
        start..self.rows.min(start + self.depth)
    }

    /// Columns of a band.
    pub(super) fn band(&self, band: usize) -> Range<usize> {
        let (start, width) = share(self.columns, self.bands, band, GROUP);
        start..start + width
    }

    /// The band of a column, and the column counted from the band's first one.
    pub(super) fn band_of(&self, column: usize) -> (usize, usize) {
        let found = (0..self.bands)
            .map(|band| (band, self.band(band)))
            .find(|(_, columns)| columns.contains(&column));
        let (band, columns) = found.expect("a column of the matrix");
        (band, column - columns.start)
    }

    /// Columns of a band's groups.
    pub(super) fn width(&self, band: usize) -> usize {
        self.band(band).len().next_multiple_of(GROUP)
    }

    /// Where a band crosses a block.
    pub(super) fn crossing(&self, band: usize, block: usize) -> Crossing<'_> {
        let (start, width) = (self.band(band).start, self.width(band));
        let first = (self.blocks() * start + block * width) / GROUP;
        Crossing {
            order: &self.order[first * GROUP..][..width],
            starts: &self.starts[first..=first + width / GROUP],
        }
    }

    /// The steps of all groups.
    pub(super) fn steps(&self) -> usize {
        self.starts[self.starts.len() - 1]
    }
}

/// The groups of a band in a block.
#[derive(Clone, Copy)]
pub(super) struct Crossing<'a> {
    /// The columns, `GROUP` for each group.
    pub(super) order: &'a [u16],
    starts: &'a [usize],
}

impl Crossing<'_> {
    /// The steps of a group.
    #[inline]
    pub(super) fn steps(self, group: usize) -> Range<usize> {
        self.starts[group]..self.starts[group + 1]
    }
}

/// Columns whose elements lie side by side.
pub(super) const GROUP: usize = 16;
/// The most columns of a band: their sums for a few rows of a batch lie in the first cache.
const WIDTH: usize = 256;
/// The most rows of a block of a matrix with many elements: about as many as lie in the first cache for 32 rows of a batch.
const SHORT: usize = 264;
/// The most rows of a block of a matrix with few elements, so that columns are not too short.
const LONG: usize = 512;
/// A matrix has many elements where they are more than one in so many.
const CROWDED: usize = 16;
