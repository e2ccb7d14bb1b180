//! Normal numbers of random bits.

mod quantile;

pub use quantile::normal_quantile;

use quantile::{CENTRAL, centre, shoulder, tail};

use crate::Kernels;
use crate::kernels::Work;
use crate::simd::Simd;

impl Kernels {
    /// yᵢ = `deviation`·x, rounded once, where x is the [`normal_quantile`] of (bitsᵢ + ½) / 2³².
    ///
    /// # Panics
    /// When the lengths differ.
    ///
    /// ```
    /// use maas_kernels::Kernels;
    ///
    /// let mut y = [0.0; 2];
    /// Kernels::best().normal(&[0, u32::MAX], 2.0, &mut y);
    /// assert_eq!(y[0], -y[1]);
    /// assert!((y[1] - 2.0 * 6.337_957_8).abs() < 1e-4);
    /// ```
    #[track_caller]
    pub fn normal(self, bits: &[u32], deviation: f64, y: &mut [f32]) {
        assert_eq!(bits.len(), y.len(), "slices of different lengths");
        self.run(Normal { bits, deviation, y });
    }
}

struct Normal<'a> {
    bits: &'a [u32],
    deviation: f64,
    y: &'a mut [f32],
}

/// Numbers in double precision, of which the compiler makes vectors: it sees loops over arrays, none of which branch.
impl Work for Normal<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { bits, deviation, y } = self;
        let mut start = 0;
        while start < y.len() {
            let end = y.len().min(start + BLOCK);
            quantiles(&bits[start..end], deviation, &mut y[start..end]);
            start = end;
        }
    }
}

/// All are computed as if they were central; then those that are not are gathered, and computed side by side.
#[inline(always)]
fn quantiles(bits: &[u32], deviation: f64, y: &mut [f32]) {
    let (mut p, mut x) = ([0.5; BLOCK], [0.0; BLOCK]);
    for (p, &bits) in p.iter_mut().zip(bits) {
        *p = (f64::from(bits) + 0.5) * (1.0 / 4_294_967_296.0);
    }
    // Whole vectors, of which the last may go beyond.
    let whole = bits.len().next_multiple_of(SIDE_BY_SIDE);
    for (x, &p) in x[..whole].iter_mut().zip(&p) {
        *x = centre(p - 0.5);
    }
    let (mut outside, mut count) = ([0_u8; BLOCK], 0);
    for (i, &p) in p[..bits.len()].iter().enumerate() {
        outside[count] = i as u8;
        count += usize::from((p - 0.5).abs() > CENTRAL);
    }
    let mut start = 0;
    while start < count {
        // 32 bits are never on the far tail, which begins at e⁻²⁵.
        let mut sides = [0.5; SIDE_BY_SIDE];
        let end = count.min(start + SIDE_BY_SIDE);
        for (side, &i) in sides.iter_mut().zip(&outside[start..end]) {
            *side = tail(p[usize::from(i)]);
        }
        for side in &mut sides {
            *side = shoulder(*side);
        }
        for (&side, &i) in sides.iter().zip(&outside[start..end]) {
            let i = usize::from(i);
            x[i] = side.copysign(p[i] - 0.5);
        }
        start = end;
    }
    for (y, x) in y.iter_mut().zip(&x) {
        *y = (deviation * x) as f32;
    }
}

/// Numbers of which the outer ones are gathered: at most 256, and one in seven is outside.
const BLOCK: usize = 128;
const SIDE_BY_SIDE: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: u32 = 1 << 31;

    #[test]
    fn every_set_has_the_bits_of_the_quantile() {
        let near = [0, 1, 2, HALF - 1, HALF, HALF + 1, u32::MAX - 1, u32::MAX];
        let edges = [0.075, 0.925].map(|p| (p * 4_294_967_296.0) as u32);
        let edges = edges.into_iter().flat_map(|edge| edge - 4..edge + 4);
        let spread = (0..3_001_u32).map(|i| i.wrapping_mul(2_654_435_761));
        let bits: Vec<u32> = near.into_iter().chain(edges).chain(spread).collect();
        let expected: Vec<u32> = bits
            .iter()
            .map(|&bits| normal_quantile((f64::from(bits) + 0.5) / 4_294_967_296.0))
            .map(|x| ((0.3 * x) as f32).to_bits())
            .collect();
        for kernels in Kernels::available() {
            for len in [0, 1, 127, 128, 129, bits.len()] {
                let mut y = vec![0.0; len];
                kernels.normal(&bits[..len], 0.3, &mut y);
                let found: Vec<u32> = y.iter().map(|y| y.to_bits()).collect();
                assert_eq!(found, expected[..len], "{kernels:?}");
            }
        }
    }
}
