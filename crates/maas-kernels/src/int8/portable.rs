use super::InputScale;
use super::matrix::Int8Matrix;
use super::scale::nearest;
use crate::Matrix;

/// C = A·B as the contract says it: the reference for all other products.
pub(super) fn product(a: Matrix<'_>, scale: InputScale, b: &Int8Matrix, c: &mut [f32]) {
    let (k, n) = (b.rows(), b.columns());
    let mut sums = vec![0_i32; n];
    for (i, c) in c.chunks_exact_mut(n.max(1)).enumerate() {
        let x = |l| a.get(i, l);
        let largest = (0..k).map(|l| x(l).abs()).fold(0.0, f32::max);
        let factors = scale.factors(largest, (0..k).all(|l| x(l).is_finite()));
        sums.fill(0);
        for l in 0..k {
            let code = i32::from(nearest(x(l) * factors.to_codes));
            for (j, sum) in sums.iter_mut().enumerate() {
                *sum += code * i32::from(b.code(l, j));
            }
        }
        for ((c, &sum), scale) in c.iter_mut().zip(&sums).zip(b.scales()) {
            *c = sum as f32 * (factors.scale * scale);
        }
    }
}
