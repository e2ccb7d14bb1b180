use super::BLOCK;
use crate::Matrix;

/// C = A·B as the definition says it: the reference for all other products.
///
/// `b` gives the element of a row and a column of `n`.
pub(super) fn product(a: Matrix<'_>, n: usize, b: impl Fn(usize, usize) -> f32, c: &mut [f32]) {
    let (m, k) = (a.rows(), a.columns());
    let (a_data, a_row, a_column) = (a.data(), a.row_stride(), a.column_stride());
    for i in 0..m {
        for j in 0..n {
            let mut total = 0.0;
            for start in (0..k).step_by(BLOCK) {
                let mut sum = 0.0f32;
                for l in start..k.min(start + BLOCK) {
                    sum = a_data[i * a_row + l * a_column].mul_add(b(l, j), sum);
                }
                total = if start == 0 { sum } else { total + sum };
            }
            c[i * n + j] = total;
        }
    }
}
