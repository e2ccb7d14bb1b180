use super::convert::{load_partial, narrow};
use super::{Bf16, Bf16Matrix};
use crate::Matrix;
use crate::simd::Simd;

/// A bf16 number, or one to be rounded to it.
pub(super) trait Number: Copy + Sync {
    fn rounded(self) -> Bf16;

    /// At most a vector of bf16 numbers, each in the lower half of its lane; zeros beyond the end.
    fn load<S: Simd>(s: S, from: &[Self]) -> S::I;
}

impl Number for Bf16 {
    fn rounded(self) -> Bf16 {
        self
    }

    #[inline(always)]
    fn load<S: Simd>(s: S, from: &[Self]) -> S::I {
        // SAFETY: as the slice says; a `Bf16` is a `u16`.
        unsafe { load_partial(s, from.as_ptr().cast(), from.len()) }
    }
}

impl Number for f32 {
    fn rounded(self) -> Bf16 {
        Bf16::from_f32(self)
    }

    #[inline(always)]
    fn load<S: Simd>(s: S, from: &[Self]) -> S::I {
        // SAFETY: as the slice says.
        let x = unsafe {
            if from.len() == S::LANES {
                s.load(from.as_ptr())
            } else {
                s.load_partial(from.as_ptr(), from.len())
            }
        };
        s.and_i(narrow(s, x), s.splat_i(0xffff))
    }
}

/// A matrix of such numbers, of which the product's k are the columns of A, and of B the rows.
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    /// From the first element to the last.
    pub(super) data: &'a [T],
    pub(super) rows: usize,
    pub(super) columns: usize,
    /// From a row to the next.
    pub(super) row: usize,
    /// From a column to the next. One of the two is 1.
    pub(super) column: usize,
}

impl<'a, T: Number> Operand<'a, T> {
    pub(super) fn get(&self, row: usize, column: usize) -> f32 {
        self.data[row * self.row + column * self.column]
            .rounded()
            .to_f32()
    }

    pub(super) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row: self.column,
            column: self.row,
            ..self
        }
    }
}

impl<'a> From<Matrix<'a>> for Operand<'a, f32> {
    fn from(x: Matrix<'a>) -> Self {
        Self {
            data: x.data(),
            rows: x.rows(),
            columns: x.columns(),
            row: x.row_stride(),
            column: x.column_stride(),
        }
    }
}

impl<'a> From<Bf16Matrix<'a>> for Operand<'a, Bf16> {
    fn from(x: Bf16Matrix<'a>) -> Self {
        x.operand()
    }
}
