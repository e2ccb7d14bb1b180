//! Which elements of a matrix are there: a bit each, as likely as its row, its column and its neighbours say.

use super::coder::Coder;
use super::model::{Mixture, density};

/// A matrix of bits, row by row.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) ones: Vec<bool>,
    pub(super) columns: usize,
}

impl Plane {
    /// Codes the bits that lie within the domain, where there is one; all others are 0.
    pub(super) fn code(&mut self, coder: &mut impl Coder, domain: Option<&[bool]>) {
        let columns = self.columns;
        let rows = self.ones.len().checked_div(columns).unwrap_or(0);
        let stride = coder.even(7, self.stride(rows)).max(2);
        let mut used = Flags::new(rows >= FLAGGED);
        for column in 0..columns {
            let mut ones = self.ones.iter().skip(column).step_by(columns);
            used.code(coder, ones.any(|&one| one));
        }
        let mut filled = Flags::new(columns >= FLAGGED);
        let mut past = Past::new(columns, stride);
        for (row, ones) in self.ones.chunks_exact_mut(columns.max(1)).enumerate() {
            if !filled.code(coder, ones.contains(&true)) {
                ones.fill(false);
                past.skip_row();
                continue;
            }
            for (column, one) in ones.iter_mut().enumerate() {
                let inside = domain.is_none_or(|domain| domain[row * columns + column]);
                *one = inside && used.past[column] && past.code(coder, column, *one);
                past.push(column, *one);
            }
            past.end_row();
        }
    }

    /// How many rows up the elements are that a column's are most like: the width of an image, where rows are its points.
    fn stride(&self, rows: usize) -> u32 {
        let ones: Vec<usize> = (0..self.ones.len()).filter(|&at| self.ones[at]).collect();
        let alike = |&stride: &usize| {
            let below = ones
                .iter()
                .filter_map(|at| self.ones.get(at + stride * self.columns));
            let both = below.filter(|&&one| one).count();
            (both, usize::MAX - stride)
        };
        (2..rows.min(128)).max_by_key(alike).unwrap_or(2) as u32
    }
}

/// Lines of fewer elements are not said to be empty.
const FLAGGED: usize = 8;

/// Whether there is any 1 in each row, or in each column.
struct Flags {
    mixture: Mixture<2>,
    past: Vec<bool>,
    coded: bool,
}

impl Flags {
    fn new(coded: bool) -> Self {
        Self {
            mixture: Mixture::new([1 << 2, 1 << 6]),
            past: Vec::new(),
            coded,
        }
    }

    fn code(&mut self, coder: &mut impl Coder, any: bool) -> bool {
        let last = self.past.iter().rev().take(6);
        let last = last.fold(0, |bits, &bit| bits << 1 | usize::from(bit));
        let any = !self.coded || self.mixture.bit(coder, [last & 3, last], any);
        self.past.push(any);
        any
    }
}

/// What is known of the bits so far.
struct Past {
    mixture: Mixture<4>,
    stride: u32,
    /// Where the bit of the row twice the stride up stands.
    twice: u32,
    /// The last bits of each column, the latest one lowest.
    latest: Vec<u128>,
    in_column: Vec<u32>,
    in_rows: Vec<u32>,
    in_row: u32,
    row_length: u32,
    rows: u32,
    rows_around: usize,
    /// Those of the last bits of a column that lie around an element, in two dimensions.
    around: u128,
}

impl Past {
    fn new(columns: usize, stride: u32) -> Self {
        let distances = [
            1,
            2,
            stride - 2,
            stride - 1,
            stride,
            stride + 1,
            stride + 2,
            2 * stride,
        ];
        Self {
            mixture: Mixture::new([1 << 10, 1 << 9, 1 << 10, columns]),
            stride,
            twice: (2 * stride - 1).min(u128::BITS - 1),
            latest: vec![0; columns],
            in_column: vec![0; columns],
            in_rows: Vec::new(),
            in_row: 0,
            row_length: 0,
            rows: 0,
            rows_around: 0,
            around: distances
                .into_iter()
                .fold(0, |bits, distance| bits | bit(distance)),
        }
    }

    #[inline]
    fn code(&mut self, coder: &mut impl Coder, column: usize, one: bool) -> bool {
        let above = self.latest[column];
        let beside = |column: usize| self.latest.get(column).map_or(0, |&latest| latest as usize);
        let left = beside(column.wrapping_sub(1));
        // The rows stride + 1, stride and stride − 1 up, twice the stride, then the last ones.
        let strided = (above >> (self.stride - 2)) as usize & 7;
        let twice = (above >> self.twice) as usize & 1;
        let neighbours = [
            (strided, 3),
            (twice, 1),
            (above as usize & 3, 2),
            (left & 3, 2),
            (beside(column.wrapping_sub(2)) & 1, 1),
            (beside(column + 1) & 1, 1),
        ];
        let around = (above & self.around).count_ones() as usize;
        let contexts = [
            density(self.in_row, self.row_length) << 5 | self.rows_around,
            around << 5 | density(self.in_column[column], self.rows),
            neighbours
                .into_iter()
                .fold(0, |bits, (more, count)| bits << count | more),
            column,
        ];
        self.mixture.bit(coder, contexts, one)
    }

    #[inline]
    fn push(&mut self, column: usize, one: bool) {
        self.latest[column] = self.latest[column] << 1 | u128::from(one);
        self.in_column[column] += u32::from(one);
        self.in_row += u32::from(one);
        self.row_length += 1;
    }

    fn end_row(&mut self) {
        self.in_rows.push(self.in_row);
        self.rows += 1;
        (self.in_row, self.row_length) = (0, 0);
        let back = |distance: u32| {
            let at = self.in_rows.len().checked_sub(distance as usize);
            at.map_or(0, |at| self.in_rows[at])
        };
        let sum =
            2 * back(1) + back(self.stride - 1) + 2 * back(self.stride) + back(self.stride + 1);
        self.rows_around = density(sum, (self.latest.len() as u32).saturating_mul(6));
    }

    fn skip_row(&mut self) {
        self.latest.iter_mut().for_each(|latest| *latest <<= 1);
        self.end_row();
    }
}

/// Where the bit of a row so far back stands; nowhere for the row itself, or one too far back.
fn bit(distance: u32) -> u128 {
    distance
        .checked_sub(1)
        .and_then(|at| 1_u128.checked_shl(at))
        .unwrap_or(0)
}
