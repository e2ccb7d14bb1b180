//! Orthonormal vectors, by Gram and Schmidt's process in double precision.

use maas_core::Seed;

use super::draw::normals;
use crate::Error;
use crate::network::layout::reserve;

/// Fills a matrix of `columns` columns.
///
/// Normal vectors made orthonormal are uniform among orthonormal ones, and are what a QR decomposition gives whose R has
/// a positive diagonal. Each vector is made orthogonal to the former ones twice, which leaves nothing but rounding.
pub(super) fn fill(values: &mut [f32], columns: usize, gain: f32, seed: Seed) -> Result<(), Error> {
    if values.is_empty() {
        return Ok(());
    }
    let rows = values.len() / columns;
    let (count, length) = (rows.min(columns), rows.max(columns));
    reserve::<f64>(values.len())?;
    let mut vectors: Vec<f64> = normals(seed).take(count * length).collect();
    for index in 0..count {
        let (done, rest) = vectors.split_at_mut(index * length);
        let vector = &mut rest[..length];
        for _ in 0..2 {
            for former in done.chunks_exact(length) {
                let along = dot(former, vector);
                for (v, f) in vector.iter_mut().zip(former) {
                    *v -= along * f;
                }
            }
        }
        let norm = dot(vector, vector).sqrt();
        vector.iter_mut().for_each(|v| *v /= norm);
    }
    for (row, values) in values.chunks_exact_mut(columns).enumerate() {
        for (column, value) in values.iter_mut().enumerate() {
            let (vector, element) = if rows < columns {
                (row, column)
            } else {
                (column, row)
            };
            *value = (f64::from(gain) * vectors[vector * length + element]) as f32;
        }
    }
    Ok(())
}

/// Σ aᵢ·bᵢ in eight lanes.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}
