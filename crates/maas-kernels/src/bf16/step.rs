use super::convert::without_subnormal;
use super::operand::{Number, Operand};
use crate::product::{BLOCK, Flushing, Step};
use crate::simd::Scalar;

/// C = A·B as the contract says it: the reference for all other products.
pub(super) fn product<T: Number>(a: Operand<'_, T>, b: Operand<'_, T>, c: &mut [f32]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    for i in 0..m {
        for j in 0..n {
            let factor = |l: usize| {
                if l < k {
                    (a.get(i, l), b.get(l, j))
                } else {
                    (0.0, 0.0)
                }
            };
            let mut total = 0.0;
            for start in (0..k).step_by(BLOCK) {
                let mut sum = 0.0;
                for l in (start..k.min(start + BLOCK)).step_by(2) {
                    for (a, b) in [factor(l + 1), factor(l)] {
                        sum = multiply_add(a, b, sum);
                    }
                }
                total = if start == 0 { sum } else { total + sum };
            }
            c[i * n + j] = total;
        }
    }
}

/// One step of the contract. `s` must not be subnormal, `a` and `b` must be bf16 numbers.
pub(super) fn multiply_add(a: f32, b: f32, s: f32) -> f32 {
    let (a, b) = (without_subnormal(Scalar, a), without_subnormal(Scalar, b));
    Flushing.go_on(Scalar, a, b, s)
}
